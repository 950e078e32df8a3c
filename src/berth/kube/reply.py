"""An answer that is coming over a connection (channel): for whoever waits for it, whole or as it comes."""

from __future__ import annotations

import asyncio
from typing import Protocol

_MOST_WAITING = 1 << 20
"""Bytes of a stream that may wait to be read; then the server has to wait."""


class Broken(ConnectionError):  # noqa: N818
    """The conversation is over before its time; it says why, in a few words for people."""


class OverLong(Exception):  # noqa: N818
    """An answer has more bytes than it may have."""


class Content(Protocol):
    """What comes of an answer."""

    async def readany(self, until: float | None = None) -> bytes:
        """What has come and was not read yet; empty at its end. TimeoutError where nothing has by then."""


class Conversation(Protocol):
    """The connection that it comes over."""

    loop: asyncio.AbstractEventLoop

    def end(self, error: Exception) -> None: ...
    def hold_on(self) -> None: ...
    def go_on(self) -> None: ...


class Reply:
    """An answer that is coming."""

    __slots__ = (
        "_channel",
        "_loop",
        "_most",
        "_parts",
        "_size",
        "_timer",
        "_until",
        "_waiter",
        "error",
        "fields",
        "is_done",
        "is_stream",
        "status",
    )

    def __init__(self, channel: Conversation, most: int, *, is_stream: bool) -> None:
        """most: bytes that it may have, unless it is a stream."""
        self._channel = channel
        self._loop = channel.loop
        self._most = most
        self._parts: list[bytes] = []
        self._size = 0
        self._waiter: asyncio.Future[None] | None = None
        self._until: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.is_stream = is_stream
        self.status = 0
        self.fields: dict[bytes, bytes] = {}
        """The header fields that are gone by, by their names in lower case."""
        self.is_done = False
        self.error: Exception | None = None

    async def head(self) -> int:
        """The status, once the head is there. What ends the conversation, if it ends before."""
        while not self.status:
            await self._news()
        return self.status

    async def whole(self) -> bytes:
        """All of the answer, in at most so many bytes as it may have: OverLong."""
        while not self.is_done:
            await self._news()
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    async def readany(self, until: float | None = None) -> bytes:
        """What has come of a stream and was not read yet; empty at its end. TimeoutError where nothing has by then."""
        self._until = until
        while not self._parts:
            if self.is_done:
                return b""
            if until is not None and self._timer is None and self.error is None:
                self._timer = self._loop.call_at(until, self._look)
            await self._news()
        read, self._parts, self._size = self._parts, [], 0
        self._channel.go_on()
        return read[0] if len(read) == 1 else b"".join(read)

    def late(self) -> None:
        """Gives it up: whoever waits is told TimeoutError."""
        self._channel.end(TimeoutError())

    def _look(self) -> None:
        """Whether the time has come that was set last: a timer for each reading would cost more than the reading."""
        self._timer = None
        if self._until is None or self._waiter is None:
            return
        if self._loop.time() < self._until:
            self._timer = self._loop.call_at(self._until, self._look)
        else:
            self.late()

    def begins(self, status: int, fields: dict[bytes, bytes]) -> None:
        """For the channel: the head is there."""
        self.status, self.fields = status, fields
        if self.is_stream:
            self._tell()

    def add(self, part: bytes) -> None:
        """For the channel: more of it is there."""
        self._parts.append(part)
        self._size += len(part)
        if self.is_stream:
            self._tell()
            if self._size > _MOST_WAITING:
                self._channel.hold_on()
        elif self._size > self._most:
            raise OverLong

    def ends(self, error: Exception | None = None) -> None:
        """For the channel: there will be no more, as it is whole or because of an error."""
        self.is_done, self.error = error is None, error
        if self._timer is not None:
            self._timer.cancel()
        self._tell()

    async def _news(self) -> None:
        if self.error is not None:
            raise self.error
        self._waiter = self._loop.create_future()
        await self._waiter
        if self.error is not None and not self._parts:
            raise self.error

    def _tell(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
