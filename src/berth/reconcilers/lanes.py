"""The lanes of the queues: which share a key is about, as far as the caches tell. A slow share delays its own keys."""

from __future__ import annotations

from berth.objects import translation
from berth.objects.kinds import VolumeObject
from berth.reconcilers.cluster import Cluster
from berth.volumes.plan import DefaultShare
from berth.volumes.server_name import on_server, respelled

_LONGEST = 300
"""Characters of a share's name that tell it from others: anybody who makes PVs can write a longer one."""


class Lanes:
    """Answers at once and never raises. Nothing depends on it but the order of work."""

    def __init__(self, cluster: Cluster, default: DefaultShare) -> None:
        self._cluster = cluster
        self._default = default

    def of_claim(self, key: str) -> str:
        """Of a claim that waits for its volume: the share that its class names; empty where nobody knows."""
        claim = self._cluster.claims.get(key)
        of_class = self._cluster.class_of(claim) if claim is not None else None
        if of_class is None:
            return ""
        said = of_class.parameters or {}
        server, export = said.get("server") or self._default.server, said.get("share") or self._default.export
        return on_server(server[:_LONGEST], export)[:_LONGEST]

    def of_volume(self, key: str) -> str:
        """Of a PV."""
        volume = self._cluster.volumes.get(key)
        return self._share_of(volume) if volume is not None else ""

    def of_expansion(self, key: str) -> str:
        """Of a claim that asks for more than it has."""
        claim = self._cluster.claims.get(key)
        return self.of_volume(claim.spec.volumeName or "") if claim is not None and claim.spec is not None else ""

    def _share_of(self, volume: VolumeObject) -> str:
        """As the PV says. One that says nothing was made by a reference provisioner: then its server."""
        said = respelled(volume.annotations.get(translation.SHARE, "")[:_LONGEST])
        place = translation.location_of(volume)
        return (said or (place.server if place is not None else ""))[:_LONGEST]
