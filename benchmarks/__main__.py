"""`python -m benchmarks`: measures all parts, or some, and says which figures miss their targets.

The exit code: 0 all targets met, 1 one was missed or a part could not be measured, 130 interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import machine
from benchmarks.errors import BenchFailed
from benchmarks.existing import make_existing
from benchmarks.live import measure_live
from benchmarks.profiles import profile
from benchmarks.purge import measure_purge, start_slow_link
from benchmarks.raw import measure_raw
from benchmarks.report import Report
from benchmarks.results import Results
from benchmarks.rig import open_rig, running_cluster
from benchmarks.start import measure_idle, measure_start
from benchmarks.waiting import measure_waiting
from devcluster import build
from devcluster.cluster import DevCluster
from devcluster.errors import DevClusterError

PARTS = ("raw", "provision", "release", "purge", "start")
"""In the order in which they run: ten thousand volumes come last, they make everything else slower."""
OUTPUT = Path("build/bench.json")


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything is measured."""

    claims: int = 1000
    runs: int = 3
    """Samples of each figure."""
    volumes: int = 10_000
    """Volumes that exist when a controller starts."""
    idle_seconds: float = 20.0
    files: int = 20_000
    """Files that are purged."""


QUICK = Sizes(claims=200, runs=1, volumes=1000, idle_seconds=5.0, files=2000)


def main(arguments: list[str] | None = None) -> int:
    """Measures, and answers the exit code."""
    options = _parser().parse_args(arguments)
    report, results = Report(), Results()
    load = os.getloadavg()[0]
    machine.use_cores(machine.CORES)
    sizes = _sizes(options)
    OUTPUT.parent.mkdir(exist_ok=True)
    parts = [part for part in PARTS if part in options.only]
    try:
        build.control_plane()
        begin = time.monotonic()
        with running_cluster() as cluster:
            report.say(f"The control plane and the NFS server are up after {time.monotonic() - begin:.1f} s.")
            if options.profile:
                asyncio.run(_profile(cluster, sizes, report))
                return 0
            asyncio.run(_measure(cluster, parts, sizes, results, report))
    except (BenchFailed, DevClusterError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nbench: interrupted; everything was stopped and removed", file=sys.stderr)
        return 130
    facts = machine.describe(load)
    OUTPUT.write_text(json.dumps(results.as_json(facts, asdict(sizes)), indent=2) + "\n")
    report.table(results, facts, asdict(sizes), is_judged=not options.quick)
    report.say(f"Measured in {time.monotonic() - begin:.0f} s; {OUTPUT} has all of it.")
    return 1 if results.missed() and not (options.no_fail or options.quick) else 0


async def _measure(cluster: DevCluster, parts: list[str], sizes: Sizes, results: Results, report: Report) -> None:
    async with open_rig(cluster, report) as rig:

        async def repeat(title: str, measure: Callable[[], Awaitable[None]]) -> None:
            for run in range(1, sizes.runs + 1):
                report.say(f"{title}, {run} of {sizes.runs}" if sizes.runs > 1 else title)
                await measure()

        if "raw" in parts:
            await repeat("PV creates, the client library alone", lambda: measure_raw(rig, sizes.claims, results))
        if "provision" in parts or "release" in parts:
            await repeat(
                f"{sizes.claims:,} claims, and later their PVs, that wait for the controller",
                lambda: measure_waiting(rig, sizes.claims, results),
            )
            await repeat(
                f"{sizes.claims:,} claims filed and deleted while the controller runs",
                lambda: measure_live(rig, sizes.claims, results),
            )
        if "purge" in parts:
            link = await start_slow_link(rig)
            await repeat(
                f"Purge of {sizes.files:,} files over a link with 1 ms each way",
                lambda: measure_purge(rig, link, sizes.files, results),
            )
        if "start" in parts:
            report.say(f"Making {sizes.volumes:,} volumes")
            begin = time.monotonic()
            await make_existing(rig, await rig.namespace(), sizes.volumes)
            report.say(f"    {time.monotonic() - begin:.0f} s")
            await repeat(f"Start with {sizes.volumes:,} volumes", lambda: measure_start(rig, results))
            report.say("Idle")
            await measure_idle(rig, sizes.idle_seconds, results)
    results.derive()


async def _profile(cluster: DevCluster, sizes: Sizes, report: Report) -> None:
    async with open_rig(cluster, report) as rig:
        await profile(rig, sizes.claims, OUTPUT.parent)


def _sizes(options: argparse.Namespace) -> Sizes:
    sizes = QUICK if options.quick else Sizes()
    given = {name: getattr(options, name) for name in ("claims", "runs") if getattr(options, name) is not None}
    return Sizes(**{**asdict(sizes), **given})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="How fast Berth is, against a real control plane and NFS server."
    )
    parser.add_argument("--only", type=_parts, default=PARTS, metavar="PART,...", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--claims", type=int, metavar="N", help="claims filed at once (1000)")
    parser.add_argument("--runs", type=int, metavar="N", help="samples of each figure (3)")
    parser.add_argument(
        "--quick", action="store_true", help="small sizes and one run, to see that it works; no verdict"
    )
    parser.add_argument("--no-fail", action="store_true", help="exit code 0 even if a figure misses its target")
    parser.add_argument(
        "--profile", action="store_true", help="run the controller under cProfile and say where its CPU time goes"
    )
    return parser


def _parts(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in PARTS:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(PARTS)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
