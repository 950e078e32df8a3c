"""One change of the exports at a time, and only by those who may."""

from __future__ import annotations

import asyncio
import fcntl
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from berth.nfsserver.errors import Busy, NotAllowed, RequestRefused
from berth.nfsserver.exports.export_files import ExportFiles
from berth.nfsserver.texts import say
from berth.texts.text import Text

PATIENCE = 30.0
"""Seconds to wait for another process that is changing the exports."""

_POLL = 0.05


def missing_right(where: ExportFiles) -> Text | None:
    """The right that this process lacks for changing exports, in words; None when it may."""
    for path in (where.directory, where.own, where.table):
        existing = _nearest(path)
        if not os.access(existing, os.W_OK, effective_ids=True):
            uid = os.geteuid()
            return say("right.write" if uid else "right.write-as-root", uid=uid, path=existing)
    return None


def check_rights(where: ExportFiles) -> None:
    """NotAllowed, with what is missing, unless this process may change exports."""
    if right := missing_right(where):
        raise NotAllowed(say("doing.exports"), right)


@asynccontextmanager
async def locked(where: ExportFiles, patience: float = PATIENCE) -> AsyncIterator[None]:
    """Holds the exports for this process alone.

    Busy when another one does not let go in time; RequestRefused where others than root can write in the directory of
    exports files, and so have root write elsewhere, or export anything.

    The lock is on a file that nobody else can open: who can open a file can lock it, and every user can open the files
    and the directory that it is about. It ends with the process.
    """
    handle = _open(where)
    try:
        try:
            async with asyncio.timeout(patience):
                while not _try(handle):  # noqa: ASYNC110 - nothing wakes us when another process lets go
                    await asyncio.sleep(_POLL)
        except TimeoutError as error:
            raise Busy(str(where.directory), patience) from error
        yield
    finally:
        os.close(handle)


def _open(where: ExportFiles) -> int:
    try:
        where.directory.mkdir()
    except FileExistsError:
        found = where.directory.stat()
        is_open = found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX
        if is_open or found.st_uid not in (0, os.geteuid()):
            raise RequestRefused(str(where.directory), say("refused.open-to-others")) from None
    else:
        where.directory.chmod(0o755)  # whatever the umask
    return os.open(where.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _try(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _nearest(path: Path) -> Path:
    return path if path.exists() else _nearest(path.parent)
