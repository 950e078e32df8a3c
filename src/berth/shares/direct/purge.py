"""Removing a whole tree from a share: many calls at once, memory bounded by the tree's depth, never through a link.

Work is a stack of small items (read some entries of a directory, remove a file, remove an emptied directory) that
workers take from the top. There are as many workers as items, up to a limit: most trees are small. What was read last
is done first, so the stack grows with the depth of the tree, not with its size, and nothing recurses. A directory is
read on once all that was read of it before is dealt with.

Names that can't be removed are counted and passed by; the rest goes, and their directory is tried all the same: some
servers show a snapshot directory that takes no removal and is no obstacle to the removal of the directory it shows in.
Others may change the tree meanwhile. Work stops between two items where its budget is used up, and goes on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeVar

from berth.nfs import GONE, START, DirectoryEntry, Identity, NfsError, NfsNode, Position, Session, Status
from berth.shares.direct.changes import NOT_EMPTY
from berth.shares.direct.tree import Denied, Tree
from berth.volumes.removal_guard import NO_LIMIT, OTHER_FILE_SYSTEM, TOO_DEEP, Remains, below
from berth.volumes.share import Budget

T = TypeVar("T")

OWNER_ALL = 0o700
DEEPEST = 32_768
"""Levels below the tree's top. Deeper ones are a server's invention, and would cost memory without end."""
MOST_PASSES = 20
"""How often a directory is read again that is not empty after all in it was removed: somebody writes into it."""


class PurgeStep(Protocol):
    """Makes one call to the server, with a deadline."""

    async def __call__(self, call: Callable[[], Awaitable[T]], /) -> T: ...


@dataclass(slots=True, eq=False)
class _Directory:
    """One that is being emptied."""

    parent: _Directory | None
    name: str
    node: NfsNode
    path: str = ""
    """From the tree's top, for people: see own.below."""
    depth: int = 0
    position: Position | None = START
    pending: int = 0
    """Entries of the part read last that are still there."""
    passes: int = 0
    is_opened: bool = False
    """Whether its owner was given all rights to it already."""
    remains: Remains = field(default_factory=Remains)
    """What could not be removed of all that is below it."""


class DirectPurge:
    """Removes one tree, in one go or in several."""

    _tree: Tree
    _session: Session
    _step: PurgeStep
    _group: asyncio.TaskGroup

    def __init__(self, parent: NfsNode, name: str, top: NfsNode, *, concurrency: int) -> None:
        """The directory called name in parent is emptied and removed."""
        self.removed = 0
        """Entries that are gone, files and directories."""
        self._concurrency = concurrency
        self._top = top
        self._outer = _Directory(None, "", parent, position=None, pending=1, is_opened=True)
        self._items: list[Callable[[], Awaitable[None]]] = [partial(self._read, _Directory(self._outer, name, top))]
        self._workers = 0
        self._done_items = 0
        self._budget = NO_LIMIT
        self._until = 0.0

    @property
    def remains(self) -> Remains:
        """What could not be removed."""
        return self._outer.remains

    @property
    def is_through(self) -> bool:
        """Whether there is nothing left to try."""
        return not self._items

    def is_of(self, top: NfsNode) -> bool:
        """Whether it is this directory that is being removed."""
        return self._top.handle == top.handle

    async def run(self, tree: Tree, step: PurgeStep, budget: Budget = NO_LIMIT) -> None:
        """Goes on until it is through, or the budget is used up. Raises only what ends the whole: an outage. Then, and
        after a cancellation, it can't go on: what was under way is not known.
        """
        self._tree, self._session, self._step = tree, tree.session, step
        self._budget, self._done_items, self._workers = budget, 0, 0
        self._until = asyncio.get_running_loop().time() + budget.seconds
        try:
            async with asyncio.TaskGroup() as self._group:
                self._employ()
        except ExceptionGroup as failures:
            first = failures.exceptions[0]
            raise first from first.__cause__

    def _push(self, action: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        self._items.append(partial(action, *arguments))
        if self._workers < self._concurrency:
            self._employ()

    def _employ(self) -> None:
        self._workers += 1
        self._group.create_task(self._work(), name=f"purge-{self._workers}")

    async def _work(self) -> None:
        # Ends when the stack is empty, even if another worker is about to fill it again: that makes a new one.
        while self._items and not self._is_used_up():
            self._done_items += 1
            await self._items.pop()()
        self._workers -= 1

    def _is_used_up(self) -> bool:
        if not self._done_items:
            return False  # every turn gets on, however short it is
        return self._done_items >= self._budget.entries or asyncio.get_running_loop().time() >= self._until

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
                directory.remains.add(directory.path, error.name)
            self._end(directory)
            return
        except Denied as denial:
            directory.remains.add(directory.path, denial.error.name)
            self._end(directory)
            return
        directory.pending = len(found) + 1
        for entry in found:
            self._push(self._remove, directory, entry)
        self._done(directory)

    async def _remove(self, directory: _Directory, entry: DirectoryEntry) -> None:
        """Removes one entry, or begins to empty it."""
        try:
            node = entry.node
            if node is None:
                node = await self._step(lambda: self._tree.look(directory.node, entry.name))
            if node.attributes.kind == "directory":
                if self._enter(directory, entry, node):
                    return
            else:
                await self._within(
                    directory,
                    lambda who: self._session.remove(directory.node.handle, entry.name, is_directory=False, who=who),
                )
                self.removed += 1
        except NfsError as error:
            if error.code in (Status.ISDIR, *NOT_EMPTY) and entry.node is not None:
                # It was a file when its directory was read, and is a directory now.
                self._push(self._remove, directory, DirectoryEntry(entry.name, None))
                return
            if error.code not in (Status.NOENT, *GONE):
                directory.remains.add(below(directory.path, entry.name), error.name)
        except Denied as denial:
            directory.remains.add(below(directory.path, entry.name), denial.error.name)
        self._done(directory)

    def _enter(self, directory: _Directory, entry: DirectoryEntry, node: NfsNode) -> bool:
        """Begins to empty a directory in another one. False: it is left as it is."""
        path, depth = below(directory.path, entry.name), directory.depth + 1
        if node.attributes.device != self._top.attributes.device or entry.is_covered(node):
            directory.remains.add(path, OTHER_FILE_SYSTEM)
            return False
        if depth > DEEPEST:
            directory.remains.add(path, TOO_DEEP)
            return False
        self._push(self._read, _Directory(directory, entry.name, node, path, depth))
        return True

    async def _finish(self, directory: _Directory) -> None:
        """Removes a directory that should be empty by now, or whose entries that stay may be no obstacle."""
        parent = directory.parent
        assert parent is not None
        try:
            await self._within(
                parent,
                lambda who: self._session.remove(parent.node.handle, directory.name, is_directory=True, who=who),
            )
            self.removed += 1
            directory.remains = Remains()
        except NfsError as error:
            if error.code in NOT_EMPTY and not directory.remains.count and self._may_start_again(directory):
                return
            if error.code in (Status.NOENT, *GONE):
                directory.remains = Remains()
            elif not directory.remains.count:
                directory.remains.add(directory.path, error.name)
        except Denied as denial:
            if not directory.remains.count:
                directory.remains.add(directory.path, denial.error.name)
        parent.remains.take(directory.remains)
        self._done(parent)

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
        directory.remains = Remains()  # met again
        self._push(self._read, directory)
        return True

    def _done(self, directory: _Directory) -> None:
        """One entry of a directory is dealt with; what comes next if it was the last one."""
        directory.pending -= 1
        if directory.pending or directory.parent is None:
            return
        if directory.position is not None:
            self._push(self._read, directory)
        else:
            self._end(directory)

    def _end(self, directory: _Directory) -> None:
        """Nothing more can be done in a directory. An item of its own, so that nothing recurses."""
        self._push(self._finish, directory)
