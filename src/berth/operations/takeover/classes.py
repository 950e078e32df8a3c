"""What becomes of old classes: where Berth reads a parameter otherwise than the reference did, or refuses it.

The reference knows pathPattern, onDelete (delete, retain) and archiveOnDelete; it ignores whatever else a class says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from berth.objects.kinds import ClassObject
from berth.operations.takeover.inventory import Group
from berth.operations.takeover.remark import Remark, several
from berth.texts.command import Shell, command
from berth.texts.text import Text
from berth.volumes.errors import Refused
from berth.volumes.parameters import KNOWN, Parameters, parse_parameters, share_address

_OF_REFERENCE = ("pathPattern", "onDelete", "archiveOnDelete")
_HARMLESS = ("stepSize",)


def judge_classes(group: Group) -> Iterator[Remark]:
    """All that changes, or won't work, in the classes of one group."""
    for one in group.classes:
        name, parameters = one.name, one.parameters or {}
        try:
            parsed = parse_parameters(parameters, server=group.share.server, export=group.share.export)
            share_address(parsed.server, parsed.export, tuple(one.mountOptions or ()))
        except Refused as refusal:
            yield _refused(name, parameters, refusal, group)
            continue
        yield from _read_otherwise(name, parameters, parsed, group)
        if _is_for_several(parsed):
            yield _not_unique(name, parsed)


def _refused(name: str, parameters: Mapping[str, str], refusal: Refused, group: Group) -> Remark:
    key = refusal.parameter
    is_ignored = key in parameters and key not in _OF_REFERENCE
    volumes = sum(one.class_name == name for one in group.volumes)
    return Remark(
        "class-refused",
        "warning",
        f"class {name}",
        Text(
            f"Berth refuses it: {refusal}."
            + (" The old provisioner ignored this parameter." if is_ignored else "")
            + " New claims would wait, each with an Event that says so, and the volumes of deleted claims would be "
            f"kept ({several(volumes, 'PV')} of this class)",
            f"Berth 会拒绝它：{refusal}。"
            + ("旧供应器忽略了这个参数。" if is_ignored else "")
            + f"新的 PVC 会一直等待（并有事件说明原因），PVC 删除后其卷会保留（该类现有 {volumes} 个 PV）",
        ),
        Text(
            "correct it before the take-over, or at any time after; classes can't be edited, so it is made anew under "
            "its name, and its volumes don't notice",
            "请在接管前修正，接管后也可以随时修正；存储类不能直接修改，只能以同名重建，已有的卷不受影响",
        ),
        _remake(name),
    )


def _read_otherwise(name: str, parameters: Mapping[str, str], parsed: Parameters, group: Group) -> Iterator[Remark]:
    if (parsed.server.lower(), parsed.export) != (group.share.server.lower(), group.share.export):
        there, here = f"{parsed.server}:{parsed.export}", str(group.share)
        yield Remark(
            "class-elsewhere",
            "warning",
            f"class {name}",
            Text(
                f"it names the share {there}, which the old provisioner ignored: its volumes lie on {here}. Berth "
                f"puts new ones where the class says, and leaves those on {here} alone when their claims go",
                f"它写明的共享目录是 {there}，旧供应器忽略了这一点，卷实际在 {here} 上。Berth 会按存储类把新卷放到 "
                f"{there}，而 {here} 上的旧卷在 PVC 删除后只会保留",
            ),
            Text(
                "unless that is wanted, make the class anew without server and share",
                "如非本意，请去掉 server 和 share 后重建该存储类",
            ),
            _remake(name),
        )
    others = {key: value for key, value in parameters.items() if key in KNOWN and key not in _OF_REFERENCE}
    named = ", ".join(f"{key}={value}" for key, value in others.items()
                      if key not in ("server", "share", *_HARMLESS))  # fmt: skip
    if named:
        yield Remark(
            "class-heeded",
            "note",
            f"class {name}",
            Text(
                f"the old provisioner ignored {named}; Berth does what it says, for new volumes",
                f"旧供应器忽略了 {named}；Berth 会对新卷照办",
            ),
            Text("if that is not wanted, make the class anew without it", "如非本意，请去掉后重建该存储类"),
        )
    if parameters.get("onDelete") == "archive" and not _archives(parameters):
        yield Remark(
            "class-archives",
            "note",
            f"class {name}",
            Text(
                "onDelete is archive, which the old provisioner did not know: it deleted, as archiveOnDelete says. "
                "Berth archives",
                "onDelete 为 archive，旧供应器不认识这个值，按 archiveOnDelete 直接删除；Berth 会归档",
            ),
            Text("nothing is lost by that; watch the space", "不会丢数据，留意空间即可"),
        )


def _archives(parameters: Mapping[str, str]) -> bool:
    return parse_parameters({"archiveOnDelete": parameters.get("archiveOnDelete", "true")}).on_delete == "archive"


def _is_for_several(parsed: Parameters) -> bool:
    """Whether two claims may get one directory by this pattern."""
    sources = {piece.source for piece in parsed.pattern.pieces}
    return parsed.sharing == "deny" and "pv" not in sources and not {"namespace", "name"} <= sources


def _not_unique(name: str, parsed: Parameters) -> Remark:
    return Remark(
        "class-not-unique",
        "warning",
        f"class {name}",
        Text(
            f"{parsed.pattern.text!r} can give two claims one directory. The old provisioner did; Berth refuses the "
            f"second claim, with an Event that names the first",
            f"{parsed.pattern.text!r} 可能让两个 PVC 得到同一个目录。旧供应器允许这样，"
            f"Berth 会拒绝后来的 PVC，并用事件指出先前的那个",
        ),
        Text(
            "where sharing is wanted, make the class anew with sharedPaths: namespace (or allow); what exists stays",
            "如果确实要共享，请加上 sharedPaths: namespace（或 allow）重建该存储类；已有的卷不变",
        ),
        _remake(name),
    )


def _remake(name: str) -> tuple[Shell, ...]:
    return (
        command("kubectl get storageclass {name} -o yaml > {name}.yaml", name=name),
        command("${EDITOR:-vi} {name}.yaml", name=name),
        command("kubectl replace --force -f {name}.yaml", name=name),
    )


def class_name(of_class: ClassObject) -> str:
    """A class's name."""
    return of_class.name
