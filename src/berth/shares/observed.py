"""Any share, watched: how long each operation took and which stage failed, for whoever keeps the figures."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from berth.volumes.errors import Unavailable, VolumeError
from berth.volumes.share import Budget, Entry, Made, NamesOf, Removal, Share, ShareAddress, Space

T = TypeVar("T")

Observer = Callable[[str, str, float, str | None], None]
"""share (`server:/export`), operation, seconds, and the stage that failed: None for an answer, whatever it was."""


class ObservedShare:
    """Does what the share inside does. An operation that is cancelled was not finished and is not told."""

    def __init__(self, share: Share, observer: Observer) -> None:
        self._share = share
        self._observer = observer
        self._name = str(share.address)

    @property
    def address(self) -> ShareAddress:
        return self._share.address

    async def stat(self, path: str) -> Entry:
        return await self._watch("stat", self._share.stat(path))

    async def names(self, path: str, kind: NamesOf = "any") -> list[str]:
        return await self._watch("list", self._share.names(path, kind))

    async def list(self, path: str, most: int | None = None) -> list[Entry]:
        return await self._watch("list", self._share.list(path, most))

    async def make_directory(
        self, path: str, *, mode: int, uid: int | None = None, gid: int | None = None, adopt: bool = False
    ) -> Made:
        work = self._share.make_directory(path, mode=mode, uid=uid, gid=gid, adopt=adopt)
        return await self._watch("make_directory", work)

    async def read_file(self, path: str) -> bytes:
        return await self._watch("read_file", self._share.read_file(path))

    async def write_file(self, path: str, content: bytes, *, exclusive: bool = False) -> None:
        await self._watch("write_file", self._share.write_file(path, content, exclusive=exclusive))

    async def rename(self, source: str, target: str, only: Entry | None = None) -> None:
        await self._watch("rename", self._share.rename(source, target, only))

    async def remove_file(self, path: str) -> None:
        await self._watch("remove_file", self._share.remove_file(path))

    async def remove_directory(self, path: str) -> bool:
        return await self._watch("remove_directory", self._share.remove_directory(path))

    async def remove_tree(self, path: str, *, budget: Budget | None = None) -> Removal:
        return await self._watch("remove_tree", self._share.remove_tree(path, budget=budget))

    async def space(self) -> Space:
        return await self._watch("space", self._share.space())

    async def aclose(self) -> None:
        await self._share.aclose()

    async def _watch(self, operation: str, work: Awaitable[T]) -> T:
        began = time.monotonic()
        try:
            answer = await work
        except Unavailable as error:
            self._tell(operation, began, error.stage)
            raise
        except VolumeError:
            self._tell(operation, began, None)
            raise
        self._tell(operation, began, None)
        return answer

    def _tell(self, operation: str, began: float, failed: str | None) -> None:
        self._observer(self._name, operation, time.monotonic() - began, failed)
