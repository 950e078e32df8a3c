"""The purge of a large trash entry over a slow link, against the same purge with one call after another.

Both are DirectShare.remove_tree, once as the controller uses it and once with a concurrency of one. The link is
benchmarks.slowlink in front of the NFS server, 1 ms each way.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

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
_DEADLINE = 300.0
_ENTRY = f"{TRASH}/bench"


async def start_slow_link(rig: Rig) -> tuple[str, int, int]:
    """Starts the slow link to the NFS server; answers the host, NFS port and mountd port of its near end."""
    nfs = rig.cluster.nfs
    host = free_loopback_address()
    port, mountport = free_ports(2, host)
    links = [f"{host}:{port}={nfs.host}:{nfs.port}", f"{host}:{mountport}={nfs.host}:{nfs.mountport}"]
    await asyncio.to_thread(
        rig.cluster.run,
        "slow-link",
        [sys.executable, "-m", "benchmarks.slowlink", str(DELAY), *links],
        ready=lambda: not can_listen(host, port) and not can_listen(host, mountport),
    )
    return host, port, mountport


async def measure_purge(rig: Rig, link: tuple[str, int, int], files: int, results: Results) -> None:
    """One sample over each NFS version. What is measured over one is made anew for the other."""
    host, port, mountport = link
    for version, suffix in (("4", ""), ("3", "_v3")):
        share = ShareAddress(host, PURGE_EXPORT, version=version, port=port, mountport=mountport)
        few = files // SEQUENTIAL_PART
        alone = await _purge(rig, share, few, concurrency=1) * files / few
        took = await _purge(rig, share, files)
        results.add({f"purge.speedup{suffix}": alone / took, f"purge.seconds{suffix}": took})
        rig.report.say(
            f"    NFSv{version}: {files:,} files purged in {took:.2f} s; one call after another {alone:.1f} s "
            f"({few:,} files, scaled)"
        )


async def _purge(rig: Rig, address: ShareAddress, files: int, *, concurrency: int = 64) -> float:
    """Seconds that the purge of so many files takes."""
    entry = rig.cluster.nfs.directory_of(PURGE_EXPORT) / _ENTRY
    entries = await asyncio.to_thread(_make_tree, entry, files)
    resolver = Resolver()
    share = DirectShare(address, resolver, concurrency=concurrency)
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


def _make_tree(entry: Path, files: int) -> int:
    """Makes a directory with so many files, some hundred in each directory below; answers how many entries it has."""
    directories = -(-files // FILES_PER_DIRECTORY)
    for number in range(directories):
        (entry / f"directory-{number:03}").mkdir(parents=True)
    for number in range(files):
        (entry / f"directory-{number % directories:03}" / f"file-{number:05}").write_bytes(b"")
    return 1 + directories + files
