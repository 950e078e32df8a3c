"""Removing a whole tree from a share: many entries at once, memory bounded by the tree's depth, never through a link.

A directory is read on when few of the entries read of it are left, and removed once all are dealt with. Files of one
directory go together: over NFSv4 in one call. Nothing recurses: what comes next is put on the agenda.

Names that can't be removed are counted and passed by; the rest goes, and their directory is tried all the same: some
servers show a snapshot directory that takes no removal and is no obstacle to the removal of the directory it shows in.
Others may change the tree meanwhile. Work stops between two calls where its budget is used up, and goes on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol, TypeVar

from berth.nfs import DENIED, GONE, START, DirectoryEntry, Identity, NfsError, NfsNode, Position, Session, Status
from berth.shares.direct.agenda import Agenda
from berth.shares.direct.changes import NOT_EMPTY
from berth.shares.direct.tree import Denied, Tree
from berth.shares.direct.window import Window
from berth.volumes.removal_guard import NO_LIMIT, OTHER_FILE_SYSTEM, TOO_DEEP, Remains, below
from berth.volumes.share import Budget

T = TypeVar("T")

OWNER_ALL = 0o700
DEEPEST = 32_768
"""Levels below the tree's top. Deeper ones are a server's invention, and would cost memory without end."""
MOST_PASSES = 20
"""How often a directory is read again that is not empty after all in it was removed: somebody writes into it."""
READ_ON = 128
"""A directory is read on when so many of its entries are left, so that the answer is there when they are gone."""


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
    """Where reading goes on; None: all of it was read."""
    is_reading: bool = False
    """Whether it is in line to be read on, or is being read."""
    is_torn: bool = False
    """Whether the server forgot where reading stood: it starts again when what was read before is dealt with."""
    pending: int = 0
    """Entries that were read and are still there."""
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

    def __init__(self, parent: NfsNode, name: str, top: NfsNode, *, concurrency: int) -> None:
        """The directory called name in parent is emptied and removed. concurrency: how many entries at once at most."""
        self.removed = 0
        """Entries that are gone, files and directories."""
        self._window = Window(concurrency)
        self._agenda = Agenda[_Directory](self._window, read=self._read, remove=self._remove)
        self._top = top
        self._outer = _Directory(None, "", parent, position=None, pending=1, is_opened=True)
        self._read_on(_Directory(self._outer, name, top))

    @property
    def remains(self) -> Remains:
        """What could not be removed."""
        return self._outer.remains

    @property
    def is_through(self) -> bool:
        """Whether there is nothing left to try."""
        return self._agenda.is_empty

    @property
    def held(self) -> int:
        """Entries that were read and not begun with: what memory is used for."""
        return self._agenda.held

    def is_of(self, top: NfsNode) -> bool:
        """Whether it is this directory that is being removed."""
        return self._top.handle == top.handle

    async def run(self, tree: Tree, step: PurgeStep, budget: Budget = NO_LIMIT) -> None:
        """Goes on until it is through, or the budget is used up. Raises only what ends the whole: an outage. Then, and
        after a cancellation, it can't go on: what was under way is not known.
        """
        self._tree, self._session, self._step = tree, tree.session, step
        await self._agenda.run(budget)

    async def _read(self, directory: _Directory) -> None:
        """Reads some entries and has each removed."""
        position, directory.position = directory.position or START, None
        try:
            found, directory.position = await self._within(
                directory, lambda who: self._session.read_directory(directory.node.handle, position, who)
            )
        except NfsError as error:
            found = []
            if error.code == Status.BAD_COOKIE:
                directory.is_torn = True
            elif error.code not in (Status.NOENT, *GONE):
                directory.remains.add(directory.path, error.name)
        except Denied as denial:
            found = []
            directory.remains.add(directory.path, denial.error.name)
        directory.pending += len(found)
        self._sort(directory, found)
        directory.is_reading = False
        self._done(directory, 0)

    def _sort(self, directory: _Directory, found: list[DirectoryEntry]) -> None:
        """Puts each entry where it belongs."""
        files = []
        for entry in found:
            if entry.node is None:
                self._agenda.add_step(partial(self._look, directory, entry))
            elif entry.node.attributes.kind != "directory":
                files.append(entry.name)
            else:
                self._enter(directory, entry, entry.node)
        self._agenda.add_files(directory, files)

    async def _look(self, directory: _Directory, entry: DirectoryEntry) -> None:
        """Finds out what an entry is of which the server told no more than its name."""
        try:
            node = await self._step(lambda: self._tree.look(directory.node, entry.name))
        except (NfsError, Denied) as error:
            self._leave(directory, entry.name, error.error if isinstance(error, Denied) else error)
            self._done(directory)
        else:
            self._sort(directory, [replace(entry, node=node)])
            self._done(directory, 0)

    async def _remove(self, directory: _Directory, names: list[str]) -> None:
        """Removes files. What the server denies, or wants to be asked again for, is tried again with nothing else."""
        left, count, loop = names, len(names), asyncio.get_running_loop()

        async def remove(who: Identity) -> None:
            nonlocal left
            began = loop.time()
            answers = await self._session.remove_files(directory.node.handle, left, who)
            self._window.answered(began, loop.time())
            again = []
            for name, error in zip(left, answers, strict=True):
                if error is None:
                    self.removed += 1
                elif error.code in DENIED or error.code == Status.DELAY:
                    again.append((name, error))
                elif error.code in (Status.ISDIR, *NOT_EMPTY):
                    # It was a file when its directory was read, and is a directory now.
                    self._agenda.add_step(partial(self._look, directory, DirectoryEntry(name, None)))
                    directory.pending += 1
                else:
                    self._leave(directory, name, error)
            left = [name for name, _ in again]
            if again:
                raise min((error for _, error in again), key=lambda error: error.code != Status.DELAY)

        try:
            await self._within(directory, remove)
        except Denied as denial:
            for name in left:
                self._leave(directory, name, denial.error)
        self._done(directory, count)

    def _leave(self, directory: _Directory, name: str, error: NfsError) -> None:
        """Passes an entry by that can't be removed; it may be gone already."""
        if error.code not in (Status.NOENT, *GONE):
            directory.remains.add(below(directory.path, name), error.name)

    def _enter(self, directory: _Directory, entry: DirectoryEntry, node: NfsNode) -> None:
        """Begins to empty a directory in another one, or leaves it as it is."""
        path, depth = below(directory.path, entry.name), directory.depth + 1
        if node.attributes.device != self._top.attributes.device or entry.is_covered(node):
            directory.remains.add(path, OTHER_FILE_SYSTEM)
        elif depth > DEEPEST:
            directory.remains.add(path, TOO_DEEP)
        else:
            self._read_on(_Directory(directory, entry.name, node, path, depth))
            return
        directory.pending -= 1

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
        mode, is_opened = directory.node.attributes.mode, directory.is_opened
        try:
            return await self._step(lambda: self._tree.within(directory.node, call))
        except Denied:
            if is_opened or mode & OWNER_ALL == OWNER_ALL:
                raise
        handle = directory.node.handle
        await self._step(
            lambda: self._tree.within(
                directory.node, lambda who: self._session.change(handle, mode=mode | OWNER_ALL, who=who)
            )
        )
        directory.is_opened = True  # not before: of the others that were denied meanwhile each tries again
        return await self._step(lambda: self._tree.within(directory.node, call))

    def _may_start_again(self, directory: _Directory) -> bool:
        """Has a directory read from its start once more, unless that happened too often."""
        if directory.passes >= MOST_PASSES:
            return False
        directory.passes += 1
        directory.position = START
        directory.remains = Remains()  # met again
        self._read_on(directory)
        return True

    def _read_on(self, directory: _Directory) -> None:
        directory.is_reading = True
        self._agenda.add_directory(directory)

    def _done(self, directory: _Directory, count: int = 1) -> None:
        """So many entries of a directory are dealt with; what comes next."""
        directory.pending -= count
        if directory.is_reading or directory.parent is None:
            return
        if directory.position is not None:
            if directory.pending <= READ_ON:
                self._read_on(directory)
        elif not directory.pending:
            is_torn, directory.is_torn = directory.is_torn, False
            if not (is_torn and self._may_start_again(directory)):
                # A step of its own, so that nothing recurses.
                self._agenda.add_step(partial(self._finish, directory))
