"""Where the directories are that PVs point to: in their place, somewhere else, or nowhere, with another in their place.

A cluster that was restored from a backup has PVs again that were deleted since; a share that was restored lacks
directories that were made since. Nothing is changed here: it is found out, with about as many calls as there are
directories in which volumes lie.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from berth.volumes import archives
from berth.volumes.errors import Missing, Refused
from berth.volumes.naming import TRASH, names_pv, trash_path
from berth.volumes.record_store import RecordStore
from berth.volumes.records import Record
from berth.volumes.request import Claim, Living
from berth.volumes.share import Share

VolumeState = Literal["trashed", "archived", "gone", "taken"]
"""trashed, archived: the directory is there; gone: it is nowhere; taken: so, and its place is another volume's."""
STATES: tuple[VolumeState, ...] = ("trashed", "archived", "gone", "taken")
AT_ONCE = 16
"""How many questions are asked side by side."""


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

    async def displaced(self, placed: Sequence[Placed], share: Share) -> list[Displaced]:
        """Those whose directories are not in their places."""
        if not placed:
            return []
        trash = set[str]()
        with suppress(Missing):
            trash = {entry.name for entry in await share.list(TRASH)}
        recorded = set(await self._records.names(share))
        missing = await _missing(placed, share)
        in_doubt = [
            one
            for one in placed
            if one.path in missing
            or one.pv in trash
            or (one.by_berth and one.pv not in recorded and not names_pv(one.path, one.pv))
        ]
        others = await self._others(recorded, share) if in_doubt else {}
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
        strangers = [name for name in recorded if not self._living.has_pv(name)]
        records = (await self._records.read_all(strangers, share)).values()
        return {record.path: record for record in records if isinstance(record, Record)}


async def _missing(placed: Sequence[Placed], share: Share) -> set[str]:
    """The paths at which there is no directory: each directory in which volumes lie is listed, and only what is not
    among its entries is asked for, since servers may show another spelling than they were given.
    """
    below: defaultdict[str, set[str]] = defaultdict(set)
    for one in placed:
        parent, _, name = one.path.rpartition("/")
        below[parent].add(name)
    gate = asyncio.Semaphore(AT_ONCE)

    async def look(parent: str, names: set[str]) -> list[str]:
        async with gate:
            paths = [f"{parent}/{name}" if parent else name for name in names]
            try:
                there = {entry.name for entry in await share.list(parent) if entry.kind == "directory"}
            except (Missing, Refused):  # or something that is no directory
                return paths
            unseen = [path for path in paths if path.rpartition("/")[2] not in there]
            return [path for path in unseen if not await _is_directory(path, share)]

    answers = await asyncio.gather(*(look(parent, names) for parent, names in below.items()))
    return {path for paths in answers for path in paths}


async def _is_directory(path: str, share: Share) -> bool:
    with suppress(Missing, Refused):
        return (await share.stat(path)).kind == "directory"
    return False
