"""The ceiling: PVs created and deleted through Berth's own client, as many at a time as the controller works on.

The PVs are what Berth makes of claims, so they are as large. Their claims do not exist and nobody serves their class;
everybody who watches PVs sees them all the same, as he sees Berth's.
"""

from __future__ import annotations

import time
import uuid
from functools import partial

from lightkube.resources.core_v1 import PersistentVolume

from benchmarks.load import side_by_side
from benchmarks.rig import CLASS, EXPORT, Rig
from berth.objects import translation
from berth.objects.kinds import ClaimObject, ClaimSpec, ClassObject, Meta, Resources, VolumeObject
from berth.settings.controller import CLAIM_WORKERS
from berth.volumes.plan import DefaultShare, make_plan

_CLASS = ClassObject(metadata=Meta(name=CLASS), provisioner="raw.berth.io", parameters={}, reclaimPolicy="Retain")


class RawVolumes:
    """So many PVs: created once, deleted once."""

    def __init__(self, rig: Rig, count: int) -> None:
        self._api = rig.api
        self._made = [_volume(rig.cluster.nfs.host) for _ in range(count)]

    async def create(self) -> float:
        """How many were created a second."""
        begin = time.monotonic()
        await side_by_side((partial(self._api.create, pv) for pv in self._made), CLAIM_WORKERS.default)
        return len(self._made) / (time.monotonic() - begin)

    async def delete(self) -> float:
        """How many were deleted a second, each with the one request before that takes its finalizers off."""
        names = [pv.metadata.name or "" for pv in self._made if pv.metadata is not None]
        begin = time.monotonic()
        await side_by_side((partial(self._delete, name) for name in names), CLAIM_WORKERS.default)
        return len(names) / (time.monotonic() - begin)

    async def _delete(self, name: str) -> None:
        await self._api.patch(VolumeObject, name, {"metadata": {"finalizers": None}})
        await self._api.delete(VolumeObject, name)


def _volume(server: str) -> PersistentVolume:
    uid = str(uuid.uuid4())
    claim = ClaimObject(
        metadata=Meta(name=f"raw-{uid[:8]}", namespace="bench-raw", uid=uid, resourceVersion="1"),
        spec=ClaimSpec(
            storageClassName=CLASS, accessModes=["ReadWriteMany"], resources=Resources(requests={"storage": "1Gi"})
        ),
    )
    plan = make_plan(translation.request_of(claim, _CLASS), DefaultShare(server, EXPORT), lambda *_: ())
    return translation.pv_of(plan, claim, _CLASS)
