"""Records whose claims went away before their PV was made (a crash in between): tidied away without getting in the way
of a volume that is just being made in the same place.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from berth.volumes.errors import Missing
from berth.volumes.metadata_dir import MetadataDir
from berth.volumes.naming import names_pv, overlaps, trash_path
from berth.volumes.record_store import RecordStore
from berth.volumes.records import Record
from berth.volumes.share import Share


@dataclass(frozen=True, slots=True)
class Left:
    """A record whose PV and claim are gone while its directory can't be tidied away: reported, never touched."""

    record: Record
    why: str


class Orphans:
    """Tidies records up whose claims are gone, and never while a volume is made at a path that overlaps theirs."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records
        self._births: dict[tuple[str, str], str] = {}
        """Paths that are being made, by share_id and PV: a removal keeps off them."""
        self._removals: dict[tuple[str, str], asyncio.Event] = {}
        """Paths that are about to be removed, by share_id and path: a birth waits for the end of it."""

    @asynccontextmanager
    async def birth(self, path: str, pv: str, metadata: MetadataDir) -> AsyncIterator[None]:
        """Wraps the making of a volume: meanwhile nothing that overlaps its path is removed."""
        while removals := self._removals_over(path, metadata):
            await removals[0].wait()
        self._births[metadata.share_id, pv] = path
        try:
            yield
        finally:
            self._births.pop((metadata.share_id, pv), None)

    def is_being_born(self, pv: str) -> bool:
        """Whether this PV's volume is being made at this moment."""
        return any(born == pv for _, born in self._births)

    async def tidy(self, record: Record, share: Share, metadata: MetadataDir) -> str:
        """Removes an orphan's directory, if it is empty, and its record. Answers why not; empty when it is done, or has
        to wait.
        """
        key = (metadata.share_id, record.path)
        if key in self._removals or self._births_over(record.path, metadata):
            return ""
        ended = self._removals[key] = asyncio.Event()
        try:
            with suppress(Missing):  # a release moved it in the meantime, and needs the record
                await share.stat(trash_path(record.pv))
                return ""
            others: list[Record] = []
            if not names_pv(record.path, record.pv):
                overlap = await self._records.overlapping(record.path, share, without=record.pv)
                if overlap.unreadable:
                    return f"its claim and PV are gone, but {overlap.unreadable[0].field} may speak of its directory"
                others = overlap.certain
            if record.adopted:
                pass  # Berth did not make it
            elif any(f"{record.path}/".startswith(f"{other.path}/") for other in others):
                pass  # the directory is, or lies in, another's by now
            elif others:
                return f"its claim and PV are gone, but the directory holds {others[0].path!r} of {others[0].owner}"
            elif not await share.remove_directory(record.path):
                return "its claim and PV are gone, but the directory holds data"
            await self._records.remove(record.pv, share)
            return ""
        finally:
            ended.set()
            del self._removals[key]

    def _births_over(self, path: str, metadata: MetadataDir) -> list[str]:
        return [
            pv
            for (share_id, pv), born in self._births.items()
            if share_id == metadata.share_id and overlaps(path, born)
        ]

    def _removals_over(self, path: str, metadata: MetadataDir) -> list[asyncio.Event]:
        return [
            ended
            for (share_id, removed), ended in self._removals.items()
            if share_id == metadata.share_id and overlaps(path, removed)
        ]
