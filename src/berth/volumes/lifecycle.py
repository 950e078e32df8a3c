"""What is done to a volume on its share, from birth to purge. Every function can be repeated, and killed anywhere.

Order is what keeps a share explainable (I5): the record is written before the directory is made, the directory is moved
by one rename before the PV goes (I4), and the record outlives the trash. Kubernetes is told by the caller, in between.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from berth.volumes.ending import Ending
from berth.volumes.errors import Missing, Refused, Taken, Unavailable
from berth.volumes.home import Home, Homes, clusters_on, find_home
from berth.volumes.ledger import Ledger
from berth.volumes.naming import TRASH, record_path, trash_path
from berth.volumes.orphans import Left, Orphans
from berth.volumes.plan import Plan
from berth.volumes.records import now_text, record_of
from berth.volumes.release import ReleasePlan
from berth.volumes.request import Claim
from berth.volumes.share import Share, ShareAddress


class Lifecycle:
    """The doings of one cluster on any number of shares."""

    def __init__(self, cluster: str, *, former: frozenset[str] = frozenset()) -> None:
        """cluster: UID of namespace kube-system, written into every record. former: what stood there instead, while
        that UID could not be asked for.
        """
        self._cluster = cluster
        self._homes = Homes(cluster, former=former)
        self._ledger = Ledger(cluster, self._homes, former=former)
        self._ending = Ending(cluster, self._homes, self._ledger)
        self._orphans = Orphans(self._ledger)

    async def create(self, plan: Plan, share: Share) -> None:
        """Makes the volume's record and directory. Refused when another cluster's volume overlaps its path; then, and
        when the directory can't be made where it should be, nothing is left behind.
        """
        home = await self._homes.open(share)
        async with self._orphans.birth(plan.path, plan.pv, home):
            is_first = await self._enter(plan, share, home)
            try:
                if not plan.is_unique:
                    await self._refuse_foreign(plan, share)
                # adopt: what a killed predecessor made may lack its mode. Only where it can't be another's.
                adopt = plan.is_unique or (not is_first and await self._is_untouched(plan, share))
                await share.make_directory(plan.path, mode=plan.mode, uid=plan.uid, gid=plan.gid, adopt=adopt)
            except Refused:
                if is_first:
                    await self._ledger.remove(plan.pv, share)
                raise

    async def release(self, plan: ReleasePlan, share: Share) -> str:
        """Does what the plan says with the directory. Answers where it is now: a path on the share, empty for nowhere.

        Refused when neither a record nor the path itself proves that the directory is this volume's.
        """
        return await self._ending.release(plan, share)

    async def resize(self, pv: str, size_bytes: int, share: Share) -> None:
        """Writes the volume's new size into its record. A volume without a record (not made by Berth) stays without."""
        record = await self._ledger.read(pv, share)
        if record is not None and record.cluster == self._cluster and record.capacity != size_bytes:
            await self._ledger.write(replace(record, capacity=size_bytes), share)

    async def waiting_trash(self, share: Share) -> list[str]:
        """The PV names of this cluster's deleted volumes that are still to be purged."""
        return [name for name in await self._trash(share) if await self._is_own(name, share)]

    async def purge(self, pv: str, share: Share) -> int:
        """Removes one deleted volume for good, then its record. Answers how many entries went; can be resumed."""
        record = None if self._ledger.is_own(pv, share) else await self._ledger.read(pv, share)
        if record is not None and record.cluster != self._cluster:
            raise Refused(trash_path(pv), f"is cluster {record.cluster}'s, and for that cluster to purge")
        removed = await share.remove_tree(trash_path(pv))
        await self._ledger.remove(pv, share)
        return removed

    async def sweep(
        self, share: Share, *, has_pv: Callable[[str], bool], has_claim: Callable[[Claim], bool]
    ) -> list[Left]:
        """Tidies up behind claims that went away before their PV was made (a crash in between).

        An empty directory goes with its record. One that holds data stays, and is answered: nobody can say whose it is.
        """
        home = await find_home(share)
        if home is None:
            return []
        left = []
        trash = set(await self._trash(share))
        for pv in await self._ledger.names(share):
            if has_pv(pv) or pv in trash:
                continue
            try:
                record = await self._ledger.read(pv, share, as_written=True)  # a former name proves less
            except Refused:
                continue
            if record is None or record.cluster != self._cluster or record.pv != pv or record.released:
                continue
            if has_claim(record.owner) or has_pv(pv):  # the latter: it was made while the record was read
                continue
            try:
                why = await self._orphans.tidy(record, share, home)
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
        self._homes.forget(address)
        self._ledger.forget(address)

    def share_id(self, address: ShareAddress) -> str:
        """The identity of a share that was used before; empty otherwise."""
        home = self._homes.known(address)
        return home.share_id if home else ""

    async def _enter(self, plan: Plan, share: Share, home: Home) -> bool:
        """Writes the record of a volume about to be made. False: an attempt that was interrupted had done so."""
        record = record_of(plan, self._cluster, now_text())
        if plan.is_unique:
            await self._ledger.write(record, share)
            return True
        try:
            await self._ledger.write(record, share, exclusive=True)
        except Taken:
            known = await self._ledger.read(plan.pv, share)
            if known is not None and known.cluster != self._cluster:
                raise Refused(record_path(plan.pv), f"says that the volume is cluster {known.cluster}'s") from None
            if plan.pv in await self._trash(share):  # a late repetition: nobody would take away what it makes
                raise Unavailable(str(share.address), "io", "the volume was deleted and waits to be purged") from None
            if known is not None and known.path != plan.path:  # the class or a label was changed in between
                await self._orphans.tidy(known, share, home)
            await self._ledger.write(record, share)
            return False
        return True

    async def _is_untouched(self, plan: Plan, share: Share) -> bool:
        """Whether the directory can only be what an interrupted attempt left: nobody shares it, and it is empty."""
        with suppress(Missing):
            return plan.sharing == "deny" and not await share.list(plan.path)
        return False

    async def _trash(self, share: Share) -> list[str]:
        with suppress(Missing):
            return [entry.name for entry in await share.list(TRASH)]
        return []

    async def _is_own(self, pv: str, share: Share) -> bool:
        try:
            record = await self._ledger.read(pv, share)
        except Refused:
            return False
        return record is not None and (record.cluster, record.pv) == (self._cluster, pv)

    async def _refuse_foreign(self, plan: Plan, share: Share) -> None:
        """Refused when another cluster's live volume overlaps the path. This cluster's are known from its PVs (I2).

        Called with the own record in place: of two clusters that want one path at the same time, one at least sees the
        other's. Who else uses the share is asked anew each time: another cluster may have come since.
        """
        clusters: frozenset[str] = frozenset()
        with suppress(Missing):
            clusters = await clusters_on(share)
        if self._cluster not in clusters:  # somebody removed what others must see
            clusters = (await self._homes.reopen(share)).clusters
        if not clusters <= {self._cluster}:
            await self._ledger.refuse_overlap(
                plan.path,
                share,
                without=plan.pv,
                field="path",
                advice="let the class's pattern name the PV, which no other cluster can have",
                protects=lambda other: other.cluster != self._cluster and not other.released,
            )
