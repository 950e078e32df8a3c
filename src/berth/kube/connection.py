"""One HTTP/1.1 connection and the parser of what comes on it: no more of HTTP than the API server speaks.

Answers with a length, in chunks, or up to the end of the connection are understood; compression and HTTP/2 are not. A
connection carries one request at a time and is either read to the end of the answer or dropped, so that a cancelled
request can never be mistaken for the next one.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum, auto

_LONGEST_HEAD = 256 * 1024
_LONGEST_SIZE_LINE = 1024
_READ_AHEAD = 1024 * 1024
"""Bytes of a streamed answer that are buffered before the server has to wait."""


class BrokenAnswer(Exception):  # noqa: N818
    """The connection ended before the end of an answer, or what came was not HTTP. clean: nothing had come yet."""

    def __init__(self, why: str, *, clean: bool = False) -> None:
        super().__init__(why)
        self.clean = clean


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. Names of headers, and their values, in lower case."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


class _Phase(Enum):
    IDLE = auto()
    HEAD = auto()
    LENGTH = auto()
    CHUNK_SIZE = auto()
    CHUNK = auto()
    CHUNK_END = auto()
    TRAILER = auto()
    UNTIL_CLOSE = auto()


class Connection(asyncio.Protocol):
    """One connection, and the parser of its answers."""

    def __init__(self) -> None:
        self.used = 0
        self.idle_since = 0.0
        self.reusable = True
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self._transport: asyncio.Transport | None = None
        self._phase = _Phase.IDLE
        self._rest = b""
        self._left = 0
        self._parts: list[bytes] = []
        self._buffered = 0
        self._paused = False
        self._wants_parts = False
        self._waiter: asyncio.Future[None] | None = None
        self._error: OSError | BrokenAnswer | None = None

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._phase is _Phase.IDLE:
            self._fail(BrokenAnswer("the server sent something that nobody had asked for"))
            return
        self._rest = self._rest + data if self._rest else data
        try:
            while self._rest and self._step():
                pass
        except ValueError as error:
            self._fail(BrokenAnswer(f"the server's answer is not HTTP: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        self.reusable = False
        if self._phase is _Phase.UNTIL_CLOSE and exc is None:
            self._finish()
        elif self._phase is not _Phase.IDLE and self._error is None:
            clean = self._phase is _Phase.HEAD and not self._rest
            where = "before its answer" if clean else "in the middle of its answer"
            broken = BrokenAnswer(f"the server closed the connection {where}", clean=clean)
            self._fail(exc if isinstance(exc, OSError) else broken)

    # What the pool calls.

    def send(self, request: bytes, *, wants_parts: bool = False) -> None:
        """Sends a request. wants_parts: the answer's body will be read with part, else with whole."""
        assert self._transport is not None
        assert self._phase is _Phase.IDLE
        self.used += 1
        self._phase = _Phase.HEAD
        self._wants_parts = wants_parts
        self._parts = []
        self._buffered = 0
        self._transport.write(request)

    @property
    def is_free(self) -> bool:
        """Whether the last answer came whole and another request may follow."""
        return self.reusable and self._phase is _Phase.IDLE

    async def head(self) -> int:
        """The status, once the head of the answer is there."""
        while self._phase is _Phase.HEAD or self._error is not None:
            await self._wait()
        return self.status

    async def whole(self) -> Answer:
        """The whole answer, or what part has left of it."""
        self._wants_parts = False
        self._resume()
        while self._phase is not _Phase.IDLE or self._error is not None:
            await self._wait()
        parts, self._parts = self._parts, []
        return Answer(self.status, self.headers, parts[0] if len(parts) == 1 else b"".join(parts))

    async def part(self) -> bytes:
        """The next piece of the body, empty at its end."""
        while not self._parts and (self._phase is not _Phase.IDLE or self._error is not None):
            await self._wait()
        parts, self._parts = self._parts, []
        self._resume()
        return b"".join(parts)

    def abort(self) -> None:
        """Drops the connection, whatever it is doing."""
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()

    # The parser.

    def _step(self) -> bool:
        """Consumes one element of the answer from _rest; False: more bytes are needed."""
        match self._phase:
            case _Phase.HEAD:
                end = self._rest.find(b"\r\n\r\n")
                if end < 0:
                    if len(self._rest) > _LONGEST_HEAD:
                        raise ValueError("its head does not end")
                    return False
                head, self._rest = self._rest[:end], self._rest[end + 4 :]
                self._read_head(head)
            case _Phase.LENGTH | _Phase.CHUNK | _Phase.UNTIL_CLOSE:
                self._read_body()
            case _Phase.CHUNK_SIZE:
                line = self._take_line()
                if line is None:
                    return False
                self._left = int(line.partition(b";")[0].strip() or b"-", 16)
                if self._left < 0:
                    raise ValueError("negative size of a chunk")
                self._phase = _Phase.CHUNK if self._left else _Phase.TRAILER
            case _Phase.CHUNK_END:
                line = self._take_line()
                if line is None:
                    return False
                if line:
                    raise ValueError("a chunk is longer than it says")
                self._phase = _Phase.CHUNK_SIZE
            case _Phase.IDLE:
                return False
            case _Phase.TRAILER:
                line = self._take_line()
                if line is None:
                    return False
                if not line:
                    self._finish()
        return True

    def _take_line(self) -> bytes | None:
        end = self._rest.find(b"\r\n")
        if end < 0:
            if len(self._rest) > _LONGEST_SIZE_LINE:
                raise ValueError("a line between chunks does not end")
            return None
        line, self._rest = self._rest[:end], self._rest[end + 2 :]
        return line

    def _read_head(self, head: bytes) -> None:
        first, *lines = head.lower().split(b"\r\n")
        if not first.startswith(b"http/1."):
            raise ValueError(f"it begins with {first[:40]!r}")
        self.status = int(first[9:12])
        if self.status < 200:
            return  # 100 Continue and its like: the real head follows
        self.headers = {}
        for line in lines:
            name, _, value = line.partition(b":")
            self.headers[name] = value.strip()
        connection = self.headers.get(b"connection", b"")
        if connection == b"close" or (first.startswith(b"http/1.0") and connection != b"keep-alive"):
            self.reusable = False
        length = self.headers.get(b"content-length")
        if self.status in (204, 304):
            self._finish()
        elif self.headers.get(b"transfer-encoding") == b"chunked":
            self._phase = _Phase.CHUNK_SIZE
        elif length is not None:
            self._left = int(length)
            if self._left < 0:
                raise ValueError("negative length")
            self._phase = _Phase.LENGTH
            if self._left == 0:
                self._finish()
        else:
            self._phase = _Phase.UNTIL_CLOSE
            self.reusable = False
        if self._wants_parts:
            self._wake()

    def _read_body(self) -> None:
        if self._phase is _Phase.UNTIL_CLOSE or len(self._rest) <= self._left:
            part, self._rest = self._rest, b""
        else:
            part, self._rest = self._rest[: self._left], self._rest[self._left :]
        self._parts.append(part)
        self._buffered += len(part)
        if self._phase is not _Phase.UNTIL_CLOSE:
            self._left -= len(part)
            if self._left == 0 and self._phase is _Phase.LENGTH:
                self._finish()
            elif self._left == 0:
                self._phase = _Phase.CHUNK_END
        if self._wants_parts:
            self._wake()
            if self._buffered > _READ_AHEAD and not self._paused and self._transport is not None:
                self._paused = True
                self._transport.pause_reading()

    def _finish(self) -> None:
        self._phase = _Phase.IDLE
        if self._rest:
            self._rest = b""
            self.reusable = False
        self._wake()

    def _fail(self, error: OSError | BrokenAnswer) -> None:
        self._error = error
        self.abort()
        self._wake()

    def _resume(self) -> None:
        self._buffered = 0
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    async def _wait(self) -> None:
        if self._error is not None:
            raise self._error
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
