"""The parts of a bench, in the order in which they run: ten thousand volumes come late, they make everything slower."""

from __future__ import annotations

import argparse
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.existing import make_existing
from benchmarks.live import measure_live
from benchmarks.profiles import profile
from benchmarks.purge import measure_memory, measure_purge
from benchmarks.report import Report
from benchmarks.results import Results
from benchmarks.rig import Rig
from benchmarks.scale import measure_scale
from benchmarks.shares import measure_shares
from benchmarks.start import measure_idle, measure_start
from benchmarks.waiting import measure_waiting

LIVE_CLAIMS = 250


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything is measured."""

    claims: int = 300
    runs: int = 3
    """Samples of each figure."""
    volumes: int = 10_000
    """Volumes that exist when a controller starts."""
    many_volumes: int = 100_000
    """Volumes whose controller is watched for its memory and its longest turns."""
    shares: int = 1000
    idle_seconds: float = 20.0
    files: int = 10_000
    """Files that are purged."""
    many_files: int = 200_000
    """Files whose purge is watched for its memory."""


@dataclass(frozen=True, slots=True)
class Bench:
    """One run of the bench."""

    sizes: Sizes
    results: Results
    report: Report
    output: Path
    """Where profiles go."""


@dataclass(frozen=True, slots=True)
class Part:
    """title: for people, with the sizes as {placeholders}."""

    title: str
    measure: Callable[[Rig, Bench], Awaitable[None]]
    is_repeated: bool = True
    """Whether each run takes one more sample."""


async def _waiting(rig: Rig, bench: Bench) -> None:
    await measure_waiting(rig, bench.sizes.claims, bench.results)


async def _cost(rig: Rig, bench: Bench) -> None:
    await measure_live(rig, min(LIVE_CLAIMS, bench.sizes.claims), bench.results, with_waits=False)


async def _live(rig: Rig, bench: Bench) -> None:
    await measure_live(rig, bench.sizes.claims, bench.results, with_waits=True)


async def _purge(rig: Rig, bench: Bench) -> None:
    await measure_purge(rig, bench.sizes.files, bench.results)


async def _memory(rig: Rig, bench: Bench) -> None:
    await measure_memory(rig, bench.sizes.many_files, bench.results)


async def _start(rig: Rig, bench: Bench) -> None:
    begin = time.monotonic()
    await make_existing(rig, await rig.namespace(), bench.sizes.volumes)
    rig.report.say(f"    made in {time.monotonic() - begin:.0f} s")
    for _ in range(bench.sizes.runs):
        await measure_start(rig, bench.results)
    await measure_idle(rig, bench.sizes.idle_seconds, bench.results)


async def _scale(rig: Rig, bench: Bench) -> None:
    await measure_scale(rig, bench.sizes.many_volumes, bench.results)


async def _shares(rig: Rig, bench: Bench) -> None:
    await measure_shares(rig, bench.sizes.shares, bench.results)


async def _profile(rig: Rig, bench: Bench) -> None:
    await profile(rig, bench.sizes.claims, bench.output)


PARTS = {
    "waiting": Part("{claims} claims, and later their PVs, that wait for the controller", _waiting),
    "cost": Part("What a claim and a deletion cost", _cost),
    "purge": Part("Purge of {files} files over a link with 1 ms each way", _purge),
    "live": Part("{claims} claims filed and deleted while the controller runs", _live),
    "memory": Part("Purge of {many_files} files", _memory, is_repeated=False),
    "profile": Part("Where the controller's CPU time goes", _profile, is_repeated=False),
    "shares": Part("{shares} shares", _shares, is_repeated=False),
    "start": Part("Start with {volumes} volumes", _start, is_repeated=False),
    "scale": Part("{many_volumes} volumes", _scale, is_repeated=False),
}
USUAL = ("waiting", "cost", "purge")
"""What `make bench` measures, in less than five minutes."""
FULL = tuple(name for name in PARTS if name not in USUAL)
"""What `make bench-full` adds."""


def named(text: str) -> tuple[str, ...]:
    """Parts by their names, as an option gives them."""
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in PARTS:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(PARTS)}")
    return names
