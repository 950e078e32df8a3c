"""A share that somebody mounted at a directory of this machine (or any directory): the kernel speaks to the server.

All of it happens in threads of its own, since every call can hang for as long as the server does, in the kernel, where
nobody can take it back. A call that is late is given up; its thread is lost until the server is back. While the share
does not answer, one call at a time finds out whether it does again, so only so many threads are lost as there are.
"""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from berth.aio.threads import Threads, ThreadsStuck
from berth.host.mountinfo import is_mount_point
from berth.shares.circuit_breaker import CircuitBreaker
from berth.shares.mounted import changes
from berth.shares.mounted.openat import Root
from berth.shares.mounted.purge import MountedPurge
from berth.volumes.errors import FailureStage, Missing, Refused, Unavailable, VolumeError
from berth.volumes.listing import Listing
from berth.volumes.naming import split_path
from berth.volumes.removal_guard import NO_LIMIT, Unfinished, left_behind, own_file, trash_entry
from berth.volumes.share import Budget, Entry, Guard, Made, NamesOf, Removal, ShareAddress, Space, always

T = TypeVar("T")

THREADS = 8
SLICE = 0.2
"""Seconds that remove_tree works in a thread before others get a turn."""

_STAGES: dict[int, tuple[FailureStage, str]] = {
    errno.EACCES: ("permission", "the server does not let us do this; is root squashed there?"),
    errno.EPERM: ("permission", "the server does not let us do this; is root squashed there?"),
    errno.EROFS: ("permission", "the share is mounted or exported read-only"),
    errno.ENOSPC: ("io", "no space is left on the server"),
    errno.EDQUOT: ("io", "the quota on the server is used up"),
    errno.ETIMEDOUT: ("timeout", "the server does not answer"),
    errno.ESTALE: ("mount", "the mounted directory no longer exists on the server; it must be mounted again"),
    errno.ENOTCONN: ("mount", "the mount has lost its server"),
    errno.EHOSTDOWN: ("connect", "the server is down"),
    errno.ECONNREFUSED: ("connect", "the server does not take connections"),
}
_NOT_SO = frozenset({errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EINVAL, errno.ENAMETOOLONG, errno.EILSEQ})


class MountedShare:
    """See the module's text, and volumes/share.py for the contract."""

    def __init__(
        self,
        directory: str,
        address: ShareAddress,
        *,
        deadline: float = 10.0,
        requires_mount: bool = True,
        guard: Guard = always,
    ) -> None:
        """deadline: seconds for each operation (remove_tree: for each of its steps). guard: asked in the thread, right
        before each system call that can't be taken back.

        requires_mount: work only while something is mounted at directory; without it a lost mount would have volumes
        made on the disk underneath.
        """
        self._directory = directory
        self._address = address
        self._name = str(address)
        self._deadline = deadline
        self._requires_mount = requires_mount
        self._guard = guard
        self._threads = Threads("mounted share", THREADS)
        self._breaker = CircuitBreaker()
        self._unfinished: Unfinished[MountedPurge] = Unfinished(most=4)  # each holds its directories open

    @property
    def address(self) -> ShareAddress:
        return self._address

    async def stat(self, path: str) -> Entry:
        parts = split_path(path) if path else ()
        return await self._run(path, lambda root: root.stat(parts))

    async def names(self, path: str, kind: NamesOf = "any") -> list[str]:
        parts = split_path(path) if path else ()
        return (await self._run(path, lambda root: root.read(parts, Listing(path, names_of=kind)))).names

    async def list(self, path: str, most: int | None = None) -> list[Entry]:
        parts = split_path(path) if path else ()
        return (await self._run(path, lambda root: root.read(parts, Listing(path, most)))).entries

    async def make_directory(
        self, path: str, *, mode: int, uid: int | None = None, gid: int | None = None, adopt: bool = False
    ) -> Made:
        parts = split_path(path)
        return await self._run(
            path,
            lambda root: changes.make_directory(root, parts, mode=mode, uid=uid, gid=gid, adopt=adopt),
        )

    async def read_file(self, path: str) -> bytes:
        parts = split_path(path)
        return await self._run(path, lambda root: root.read_file(parts))

    async def write_file(self, path: str, content: bytes, *, exclusive: bool = False) -> None:
        parts = split_path(path)
        await self._run(path, lambda root: changes.write_file(root, parts, content, exclusive=exclusive))

    async def rename(self, source: str, target: str, only: Entry | None = None) -> None:
        old, new = split_path(source), split_path(target)
        await self._run(source, lambda root: changes.rename(root, old, new, only))

    async def remove_file(self, path: str) -> None:
        parts = own_file(path)
        await self._run(path, lambda root: changes.remove_file(root, parts))

    async def remove_directory(self, path: str) -> bool:
        parts = split_path(path)
        return await self._run(path, lambda root: changes.remove_directory(root, parts))

    async def remove_tree(self, path: str, *, budget: Budget | None = None) -> Removal:
        parts, limit = trash_entry(path), budget or NO_LIMIT
        known = self._unfinished.take(path)
        try:
            purge = await self._run(path, lambda root: _resumed(known, root, parts))
        except Missing:
            return Removal(0)
        before, looked_at = purge.removed, 0
        until = time.monotonic() + limit.seconds
        while not purge.is_through:
            seconds = min(SLICE, until - time.monotonic())
            if looked_at and (looked_at >= limit.entries or seconds <= 0):
                if not self._unfinished.put(path, purge):
                    await self._in_time(path, purge.close)
                return Removal(purge.removed - before, is_through=False)
            looked_at += await self._in_time(path, partial(purge.advance, seconds, limit.entries - looked_at))
        if purge.remains.count:
            raise left_behind(self._name, path, purge.remains, purge.removed - before)
        return Removal(purge.removed - before)

    async def space(self) -> Space:
        return await self._run("", lambda root: root.space())

    async def aclose(self) -> None:
        self._threads.close()

    async def _run(self, path: str, operation: Callable[[Root], T]) -> T:
        with self._breaker.passage():
            return await self._in_time(path, lambda: self._in_root(operation))

    async def _in_time(self, path: str, work: Callable[[], T]) -> T:
        """What work does in a thread, within the deadline, and what its failure means."""
        try:
            async with asyncio.timeout(self._deadline):
                return await self._threads.run(work)
        except TimeoutError as error:
            why = f"{self._directory} gave no answer within {self._deadline:g} s"
            raise Unavailable(self._name, "timeout", why, status="ETIMEDOUT", path=path) from error
        except ThreadsStuck as error:
            raise Unavailable(self._name, "timeout", f"{self._directory} hangs: {error}", path=path) from error
        except OSError as error:
            raise self._explain(path, error) from error

    def _in_root(self, operation: Callable[[Root], T]) -> T:
        if self._requires_mount and not is_mount_point(self._directory):
            raise self._unavailable("mount", f"nothing is mounted at {self._directory}")
        try:
            descriptor = os.open(self._directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise self._unavailable("mount", f"{self._directory} is no directory here") from error
        try:
            return operation(Root(descriptor, self._name, self._guard))
        finally:
            os.close(descriptor)

    def _explain(self, path: str, error: OSError) -> VolumeError:
        code = error.errno or 0
        name = errno.errorcode.get(code, "")
        if code == errno.ENOENT:
            return Missing(self._name, path)
        if code in _NOT_SO:
            return Refused(path, f"is not what it should be on share {self._name} ({name})")
        stage, why = _STAGES.get(code, ("io", error.strerror or str(error)))
        return self._unavailable(stage, why, name, path)

    def _unavailable(self, stage: FailureStage, why: str, status: str = "", path: str = "") -> Unavailable:
        return Unavailable(self._name, stage, why, status=status, path=path)


def _resumed(known: MountedPurge | None, root: Root, parts: Sequence[str]) -> MountedPurge:
    """The removal that was begun, if it is still about what is at parts; else a new one."""
    if known is not None:
        if known.is_of(root, parts):
            return known
        known.close()
    return MountedPurge(root, parts)
