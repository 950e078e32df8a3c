"""Removing a whole tree from a mounted share, one entry after another, never through a link. Blocking, in small steps.

Nothing recurses, and no more than DEEPEST directories are open at once: what lies deeper is moved up into the tree's
top directory first. Others may change the tree meanwhile.
"""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from berth.shares.openat import PASS, READ, Root

DEEPEST = 64
MOST_PASSES = 20
"""How often a directory is read again that is not empty after all in it was removed: somebody writes into it."""
OWNER_ALL = 0o700


class Entries(Protocol):
    """What os.scandir answers."""

    def __next__(self) -> os.DirEntry[str]: ...
    def __iter__(self) -> Iterator[os.DirEntry[str]]: ...
    def close(self) -> None: ...


@dataclass(slots=True, eq=False)
class _Level:
    """A directory that is being emptied."""

    name: str
    descriptor: int
    entries: Entries
    passes: int = 0
    has_failed: bool = False

    def close(self) -> None:
        self.entries.close()
        os.close(self.descriptor)


class Purge:
    """Removes one tree. Used once."""

    def __init__(self) -> None:
        self.removed = 0
        """Entries that are gone, files and directories."""
        self.failed = 0
        """Entries that could not be removed (not counting the directories they are in)."""
        self.first_failure = ""
        """Path of the first of these, from the tree's top."""
        self.first_status = ""
        """The system's name for what prevented it."""
        self._levels: list[_Level] = []
        self._device = 0
        self._allow: Callable[[], None] = lambda: None

    def run(self, root: Root, parts: Sequence[str]) -> Iterator[None]:
        """Removes the tree at parts. Yields after every entry, so that the caller can pause, or stop for good."""
        self._allow = root.allow
        with root.directory(parts[:-1]) as parent:
            top = root.enter(parent, parts[-1], parts)
            self._device = os.stat(top).st_dev
            os.close(top)
            try:
                self._open(parent, parts[-1])
                while self._levels:
                    level = self._levels[-1]
                    found = next(level.entries, None)
                    if found is None:
                        self._finish(level, self._levels[-2].descriptor if len(self._levels) > 1 else parent)
                    else:
                        self._remove(level, found)
                    yield
            finally:
                for level in self._levels:
                    level.close()

    def _remove(self, level: _Level, found: os.DirEntry[str]) -> None:
        """Removes an entry, or begins to empty it."""
        try:
            if not found.is_dir(follow_symlinks=False):
                self._allow()
                os.unlink(found.name, dir_fd=level.descriptor)
                self.removed += 1
            elif len(self._levels) < DEEPEST:
                self._open(level.descriptor, found.name)
            else:
                top = self._levels[0]
                self._allow()
                os.rename(
                    found.name, f".deep-{uuid.uuid4().hex}", src_dir_fd=level.descriptor, dst_dir_fd=top.descriptor
                )
                top.passes = 0
        except OSError as error:
            # What turned into something else in this moment is seen when the directory is read again.
            if error.errno not in (errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.ELOOP):
                self._fail(level, found.name, errno.errorcode.get(error.errno or 0, str(error)))

    def _open(self, parent: int, name: str) -> None:
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
            if os.fstat(descriptor).st_dev != self._device:
                raise OSError(errno.EXDEV, "another file system is mounted there", name)
            self._levels.append(_Level(name, descriptor, os.scandir(descriptor)))
        except OSError:
            os.close(descriptor)
            raise

    def _finish(self, level: _Level, parent: int) -> None:
        """Removes a directory that should be empty by now."""
        outer = self._levels[-2] if len(self._levels) > 1 else None
        if not level.has_failed:
            try:
                self._allow()
                os.rmdir(level.name, dir_fd=parent)
                self.removed += 1
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST) and level.passes < MOST_PASSES:
                    level.passes += 1
                    level.entries.close()
                    level.entries = os.scandir(level.descriptor)
                    return
                if error.errno != errno.ENOENT:
                    self._fail(level, "", errno.errorcode.get(error.errno or 0, str(error)))
        if outer is not None:
            outer.has_failed |= level.has_failed
        self._levels.pop().close()

    def _fail(self, level: _Level, name: str, status: str) -> None:
        level.has_failed = True
        if not self.failed:
            names = [each.name for each in self._levels[1:]]
            self.first_failure = "/".join([*names, name] if name else names)
            self.first_status = status
        self.failed += 1
