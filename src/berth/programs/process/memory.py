"""A process that runs for months keeps its memory small, and gives back what a burst took.

* What was imported and built at the start stays to the end: the garbage collector need not visit it again and again.
* Threads that do next to nothing get no heaps of their own, and what is large is taken from the system and given back
  piece by piece (mallopt(3)).
* The C library keeps what was freed below something that is still in use, until it is asked to let go (malloc_trim(3)):
  that is done after the process has grown, and no sooner than a minute after the last time.

Where the C library is another one than glibc, none of its functions are called.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
from collections.abc import Callable
from pathlib import Path

_EVERY = 60.0
_GROWN = 8 << 20
"""Bytes by which the process must have grown before it is worth while."""
_M_ARENA_MAX, _M_MMAP_THRESHOLD = -8, -3
_ARENAS, _LARGE = 2, 256 * 1024


def settle() -> None:
    """To be called once, when everything that stays has been made."""
    libc = _glibc()
    if libc is not None:
        libc.mallopt(_M_ARENA_MAX, _ARENAS)
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE)
    gc.collect()
    gc.freeze()


async def give_back(resident: Callable[[], int] | None = None, trim: Callable[[], object] | None = None) -> None:
    """Gives back what can be, whenever there may be some, for ever. resident: bytes in use now; trim: lets go."""
    resident, trim = resident or _resident, trim or _trim
    lowest = resident()
    while True:
        await asyncio.sleep(_EVERY)
        now = resident()
        if now > lowest + _GROWN:
            await asyncio.to_thread(trim)  # without the interpreter's lock
            lowest = resident()
        lowest = min(lowest, now)


def _trim() -> None:
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _glibc() -> ctypes.CDLL | None:
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "gnu_get_libc_version") else None
