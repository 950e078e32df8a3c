"""The purge of a large trash entry over a slow link, against the same purge with one call after another.

Both are DirectShare.remove_tree, once as the controller uses it and once with a concurrency of one. The link is
benchmarks.slowlink in front of the NFS server, 1 ms each way.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks import procfs
from benchmarks.errors import BenchFailed
from benchmarks.results import Results
from benchmarks.rig import PURGE_EXPORT, Rig
from berth.nfs import Resolver
from berth.shares.direct.share import DirectShare
from berth.volumes.naming import TRASH
from berth.volumes.share import ShareAddress
from devcluster.ports import can_listen, free_loopback_address, free_ports

DELAY = 0.001
"""Seconds, each way."""
FILES_PER_DIRECTORY = 200
SEQUENTIAL_PART = 20
"""One call after another is measured on so many times fewer files, and scaled: all of them take about a minute."""
_DEADLINE = 900.0
_ENTRY = f"{TRASH}/bench"


Link = tuple[str, int, int]
"""The host, NFS port and mountd port of the slow link's near end."""


@asynccontextmanager
async def _slow_link(rig: Rig) -> AsyncIterator[Link]:
    """While the slow link to the NFS server is there."""
    nfs = rig.cluster.nfs
    host = free_loopback_address()
    port, mountport = free_ports(2, host)
    links = [f"{host}:{port}={nfs.host}:{nfs.port}", f"{host}:{mountport}={nfs.host}:{nfs.mountport}"]
    process = await asyncio.to_thread(
        rig.cluster.run,
        "slow-link",
        [sys.executable, "-m", "benchmarks.slowlink", str(DELAY), *links],
        ready=lambda: not can_listen(host, port) and not can_listen(host, mountport),
    )
    try:
        yield host, port, mountport
    finally:
        await asyncio.to_thread(process.stop)


async def measure_purge(rig: Rig, files: int, results: Results) -> None:
    """One sample over each NFS version. What is measured over one is made anew for the other."""
    few = files // SEQUENTIAL_PART
    for version, suffix in (("4", ""), ("3", "_v3")):
        async with _slow_link(rig) as link:
            share = _share(link, version)
            # Before and behind, as others on the machine come and go.
            alone = await _purge(rig, share, few, one_by_one=True)
            took = await _purge(rig, share, files)
            alone = (alone + await _purge(rig, share, few, one_by_one=True)) / 2 * files / few
        results.add({f"purge.speedup{suffix}": alone / took, f"purge.files_per_s{suffix}": files / took})
        rig.report.say(
            f"    NFSv{version}: {files:,} files in {took:.2f} s; one call after another {alone:.1f} s (scaled)"
        )


async def measure_memory(rig: Rig, files: int, results: Results) -> None:
    """One sample of what the purge of very many files takes: half of them in one directory."""
    procfs.forget_peak()
    before = procfs.resident_mb(os.getpid())
    async with _slow_link(rig) as link:
        await _purge(rig, _share(link, "4"), files, per_directory=files // 2)
    peak = procfs.peak_resident_mb(os.getpid()) - before
    results.add({"purge.rss_mb": peak})
    rig.report.say(f"    {files:,} files: {peak:.1f} MB more at most")


def _share(link: Link, version: str) -> ShareAddress:
    host, port, mountport = link
    return ShareAddress(host, PURGE_EXPORT, version=version, port=port, mountport=mountport)


async def _purge(
    rig: Rig, address: ShareAddress, files: int, *, one_by_one: bool = False, per_directory: int = FILES_PER_DIRECTORY
) -> float:
    """Seconds that the purge of so many files takes."""
    entry = rig.cluster.nfs.directory_of(PURGE_EXPORT) / _ENTRY
    entries = await asyncio.to_thread(_make_tree, entry, files, per_directory)
    resolver = Resolver()
    share = DirectShare(address, resolver, concurrency=1) if one_by_one else DirectShare(address, resolver)
    try:
        await share.stat("")  # the connection and the mount are not what is measured
        begin = time.monotonic()
        async with asyncio.timeout(_DEADLINE):
            removed = (await share.remove_tree(_ENTRY)).entries
        took = time.monotonic() - begin
    except TimeoutError:
        raise BenchFailed(f"the purge of {files:,} files was not through after {_DEADLINE:g} s") from None
    finally:
        await share.aclose()
        await resolver.aclose()
    if removed != entries or entry.exists():
        raise BenchFailed(f"the purge removed {removed:,} of {entries:,} entries")
    return took


def _make_tree(entry: Path, files: int, per_directory: int) -> int:
    """Makes a directory with so many files, spread over directories below; answers how many entries it has."""
    directories = -(-files // per_directory)
    for number in range(directories):
        (entry / f"directory-{number:03}").mkdir(parents=True)
    for number in range(files):
        (entry / f"directory-{number % directories:03}" / f"file-{number:05}").touch()
    return 1 + directories + files
