"""What is done to a volume on its share, from birth to purge. Every function can be repeated, and killed anywhere.

Order is what keeps a share explainable (I5): the record is written before the directory is made, the directory is moved
by one rename before the PV goes (I4), and the record outlives the trash. Kubernetes is told by the caller, in between.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from berth.volumes import archives
from berth.volumes.errors import Missing, Refused, Taken, Unavailable
from berth.volumes.home import Home, clusters_on, find_home, open_home, require_home
from berth.volumes.ledger import Ledger
from berth.volumes.naming import TRASH, record_path, trash_path
from berth.volumes.orphans import Left, Orphans
from berth.volumes.plan import Plan
from berth.volumes.records import Record, now_text, record_of, record_of_released, released
from berth.volumes.release import ReleasePlan
from berth.volumes.request import Claim
from berth.volumes.share import Share, ShareAddress


class Lifecycle:
    """The doings of one cluster on any number of shares."""

    def __init__(self, cluster: str) -> None:
        """cluster: UID of namespace kube-system, written into every record."""
        self._cluster = cluster
        self._ledger = Ledger(cluster)
        self._homes: dict[ShareAddress, Home] = {}
        self._orphans = Orphans(self._ledger)

    async def create(self, plan: Plan, share: Share) -> None:
        """Makes the volume's record and directory. Refused when another cluster's volume overlaps its path; then, and
        when the directory can't be made where it should be, nothing is left behind.
        """
        home = await self._home(share)
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
        record = await self._record_of(plan, share)
        try:
            await share.stat(plan.path)
        except Missing:
            if record is None and plan.by_berth:
                await require_home(share, self._cluster)
            return "" if plan.end == "retain" else await self._moved_already(plan, share)
        if plan.end == "retain":
            await self._keep(plan, record, share)
            return plan.path
        await self._home(share)
        if not plan.is_unique:
            await self._ledger.refuse_overlap(plan.path, share, without=plan.pv, kept_too=True)
        if record is None:
            record = self._prove(plan)
            await self._write(record, share)
        if plan.end == "delete":
            return await self._delete(plan, share)
        try:
            name = await archives.archive(record, share)
        except Missing:  # Berth's own directory has holes
            await self._home(share, afresh=True)
            name = await archives.archive(record, share)
        if not name:
            return await self._moved_already(plan, share)
        await self._ledger.remove(plan.pv, share)
        return name

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
        record = await self._ledger.read(pv, share)
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
                record = await self._ledger.read(pv, share)
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
        self._homes.pop(address, None)
        self._ledger.forget(address)

    def share_id(self, address: ShareAddress) -> str:
        """The identity of a share that was used before; empty otherwise."""
        home = self._homes.get(address)
        return home.share_id if home else ""

    async def _home(self, share: Share, *, afresh: bool = False) -> Home:
        if afresh:
            self.forget(share.address)
        home = self._homes.get(share.address)
        if home is None:
            home = await open_home(share, self._cluster)
            self._homes[share.address] = home
        return home

    async def _write(self, record: Record, share: Share, *, exclusive: bool = False) -> None:
        try:
            await self._ledger.write(record, share, exclusive=exclusive)
        except Missing:  # .berth/ was removed, or another directory is exported now
            await self._home(share, afresh=True)
            await self._ledger.write(record, share, exclusive=exclusive)

    async def _enter(self, plan: Plan, share: Share, home: Home) -> bool:
        """Writes the record of a volume about to be made. False: an attempt that was interrupted had done so."""
        record = record_of(plan, self._cluster, now_text())
        if plan.is_unique:
            await self._write(record, share)
            return True
        try:
            await self._write(record, share, exclusive=True)
        except Taken:
            known = await self._ledger.read(plan.pv, share)
            if known is not None and known.cluster != self._cluster:
                raise Refused(record_path(plan.pv), f"says that the volume is cluster {known.cluster}'s") from None
            if known is not None and known.path != plan.path:  # the class or a label was changed in between
                await self._orphans.tidy(known, share, home)
            await self._write(record, share)
            return False
        return True

    async def _is_untouched(self, plan: Plan, share: Share) -> bool:
        """Whether the directory can only be what an interrupted attempt left: nobody shares it, and it is empty."""
        with suppress(Missing):
            return plan.sharing == "deny" and not await share.list(plan.path)
        return False

    async def _record_of(self, plan: ReleasePlan, share: Share) -> Record | None:
        record = await self._ledger.read(plan.pv, share)
        if record is None:
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

    async def _keep(self, plan: ReleasePlan, record: Record | None, share: Share) -> None:
        """Writes down that the directory outlives its claim, if it is shown to be this PV's."""
        if record is None and plan.is_expected_path:
            record = record_of_released(plan, self._cluster)
        if record is not None and not record.released:
            await self._home(share)
            await self._write(released(record), share)

    async def _delete(self, plan: ReleasePlan, share: Share) -> str:
        """Moves the directory to the trash by one rename (I4)."""
        target = trash_path(plan.pv)
        with suppress(Missing):
            try:
                await share.rename(plan.path, target)
            except Missing:  # the directory, or the trash: that can be mended
                await self._home(share, afresh=True)
                await share.rename(plan.path, target)
            except Taken:
                # An earlier attempt moved this volume. What is in its place by now may be another's, unless it bears
                # this PV's name: then a late repetition of its creation made it again.
                if plan.is_unique:
                    await share.remove_tree(target)
                    await share.rename(plan.path, target)
            return target
        return await self._moved_already(plan, share)

    async def _moved_already(self, plan: ReleasePlan, share: Share) -> str:
        """The directory is not at its path: an earlier attempt moved it, or somebody removed it by hand."""
        with suppress(Missing):
            await share.stat(trash_path(plan.pv))
            return trash_path(plan.pv)
        name = ""
        if plan.end == "archive":
            with suppress(Missing):
                name = await archives.finished(record_of_released(plan, self._cluster), share)
        await self._ledger.remove(plan.pv, share)
        return name

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
        try:
            clusters = await clusters_on(share)
        except Missing:
            clusters = (await self._home(share, afresh=True)).clusters
        if not clusters <= {self._cluster}:
            await self._ledger.refuse_overlap(plan.path, share, without=plan.pv, kept_too=False)
