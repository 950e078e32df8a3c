"""An old provisioner's share, seen over NFS: is every directory there, and what did it leave behind? Only reads."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from berth.operations.takeover.inventory import Group, OldVolume
from berth.operations.takeover.remark import Remark, several, some
from berth.reconcilers.kinds import ClassObject
from berth.shares.choose import Shares
from berth.texts.text import Text
from berth.volumes.errors import Missing, Refused, VolumeError
from berth.volumes.naming import ARCHIVED, HOME
from berth.volumes.parameters import parse_parameters
from berth.volumes.share import Share

T = TypeVar("T")
U = TypeVar("U")

AT_ONCE = 32
"""Questions to a share at the same time."""
MOST_LISTED = 2000
"""Directories that are listed in search of what was left behind."""
_BY_REFERENCE = re.compile(r".+-(pvc-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


@dataclass(frozen=True, slots=True)
class Seen:
    """What is on a share. why: why nobody could look, empty when somebody did."""

    why: str = ""
    present: frozenset[str] = frozenset()
    """PVs whose directory is there."""
    missing: tuple[OldVolume, ...] = ()
    odd: tuple[tuple[OldVolume, str], ...] = ()
    """Volumes at whose place is no directory, or that could not be looked at, and why."""
    archives: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    """Directories as the reference makes them, whose PVs are gone."""
    leaked: tuple[str, ...] = ()
    """The same, deeper: release 4.0.2 never removes those."""
    is_partly: bool = False
    """There were too many directories to look into all."""


async def look(shares: Shares, group: Group) -> Seen:
    """Looks at a group's share. Never raises for what is wrong with it."""
    try:
        share = await shares.get(group.share)
        root = await share.list("")
    except VolumeError as error:
        return Seen(why=str(error))
    present, missing, odd = await check_directories(shares, group.volumes)
    directories = sorted(entry.name for entry in root if entry.kind == "directory")
    in_use = [one.plan.path for one in group.volumes if one.plan is not None]
    candidates = [name for name in directories if name.lower() != HOME and not name.startswith(ARCHIVED)]
    pvs = {one.pv for one in group.volumes}
    kept = [name for name in candidates if (made := _BY_REFERENCE.fullmatch(name)) and made[1] not in pvs]
    leaked, is_partly = await _leaks(share, group, [name for name in candidates if name not in kept], in_use)
    return Seen(
        present=frozenset(present),
        missing=tuple(missing),
        odd=tuple(odd),
        archives=tuple(name for name in directories if name.startswith(ARCHIVED)),
        kept=tuple(kept),
        leaked=tuple(leaked),
        is_partly=is_partly,
    )


async def check_directories(
    shares: Shares, volumes: Iterable[OldVolume]
) -> tuple[list[str], list[OldVolume], list[tuple[OldVolume, str]]]:
    """Looks for each volume's directory: PVs with one, volumes without, and volumes where that can't be said."""

    async def check(volume: OldVolume) -> str:
        assert volume.plan is not None
        try:
            entry = await (await shares.get(volume.plan.share)).stat(volume.plan.path)
        except Missing:
            return "missing"
        except VolumeError as error:
            return str(error)
        return "" if entry.kind == "directory" else f"{volume.plan.path!r} is no directory but a {entry.kind}"

    known = [volume for volume in volumes if volume.plan is not None]
    answers = await side_by_side(check, known)
    present, missing, odd = [], [], []
    for volume, answer in zip(known, answers, strict=True):
        if not answer:
            present.append(volume.pv)
        elif answer == "missing":
            missing.append(volume)
        else:
            odd.append((volume, answer))
    return present, missing, odd


async def side_by_side(work: Callable[[T], Awaitable[U]], on: Iterable[T]) -> list[U]:
    """Does the work on each, some at once; the answers in the order of their objects. The first error ends it."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def do(one: T) -> U:
        async with gate:
            return await work(one)

    try:
        async with asyncio.TaskGroup() as tasks:
            started = [tasks.create_task(do(one), name="take-over") for one in on]
    except ExceptionGroup as several_errors:
        raise several_errors.exceptions[0] from None
    return [task.result() for task in started]


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


async def _leaks(share: Share, group: Group, below: list[str], in_use: list[str]) -> tuple[list[str], bool]:
    """Directories as deep as a class's pattern puts volumes, that are no volume's nor on the way to one."""
    depths = {_depth(one) for one in group.classes} | {path.count("/") + 1 for path in in_use}
    deepest = max(depths, default=1)
    used, ways = set(in_use), {path[:at] for path in in_use for at, sign in enumerate(path) if sign == "/"}
    found: list[str] = []
    listed, level = 0, [name for name in below if name in ways or (name not in used and deepest > 1)]
    for parts in range(2, deepest + 1):
        if listed + len(level) > MOST_LISTED:
            return found, True
        listed += len(level)
        answers = await side_by_side(lambda path: _directories(share, path), level)
        inner = [f"{path}/{name}" for path, names in zip(level, answers, strict=True) for name in names]
        # What lies in a volume is that volume's own business.
        inner = [path for path in inner if path not in used]
        found += [path for path in inner if path not in ways and parts in depths]
        level = [path for path in inner if path in ways or parts not in depths]
    return found, False


async def _directories(share: Share, path: str) -> list[str]:
    try:
        return sorted(entry.name for entry in await share.list(path) if entry.kind == "directory")
    except VolumeError:
        return []


def _depth(of_class: ClassObject) -> int:
    try:
        pattern = parse_parameters(of_class.parameters or {}).pattern
    except Refused:
        return 1
    return 1 + sum(piece.text.count("/") for piece in pattern.pieces if piece.source == "literal")


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
