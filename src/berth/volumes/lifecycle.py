"""What is done to a volume on its share, from birth to purge. Every function can be repeated, and killed anywhere.

Order is what keeps a share explainable (I5): the record is written before the directory is made, the directory is moved
by one rename before the PV goes (I4), and the record outlives the trash. Kubernetes is told by the caller, in between.
"""

from __future__ import annotations

from collections.abc import AsyncIterable
from contextlib import suppress
from dataclasses import replace

from berth.aio.slices import in_slices
from berth.volumes.birth import Birth, Born, IsServed
from berth.volumes.ending import Ending
from berth.volumes.errors import LeftBehind, Missing, Refused, Unavailable
from berth.volumes.leads import Leads
from berth.volumes.metadata_dir import MetadataDirs, find_metadata_dir
from berth.volumes.naming import TRASH, TRIAL, trash_path, trial_path
from berth.volumes.orphans import Left, Orphans
from berth.volumes.others import Others
from berth.volumes.plan import Plan
from berth.volumes.record_store import RecordStore
from berth.volumes.records import Record
from berth.volumes.release import ReleasePlan
from berth.volumes.request import Claim, Living
from berth.volumes.share import Budget, Removal, Share, ShareAddress
from berth.volumes.standing import ALONE, Standing
from berth.volumes.trash import Trashed, look_into_trash
from berth.volumes.whereabouts import Displaced, Placed, Whereabouts


class Lifecycle:
    """All that one cluster does to its volumes, on any number of shares."""

    def __init__(
        self, cluster: str, *, living: Living, former: frozenset[str] = frozenset(), standing: Standing = ALONE
    ) -> None:
        """cluster: UID of namespace kube-system, written into every record. living: what lives there. former: what
        stood there instead of the UID, while that could not be asked for. standing: in whose name all this is done.
        """
        self._cluster = cluster
        self._living = living
        self._metadata = MetadataDirs(cluster, former=former)
        self._records = RecordStore(cluster, self._metadata, living, former=former, standing=standing)
        self._leads = Leads(cluster, standing)
        self._orphans = Orphans(self._records)
        others = Others(cluster, self._records, living)
        self._birth = Birth(cluster, self._metadata, self._records, self._orphans, others, self._leads)
        self._ending = Ending(cluster, self._metadata, self._records, others)
        self._whereabouts = Whereabouts(cluster, self._records, living)
        self._released: dict[str, Claim] = {}
        """Whose the volumes were that this process moved to the trash, until they are purged."""

    async def create(self, plan: Plan, share: Share, *, is_served: IsServed | None = None) -> Born:
        """Makes the volume's record and directory. Refused when its path is another volume's, holds what Berth did not
        make (unless that is adopted), or could not be left again; then nothing is left behind that was not there.

        is_served: see birth.IsServed; without it, what lives (from memory) is believed.
        """

        async def is_known() -> bool:
            return self._living.has_pv(plan.pv)

        return await self._birth.create(plan, share, is_served or is_known)

    async def release(self, plan: ReleasePlan, share: Share) -> str:
        """Does what the plan says with the directory. Answers where it is now: a path on the share, empty for nowhere.

        Refused when neither a record nor the path itself proves that the directory is this volume's.
        Unavailable(lease), here and below, while another controller acts in this cluster's name.
        """
        await self._leads.require(share)
        where = await self._ending.release(plan, share)
        if where == trash_path(plan.pv):
            self._released[plan.pv] = plan.claim
        return where

    async def resize(self, pv: str, size_bytes: int, share: Share) -> None:
        """Writes the volume's new size into its record. A volume without a record (not made by Berth) stays without."""
        record = await self._records.read(pv, share)
        if record is not None and record.cluster == self._cluster and record.capacity != size_bytes:
            await self._records.write(replace(record, capacity=size_bytes), share)

    async def trash(self, share: Share) -> list[Trashed]:
        """All that lies in the share's trash, and whose it is."""
        return await look_into_trash(share, lambda pv: self._records.read(pv, share))

    def is_own(self, trashed: Trashed) -> bool:
        """Whether it is for this cluster to purge."""
        return trashed.record is not None and trashed.record.cluster == self._cluster

    async def waiting_trash(self, share: Share) -> list[str]:
        """The PV names of this cluster's deleted volumes that are still to be purged."""
        return [each.name for each in await self.trash(share) if self.is_own(each)]

    async def purge(self, pv: str, share: Share, *, budget: Budget | None = None) -> Removal:
        """Removes one deleted volume for good, then its record. With a budget, one turn of that; can be resumed.

        Nothing goes while its PV or its claim is in the cluster: a backup has brought it back.
        """
        await self._leads.require(share)
        owner = self._released.get(pv)  # else it must be asked whose it is
        if owner is None:
            record = await self._records.read(pv, share)
            if record is not None and record.cluster != self._cluster:
                raise Refused(trash_path(pv), f"is cluster {record.cluster}'s, and for that cluster to purge")
            owner = record.owner if record is not None else None
        if self._living.has_pv(pv) or (owner is not None and self._living.has_claim(owner)):
            return Removal(0)
        removal = await share.remove_tree(trash_path(pv), budget=budget)
        if not removal.is_through:
            return removal
        if removal.entries or not await self._was_brought_back(pv, share):
            await self._records.remove(pv, share)
        self._released.pop(pv, None)
        return removal

    async def mark_stuck(self, pv: str, share: Share, left: LeftBehind) -> Record | None:
        """Writes into the volume's record what keeps it in the trash, so that the share explains itself. Answers the
        record; None without one.
        """
        record = await self._records.read(pv, share)
        if record is not None and record.cluster == self._cluster and record.stuck != left.said:
            await self._records.write(replace(record, stuck=left.said), share)
        return record

    async def doubt(self, share: Share) -> str:
        """Why this may not be the share that it was; empty where it is. What was known of another one is forgotten."""
        before = self._metadata.known(share.address)
        doubt = await self._metadata.doubt(share)
        if before is not None and self._metadata.known(share.address) is None:
            self._records.forget(share.address)
        return doubt

    async def displaced(self, placed: AsyncIterable[Placed], share: Share) -> list[Displaced]:
        """Those of these PVs' directories that are not in their places."""
        return await self._whereabouts.displaced(placed, share)

    async def sweep(self, share: Share) -> list[Left]:
        """Tidies up behind claims that went away before their PV was made (a crash in between).

        An empty directory goes with its record. One that holds data stays, and is answered: nobody can say whose it is.
        """
        metadata = await find_metadata_dir(share)
        if metadata is None:
            return []
        await self._leads.look(share)
        await self._leads.require(share, alone=True)
        left = []
        trash = set(await self._trash(share))
        for name in trash:
            pv = name.removeprefix(TRIAL)
            if pv != name and await self._is_left_of_a_trial(pv, share):
                await share.remove_directory(trial_path(pv))
        async for pv in in_slices(await self._records.names(share)):
            if self._living.has_pv(pv) or pv in trash:
                continue
            try:
                record = await self._records.read(pv, share, as_written=True)  # a former name proves less
            except Refused:
                continue
            if record is None or record.cluster != self._cluster or record.pv != pv or record.released:
                continue
            if self._living.has_claim(record.owner) or self._living.has_pv(pv):  # made while the record was read
                continue
            try:
                why = await self._orphans.tidy(record, share, metadata)
            except Refused as refusal:
                why = str(refusal)
            except Unavailable as error:
                if error.stage != "permission":
                    raise
                why = str(error)
            if why:
                left.append(Left(record, why))
        return left

    def forget(self, address: ShareAddress) -> None:
        """Looks at the share's `.berth/` afresh on the next use."""
        self._metadata.forget(address)
        self._records.forget(address)

    def rivals(self, address: ShareAddress) -> str:
        """Why another controller in this cluster's name has to be minded on a share, and what ends that; empty while
        none was seen there. The sweep looks.
        """
        return self._leads.rivals(address)

    def share_id(self, address: ShareAddress) -> str:
        """The identity of a share that was used before; empty otherwise."""
        metadata = self._metadata.known(address)
        return metadata.share_id if metadata else ""

    async def _is_left_of_a_trial(self, pv: str, share: Share) -> bool:
        """Whether the attempt to make pv's volume was killed while it tried the way out. One that another cluster makes
        at this moment has its record.
        """
        if self._orphans.is_being_born(pv):
            return False
        with suppress(Refused):
            record = await self._records.read(pv, share)
            return record is None or record.cluster == self._cluster
        return False

    async def _was_brought_back(self, pv: str, share: Share) -> bool:
        """Whether the volume is out of the trash because somebody has put it back, and keeps it without a PV."""
        with suppress(Refused):
            record = await self._records.read(pv, share)
            return record is not None and bool(record.released)
        return True  # nobody can say so

    async def _trash(self, share: Share) -> list[str]:
        with suppress(Missing):
            return await share.names(TRASH)
        return []
