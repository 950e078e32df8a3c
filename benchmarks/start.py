"""A controller starts where ten thousand volumes exist already, and then has nothing to do.

The volumes are real: filed as claims, provisioned by Berth, bound by the controller manager.
"""

from __future__ import annotations

import time

from benchmarks.load import file_claims
from benchmarks.results import Results
from benchmarks.rig import Rig
from benchmarks.sightings import following


async def make_existing(rig: Rig, count: int) -> None:
    """Makes so many volumes, and leaves them."""
    namespace = await rig.namespace()
    begin = time.monotonic()
    async with rig.controller() as controller, following(rig.api, namespace) as seen:
        await file_claims(rig.api, namespace, count)
        deadline = 60 + count / 20
        await seen.until(seen.provisioned, count, "claims got a volume", deadline=deadline)
        await seen.until(seen.bound, count, "claims were bound", deadline=deadline)
        await controller.settle()
    rig.report.say(f"    {count:,} volumes made in {time.monotonic() - begin:.0f} s")


async def measure_start(rig: Rig, idle_seconds: float, results: Results) -> None:
    """One sample of a start, and of the idleness after it."""
    async with rig.controller() as controller:
        await controller.settle()
        settled = time.monotonic() - controller.began
        idle = await controller.cpu_share(idle_seconds)
        results.add(
            {
                "start.ready_s": controller.ready_seconds,
                "start.settled_s": settled,
                "start.rss_mb": controller.peak_resident_mb,
                "start.idle_cpu_percent": idle * 100,
            }
        )
        rig.report.say(
            f"    ready and leading after {controller.ready_seconds:.2f} s, at rest after {settled:.1f} s, "
            f"{controller.resident_mb:.0f} MB, idle {idle * 100:.2f} % of a core"
        )
