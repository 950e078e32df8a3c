"""Which change of which object puts which key on which queue."""

from __future__ import annotations

from collections.abc import Callable

from berth.kube.informer import key_of
from berth.kube.workqueue import WorkQueue
from berth.objects import translation
from berth.objects.kinds import ClaimObject, ClassObject, VolumeObject
from berth.reconcilers.cluster import Cluster
from berth.reconcilers.expand import Expand, claim_of_volume
from berth.reconcilers.provision import Provision
from berth.reconcilers.reclaim import Reclaim


class Routes:
    """The handlers of the three caches. A key too many does no harm; one too few leaves a claim to the resync."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        provision: Provision,
        reclaim: Reclaim,
        expand: Expand,
        claims: WorkQueue,
        volumes: WorkQueue,
        expansions: WorkQueue,
        class_came: Callable[[str], object],
    ) -> None:
        """class_came: told the name of each class that came or changed."""
        self._cluster = cluster
        self._provision = provision
        self._reclaim = reclaim
        self._expand = expand
        self._claims = claims
        self._volumes = volumes
        self._expansions = expansions
        self._class_came = class_came

    async def attach(self) -> None:
        """From here on changes queue keys; the claims and PVs that the caches hold already count as changed."""
        self._cluster.classes.add_handler(self.class_changed)
        await self._cluster.claims.introduce(self.claim_changed)  # first: somebody waits for these
        await self._cluster.volumes.introduce(self.volume_changed)

    def claim_changed(self, old: ClaimObject | None, new: ClaimObject | None) -> None:
        """A claim came, changed, went, or is due for the resync."""
        if new is None:
            if old is not None:
                self._provision.claim_gone(old)
                self._expand.claim_gone(old)
                self._look_at_volume_of(old)
            return
        meta = new.metadata
        key = key_of(meta.namespace, meta.name or "")
        if self._provision.wants(new):
            self._claims.add(key)
        elif self._expand.wants(new):
            self._expansions.add(key)

    def volume_changed(self, old: VolumeObject | None, new: VolumeObject | None) -> None:
        """A PV came, changed, went, or is due for the resync."""
        if new is None:
            if old is not None:
                self._reclaim.volume_gone(old)
            return
        if self._reclaim.wants(new):
            self._volumes.add(new.name)
        if old is not None and translation.says_the_same_owner(old, new):
            return  # as it is for the claim, so it was before: whatever else changes, comes with the claim itself
        claim = self._cluster.claims.get(claim_of_volume(new))
        if claim is not None and self._expand.wants(claim):
            self._expansions.add(claim_of_volume(new))

    def class_changed(self, old: ClassObject | None, new: ClassObject | None) -> None:
        """A class came or changed: what was refused because of it is looked at again."""
        if new is None:
            if old is not None:
                self._provision.class_gone(old)
            return
        if old is not new:  # at the resync, claims and PVs come by themselves
            self._class_came(new.name)

    def _look_at_volume_of(self, claim: ClaimObject) -> None:
        """Its PV may have been seen as Released before the claim was seen to be gone."""
        # A claim that was bound and deleted while the watch was broken is known without its PV: but the name is fixed.
        name = (claim.spec.volumeName if claim.spec else None) or translation.pv_name(claim)
        volume = self._cluster.volumes.get(name)
        if volume is not None and self._reclaim.wants(volume):
            self._volumes.add(volume.name)
