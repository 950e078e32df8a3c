"""All records of a share: reading, writing, and asking which of them overlap a path.

Records of this cluster are written by this process alone, so their paths are remembered: where no other cluster uses
the share, asking takes as long with 10,000 volumes as with ten. What overlaps is read again before it is believed, and
other clusters' records are read each time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from berth.aio.slices import in_slices
from berth.volumes.errors import Missing, Refused
from berth.volumes.index import PathIndex
from berth.volumes.metadata_dir import MetadataDirs, clusters_on
from berth.volumes.naming import VOLUMES, fold_path, overlaps, record_path, recorded_name
from berth.volumes.records import Record, UnreadableRecord, decode, encode
from berth.volumes.request import Census, Living
from berth.volumes.share import Share, ShareAddress
from berth.volumes.standing import ALONE, Fence, Standing

_NOBODY = Census()
READS_AT_ONCE = 32
"""How many records are read side by side when many have to be looked at."""


@dataclass(slots=True)
class _Shelf:
    """Where this cluster's volumes are on one share, by PV, as far as is known. What is no longer so does no harm."""

    paths: PathIndex = field(default_factory=PathIndex)
    is_complete: bool = False
    is_shared: bool = False
    """Another cluster's record was seen, whether that cluster is entered in `.berth/clusters/` or not."""
    changes: int = 0
    """How often a record was written behind its back, by another address of the same share."""
    filling: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True)
class Overlap:
    """What the records of a share say of one path."""

    certain: list[Record]
    """Volumes that equal, contain or lie in it."""
    lookalikes: list[Record]
    """Volumes that do so if the server does not tell spellings apart: see naming.fold."""
    unreadable: list[UnreadableRecord]
    """Records that may speak of it, as far as can be told."""


class RecordStore:
    """The records of any number of shares, as one cluster sees them."""

    def __init__(
        self,
        cluster: str,
        metadata: MetadataDirs,
        living: Living = _NOBODY,
        *,
        former: frozenset[str] = frozenset(),
        standing: Standing = ALONE,
    ) -> None:
        """living: what lives in the cluster, whose PVs say where on a share their volumes are."""
        self._fence = Fence(standing)
        self._cluster = cluster
        self._former = former
        self._metadata = metadata
        self._living = living
        self._shelves: dict[ShareAddress, _Shelf] = {}

    async def read(self, pv: str, share: Share, *, as_written: bool = False) -> Record | None:
        """A volume's record as it is on the share now; None without one. Refused when it makes no sense.

        What this cluster wrote under a former name comes as its own, unless as_written. Unavailable(lease) when another
        leader of this cluster wrote it, of whom it is not certain that it is of the past.
        """
        with suppress(Missing):
            record = decode(await share.read_file(record_path(pv)), record_path(pv))
            if record.cluster in self._former and not as_written:
                record = replace(record, cluster=self._cluster)
            if (record.cluster, record.pv) == (self._cluster, pv):
                await self._fence.check(record, share)
                self._shelf(share).paths.put(pv, record.path)
            return record
        return None

    async def write(self, record: Record, share: Share, *, exclusive: bool = False) -> None:
        """Puts a record in its place. exclusive: Taken if there is one already."""
        path, content = record_path(record.pv), encode(self._fence.stamp(record))
        self._remember(record, share)  # beforehand: the answer may get lost
        try:
            await share.write_file(path, content, exclusive=exclusive)
        except Missing:  # Berth's own directory was removed, or another directory is exported now
            self.forget(share.address)
            await self._metadata.reopen(share)
            await share.write_file(path, content, exclusive=exclusive)

    async def remove(self, pv: str, share: Share) -> None:
        """Removes a volume's record. Already gone is fine."""
        await share.remove_file(record_path(pv))
        self._shelf(share).paths.drop(pv)

    async def names(self, share: Share) -> list[str]:
        """The PV names of all records on the share."""
        with suppress(Missing):
            files = await share.names(VOLUMES)
            return [name async for file in in_slices(files) if (name := recorded_name(file))]
        return []

    async def overlapping(self, path: str, share: Share, *, without: str) -> Overlap:
        """What the records say of path, but for one PV's. Enters this cluster again where somebody removed its entry:
        others must see it before it relies on their being seen.
        """
        shelf = self._shelf(share)
        is_alone = await self._is_alone(share)
        foreign: dict[str, Record | UnreadableRecord] | None = None
        if not shelf.is_complete:
            async with shelf.filling:  # one reads them all, the others wait for it
                if not shelf.is_complete:
                    foreign = await self._fill(shelf, share)
        if foreign is None:
            is_known = is_alone and not shelf.is_shared and shelf.is_complete
            foreign = {} if is_known else await self._fill(shelf, share)
        near = [name for name, _ in shelf.paths.overlapping(path) if name != without]
        answers = {**foreign, **await self.read_all(near, share)}
        answers.pop(without, None)
        return _overlap(path, answers)

    def forget(self, address: ShareAddress) -> None:
        """Reads everything on this share again."""
        self._shelves.pop(address, None)

    async def _fill(self, shelf: _Shelf, share: Share) -> dict[str, Record | UnreadableRecord]:
        """Learns of all records that were not known, and answers those of other clusters and the unreadable ones.

        Of a volume whose PV is in the cluster, the PV says where on this share it is: a hundred thousand records need
        not be read for that. What overlaps is read all the same before it is believed.
        """
        changes = shelf.changes
        unknown = []
        async for name in in_slices(await self.names(share)):
            if name in shelf.paths:
                continue
            path = self._living.path_on(share.address, name)
            if path:
                shelf.paths.put(name, path)
            else:
                unknown.append(name)
        answers = await self.read_all(unknown, share)
        foreign = {}
        for name, record in answers.items():
            if isinstance(record, Record) and record.cluster == self._cluster:
                shelf.paths.put(name, record.path)
            else:
                foreign[name] = record
        shelf.is_shared |= bool(foreign)
        shelf.is_complete = shelf.changes == changes
        return foreign

    async def _is_alone(self, share: Share) -> bool:
        """Whether no other cluster uses the share. One that comes later sees this one's records, and keeps off."""
        clusters: frozenset[str] = frozenset()
        with suppress(Missing):
            clusters = await clusters_on(share)
        if self._cluster not in clusters:  # nor may other clusters' entries be there
            await self._metadata.reopen(share)
        return clusters == {self._cluster}

    async def read_all(self, names: list[str], share: Share) -> dict[str, Record | UnreadableRecord]:
        """The records of these PVs that are there, or why one can't be read."""
        found: dict[str, Record | UnreadableRecord] = {}
        for start in range(0, len(names), READS_AT_ONCE):
            some = names[start : start + READS_AT_ONCE]
            answers = await asyncio.gather(*(self.read(name, share) for name in some), return_exceptions=True)
            for name, answer in zip(some, answers, strict=True):
                if isinstance(answer, UnreadableRecord):
                    found[name] = answer
                elif isinstance(answer, Refused):  # no record at all, but a directory or a link in its place
                    found[name] = UnreadableRecord(answer.field, answer.why, None)
                elif isinstance(answer, BaseException):
                    raise answer
                elif answer is not None:
                    found[name] = answer
        return found

    def _shelf(self, share: Share) -> _Shelf:
        return self._shelves.setdefault(share.address, _Shelf())

    def _remember(self, record: Record, share: Share) -> None:
        self._shelf(share).paths.put(record.pv, record.path)
        here = self._metadata.known(share.address)
        for address, shelf in self._shelves.items():
            there = self._metadata.known(address)
            # One share can have several addresses, by another version of NFS or another spelling of its server.
            if address != share.address and (here is None or there is None or here.share_id == there.share_id):
                shelf.is_complete = False
                shelf.changes += 1


def _overlap(path: str, answers: Mapping[str, Record | UnreadableRecord]) -> Overlap:
    found = Overlap([], [], [])
    folded = fold_path(path)
    for answer in answers.values():
        if isinstance(answer, UnreadableRecord):
            if answer.path is None or overlaps(fold_path(answer.path), folded):
                found.unreadable.append(answer)
        elif overlaps(answer.path, path):
            found.certain.append(answer)
        elif overlaps(fold_path(answer.path), folded):
            found.lookalikes.append(answer)
    return found
