"""Removing a whole tree from a mounted share, one entry after another, never through a link. Blocking, in small steps.

Nothing recurses, and no more than DEEPEST directories are open at once: what lies deeper is moved up into the tree's
top directory first. Others may change the tree meanwhile. What can't be removed is counted and passed by, and its
directory is tried all the same: not every entry that shows is an obstacle (a server's virtual snapshot directory).
"""

from __future__ import annotations

import errno
import os
import time
import uuid
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from berth.shares.mounted.openat import PASS, READ, Root
from berth.shares.mounted.statx import may_be_mounted
from berth.volumes.errors import Missing
from berth.volumes.removal_guard import OTHER_FILE_SYSTEM, Remains, below

DEEPEST = 64
MOST_PASSES = 20
"""How often a directory is read again that is not empty after all in it was removed: somebody writes into it."""
OWNER_ALL = 0o700

_OUTAGES = frozenset({errno.ETIMEDOUT, errno.ENOTCONN, errno.EHOSTDOWN, errno.ECONNREFUSED})
"""Not about one entry: they end the whole."""
_CHANGED = frozenset({errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.ESTALE})
"""What turned into something else in this moment is seen when the directory is read again."""


class Entries(Protocol):
    """What os.scandir answers."""

    def __next__(self) -> os.DirEntry[str]: ...
    def __iter__(self) -> Iterator[os.DirEntry[str]]: ...
    def close(self) -> None: ...


@dataclass(slots=True, eq=False)
class _Level:
    """A directory that is being emptied."""

    name: str
    path: str
    """From the tree's top, for people: see own.below."""
    descriptor: int
    entries: Entries
    passes: int = 0
    has_more: bool = False
    """Whether something was moved into it from further below since it was read."""
    remains: Remains = field(default_factory=Remains)

    def read_again(self) -> None:
        self.entries.close()
        self.entries = os.scandir(self.descriptor)
        self.remains = Remains()  # met again

    def close(self) -> None:
        self.entries.close()
        os.close(self.descriptor)


class MountedPurge:
    """Removes one tree, in one go or in several. What it holds open is closed when it is through, closed or let go."""

    def __init__(self, root: Root, parts: Sequence[str]) -> None:
        """The directory at parts is emptied and removed. Missing; Refused where a link, or no directory, is."""
        self.removed = 0
        """Entries that are gone, files and directories."""
        self.remains = Remains()
        """What could not be removed."""
        self.is_through = False
        self._levels: list[_Level] = []
        self._allow = root.allow
        with root.directory(parts) as top:
            found = os.fstat(top)
        self._device, self._inode = found.st_dev, found.st_ino
        self._steps = self._run(Root(os.dup(root.descriptor), root.share, root.guard), parts)

    def is_of(self, root: Root, parts: Sequence[str]) -> bool:
        """Whether the directory at parts is the one that is being removed."""
        try:
            with root.directory(parts) as top:
                found = os.fstat(top)
        except Missing:
            return False
        return (found.st_dev, found.st_ino) == (self._device, self._inode)

    def advance(self, seconds: float, most: float) -> int:
        """Goes on for so long, and for so many entries. How many were looked at."""
        until, count = time.monotonic() + seconds, 0
        for _ in self._steps:
            count += 1
            if count >= most or time.monotonic() >= until:
                return count
        self.is_through = True
        return count

    def close(self) -> None:
        """Closes what is open. It can't go on."""
        self._steps.close()

    def _run(self, root: Root, parts: Sequence[str]) -> Generator[None, None, None]:
        try:
            with root.directory(parts[:-1]) as parent:
                self._enter(parent, parts[-1], 0, "", self.remains)
                while self._levels:
                    level = self._levels[-1]
                    outer = self._levels[-2] if len(self._levels) > 1 else None
                    try:
                        found = next(level.entries, None)
                    except OSError as error:
                        _note(level.remains, level.path, error)
                        found = None
                    if found is None:
                        around = (outer.descriptor, outer.remains) if outer else (parent, self.remains)
                        self._finish(level, *around)
                    else:
                        self._remove(level, found)
                    yield
        finally:
            for level in self._levels:
                level.close()
            os.close(root.descriptor)

    def _remove(self, level: _Level, found: os.DirEntry[str]) -> None:
        """Removes an entry, or begins to empty it."""
        try:
            if not found.is_dir(follow_symlinks=False):
                self._allow()
                os.unlink(found.name, dir_fd=level.descriptor)
                self.removed += 1
            elif len(self._levels) < DEEPEST:
                path = below(level.path, found.name)
                self._enter(level.descriptor, found.name, found.inode(), path, level.remains)
            else:
                top = self._levels[0]
                self._allow()
                os.rename(
                    found.name, f".deep-{uuid.uuid4().hex}", src_dir_fd=level.descriptor, dst_dir_fd=top.descriptor
                )
                top.has_more = True
        except OSError as error:
            _note(level.remains, below(level.path, found.name), error)

    def _enter(self, parent: int, name: str, inode: int, path: str, remains: Remains) -> None:
        """Begins to empty a directory. One that can't be read may be empty all the same, and goes.

        inode: its number as its parent has it; 0: not known.
        """
        try:
            self._levels.append(self._open(parent, name, inode, path))
        except OSError as error:
            if error.errno in (errno.EXDEV, *_CHANGED):
                _note(remains, path, error)
                return
            try:
                self._allow()
                os.rmdir(name, dir_fd=parent)
                self.removed += 1
            except OSError:
                _note(remains, path, error)

    def _open(self, parent: int, name: str, inode: int, path: str) -> _Level:
        try:
            descriptor = os.open(name, READ, dir_fd=parent)
        except PermissionError:
            # Not root, but perhaps the owner, who may give himself the right.
            passed = os.open(name, PASS, dir_fd=parent)
            try:
                os.chmod(f"/proc/self/fd/{passed}", OWNER_ALL)
            finally:
                os.close(passed)
            descriptor = os.open(name, READ, dir_fd=parent)
        try:
            here = os.fstat(descriptor)
            if here.st_dev != self._device or (inode not in (0, here.st_ino) and may_be_mounted(descriptor)):
                raise OSError(errno.EXDEV, "something is mounted there", name)
            return _Level(name, path, descriptor, os.scandir(descriptor))
        except OSError:
            os.close(descriptor)
            raise

    def _finish(self, level: _Level, parent: int, outside: Remains) -> None:
        """Removes a directory that should be empty by now, or whose entries that stay may be no obstacle."""
        try:
            self._allow()
            os.rmdir(level.name, dir_fd=parent)
            self.removed += 1
            level.remains = Remains()
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                if level.has_more:
                    level.has_more, level.passes = False, 0
                    level.read_again()
                    return
                if not level.remains.count and level.passes < MOST_PASSES:
                    level.passes += 1
                    level.read_again()
                    return
            if error.errno == errno.ENOENT:
                level.remains = Remains()
            elif not level.remains.count:
                _note(level.remains, level.path, error)
        outside.take(level.remains)
        self._levels.pop().close()


def _note(remains: Remains, path: str, error: OSError) -> None:
    """Counts an entry that stays. Raises the error where it is about more than that entry."""
    if error.errno in _OUTAGES:
        raise error
    if error.errno not in _CHANGED:
        status = OTHER_FILE_SYSTEM if error.errno == errno.EXDEV else errno.errorcode.get(error.errno or 0, str(error))
        remains.add(path, status)
