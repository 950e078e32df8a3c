"""A class came or changed: what was refused because of it, or waited for it, is looked at again.

Who that is, only a look at all claims and PVs tells. One look serves all classes that have changed by then: a thousand
that are applied at once cost no more than one.
"""

from __future__ import annotations

from collections.abc import Callable

from berth.kube.informer import key_of
from berth.kube.outcome import Done, Note, Outcome
from berth.objects import translation
from berth.objects.kinds import VolumeObject
from berth.reconcilers.cluster import Cluster


class ClassChanges:
    """Key: a class's name."""

    name = "class"

    def __init__(
        self,
        *,
        cluster: Cluster,
        wants: Callable[[VolumeObject], bool],
        claims: Callable[[str], None],
        volumes: Callable[[str], None],
    ) -> None:
        """wants: whether there is anything to do for a PV; claims, volumes: queue the keys of these."""
        self._cluster = cluster
        self._wants = wants
        self._claims = claims
        self._volumes = volumes
        self._changed: set[str] = set()

    def noted(self, name: str) -> str:
        """A class came or changed: the key to queue for it."""
        self._changed.add(name)
        return name

    async def __call__(self, key: str) -> Outcome:
        """Looks for all classes that have changed by now."""
        if key not in self._changed:
            return Done()
        changed, self._changed = self._changed, set()
        try:
            async for claim in self._cluster.claims.each():
                if not translation.is_bound(claim) and translation.class_name_of(claim) in changed:
                    self._claims(key_of(claim.namespace, claim.name))
            async for volume in self._cluster.volumes.each():
                if volume.spec.storageClassName in changed and self._wants(volume):
                    self._volumes(volume.name)
        except BaseException:
            self._changed |= changed
            raise
        return Done()

    def blame(self, key: str, error: Exception) -> tuple[Note, ...]:
        """Nobody is to blame."""
        return ()
