"""All records of a share: reading, writing, and asking which of them overlap a path.

A record of this cluster is written by this process alone, so what was read or written once is not read again: a share
with 10,000 volumes is asked for its list of names, not for 10,000 files. Other clusters' records are read each time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from berth.volumes.errors import Missing, Refused
from berth.volumes.home import Homes
from berth.volumes.naming import VOLUMES, overlaps, record_path, recorded_name
from berth.volumes.records import Record, decode, encode
from berth.volumes.share import Share, ShareAddress

READS_AT_ONCE = 32
"""How many records are read side by side when many have to be looked at."""


class Ledger:
    """The records of any number of shares, as one cluster sees them."""

    def __init__(self, cluster: str, homes: Homes) -> None:
        self._cluster = cluster
        self._homes = homes
        self._own: dict[ShareAddress, dict[str, Record]] = {}

    async def read(self, pv: str, share: Share) -> Record | None:
        """A volume's record as it is on the share now; None without one. Refused when it makes no sense."""
        try:
            record = decode(await share.read_file(record_path(pv)), record_path(pv))
        except Missing:
            self._forget(pv)
            return None
        self._keep(record, pv, share)
        return record

    async def write(self, record: Record, share: Share, *, exclusive: bool = False) -> None:
        """Puts a record in its place. exclusive: Taken if there is one already."""
        path, content = record_path(record.pv), encode(record)
        try:
            await share.write_file(path, content, exclusive=exclusive)
        except Missing:  # Berth's own directory was removed, or another directory is exported now
            self.forget(share.address)
            await self._homes.reopen(share)
            await share.write_file(path, content, exclusive=exclusive)
        self._keep(record, record.pv, share)

    async def remove(self, pv: str, share: Share) -> None:
        """Removes a volume's record. Already gone is fine."""
        self._forget(pv)
        await share.remove_file(record_path(pv))

    async def names(self, share: Share) -> list[str]:
        """The PV names of all records on the share."""
        with suppress(Missing):
            return [name for entry in await share.list(VOLUMES) if (name := recorded_name(entry.name))]
        return []

    async def overlapping(self, path: str, share: Share, *, without: str) -> list[Record]:
        """The records, but one PV's, of volumes that equal, contain or lie in path.

        Refused when a record can't be read: nobody knows then whose directory it speaks of.
        """
        known = self._own.setdefault(share.address, {})
        names = [name for name in await self.names(share) if name != without]
        records = [known[name] for name in names if name in known]
        records += await self._read_all([name for name in names if name not in known], share)
        return [record for record in records if record.pv != without and overlaps(record.path, path)]

    async def refuse_overlap(
        self, path: str, share: Share, *, without: str, field: str, advice: str, protects: Callable[[Record], bool]
    ) -> None:
        """Refused when a record that protects its directory shows another volume over path."""
        for record in await self.overlapping(path, share, without=without):
            if protects(record):
                is_foreign = record.cluster != self._cluster
                whose = f"cluster {record.cluster}" if is_foreign else "this cluster"
                state = "kept after its claim was gone" if record.released else "in use"
                raise Refused(
                    field,
                    f"{path!r} overlaps {record.path!r}, volume {record.pv} of {whose} (claim {record.owner}), which "
                    f"is {state}; {advice}, or remove {record_path(record.pv)} if that volume is no more",
                )

    def forget(self, address: ShareAddress) -> None:
        """Reads everything on this share again."""
        self._own.pop(address, None)

    async def _read_all(self, names: list[str], share: Share) -> list[Record]:
        records: list[Record] = []
        for start in range(0, len(names), READS_AT_ONCE):
            reads = [self.read(name, share) for name in names[start : start + READS_AT_ONCE]]
            for answer in await asyncio.gather(*reads, return_exceptions=True):
                if isinstance(answer, Refused):
                    raise Refused(
                        answer.field,
                        f"{answer.why}; as long as this record can't be read, nobody knows which directory it protects",
                    ) from answer
                if isinstance(answer, BaseException):
                    raise answer
                if answer is not None:
                    records.append(answer)
        return records

    def _keep(self, record: Record, pv: str, share: Share) -> None:
        self._forget(pv)
        if record.cluster == self._cluster and record.pv == pv:
            self._own.setdefault(share.address, {})[pv] = record

    def _forget(self, pv: str) -> None:
        # Everywhere: one share can have several addresses, by another version of NFS or another spelling of its server.
        for records in self._own.values():
            records.pop(pv, None)
