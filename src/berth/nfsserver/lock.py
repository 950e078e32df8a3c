"""One change of the exports at a time, and only by those who may."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from berth.nfsserver.errors import Busy, NotAllowed
from berth.nfsserver.places import Places
from berth.nfsserver.texts import say
from berth.texts.text import Text

PATIENCE = 30.0
"""Seconds to wait for another process that is changing the exports."""

_POLL = 0.05


def missing_right(places: Places) -> Text | None:
    """The right that this process lacks for changing exports, in words; None when it may."""
    for path in (places.directory, places.own, places.table):
        existing = _nearest(path)
        if not os.access(existing, os.W_OK, effective_ids=True):
            uid = os.geteuid()
            return say("right.write" if uid else "right.write-as-root", uid=uid, path=existing)
    return None


def check_rights(places: Places) -> None:
    """NotAllowed, with what is missing, unless this process may change exports."""
    if right := missing_right(places):
        raise NotAllowed(say("doing.exports"), right)


@asynccontextmanager
async def locked(places: Places, patience: float = PATIENCE) -> AsyncIterator[None]:
    """Holds the exports for this process alone. Busy when another one does not let go in time.

    The lock is on the directory of Berth's own file, so nothing is left behind; it ends with the process.
    """
    places.directory.mkdir(mode=0o755, exist_ok=True)
    handle = os.open(places.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            async with asyncio.timeout(patience):
                while not _try(handle):  # noqa: ASYNC110 - nothing wakes us when another process lets go
                    await asyncio.sleep(_POLL)
        except TimeoutError as error:
            raise Busy(str(places.directory), patience) from error
        yield
    finally:
        os.close(handle)


def _try(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _nearest(path: Path) -> Path:
    return path if path.exists() else _nearest(path.parent)
