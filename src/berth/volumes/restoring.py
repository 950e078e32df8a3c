"""Bringing a volume's directory back into its place, from the trash or from its archive, by one rename.

Nothing is ever overwritten: what is in the place stays, and then nothing is done. Every step can be repeated, and
killed anywhere: the record is written first, the directory moves next, an archive's metadata goes last.

A purge takes a volume for as long as its PV is not in the cluster (Lifecycle.purge). Whoever brings one back has its PV
made first, and gives a purge that had begun the time to let go.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace

from berth.volumes import archives
from berth.volumes.errors import Missing, Refused, Taken
from berth.volumes.metadata_dir import MetadataDirs
from berth.volumes.naming import ARCHIVES, metadata_path, pointer_path, record_path, recorded_name, trash_path
from berth.volumes.record_store import READS_AT_ONCE, RecordStore
from berth.volumes.records import Record, decode
from berth.volumes.request import End
from berth.volumes.share import Share


@dataclass(frozen=True, slots=True)
class Found:
    """A volume whose directory is on the share."""

    record: Record
    """What it was when it was last in its place."""
    where: str
    """The directory: in the trash, an archive, or in its place already."""

    @property
    def is_in_place(self) -> bool:
        """Whether there is nothing to be done."""
        return self.where == self.record.path

    @property
    def is_from_trash(self) -> bool:
        """Whether a purge may be at work on it."""
        return self.where == trash_path(self.record.pv)


class Restoring:
    """The volumes of one cluster, on any number of shares."""

    def __init__(self, cluster: str) -> None:
        self._cluster = cluster
        self._metadata = MetadataDirs(cluster)
        self._records = RecordStore(cluster, self._metadata)

    async def find(self, pv: str, share: Share, known: Record | None = None) -> Found | None:
        """Where a PV's directory is; None for nowhere. known: what the PV itself says, where it is in the cluster.

        Refused when the records say that the volume is another cluster's, or that the PV speaks of another directory.
        """
        record = await self._records.read(pv, share)
        self._check(record, known)
        if await _is_there(trash_path(pv), share) and (record or known):
            return Found(_made_of(record, known), trash_path(pv))
        if record is not None and await _is_there(record.path, share):
            return Found(record, record.path)
        for name in await self._archives(pv, share, record or known):
            if await _is_there(name, share):
                archived = decode(await share.read_file(metadata_path(name)), metadata_path(name))
                self._check(archived, known)
                return Found(replace(archived, archived=""), name)
        return None

    async def bring_back(self, found: Found, share: Share, *, end: End | None = None) -> None:
        """Has the directory in its place, and a record that says so. end: what is to become of it from now on.

        Refused when something is in the place, or another volume's directory is around it or in it.
        """
        record = replace(found.record, released="", stuck="", on_delete=end or found.record.on_delete)
        if not found.is_in_place:
            await self._check_place(record, share)
        await self._metadata.open(share)
        await self._records.write(record, share)
        if not found.is_in_place:
            parent = record.path.rpartition("/")[0]
            if parent:
                await share.make_directory(parent, mode=0o755)
            try:
                await share.rename(found.where, record.path)
            except Taken as taken:
                raise Refused("path", f"{record.path!r} came into being meanwhile, and is left alone") from taken
        for name in await self._archives(record.pv, share, record):
            if not await _is_there(name, share):
                await share.remove_file(pointer_path(record.pv))
                await share.remove_file(metadata_path(name))

    async def set_end(self, pv: str, end: End, share: Share, known: Record) -> Record:
        """Writes another end into a volume's record, adopted or not. Answers the record as it was. known: see find."""
        record = await self._records.read(pv, share)
        self._check(record, known)
        before = record or known
        if before.released:
            raise Refused(record_path(pv), "says that the volume has come to its end, and was kept")
        await self._metadata.open(share)
        adopted = before.adopted if end == "retain" else ""
        await self._records.write(replace(before, on_delete=end, adopted=adopted), share)
        return before

    async def read(self, pv: str, share: Share, known: Record) -> Record | None:
        """The volume's record. Refused as in find."""
        record = await self._records.read(pv, share)
        self._check(record, known)
        return record

    def _check(self, record: Record | None, known: Record | None) -> None:
        if record is None:
            return
        if record.cluster != self._cluster:
            raise Refused(record_path(record.pv), f"says that the volume is cluster {record.cluster}'s")
        if known is not None and record.path != known.path:
            why = f"says that the volume is at {record.path!r}, but PV {known.pv} points to {known.path!r}"
            raise Refused(record_path(record.pv), why)

    async def _check_place(self, record: Record, share: Share) -> None:
        if await _is_there(record.path, share):
            overlap = await self._records.overlapping(record.path, share, without=record.pv)
            whose = next((other for other in overlap.certain if other.path == record.path), None)
            what = f"volume {whose.pv} of claim {whose.owner} is there" if whose else "something is there"
            why = f"{what}, and nothing is overwritten; move it elsewhere, or remove it if it is empty (rmdir)"
            raise Refused("path", f"{record.path!r} is taken: {why}")
        overlap = await self._records.overlapping(record.path, share, without=record.pv)
        for other in overlap.certain:
            is_shared = bool(record.sharing and other.sharing)
            if (
                not is_shared
                and not await _is_there(trash_path(other.pv), share)
                and await _is_there(other.path, share)
            ):
                raise Refused(
                    "path",
                    f"{record.path!r} overlaps {other.path!r}, which volume {other.pv} of claim {other.owner} has by "
                    f"now; move one of them elsewhere",
                )

    async def _archives(self, pv: str, share: Share, like: Record | None) -> list[str]:
        """The names in use or reserved for archives of this volume, the newest first."""
        with suppress(Missing):
            if like is not None and (names := await archives.reservations(replace(like, pv=pv), share)):
                return sorted(names, reverse=True)
            names = [name for entry in await share.list(ARCHIVES) if (name := recorded_name(entry.name))]
            found: list[str] = []
            for start in range(0, len(names), READS_AT_ONCE):
                some = names[start : start + READS_AT_ONCE]
                answers = await asyncio.gather(*(self._is_archive_of(pv, name, share) for name in some))
                found += [name for name, is_so in zip(some, answers, strict=True) if is_so]
            return sorted(found, reverse=True)
        return []

    async def _is_archive_of(self, pv: str, name: str, share: Share) -> bool:
        with suppress(Missing, Refused):
            record = decode(await share.read_file(metadata_path(name)), metadata_path(name))
            return (record.cluster, record.pv) == (self._cluster, pv)
        return False


def _made_of(record: Record | None, known: Record | None) -> Record:
    made = record or known
    assert made is not None
    return made


async def _is_there(path: str, share: Share) -> bool:
    with suppress(Missing):
        await share.stat(path)
        return True
    return False
