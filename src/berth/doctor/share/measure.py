"""How much room a share has, and how long it takes to answer."""

from __future__ import annotations

import asyncio
import math
import statistics
import time

from berth.doctor.share.probed import Probed, passed, skipped, wrong
from berth.doctor.share.scratch import Site, why
from berth.nfs import NfsError, RpcError

SAMPLES = 100
SAMPLING = 1.0
"""Seconds after which no more round trips are measured."""
SLOW = 0.02
"""Seconds of the median round trip from which on a share feels slow: metadata takes several of them."""
SCARCE = 0.05
"""The free part of space or inodes from which on it is time to act."""


async def space(site: Site) -> Probed:
    """Free bytes and inodes, as the server tells them."""
    try:
        async with asyncio.timeout(site.deadline):
            room = await site.session.space()
    except (TimeoutError, NfsError, RpcError) as error:
        return skipped("space", "unknown", why=why(error, site.deadline))
    facts: dict[str, str | int] = {
        "total_bytes": room.total_bytes,
        "free_bytes": room.free_bytes,
        "total_inodes": room.total_inodes,
        "free_inodes": room.free_inodes,
        "free": size_text(room.free_bytes),
        "total": size_text(room.total_bytes),
        "inodes": f"{room.free_inodes:,}",
    }
    if not room.total_bytes:
        return skipped("space", "unknown", why="0 bytes")
    if not room.free_bytes or (room.total_inodes and not room.free_inodes):
        return wrong("space", "none", **facts)
    if room.free_bytes < SCARCE * room.total_bytes:
        return wrong("space", "scarce", **facts)
    if room.total_inodes and room.free_inodes < SCARCE * room.total_inodes:
        return wrong("space", "scarce-inodes", **facts)
    return passed("space", "known" if room.total_inodes else "known-bytes", **facts)


async def round_trip(site: Site) -> Probed:
    """How long one question takes, asked one after the other."""
    taken: list[float] = []
    began = time.perf_counter()
    try:
        async with asyncio.timeout(site.deadline):
            while len(taken) < SAMPLES and time.perf_counter() - began < SAMPLING:
                asked = time.perf_counter()
                await site.session.attributes(site.session.root.handle)
                taken.append(time.perf_counter() - asked)
    except (TimeoutError, NfsError, RpcError) as error:
        return wrong("round-trip", "broken", count=len(taken), why=why(error, site.deadline))
    taken.sort()
    median, late = statistics.median(taken), taken[math.ceil(0.99 * len(taken)) - 1]
    facts: dict[str, str | int] = {
        "median_ms": f"{median * 1e3:.2f}",
        "p99_ms": f"{late * 1e3:.2f}",
        "count": len(taken),
    }
    return wrong("round-trip", "slow", **facts) if median > SLOW else passed("round-trip", "measured", **facts)


def size_text(size: int) -> str:
    """Bytes as people read them: `140 GiB`."""
    amount = float(size)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if amount < 1024 or unit == "TiB":
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 10 else f"{amount:.1f} {unit}"
        amount /= 1024
    raise AssertionError("unreachable")
