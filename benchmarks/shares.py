"""A thousand shares: a class and a claim for each, as one controller serves them, and what it holds open for that.

The shares are directories of one export: a controller can't tell them from a thousand servers' but by the address, and
has a session of its own with each.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from functools import partial

from benchmarks.load import AT_ONCE, deadline_for, side_by_side
from benchmarks.results import Results
from benchmarks.rig import EXPORT, PROVISIONER, Rig
from benchmarks.sightings import following
from berth.objects.kinds import ClaimObject, ClaimSpec, ClassObject, Meta, Resources

_IDLE = 35.0
"""Seconds after which no session is kept any more, and some."""
_LOOK = 0.1
"""Seconds between two looks at how much is open."""


async def measure_shares(rig: Rig, count: int, results: Results) -> None:
    """Makes shares and classes, then runs a controller over them: claims on all of them at once, then none."""
    namespace, names = await rig.namespace(), [f"share-{number:04}" for number in range(count)]
    for name in names:
        (rig.cluster.nfs.directory_of(EXPORT) / name).mkdir(exist_ok=True)
    await side_by_side((partial(rig.api.create, _class_of(rig, name)) for name in names), AT_ONCE)
    async with rig.controller() as controller, following(rig.api, namespace) as seen:
        begin = time.monotonic()
        watching = asyncio.create_task(_most_open(controller.process.pid))
        await side_by_side((partial(rig.api.create, _claim(namespace, name)) for name in names), AT_ONCE)
        await seen.until(seen.bound, count, "claims were bound", deadline=deadline_for(count))
        took = time.monotonic() - begin
        watching.cancel()
        await asyncio.sleep(_IDLE)
        await controller.settle()
        results.add(
            {
                "shares.descriptors": await watching,
                "shares.idle_cpu_percent": await controller.cpu_share(20) * 100,
                "shares.bound_s": took,
            }
        )
        await side_by_side((partial(rig.api.delete, ClaimObject, name, namespace=namespace) for name in names), AT_ONCE)
        await seen.until(seen.removed, count, "PVs went", deadline=deadline_for(count))
    await side_by_side((partial(rig.api.delete, ClassObject, name) for name in names), AT_ONCE)


async def _most_open(pid: int) -> int:
    """How many descriptors the process has at most, until this is cancelled."""
    most = 0
    with suppress(asyncio.CancelledError):
        while True:
            most = max(most, len(os.listdir(f"/proc/{pid}/fd")))
            await asyncio.sleep(_LOOK)
    return most


def _class_of(rig: Rig, share: str) -> ClassObject:
    return ClassObject(
        metadata=Meta(name=share),
        provisioner=PROVISIONER,
        parameters={"share": f"{EXPORT}/{share}", "onDelete": "delete"},
        mountOptions=rig.cluster.nfs.mount_options() or None,
    )


def _claim(namespace: str, share: str) -> ClaimObject:
    return ClaimObject(
        metadata=Meta(name=share, namespace=namespace),
        spec=ClaimSpec(
            storageClassName=share, accessModes=["ReadWriteMany"], resources=Resources(requests={"storage": "1Mi"})
        ),
    )
