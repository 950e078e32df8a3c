"""Watching an event loop and a process while something goes wrong."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from berth.volumes.errors import Unavailable
from berth.volumes.share import Share


class Lag:
    """How long the loop kept a task waiting that wanted to run."""

    longest = 0.0


@asynccontextmanager
async def watched_loop() -> AsyncIterator[Lag]:
    """Measures the loop's lag inside the block."""
    lag = Lag()
    loop = asyncio.get_running_loop()

    async def measure() -> None:
        while True:
            due = loop.time() + 0.01
            await asyncio.sleep(0.01)
            lag.longest = max(lag.longest, loop.time() - due)

    task = asyncio.create_task(measure())
    try:
        yield lag
    finally:
        task.cancel()


async def answers(share: Share, path: str = "") -> bool:
    """Whether the share finds what is there. A refusal costs no time, and who mends a share needs some."""
    try:
        await share.stat(path)
    except Unavailable:
        await asyncio.sleep(0.02)
        return False
    return True


def descriptors() -> int:
    """How many file descriptors this process has open, but for the one that uvloop keeps in reserve."""
    targets = []
    for name in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # that of the listing itself
            targets.append(os.readlink(f"/proc/self/fd/{name}"))
    return sum(target != os.devnull for target in targets)


def threads(name: str) -> set[threading.Thread]:
    """Those that are called so."""
    return {thread for thread in threading.enumerate() if thread.name.startswith(name)}
