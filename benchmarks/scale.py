"""A hundred thousand volumes: the start of a controller, what it holds, what it does at rest, and its longest turns."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.copies import make_copies
from benchmarks.results import Results
from benchmarks.rig import Rig

_SECONDS = 60.0
"""How long it is watched at rest, and with resyncs."""
_AT_REST, _SETTLED_WITHIN = 0.02, 300.0
"""The share of a core below which a controller is at rest; seconds in which it must be, also on a busy machine."""
_RESYNC = 30
"""Seconds between two resyncs while turns are watched, so that there are some."""


async def measure_scale(rig: Rig, volumes: int, results: Results) -> None:
    """Makes so many volumes, and runs a controller twice: as it is, then with frequent resyncs under a pulse. The
    controller manager is paused meanwhile: it has all those claims to look at, too.
    """
    begin = time.monotonic()
    await make_copies(rig, await rig.namespace(), volumes)
    rig.report.say(f"    {volumes:,} volumes made in {time.monotonic() - begin:.0f} s")
    manager = rig.cluster.controller_manager
    await asyncio.to_thread(manager.pause)
    try:
        await _at_rest(rig, results)
        await _under_a_pulse(rig, results)
    finally:
        await asyncio.to_thread(manager.resume)


async def _at_rest(rig: Rig, results: Results) -> None:
    async with rig.controller() as controller:
        deadline = time.monotonic() + _SETTLED_WITHIN
        while await controller.cpu_share(5) > _AT_REST:
            if time.monotonic() > deadline:
                raise controller.failure("does not come to rest")
        results.add(
            {
                "scale.ready_s": controller.ready_seconds,
                "scale.settled_cpu_s": controller.cpu_seconds,
                "scale.peak_rss_mb": controller.peak_resident_mb,
                "scale.idle_cpu_percent": await controller.cpu_share(_SECONDS) * 100,
            }
        )


async def _under_a_pulse(rig: Rig, results: Results) -> None:
    with tempfile.TemporaryDirectory(prefix="berth-pulse-") as directory:
        output = Path(directory) / "turns.json"
        wrapper = ("env", f"BERTH_RESYNC={_RESYNC}", sys.executable, "-m", "benchmarks.pulse", str(output))
        async with rig.controller(wrapper) as controller:
            ready = controller.ready_seconds
            await asyncio.sleep(_SECONDS)
        turns: list[list[float]] = json.loads(output.read_text())
    results.add({"scale.longest_turn_ms": max((cpu for cpu, *_, at in turns if at > ready), default=0.0)})
