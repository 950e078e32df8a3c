"""Removing a whole tree from a share: many calls at once, memory bounded by the tree's depth, never through a link.

Work is a stack of small items (read some entries of a directory, remove a file, remove an emptied directory) that
workers take from the top. There are as many workers as items, up to a limit: most trees are small. What was read last
is done first, so the stack grows with the depth of the tree, not with its size, and nothing recurses. A directory is
read on once all that was read of it before is gone.

Names that can't be removed are counted and passed by; the rest goes. Others may change the tree meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from berth.shares.nfs_changes import NOT_EMPTY
from berth.shares.nfs_tree import Denied, Tree
from berth.shares.rpc import Identity
from berth.shares.session import GONE, START, Found, NfsError, Node, Position, Status

T = TypeVar("T")

OWNER_ALL = 0o700
MOST_PASSES = 20
"""How often a directory is read again that is not empty after all in it was removed: somebody writes into it."""


class Step(Protocol):
    """Makes one call to the server, with a deadline."""

    async def __call__(self, call: Callable[[], Awaitable[T]], /) -> T: ...


@dataclass(slots=True, eq=False)
class _Directory:
    """One that is being emptied."""

    parent: _Directory | None
    name: str
    node: Node
    position: Position | None = START
    pending: int = 0
    """Entries of the part read last that are still there."""
    passes: int = 0
    is_opened: bool = False
    """Whether its owner was given all rights to it already."""
    has_failed: bool = False

    def path_of(self, name: str) -> str:
        """Of one of its entries, from the tree's top."""
        names = [name]
        here: _Directory | None = self
        while here is not None and here.parent is not None:
            names.append(here.name)
            here = here.parent
        return "/".join(reversed(names))


@dataclass(frozen=True, slots=True)
class Failure:
    """An entry that could not be removed."""

    path: str
    """From the tree's top."""
    status: str
    """The server's answer."""


class Purge:
    """Removes one tree. Used once."""

    def __init__(self, tree: Tree, step: Step, *, concurrency: int) -> None:
        self.removed = 0
        """Entries that are gone, files and directories."""
        self.failed = 0
        """Entries that could not be removed (not counting the directories they are in)."""
        self.first_failure = Failure("", "")
        self._tree = tree
        self._session = tree.session
        self._step = step
        self._concurrency = concurrency
        self._device = 0
        self._items: list[Callable[[], Awaitable[None]]] = []
        self._workers = 0
        self._group = asyncio.TaskGroup()

    async def run(self, parent: Node, name: str, top: Node) -> None:
        """Empties and removes the directory called name in parent. Raises only what ends the whole: an outage."""
        self._device = top.attributes.device
        outer = _Directory(None, "", parent, None, pending=1, is_opened=True)
        try:
            async with self._group:
                self._push(self._read, _Directory(outer, name, top))
        except ExceptionGroup as failures:
            first = failures.exceptions[0]
            raise first from first.__cause__

    def _push(self, action: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        self._items.append(partial(action, *arguments))
        if self._workers < self._concurrency:
            self._workers += 1
            self._group.create_task(self._work(), name=f"purge-{self._workers}")

    async def _work(self) -> None:
        # Ends when the stack is empty, even if another worker is about to fill it again: that makes a new one.
        while self._items:
            await self._items.pop()()
        self._workers -= 1

    async def _read(self, directory: _Directory) -> None:
        """Reads some entries and has each removed."""
        position = directory.position or START
        try:
            found, directory.position = await self._within(
                directory, lambda who: self._session.read_directory(directory.node.handle, position, who)
            )
        except NfsError as error:
            if error.code == Status.BAD_COOKIE and self._may_start_again(directory):
                return
            if error.code not in (Status.NOENT, *GONE):
                self._fail(directory, "", error.name)
            self._leave(directory)
            return
        except Denied as denial:
            self._fail(directory, "", denial.error.name)
            self._leave(directory)
            return
        directory.pending = len(found) + 1
        for entry in found:
            self._push(self._remove, directory, entry)
        self._done(directory)

    async def _remove(self, directory: _Directory, entry: Found) -> None:
        """Removes one entry, or begins to empty it."""
        try:
            node = entry.node
            if node is None:
                node = await self._step(lambda: self._tree.look(directory.node, entry.name))
            if node.attributes.kind == "directory":
                if node.attributes.device == self._device:
                    self._push(self._read, _Directory(directory, entry.name, node))
                    return
                self._fail(directory, entry.name, "another file system is mounted there")
            else:
                await self._within(
                    directory,
                    lambda who: self._session.remove(directory.node.handle, entry.name, is_directory=False, who=who),
                )
                self.removed += 1
        except NfsError as error:
            if error.code in (Status.ISDIR, *NOT_EMPTY) and entry.node is not None:
                # It was a file when its directory was read, and is a directory now.
                self._push(self._remove, directory, Found(entry.name, None))
                return
            if error.code not in (Status.NOENT, *GONE):
                self._fail(directory, entry.name, error.name)
        except Denied as denial:
            self._fail(directory, entry.name, denial.error.name)
        self._done(directory)

    async def _finish(self, directory: _Directory) -> None:
        """Removes a directory that should be empty by now."""
        parent = directory.parent
        assert parent is not None
        try:
            await self._within(
                parent,
                lambda who: self._session.remove(parent.node.handle, directory.name, is_directory=True, who=who),
            )
            self.removed += 1
        except NfsError as error:
            if error.code in NOT_EMPTY and self._may_start_again(directory):
                return
            if error.code not in (Status.NOENT, *GONE):
                self._fail(parent, directory.name, error.name)
        except Denied as denial:
            self._fail(parent, directory.name, denial.error.name)
        self._leave(directory)

    async def _within(self, directory: _Directory, call: Callable[[Identity], Awaitable[T]]) -> T:
        """What call answers as root or as the directory's owner, who is given all rights to it if he lacks them."""
        try:
            return await self._step(lambda: self._tree.within(directory.node, call))
        except Denied:
            mode = directory.node.attributes.mode
            if directory.is_opened or mode & OWNER_ALL == OWNER_ALL:
                raise
        directory.is_opened = True
        handle = directory.node.handle
        await self._step(
            lambda: self._tree.within(
                directory.node, lambda who: self._session.change(handle, mode=mode | OWNER_ALL, who=who)
            )
        )
        return await self._step(lambda: self._tree.within(directory.node, call))

    def _may_start_again(self, directory: _Directory) -> bool:
        """Has a directory read from its start once more, unless that happened too often."""
        if directory.passes >= MOST_PASSES:
            return False
        directory.passes += 1
        directory.position = START
        self._push(self._read, directory)
        return True

    def _done(self, directory: _Directory) -> None:
        """One entry of a directory is dealt with; what comes next if it was the last one."""
        directory.pending -= 1
        if directory.pending or directory.parent is None:
            return
        if directory.position is not None:
            self._push(self._read, directory)
        elif directory.has_failed:
            self._leave(directory)
        else:
            self._push(self._finish, directory)

    def _leave(self, directory: _Directory) -> None:
        """A directory is dealt with, gone or not."""
        assert directory.parent is not None
        directory.parent.has_failed |= directory.has_failed
        self._done(directory.parent)

    def _fail(self, directory: _Directory, name: str, status: str) -> None:
        if not self.failed:
            self.first_failure = Failure(directory.path_of(name) if name else directory.path_of("").rstrip("/"), status)
        self.failed += 1
        directory.has_failed = True
