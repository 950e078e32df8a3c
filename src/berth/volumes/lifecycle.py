"""What is done to a volume on its share, from birth to purge. Every function can be repeated, and killed anywhere.

Order is what keeps a share explainable (I5): the record is written before the directory is made, the directory is moved
by one rename before the PV goes (I4), and the record outlives the trash. Kubernetes is told by the caller, in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from berth.volumes.errors import Missing, Refused, Taken
from berth.volumes.home import Home, open_home, require_home
from berth.volumes.naming import ARCHIVES, TRASH, VOLUMES, archive_name, overlaps, record_path, shorten, trash_path
from berth.volumes.plan import Plan
from berth.volumes.records import Record, archived, decode, encode, now_text, record_of, record_of_released, released
from berth.volumes.release import ReleasePlan
from berth.volumes.request import Claim
from berth.volumes.share import Share, ShareAddress

READS_AT_ONCE = 32
"""How many records are read side by side when all of a share's have to be looked at."""


@dataclass(frozen=True, slots=True)
class Left:
    """A record whose PV and claim are gone while its directory holds data: reported, never touched."""

    record: Record
    why: str


class Lifecycle:
    """The doings of one cluster on any number of shares."""

    def __init__(self, cluster: str) -> None:
        """cluster: UID of namespace kube-system, written into every record."""
        self._cluster = cluster
        self._homes: dict[ShareAddress, Home] = {}
        self._seen: dict[tuple[ShareAddress, str], Record] = {}

    async def create(self, plan: Plan, share: Share) -> None:
        """Makes the volume's record and directory. Refused when another cluster's volume overlaps its path."""
        home = await self._home(share)
        if not plan.is_unique:
            await self._refuse_overlap(plan.pv, plan.path, share, home, released_too=False)
        record = encode(record_of(plan, self._cluster, now_text()))
        try:
            await share.write_file(record_path(plan.pv), record)
        except Missing:  # .berth/ was removed, or another directory is exported now
            self.forget(share.address)
            await self._home(share)
            await share.write_file(record_path(plan.pv), record)
        # adopt: what a killed predecessor made may lack its mode. Only where the path can't be another claim's.
        await share.make_directory(plan.path, mode=plan.mode, uid=plan.uid, gid=plan.gid, adopt=plan.is_unique)

    async def release(self, plan: ReleasePlan, share: Share) -> str:
        """Does what the plan says with the directory. Answers where it is now: a path on the share, empty for nowhere.

        Refused when neither a record nor the path itself proves that the directory is this volume's.
        """
        home = await self._home(share)
        record = await self._record_of(plan, share)
        if plan.end == "retain":
            if record is not None and not record.released:
                await share.write_file(record_path(plan.pv), encode(released(record)))
            return plan.path
        try:
            await share.stat(plan.path)
        except Missing:
            if plan.by_berth:
                await require_home(share)
            return await self._moved_already(plan, share)
        if record is None:
            record = self._prove(plan)
            await share.write_file(record_path(plan.pv), encode(record))
        if not plan.is_unique:
            await self._refuse_overlap(plan.pv, plan.path, share, home, released_too=True)
        if plan.end == "archive":
            return await self._archive(record, share)
        with suppress(Missing, Taken):
            # Taken: an earlier attempt moved this volume to the trash, and what is at its path by now is another's.
            await share.rename(plan.path, trash_path(plan.pv))
        return trash_path(plan.pv)

    async def resize(self, pv: str, size_bytes: int, share: Share) -> None:
        """Writes the volume's new size into its record. A volume without a record (not made by Berth) stays without."""
        with suppress(Missing):
            record = decode(await share.read_file(record_path(pv)), record_path(pv))
            if record.cluster == self._cluster and record.capacity != size_bytes:
                await share.write_file(record_path(pv), encode(replace(record, capacity=size_bytes)))

    async def waiting_trash(self, share: Share) -> list[str]:
        """The PV names of this cluster's deleted volumes that are still to be purged."""
        await self._home(share)
        names = [entry.name for entry in await share.list(TRASH)]
        return [name for name in names if await self._is_own(name, share)]

    async def purge(self, pv: str, share: Share) -> int:
        """Removes one deleted volume for good, then its record. Answers how many entries went; can be resumed."""
        removed = await share.remove_tree(trash_path(pv))
        await share.remove_file(record_path(pv))
        return removed

    async def sweep(
        self, share: Share, *, has_pv: Callable[[str], bool], has_claim: Callable[[Claim], bool]
    ) -> list[Left]:
        """Tidies up behind claims that went away before their PV was made (a crash in between).

        An empty directory goes with its record. One that holds data stays, and is answered: nobody can say whose it is.
        """
        left = []
        await self._home(share)
        trash = {entry.name for entry in await share.list(TRASH)}
        for pv in await self._names(share):
            if has_pv(pv) or pv in trash:
                continue
            try:
                record = decode(await share.read_file(record_path(pv)), record_path(pv))
            except (Missing, Refused):
                continue
            if record.cluster != self._cluster or record.pv != pv or record.released or has_claim(record.owner):
                continue
            if has_pv(pv):  # it was made while the record was read
                continue
            if await share.remove_directory(record.path):
                await share.remove_file(record_path(pv))
            else:
                left.append(Left(record, "its claim and PV are gone, but the directory holds data"))
        return left

    def forget(self, address: ShareAddress) -> None:
        """Looks at the share's `.berth/` afresh on the next use."""
        self._homes.pop(address, None)

    def share_id(self, address: ShareAddress) -> str:
        """The identity of a share that was used before; empty otherwise."""
        home = self._homes.get(address)
        return home.share_id if home else ""

    async def _home(self, share: Share) -> Home:
        home = self._homes.get(share.address)
        if home is None:
            home = await open_home(share, self._cluster)
            self._homes[share.address] = home
        return home

    async def _record_of(self, plan: ReleasePlan, share: Share) -> Record | None:
        try:
            record = decode(await share.read_file(record_path(plan.pv)), record_path(plan.pv))
        except Missing:
            return None
        if record.cluster != self._cluster:
            raise Refused(record_path(plan.pv), f"says that the volume is cluster {record.cluster}'s, not this one's")
        if (record.pv, record.path) != (plan.pv, plan.path):
            raise Refused(
                record_path(plan.pv),
                f"says that the volume is at {record.path!r}, but PV {plan.pv} points to {plan.path!r}",
            )
        return record

    def _prove(self, plan: ReleasePlan) -> Record:
        if not plan.is_expected_path:
            raise Refused(
                "spec.nfs.path",
                f"{plan.path!r} has no record on the share and is not where class {plan.class_name!r} would have put "
                f"claim {plan.claim}, so nothing shows that it is this PV's own; it is left alone",
            )
        return record_of_released(plan, self._cluster)

    async def _moved_already(self, plan: ReleasePlan, share: Share) -> str:
        """The directory is not at its path: an earlier attempt moved it, or somebody removed it by hand."""
        with suppress(Missing):
            await share.stat(trash_path(plan.pv))
            return trash_path(plan.pv)
        if plan.end == "archive":
            for name, record in await self._archives_named(plan.path, share):
                if self._is_same(record, plan.pv):
                    await share.remove_file(record_path(plan.pv))
                    return name
        await share.remove_file(record_path(plan.pv))
        return ""

    async def _archive(self, record: Record, share: Share) -> str:
        """Moves the directory to a free `archived-…` name. Its metadata is written first and reserves the name (I6)."""
        moment = datetime.now(UTC)
        content = encode(archived(record, moment))
        base = archive_name(record.path)
        stamped = f"{shorten(base, 24)}-{moment:%Y%m%dT%H%M%SZ}"
        own = [
            name for name, known in await self._archives_named(record.path, share) if self._is_same(known, record.pv)
        ]
        for name in (*own, base, stamped, *(f"{stamped}-{count}" for count in range(2, 100))):
            try:
                if name not in own:
                    await share.write_file(f"{ARCHIVES}/{name}.json", content, exclusive=True)
                await share.rename(record.path, name)
            except Taken:
                if name not in own:
                    await self._unreserve(name, record, share)
                continue
            except Missing:
                pass  # moved by an earlier attempt a moment ago
            await share.remove_file(record_path(record.pv))
            return name
        raise Refused("archive", f"all names like {stamped!r} are taken in the share's root")

    async def _unreserve(self, name: str, record: Record, share: Share) -> None:
        """Takes a reservation back when the directory's name turned out to be taken (an archive without metadata)."""
        path = f"{ARCHIVES}/{name}.json"
        with suppress(Missing, Refused):
            if self._is_same(decode(await share.read_file(path), path), record.pv):
                await share.remove_file(path)

    async def _archives_named(self, path: str, share: Share) -> list[tuple[str, Record]]:
        """Archives whose metadata name begins as an archive of path would. The first name is asked for alone, and the
        directory is listed only if that is another's: most volumes are the first of their name.
        """
        base = archive_name(path)
        found: list[tuple[str, Record]] = []
        first = f"{ARCHIVES}/{base}.json"
        try:
            found.append((base, decode(await share.read_file(first), first)))
        except Missing:
            return []
        except Refused:
            pass
        for entry in await share.list(ARCHIVES):
            name = entry.name.removesuffix(".json")
            if name != base and name.startswith(shorten(base, 24)) and entry.name.endswith(".json"):
                with suppress(Missing, Refused):
                    found.append((name, decode(await share.read_file(f"{ARCHIVES}/{entry.name}"), entry.name)))
        return found

    def _is_same(self, record: Record, pv: str) -> bool:
        return (record.cluster, record.pv) == (self._cluster, pv)

    async def _is_own(self, pv: str, share: Share) -> bool:
        try:
            record = decode(await share.read_file(record_path(pv)), record_path(pv))
        except (Missing, Refused):
            return False
        return self._is_same(record, pv)

    async def _names(self, share: Share) -> list[str]:
        """PV names of all records on the share."""
        names = [entry.name for entry in await share.list(VOLUMES)]
        return [name.removesuffix(".json") for name in names if name.endswith(".json") and not name.startswith(".")]

    async def _refuse_overlap(self, pv: str, path: str, share: Share, home: Home, *, released_too: bool) -> None:
        """Refused when a record shows another cluster's volume over path, or (released_too) one that was to be kept.

        This cluster's live volumes are known from its PVs (I2); only records know of the others. One cluster alone on
        the share has nothing to look for when it makes a volume.
        """
        if home.clusters == {self._cluster} and not released_too:
            return
        for record in await self._records(share):
            foreign = record.cluster != self._cluster
            if (
                record.pv == pv
                or not overlaps(record.path, path)
                or not (foreign or (released_too and record.released))
            ):
                continue
            if foreign and not released_too and record.released:
                continue
            whose = f"cluster {record.cluster}" if foreign else "this cluster"
            state = "kept after its claim was gone" if record.released else "in use"
            raise Refused(
                "path",
                f"{path!r} overlaps {record.path!r}, volume {record.pv} of {whose} ({record.owner}), which is {state}",
            )

    async def _records(self, share: Share) -> list[Record]:
        """All records on the share that can be read."""
        limit = asyncio.Semaphore(READS_AT_ONCE)

        async def read(pv: str) -> Record | None:
            async with limit:
                with suppress(Missing, Refused):
                    return decode(await share.read_file(record_path(pv)), record_path(pv))
                return None

        return [record for record in await asyncio.gather(*map(read, await self._names(share))) if record is not None]
