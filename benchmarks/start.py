"""A controller starts where ten thousand volumes exist already, and then has nothing to do."""

from __future__ import annotations

import time

from benchmarks.results import Results
from benchmarks.rig import Rig


async def measure_start(rig: Rig, results: Results) -> None:
    """One sample of a start, until the controller is at rest."""
    async with rig.controller() as controller:
        await controller.settle()
        settled = time.monotonic() - controller.began
        peak = controller.peak_resident_mb
        results.add({"start.ready_s": controller.ready_seconds, "start.settled_s": settled, "start.rss_mb": peak})
        rig.report.say(
            f"    ready and leading after {controller.ready_seconds:.2f} s, at rest after {settled:.1f} s, "
            f"{peak:.0f} MB at most, {controller.resident_mb:.0f} MB now"
        )


async def measure_idle(rig: Rig, seconds: float, results: Results) -> None:
    """One sample of what a controller at rest uses."""
    async with rig.controller() as controller:
        await controller.settle()
        share = await controller.cpu_share(seconds)
        results.add({"start.idle_cpu_percent": share * 100})
        rig.report.say(f"    {share * 100:.2f} % of a core during {seconds:g} s")
