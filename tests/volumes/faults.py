"""Faults of a share, and the death of who works on it: at any one call, before or after it took effect."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

from berth.volumes.errors import Unavailable
from berth.volumes.share import Budget, Entry, Made, NamesOf, Removal, Share, ShareAddress, Space

T = TypeVar("T")
How = Literal["killed before", "killed after", "answer lost", "unreachable"]
HOWS: tuple[How, ...] = ("killed before", "killed after", "answer lost", "unreachable")


class Killed(BaseException):
    """The process is gone: nothing that catches errors may catch this."""


class Failing:
    """A share whose n-th call fails. Later calls go through, but nobody who was killed makes any."""

    def __init__(self, share: Share, at: int, how: How) -> None:
        self._share = share
        self._at = at
        self._how = how
        self._calls = 0

    @property
    def has_failed(self) -> bool:
        """Whether there were as many calls as it takes."""
        return self._calls >= self._at

    @property
    def address(self) -> ShareAddress:
        return self._share.address

    async def stat(self, path: str) -> Entry:
        return await self._call(lambda: self._share.stat(path))

    async def names(self, path: str, kind: NamesOf = "any") -> list[str]:
        return await self._call(lambda: self._share.names(path, kind))

    async def list(self, path: str, most: int | None = None) -> list[Entry]:
        return await self._call(lambda: self._share.list(path, most))

    async def make_directory(
        self, path: str, *, mode: int, uid: int | None = None, gid: int | None = None, adopt: bool = False
    ) -> Made:
        return await self._call(lambda: self._share.make_directory(path, mode=mode, uid=uid, gid=gid, adopt=adopt))

    async def read_file(self, path: str) -> bytes:
        return await self._call(lambda: self._share.read_file(path))

    async def write_file(self, path: str, content: bytes, *, exclusive: bool = False) -> None:
        await self._call(lambda: self._share.write_file(path, content, exclusive=exclusive))

    async def rename(self, source: str, target: str, only: Entry | None = None) -> None:
        await self._call(lambda: self._share.rename(source, target, only))

    async def remove_file(self, path: str) -> None:
        await self._call(lambda: self._share.remove_file(path))

    async def remove_directory(self, path: str) -> bool:
        return await self._call(lambda: self._share.remove_directory(path))

    async def remove_tree(self, path: str, *, budget: Budget | None = None) -> Removal:
        return await self._call(lambda: self._share.remove_tree(path, budget=budget))

    async def space(self) -> Space:
        return await self._call(self._share.space)

    async def aclose(self) -> None:
        await self._share.aclose()

    async def _call(self, action: Callable[[], Awaitable[T]]) -> T:
        self._calls += 1
        if self._calls != self._at:
            return await action()
        if self._how in ("killed after", "answer lost"):
            await action()
        if self._how in ("killed before", "killed after"):
            raise Killed
        raise Unavailable(str(self.address), "timeout", "no answer in time")


async def is_done_within(steps: int, work: Awaitable[object]) -> bool:
    """Gives work so many turns of the loop, and cancels it if it is not done by then, in the middle of a call too."""
    task = asyncio.ensure_future(work)
    for _ in range(steps):
        await asyncio.sleep(0)
        if task.done():
            break
    task.cancel()
    (outcome,) = await asyncio.gather(task, return_exceptions=True)
    if isinstance(outcome, asyncio.CancelledError):
        return False
    if isinstance(outcome, BaseException):
        raise outcome
    return True
