"""Where the controller's CPU time goes: the life of many claims, with the controller under cProfile.

cProfile sees the thread of the event loop only, and makes small functions look larger than they are: read it for
proportions, and take figures from the bench proper.
"""

from __future__ import annotations

import asyncio
import io
import pstats
import sys
from pathlib import Path

from benchmarks.live import provide, release
from benchmarks.rig import Rig
from benchmarks.sightings import following

_LINES = 35


async def profile(rig: Rig, count: int, directory: Path) -> None:
    """Writes one profile for the birth of so many claims and one for birth and end, and prints their heads."""
    for title, with_end in (("births", False), ("births and ends", True)):
        output = directory / f"bench-{title.replace(' ', '-')}.prof"
        namespace = await rig.namespace()
        wrapper = (sys.executable, "-m", "benchmarks.cpu", str(output))
        async with rig.controller(wrapper) as controller, following(rig.api, namespace) as seen:
            await provide(rig, controller, seen, count)
            if with_end:
                await release(rig, controller, seen, count)
        rig.report.say(await asyncio.to_thread(_head, output, title, count))


def _head(output: Path, title: str, count: int) -> str:
    text = io.StringIO()
    stats = pstats.Stats(str(output), stream=text)
    stats.strip_dirs().sort_stats("tottime").print_stats(_LINES)
    stats.sort_stats("cumtime").print_stats(_LINES)
    total: float = stats.total_tt  # type: ignore[attr-defined]
    return (
        f"{count} claims, {title}: {total / count * 1000:.2f} ms per claim under cProfile; {output}\n{text.getvalue()}"
    )
