"""What is to be done of a purge, in which order, and how much of it at once.

Three stacks: single steps, directories to read, and names of files to remove. What came last is done first, so they
grow with the depth of a tree, not with its size; and with much at hand, little is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Generic, TypeVar

from berth.shares.direct.window import Window
from berth.volumes.removal_guard import NO_LIMIT
from berth.volumes.share import Budget

D = TypeVar("D")

TOGETHER = 15
"""Files removed in one go: over NFSv4 as many as an older Linux server takes in one call, see Session.remove_files."""
SPREAD = 8
"""Directories that files are removed from at once: servers do one thing at a time in a directory."""
PLENTY = 20_000
"""With so many entries at hand no directory is read but a FEW at once where nothing else is left to do."""
FEW = 8
PAGE = 400
"""Entries that an answer is expected to hold."""


class Agenda(Generic[D]):
    """D: a directory, as its owner knows it."""

    _group: asyncio.TaskGroup

    def __init__(
        self,
        window: Window,
        *,
        read: Callable[[D], Awaitable[None]],
        remove: Callable[[D, list[str]], Awaitable[None]],
    ) -> None:
        """read and remove are called with what was added, and may add more."""
        self.held = 0
        """Entries that were found and not begun with: what memory is used for."""
        self._window = window
        self._read = read
        self._remove = remove
        self._steps: list[Callable[[], Awaitable[None]]] = []
        self._files: list[tuple[D, list[str]]] = []
        self._directories: list[D] = []
        self._reading = 0
        self._under_way = 0
        self._begun = 0
        self._budget = NO_LIMIT
        self._until = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing left to begin with."""
        return not (self._steps or self._files or self._directories)

    def add_step(self, step: Callable[[], Awaitable[None]]) -> None:
        """Something short, about one entry. It comes before everything else."""
        self._steps.append(step)

    def add_directory(self, directory: D) -> None:
        """To be read."""
        self._directories.append(directory)
        self.held += 1

    def add_files(self, directory: D, names: list[str]) -> None:
        """To be removed from a directory, some at a time."""
        if names:
            self._files.append((directory, names))
            self.held += len(names)

    async def run(self, budget: Budget) -> None:
        """Goes on until nothing is left, or the budget is used up. Raises what the first call raises that does."""
        self._budget, self._begun = budget, 0
        self._until = asyncio.get_running_loop().time() + budget.seconds
        try:
            async with asyncio.TaskGroup() as self._group:
                self._begin()
        except ExceptionGroup as failures:
            first = failures.exceptions[0]
            raise first from first.__cause__

    def _begin(self) -> None:
        """Begins with all that the window has room for. Called again whenever something has come to its end."""
        while (room := self._window.size - self._under_way) > 0 and not self._is_used_up():
            if self._steps:
                action, size = self._steps.pop(), 1
            elif self._directories and self._may_read():
                action, size = partial(self._take_in, self._directories.pop()), 1
                self._reading += 1
            elif self._files:
                at = max(0, len(self._files) - SPREAD)  # the one of the last few that had no turn for longest
                directory, names = self._files[at]
                size = int(min(len(names), TOGETHER, self._window.size, self._budget.entries - self._begun))
                if size > room:
                    return  # a few now would be few for ever: what comes back makes room for as many again
                action = partial(self._remove, directory, names[-size:])
                del names[-size:]
                del self._files[at]
                if names:
                    self._files.append((directory, names))
                self.held -= size
            else:
                return
            self._begun += size
            self._under_way += size
            self._group.create_task(self._carry_out(action, size), name="purge")

    async def _carry_out(self, action: Callable[[], Awaitable[None]], size: int) -> None:
        await action()
        self._under_way -= size
        self._begin()

    async def _take_in(self, directory: D) -> None:
        await self._read(directory)
        self._reading -= 1
        self.held -= 1

    def _may_read(self) -> bool:
        """Whether there is room for the entries of one more directory."""
        return self.held + self._reading * PAGE < PLENTY or (not self._files and self._reading < FEW)

    def _is_used_up(self) -> bool:
        if not self._begun:
            return False  # every turn gets on, however short it is
        return self._begun >= self._budget.entries or asyncio.get_running_loop().time() >= self._until
