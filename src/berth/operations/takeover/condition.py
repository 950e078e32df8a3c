"""What one should know of an old provisioner's share, from what was seen on it."""

from __future__ import annotations

from collections.abc import Iterator

from berth.operations.takeover.inventory import Group, OldVolume
from berth.operations.takeover.remark import Remark, several, some
from berth.operations.takeover.share import Seen
from berth.texts.text import Text


def judge_share(group: Group, seen: Seen) -> Iterator[Remark]:
    """What one should know of a share."""
    about = f"share {group.share}"
    if seen.why:
        yield _unreachable(about, seen.why)
        return
    if seen.missing:
        yield _missing(about, seen.missing)
    if seen.odd:
        yield _odd(about, seen.odd)
    if seen.leaked:
        yield _leaked(about, seen)
    if seen.kept:
        yield _kept(about, seen.kept)
    if seen.archives:
        yield _archived(about, seen.archives)


def _unreachable(about: str, why: str) -> Remark:
    return Remark(
        "share-unreachable",
        "stop",
        about,
        Text(
            f"it can't be looked at from here: {why}",
            f"从这里无法查看：{why}",
        ),
        Text(
            "run the take-over where the server can be reached (it needs no mount), or give --without-share: then no "
            "directory is checked and no record written, and Berth does without",
            "请在能访问该服务器的机器上运行（无需挂载），或使用 --without-share："
            "不检查目录，也不写记录，Berth 没有记录也能工作",
        ),
    )


def _missing(about: str, volumes: tuple[OldVolume, ...]) -> Remark:
    named = some(f"{one.absolute_path} ({one.claim})" for one in volumes)
    return Remark(
        "directory-missing",
        "warning",
        about,
        Text(
            f"{several(len(volumes), 'PV')} point to directories that are not there: {named.en}",
            f"有 {len(volumes)} 个 PV 指向不存在的目录：{named.zh}",
        ),
        Text(
            "they are missing already, and pods that start with them fail to mount. Find out where they went (an "
            "archive, a rename by hand?), or delete the claims; Berth removes such PVs and nothing else",
            "这些目录现在就已缺失，用到它们的 Pod 会挂载失败。请查明去向（是否已归档或被手工改名），"
            "或删除 PVC；Berth 只会删掉这样的 PV",
        ),
        names=tuple(one.pv for one in volumes),
    )


def _odd(about: str, odd: tuple[tuple[OldVolume, str], ...]) -> Remark:
    named = some(f"{one.pv} ({why})" for one, why in odd)
    return Remark(
        "directory-odd",
        "warning",
        about,
        Text(f"not as they should be: {named.en}", f"状态异常：{named.zh}"),
        Text(
            "they are left as they are, and get no record", "保持原样，也不会写记录"
        ),
        names=tuple(one.pv for one, _ in odd),
    )  # fmt: skip


def _leaked(about: str, seen: Seen) -> Remark:
    named, partly = some(seen.leaked), seen.is_partly
    return Remark(
        "leaked",
        "warning",
        about,
        Text(
            f"{several(len(seen.leaked), 'directory')} that no PV points to, as deep as a class puts volumes: "
            f"{named.en}. Release 4.0.2 leaves them behind when their claims go"
            + (" (not everything was looked into)" if partly else ""),
            f"有 {len(seen.leaked)} 个目录没有任何 PV 指向，且位于存储类放置卷的层级：{named.zh}。"
            "4.0.2 版在 PVC 删除时会把它们遗留下来" + ("（目录过多，未全部查看）" if partly else ""),
        ),
        Text(
            "nobody removes them: look into them, and remove by hand what nobody misses",
            "没有谁会删除它们：请查看内容，确认无用后手工删除",
        ),
        names=seen.leaked,
    )


def _kept(about: str, names: tuple[str, ...]) -> Remark:
    named = some(names)
    return Remark(
        "kept",
        "note",
        about,
        Text(
            f"{several(len(names), 'directory')} of claims that are gone (PV deleted by hand, onDelete: retain, or "
            f"another cluster's): {named.en}",
            f"有 {len(names)} 个目录的 PVC 已不存在（PV 被手工删除、onDelete: retain，或属于别的集群）：{named.zh}",
        ),
        Text("they stay; remove by hand what nobody misses", "会一直保留；确认无用后可手工删除"),
        names=names,
    )


def _archived(about: str, names: tuple[str, ...]) -> Remark:
    return Remark(
        "archives",
        "note",
        about,
        Text(f"{several(len(names), 'archive')} (archived-…)", f"有 {len(names)} 个归档目录（archived-…）"),
        Text("they stay as they are", "保持原样"),
        names=names,
    )
