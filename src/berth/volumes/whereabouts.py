"""Where the directories are that PVs point to: in their place, somewhere else, or nowhere, with another in their place.

A cluster that was restored from a backup has PVs again that were deleted since; a share that was restored lacks
directories that were made since. Nothing is changed here: it is found out, with about as many calls as there are
directories in which volumes lie.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from berth.aio.slices import in_slices
from berth.volumes import archives
from berth.volumes.errors import Missing, Refused
from berth.volumes.naming import TRASH, names_pv, trash_path
from berth.volumes.record_store import RecordStore
from berth.volumes.records import Record
from berth.volumes.request import Claim, Living
from berth.volumes.share import NamesOf, Share

VolumeState = Literal["trashed", "archived", "gone", "taken"]
"""trashed, archived: the directory is there; gone: it is nowhere; taken: so, and its place is another volume's."""
STATES: tuple[VolumeState, ...] = ("trashed", "archived", "gone", "taken")
AT_ONCE = 16
"""How many questions are asked side by side."""
Names = dict[str, None]
"""Very many names: other than a set of them, it is nothing that the garbage collector would visit."""
_BATCH = 500
"""How many places are compared at a time: what is kept of a hundred thousand is the names on the share."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A PV, and where its directory should be."""

    pv: str
    claim: Claim
    path: str
    by_berth: bool = True
    """Berth made it, so it has a record as long as it is in its place."""


@dataclass(frozen=True, slots=True)
class Displaced:
    """A PV whose directory is not in its place."""

    placed: Placed
    state: VolumeState
    where: str = ""
    """Where the directory is now, on the share; empty for nowhere."""
    is_occupied: bool = False
    """Whether something else is in its place."""
    by: Record | None = None
    """Whose that is, where that is known."""


class Whereabouts:
    """The places of one cluster's volumes."""

    def __init__(self, cluster: str, records: RecordStore, living: Living) -> None:
        self._cluster = cluster
        self._records = records
        self._living = living

    async def displaced(self, placed: AsyncIterable[Placed], share: Share) -> list[Displaced]:
        """Those whose directories are not in their places. Nothing is asked for where nothing is placed."""
        seen = _Seen(share)
        trash: Names = {}
        is_begun = False
        recorded: Names | None = None
        in_doubt, missing = list[Placed](), set[str]()
        async for some in _batches(placed):
            if not is_begun:
                is_begun = True
                trash = await _names(TRASH, share, "any") or {}
            if recorded is None and not all(names_pv(one.path, one.pv) for one in some):
                recorded = dict.fromkeys(await self._records.names(share))
            absent = await seen.absent(some)
            missing |= absent
            in_doubt += [
                one
                for one in some
                if one.path in absent
                or one.pv in trash
                or (one.by_berth and not names_pv(one.path, one.pv) and one.pv not in (recorded or ()))
            ]
        if not in_doubt:
            return []
        others = await self._others(await self._records.names(share) if recorded is None else recorded, share)
        found = []
        for one in in_doubt:
            is_occupied = one.path not in missing
            by = others.get(one.path) if is_occupied else None
            if one.pv in trash:
                found.append(Displaced(one, "trashed", trash_path(one.pv), is_occupied, by))
            elif archive := await self.archive_of(one, share):
                found.append(Displaced(one, "archived", archive, is_occupied, by))
            elif not is_occupied:
                found.append(Displaced(one, "gone"))
            elif by is not None:
                found.append(Displaced(one, "taken", "", is_occupied, by))
        return found

    async def archive_of(self, placed: Placed, share: Share) -> str:
        """The archive that holds this volume's directory; empty if none does."""
        claim = placed.claim
        known = Record(
            cluster=self._cluster, pv=placed.pv, namespace=claim.namespace, claim=claim.name, claim_uid=claim.uid,
            class_name="", path=placed.path, capacity=0, mode="", on_delete="archive", provisioner="", created="",
        )  # fmt: skip
        with suppress(Missing):  # no `.berth/archives/`
            for name in await archives.reservations(known, share):
                with suppress(Missing):
                    await share.stat(name)
                    return name
        return ""

    async def _others(self, recorded: Iterable[str], share: Share) -> dict[str, Record]:
        """The volumes whose PVs are not in this cluster, by path."""
        strangers = [name async for name in in_slices(recorded) if not self._living.has_pv(name)]
        records = (await self._records.read_all(strangers, share)).values()
        return {record.path: record for record in records if isinstance(record, Record)}


class _Seen:
    """What is in the directories in which volumes lie: each is listed once, when it is met first, and what is not among
    its entries is asked for, since servers may show another spelling than they were given.
    """

    def __init__(self, share: Share) -> None:
        self._share = share
        self._below: dict[str, Names | None] = {}
        """None: there is no such directory."""

    async def absent(self, placed: Sequence[Placed]) -> set[str]:
        """The paths of these at which there is no directory."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def look(parent: str) -> None:
            async with gate:
                self._below[parent] = await _names(parent, self._share, "directory")

        async def is_absent(path: str) -> bool:
            below = self._below[path.rpartition("/")[0]]
            if below is None:
                return True
            async with gate:
                return not await _is_directory(path, self._share)

        parents = {one.path.rpartition("/")[0] for one in placed}
        await asyncio.gather(*(look(parent) for parent in parents if parent not in self._below))
        unseen = [one.path for one in placed if not self._shows(one.path)]
        answers = await asyncio.gather(*(is_absent(path) for path in unseen))
        return {path for path, absent in zip(unseen, answers, strict=True) if absent}

    def _shows(self, path: str) -> bool:
        parent, _, name = path.rpartition("/")
        return name in (self._below[parent] or ())


async def _batches(placed: AsyncIterable[Placed]) -> AsyncIterator[list[Placed]]:
    some: list[Placed] = []
    async for one in placed:
        some.append(one)
        if len(some) == _BATCH:
            yield some
            some = []
    if some:
        yield some


async def _names(path: str, share: Share, kind: NamesOf) -> Names | None:
    """The names in a directory, of one kind or of all; None where there is none, or something else."""
    with suppress(Missing, Refused):
        return dict.fromkeys(await share.names(path, kind))
    return None


async def _is_directory(path: str, share: Share) -> bool:
    with suppress(Missing, Refused):
        return (await share.stat(path)).kind == "directory"
    return False
