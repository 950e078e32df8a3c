"""A hundred thousand volumes: the start of a controller, what it holds, what it does at rest, and its longest turns.

    python -m benchmarks.scale [--volumes N] [--seconds S] [--resync S]

Times hold on a machine that has nothing else to do; CPU, memory and the longest turn of the event loop (in CPU time of
its thread) hold on a busy one, too. `measure` is for who has a Rig already.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.copies import make_copies
from benchmarks.report import Report
from benchmarks.rig import Rig, open_rig, running_cluster

TARGETS = {"ready_s": 15.0, "peak_rss_mb": 300.0, "idle_cpu_percent": 1.0, "longest_turn_ms": 20.0}
"""At most, with 100,000 volumes."""
_AT_REST, _SETTLED_WITHIN = 0.02, 300.0
"""The share of a core below which a controller is at rest; seconds in which it must be, also on a busy machine."""
_RESYNC = 30
"""Seconds between two resyncs while turns are watched, so that there are some."""


async def measure(
    rig: Rig, *, volumes: int = 100_000, seconds: float = 60.0, resync: float = _RESYNC
) -> dict[str, Any]:
    """Makes so many volumes, and runs a controller twice: as it is, then with frequent resyncs under a pulse. The
    controller manager is paused meanwhile: it has a hundred thousand claims to look at, too.

    Answers ready_s, ready_cpu_s, settled_cpu_s, peak_rss_mb, rss_mb, idle_cpu_percent, longest_turn_ms (after the
    controller is ready), longest_start_turn_ms, and the targets.
    """
    begin = time.monotonic()
    await make_copies(rig, await rig.namespace(), volumes)
    rig.report.say(f"    {volumes:,} volumes made in {time.monotonic() - begin:.0f} s")
    manager = rig.cluster.controller_manager
    await asyncio.to_thread(manager.pause)
    try:
        found = await _at_rest(rig, seconds)
        found |= await _under_a_pulse(rig, seconds, resync)
    finally:
        await asyncio.to_thread(manager.resume)
    return {"volumes": volumes, **found, "targets": TARGETS, "load": round(os.getloadavg()[0], 1)}


async def _at_rest(rig: Rig, seconds: float) -> dict[str, float]:
    async with rig.controller() as controller:
        ready, ready_cpu = controller.ready_seconds, controller.cpu_seconds
        deadline = time.monotonic() + _SETTLED_WITHIN
        while await controller.cpu_share(5) > _AT_REST:
            if time.monotonic() > deadline:
                raise controller.failure("does not come to rest")
        settled_cpu = controller.cpu_seconds
        idle = await controller.cpu_share(seconds)
        return {
            "ready_s": round(ready, 2),
            "ready_cpu_s": round(ready_cpu, 2),
            "settled_cpu_s": round(settled_cpu, 2),
            "peak_rss_mb": round(controller.peak_resident_mb),
            "rss_mb": round(controller.resident_mb),
            "idle_cpu_percent": round(idle * 100, 2),
        }


async def _under_a_pulse(rig: Rig, seconds: float, resync: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="berth-pulse-") as directory:
        output = Path(directory) / "turns.json"
        wrapper = ("env", f"BERTH_RESYNC={resync:g}", sys.executable, "-m", "benchmarks.pulse", str(output))
        async with rig.controller(wrapper) as controller:
            ready = controller.ready_seconds
            await asyncio.sleep(max(seconds, 2 * resync))
        turns: list[list[float]] = json.loads(output.read_text())
    later = [cpu for cpu, *_, at in turns if at > ready]
    return {"longest_turn_ms": max(later, default=0.0), "longest_start_turn_ms": max(cpu for cpu, *_ in turns)}


def main() -> int:
    """Measures on a cluster of its own, and prints JSON. 1: a target was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--volumes", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long it is watched at rest, and with resyncs")
    parser.add_argument("--resync", type=float, default=_RESYNC)
    options = parser.parse_args()

    async def run() -> dict[str, Any]:
        async with open_rig(cluster, Report()) as rig:
            return await measure(rig, volumes=options.volumes, seconds=options.seconds, resync=options.resync)

    with running_cluster() as cluster:
        found = asyncio.run(run())
    print(json.dumps(found, indent=2))
    return 1 if any(found[key] > most for key, most in TARGETS.items()) else 0


if __name__ == "__main__":
    sys.exit(main())
