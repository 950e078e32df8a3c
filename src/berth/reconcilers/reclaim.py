"""PVs whose claims are gone: their directories are deleted, archived or kept, then they go themselves."""

from __future__ import annotations

from collections.abc import Callable, Collection
from time import monotonic

from berth.kube.client import Api
from berth.kube.errors import Conflict, Invalid, NotFound
from berth.kube.outcome import Done, GiveUp, Note, Outcome, RetryAfter
from berth.kube.permissions import Permission
from berth.metrics.volumes import VolumeMetrics
from berth.objects import translation
from berth.objects.kinds import VolumeObject
from berth.reconcilers.cluster import Cluster
from berth.reconcilers.stuck import StuckVolumes
from berth.shares.choose import Shares
from berth.volumes.errors import Refused
from berth.volumes.lifecycle import Lifecycle
from berth.volumes.naming import trash_path
from berth.volumes.plan import DefaultShare, Occupied
from berth.volumes.release import ReleasePlan, make_release_plan
from berth.volumes.share import ShareAddress

PERMISSIONS = (Permission("", "persistentvolumes", ("list", "watch", "patch", "delete")),)


class Reclaim:
    """Key: a PV's name."""

    name = "reclaim"

    def __init__(
        self,
        *,
        api: Api,
        cluster: Cluster,
        shares: Shares,
        lifecycle: Lifecycle,
        default: DefaultShare,
        metrics: VolumeMetrics,
        with_finalizer: bool,
        trashed: Callable[[ShareAddress, str], None],
        again: Callable[[str], None],
        stuck: StuckVolumes,
    ) -> None:
        """with_finalizer: whether finalizers are put on and taken off PVs that live, which takes the right to change
        them. trashed: told (share, PV) of each volume that waits to be purged; again: queues a key of this reconciler.
        """
        self._api = api
        self._cluster = cluster
        self._shares = shares
        self._lifecycle = lifecycle
        self._default = default
        self._metrics = metrics
        self._with_finalizer = with_finalizer
        self._trashed = trashed
        self._again = again
        self._stuck = stuck
        self._removed: set[str] = set()
        """UIDs of PVs that are on their way out: the cache shows them for a moment longer."""
        self._to_purge: dict[str, tuple[ShareAddress, str]] = {}
        """Volumes in the trash, by the UIDs of their PVs: as long as one is seen, its volume is not purged."""

    def wants(self, volume: VolumeObject) -> bool:
        """Whether there is anything to do for this PV."""
        meta = volume.metadata
        if not self._cluster.is_ours(volume) or meta.uid in self._removed:
            return False
        if meta.deletionTimestamp and not translation.has_finalizer(volume):
            return False  # it is going without waiting for Berth
        return self._cluster.is_released(volume) or self._finalizer_change(volume) is not None

    def volume_gone(self, volume: VolumeObject) -> None:
        """Forgets a PV that has left the cluster."""
        meta = volume.metadata
        self._stuck.released(meta.name or "")
        self._removed.discard(meta.uid or "")
        self._cluster.wait_no_more(self._waiter(meta.name or ""))
        if (meta.uid or "") in self._to_purge:
            self._trashed(*self._to_purge.pop(meta.uid or ""))

    def _waiter(self, key: str) -> str:
        return f"{self.name} {key}"

    async def __call__(self, key: str) -> Outcome:
        """Brings one PV to its end, if that is due."""
        volume = self._cluster.volumes.get(key)
        if volume is None or not self.wants(volume):
            return Done()
        if not self._cluster.is_released(volume):
            self._stuck.released(key)
            return await self._keep_finalizer(volume)
        begin = monotonic()
        of_class = self._cluster.class_of_volume(volume)
        try:
            request = translation.release_request_of(volume, of_class)
            plan = make_release_plan(request, self._default, self._cluster.neighbours)
            if plan.why:  # nothing says what should become of the data: PV and directory stay (I8)
                raise Refused(
                    "annotation berth.io/on-delete", f"{plan.why}; set it on the PV to delete, archive or retain"
                )
            share = self._shares.at_hand(plan.share)
            if share is None:
                share = await self._shares.get(plan.share)
                # Things may have changed while the share was looked for: I2 is about this very moment.
                make_release_plan(request, self._default, self._cluster.neighbours)
            where = await self._lifecycle.release(plan, share)
        except Refused as refusal:
            return self._refused(key, volume, refusal)
        uid = volume.metadata.uid
        if where == trash_path(plan.pv):
            self._to_purge[uid] = (plan.share, plan.pv)
        await self._remove(volume)
        self._stuck.released(key)
        if key not in self._cluster.volumes and uid in self._to_purge:
            self._trashed(*self._to_purge.pop(uid))
        self._metrics.deleted(plan.class_name, monotonic() - begin)
        return Done(did=_what_was_done(plan, where))

    def blame(self, key: str, error: Exception) -> tuple[Note, ...]:
        """An outage, told on the PV."""
        volume = self._cluster.volumes.get(key)
        if volume is None:
            return ()
        class_name = (volume.spec.storageClassName if volume.spec else None) or ""
        self._metrics.delete_failed(class_name)
        if self._cluster.is_released(volume):
            self._stuck.release_failed(key, class_name)
        return (Note(translation.volume_reference(volume), "Warning", "VolumeFailedDelete", str(error)),)

    def _refused(self, key: str, volume: VolumeObject, refusal: Refused) -> Outcome:
        if isinstance(refusal, Occupied) and key in self._cluster.volumes:  # else it went meanwhile
            self._cluster.wait_for(refusal.blockers, self._waiter(key), lambda: self._again(key))
        else:
            self._cluster.wait_no_more(self._waiter(key))
        return GiveUp(str(refusal), notes=self.blame(key, refusal))

    async def _remove(self, volume: VolumeObject) -> None:
        """Removes the PV itself, and lets go of it. Already gone is fine, and so is another of its name.

        First it is deleted, from when on nobody can put a finalizer on it. Then the one patch that takes Berth's off
        takes the protection off, too, which is the controller manager's: its claim is gone, so there is nothing to
        protect, and the controller manager need not write that once more. Whoever comes first, the other finds nothing
        to do. What else is in the list stays, and the PV with it.

        Which finalizers it has is the answer to its deletion: one that was put on a moment ago may not be in the cache.
        """
        meta = volume.metadata
        name, uid = meta.name or "", meta.uid or ""
        try:
            finalizers: Collection[str] = meta.finalizers or ()
            if not meta.deletionTimestamp:
                finalizers = await self._api.delete(VolumeObject, name, uid=uid)
            if translation.FINALIZER in finalizers:
                await self._take_off(volume, translation.FINALIZER, translation.PROTECTION)
        except (NotFound, Conflict):
            pass
        if name in self._cluster.volumes:
            self._removed.add(uid)

    async def _keep_finalizer(self, volume: VolumeObject) -> Outcome:
        present = self._finalizer_change(volume)
        if present is None:
            return Done()
        try:
            if present:
                await self._patch(volume, {"finalizers": [translation.FINALIZER]})
            else:
                await self._take_off(volume, translation.FINALIZER)
        except (NotFound, Conflict):
            return Done()
        except Invalid as error:  # deleted a moment ago: nothing may be added any more
            return RetryAfter(str(error))
        return Done(did="put finalizer on" if present else "took finalizer off")

    def _finalizer_change(self, volume: VolumeObject) -> bool | None:
        """Whether the finalizer has to come (True) or go (False). It belongs on PVs with policy Delete, so that one
        deleted by hand does not leak its directory. PVs that Berth didn't make are left as they are.
        """
        if not self._with_finalizer or not translation.is_by_berth(volume):
            return None
        has, policy = translation.has_finalizer(volume), translation.policy_of(volume)
        if has and policy != "Delete":
            return False
        if not has and policy == "Delete" and not volume.metadata.deletionTimestamp:
            return True
        return None

    async def _take_off(self, volume: VolumeObject, *finalizers: str) -> None:
        await self._patch(volume, {"$deleteFromPrimitiveList/finalizers": list(finalizers)})

    async def _patch(self, volume: VolumeObject, change: dict[str, list[str]]) -> None:
        """Changes these entries of a list, whatever else has changed. Invalid: it is another PV by now."""
        meta = volume.metadata
        patch = {"metadata": {**change, "uid": meta.uid}}
        await self._api.patch(VolumeObject, meta.name or "", patch, kind="strategic")


def _what_was_done(plan: ReleasePlan, where: str) -> str:
    if not where:
        return f"removed {plan.pv}, whose directory {plan.path!r} was gone already"
    if where == plan.path:
        return f"removed {plan.pv} and kept {plan.path!r}"
    how = "in the trash," if where == trash_path(plan.pv) else "archived as"
    return f"removed {plan.pv}, {plan.path!r} is {how} {where!r}"
