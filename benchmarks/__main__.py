"""`python -m benchmarks` (`make bench`, `make bench-full`): measures, and says which figures miss their targets.

The exit code: 0 all targets met, 1 one was missed or a part could not be measured, 3 the machine was too busy to tell,
130 interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import busy, history, machine
from benchmarks.errors import BenchFailed
from benchmarks.parts import FULL, PARTS, USUAL, Bench, Sizes, named
from benchmarks.report import Report
from benchmarks.results import Results
from benchmarks.rig import open_rig, running_cluster
from devcluster import build
from devcluster.cluster import DevCluster
from devcluster.errors import DevClusterError

OUTPUT = Path("build/bench.json")


def main(arguments: list[str] | None = None) -> int:
    """Measures, and answers the exit code."""
    options = _options(arguments)
    report, results = Report(), Results()
    machine.use_cores(machine.CORES)
    sizes = _sizes(options)
    OUTPUT.parent.mkdir(exist_ok=True)
    begin = time.monotonic()
    try:
        build.control_plane()
        watch = busy.Watch(report.say, os.sched_getaffinity(0))
        time.sleep(1)
        watch.lap("before")
        with running_cluster() as cluster:
            report.say(f"The control plane and the NFS server are up after {time.monotonic() - begin:.1f} s.")
            watch.lap("cluster's start")
            asyncio.run(_measure(cluster, Bench(sizes, results, report, OUTPUT.parent), _parts(options), watch))
        results.was_busy = watch.worst >= busy.MUCH
        facts = {**machine.describe(), "others_percent": round(watch.worst * 100, 1), "others": _percent(watch.shares)}
        OUTPUT.write_text(json.dumps(results.as_json(facts, asdict(sizes)), indent=2) + "\n")
        report.tables(results, facts, is_judged=not options.quick)
        report.say(f"Measured in {time.monotonic() - begin:.0f} s; {OUTPUT} has all of it.")
        if options.release:
            history.write(options.release, results, facts)
            report.say(f"Written: {history.FILE.name}, release {options.release}, and {history.PICTURE.name}")
    except (BenchFailed, DevClusterError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nbench: interrupted; everything was stopped and removed", file=sys.stderr)
        return 130
    return _verdict(results, report) if not (options.no_fail or options.quick) else 0


async def _measure(cluster: DevCluster, bench: Bench, parts: tuple[str, ...], watch: busy.Watch) -> None:
    async with open_rig(cluster, bench.report) as rig:
        for name in (name for name in PARTS if name in parts):
            title = PARTS[name].title.format(**{key: f"{value:,}" for key, value in asdict(bench.sizes).items()})
            for run in range(1, (bench.sizes.runs if PARTS[name].is_repeated else 1) + 1):
                bench.report.say(f"{title}, {run} of {bench.sizes.runs}" if PARTS[name].is_repeated else title)
                await PARTS[name].measure(rig, bench)
                watch.lap(name)


def _verdict(results: Results, report: Report) -> int:
    missed, undecided = results.judged("MISSED"), results.judged("busy")
    if missed:
        report.say(f"FAIL: {', '.join(missed)}")
        return 1
    if undecided:
        report.say(f"UNDECIDED, as the machine was busy: {', '.join(undecided)}")
        return 3
    report.say("PASS: all targets are met")
    return 0


def _percent(shares: Mapping[str, float]) -> dict[str, Any]:
    return {part: round(share * 100, 1) for part, share in shares.items()}


def _parts(options: argparse.Namespace) -> tuple[str, ...]:
    return options.only or (tuple(PARTS) if options.full else USUAL)


def _sizes(options: argparse.Namespace) -> Sizes:
    sizes = Sizes(claims=1000) if options.full else Sizes()
    if options.quick:
        sizes = Sizes(
            claims=60, runs=1, volumes=500, many_volumes=2000, shares=20, idle_seconds=5, files=2000, many_files=5000
        )
    given = {name: getattr(options, name) for name in ("claims", "runs") if getattr(options, name) is not None}
    return Sizes(**{**asdict(sizes), **given})


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="How fast Berth is, against a real control plane and NFS server."
    )
    parser.add_argument("--only", type=named, metavar="PART,...", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--full", action="store_true", help=f"more claims at once, and {', '.join(FULL)}")
    parser.add_argument("--claims", type=_number, metavar="N", help="claims filed at once (300; 1000 with --full)")
    parser.add_argument("--runs", type=_number, metavar="N", help="samples of each figure (3)")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works; no verdict")
    parser.add_argument("--no-fail", action="store_true", help="no verdict, and exit code 0")
    parser.add_argument("--release", type=_version, metavar="X.Y.Z", help="write the release's line in history.jsonl")
    options = parser.parse_args(arguments)
    if options.release and (options.quick or options.only or options.claims or options.runs):
        parser.error("the line of a release needs all of `make bench`: --release goes with --full only")
    return options


def _number(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 100000")
    return int(text)


def _version(text: str) -> str:
    if not re.fullmatch(r"\d+\.\d+\.\d+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no version like 0.1.0")
    return text


if __name__ == "__main__":
    sys.exit(main())
