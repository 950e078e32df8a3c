"""What is wrong with old volumes as the cluster tells it: shared or nested directories, and what nothing proves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from berth.objects.locations import normal
from berth.operations.takeover.inventory import Group, OldVolume, is_nested
from berth.operations.takeover.remark import Remark, several, some
from berth.texts.command import command
from berth.texts.text import Text


def judge_volumes(group: Group) -> Iterator[Remark]:
    """All that one should know about the volumes of one group before, and after, they are taken over."""
    at_root = [one for one in group.volumes if normal(one.absolute_path) == group.share.export]
    if at_root:
        yield _at_root(group, at_root)
    beside = [(one, other) for one, other in group.beside if one not in at_root]
    if beside:
        yield _beside(beside)
    by_class = defaultdict(list)
    elsewhere, unproven = [], []
    classes = {(one.metadata.name if one.metadata else None) or "" for one in group.classes}
    for one in group.volumes:
        if one in at_root:
            continue
        if one.class_name not in classes and not one.by_berth:
            by_class[one.class_name].append(one)
        elif one.plan is None and not one.is_class_refused:  # those of a refused class are told with it
            elsewhere.append(one)
        elif one.plan is not None and not one.is_proven and not one.by_berth:
            unproven.append(one)
    for name, volumes in by_class.items():
        yield _without_class(name, volumes)
    if elsewhere:
        yield _elsewhere(elsewhere)
    if unproven:
        yield _unproven(unproven)
    nested = [one for one in group.volumes if is_nested(one)]
    if nested:
        yield _nested(nested)


def _names(volumes: list[OldVolume]) -> tuple[str, ...]:
    return tuple(one.pv for one in volumes)


def _at_root(group: Group, volumes: list[OldVolume]) -> Remark:
    named = some(one.claim for one in volumes)
    return Remark(
        "pv-at-root",
        "warning",
        f"share {group.share}",
        Text(
            f"the directory of {several(len(volumes), 'PV')} is the share's root itself, with everybody's volumes in "
            f"it (claims {named.en}); an empty pathPattern does that",
            f"有 {len(volumes)} 个 PV 的目录就是共享根目录，里面有所有人的卷（PVC {named.zh}）；"
            f"pathPattern 结果为空时会这样",
        ),
        Text(
            "Berth leaves the root alone when these claims go. Move their data to volumes of their own",
            "这些 PVC 删除后 Berth 不会动根目录。请把数据迁到各自的卷",
        ),
        names=_names(volumes),
    )


def _beside(beside: list[tuple[OldVolume, str]]) -> Remark:
    named = some(f"{one.pv} ({one.claim}) and {other}" for one, other in beside)
    return Remark(
        "pv-shared",
        "warning",
        "volumes",
        Text(
            f"{several(len(beside), 'PV')} share a directory with another PV, or one contains the other: {named.en}",
            f"有 {len(beside)} 个 PV 与别的 PV 共用目录，或互相包含：{named.zh}",
        ),
        Text(
            "they go on working; Berth keeps such a directory until the last of its claims is gone, where the old "
            "provisioner removed it with the first",
            "它们照常工作；Berth 会保留这样的目录直到最后一个 PVC 删除，而旧供应器在第一个 PVC 删除时就会删掉它",
        ),
        names=_names([one for one, _ in beside]),
    )


def _without_class(name: str, volumes: list[OldVolume]) -> Remark:
    keep = command("kubectl annotate pv {pvs} berth.io/on-delete=archive", pvs=[one.pv for one in volumes])
    return Remark(
        "class-gone",
        "warning",
        f"class {name}",
        Text(
            f"it no longer exists (or is another provisioner's), and it alone said what becomes of "
            f"{several(len(volumes), 'PV')} when their claims go",
            f"它已不存在（或属于别的供应器），而 {len(volumes)} 个 PV 在 PVC 删除后如何处理只有它说明",
        ),
        Text(
            "Berth keeps their directories, with a Warning on the PV, until you say delete, archive or retain",
            "Berth 会保留这些目录并在 PV 上给出警告，直到你写明 delete、archive 或 retain",
        ),
        (keep,),
        _names(volumes),
    )


def _elsewhere(volumes: list[OldVolume]) -> Remark:
    named = some(f"{one.pv} ({one.why})" for one in volumes)
    return Remark(
        "pv-elsewhere",
        "warning",
        "volumes",
        Text(
            f"{several(len(volumes), 'PV')} point to where the old provisioner does not serve today: {named.en}",
            f"有 {len(volumes)} 个 PV 指向旧供应器如今并不服务的位置：{named.zh}",
        ),
        Text(
            "pods go on using them; when their claims go, Berth leaves PV and directory alone and says so on the PV",
            "Pod 照常使用；PVC 删除后，Berth 不会动 PV 和目录，并在 PV 上说明",
        ),
        names=_names(volumes),
    )


def _unproven(volumes: list[OldVolume]) -> Remark:
    named = some(f"{one.absolute_path} ({one.claim})" for one in volumes)
    return Remark(
        "pv-unproven",
        "warning",
        "volumes",
        Text(
            f"{several(len(volumes), 'PV')} lie elsewhere than their class would have put them, so nothing shows that "
            f"the directories are their own: {named.en}",
            f"有 {len(volumes)} 个 PV 的目录不在其存储类会放置的位置，无法证明目录属于它们：{named.zh}",
        ),
        Text(
            "pods go on using them; they get no record, and when their claims go, Berth keeps PV and directory and "
            "says so on the PV",
            "Pod 照常使用；它们不会得到记录，PVC 删除后 Berth 保留 PV 和目录，并在 PV 上说明",
        ),
        names=_names(volumes),
    )


def _nested(volumes: list[OldVolume]) -> Remark:
    return Remark(
        "pv-nested",
        "note",
        "volumes",
        Text(
            f"{several(len(volumes), 'volume')} lie deeper than the share's root. Release 4.0.2 looks for the last "
            f"part of the path in the root: it leaves their data behind, or takes another directory of that name",
            f"有 {len(volumes)} 个卷位于共享根目录的更深层。4.0.2 版只在根目录下找路径的最后一段：要么把数据遗留下来，"
            f"要么动了同名的另一个目录",
        ),
        Text(
            "Berth deletes and archives exactly these directories; after a revert, the old behaviour is back",
            "Berth 只删除或归档这些目录本身；回退之后旧行为也会回来",
        ),
        names=_names(volumes),
    )
