"""The ceiling: PVs created through Berth's own client, as many at a time as the controller works on, and nothing else.

The PVs are what Berth makes of claims, so they are as large. Their claims do not exist.
"""

from __future__ import annotations

import time
import uuid
from functools import partial

from lightkube.resources.core_v1 import PersistentVolume

from benchmarks.load import side_by_side
from benchmarks.results import Results
from benchmarks.rig import CLASS, EXPORT, PROVISIONER, Rig
from berth.objects import translation
from berth.objects.kinds import ClaimObject, ClaimSpec, ClassObject, Meta, Resources, VolumeObject
from berth.settings.controller import CLAIM_WORKERS
from berth.volumes.plan import DefaultShare, make_plan

_CLASS = ClassObject(metadata=Meta(name=CLASS), provisioner=PROVISIONER, parameters={}, reclaimPolicy="Delete")


async def measure_raw(rig: Rig, count: int, results: Results) -> None:
    """One sample; what was created is removed again."""
    made = [_volume(rig.cluster.nfs.host) for _ in range(count)]
    begin = time.monotonic()
    await side_by_side((partial(rig.api.create, pv) for pv in made), CLAIM_WORKERS.default)
    took = time.monotonic() - begin
    names = [pv.metadata.name or "" for pv in made if pv.metadata is not None]
    await side_by_side((partial(_remove, rig, name) for name in names), CLAIM_WORKERS.default)
    results.add({"raw_pv_creates_per_s": count / took})


async def _remove(rig: Rig, name: str) -> None:
    # Nobody serves these PVs' finalizers, Berth's and the controller manager's.
    await rig.api.patch(VolumeObject, name, {"metadata": {"finalizers": None}})
    await rig.api.delete(VolumeObject, name)


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
