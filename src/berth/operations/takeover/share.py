"""An old provisioner's share, seen over NFS: is every directory there, and what did it leave behind? Only reads."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from berth.objects.kinds import ClassObject
from berth.operations.takeover.inventory import Group, OldVolume
from berth.shares.choose import Shares
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
class SeenShare:
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


async def look(shares: Shares, group: Group) -> SeenShare:
    """Looks at a group's share. Never raises for what is wrong with it."""
    try:
        share = await shares.get(group.share)
        root = await share.list("")
    except VolumeError as error:
        return SeenShare(why=str(error))
    present, missing, odd = await check_directories(shares, group.volumes)
    directories = sorted(entry.name for entry in root if entry.kind == "directory")
    # Whoever provisioned it: a directory that any PV of the cluster points to was not left behind.
    in_use = [one.plan.path for one in group.volumes if one.plan is not None] + [
        path for _, path in group.others if path
    ]
    candidates = [name for name in directories if name.lower() != HOME and not name.startswith(ARCHIVED)]
    pvs = {one.pv for one in group.volumes} | {pv for pv, _ in group.others}
    roots = {path.partition("/")[0] for path in in_use}
    gone = [name for name in candidates if (made := _BY_REFERENCE.fullmatch(name)) and made[1] not in pvs]
    kept = [name for name in gone if name not in roots]
    leaked, is_partly = await _leaks(share, group, [name for name in candidates if name not in kept], in_use)
    return SeenShare(
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

    async def check(volume: OldVolume) -> Missing | str | None:
        assert volume.plan is not None
        try:
            entry = await (await shares.get(volume.plan.share)).stat(volume.plan.path)
        except Missing as missing:
            return missing
        except VolumeError as error:
            return str(error)
        return None if entry.kind == "directory" else f"{volume.plan.path!r} is no directory but a {entry.kind}"

    known = [volume for volume in volumes if volume.plan is not None]
    answers = await side_by_side(check, known)
    present, missing, odd = [], [], []
    for volume, answer in zip(known, answers, strict=True):
        if answer is None:
            present.append(volume.pv)
        elif isinstance(answer, Missing):
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
