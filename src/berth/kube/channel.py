"""One connection that speaks HTTP/1.1, as a client: one request at a time, and its answer, whole or as it comes.

Only what API servers and the proxies before them say is understood, and whatever else comes is Broken: what is read of
a head is bounded, an answer that nobody waits for ends the connection, and so does one that was not waited for to its
end. Nothing here watches the clock but `late`, which the caller sets off.
"""

from __future__ import annotations

import asyncio
import re
from typing import cast

from berth.kube.reply import Broken, OverLong, Reply

MOST_HEAD = 1 << 16
"""Bytes of a status line with all header fields."""
SCRATCH = 1 << 16
"""Bytes that are read at once at most: several of TLS' records."""
_MOST_LINE = 1024
"""Bytes of a line between two chunks."""
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r]*)?(?:\r\n|\Z)")
_FIELD = re.compile(
    rb"\r\n(content-length|transfer-encoding|connection|retry-after):[ \t]*([^\r]*?)[ \t]*(?=\r|\Z)", re.IGNORECASE
)
"""The header fields that are gone by."""
_NUMBER = re.compile(rb"[0-9]{1,18}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;.*)?", re.DOTALL)

_HEAD, _BODY, _CHUNK_HEAD, _CHUNK_BODY, _CHUNK_END, _TRAILER, _TO_THE_END = range(7)


class Channel(asyncio.BufferedProtocol):
    """See the module's text."""

    def __init__(self, scratch: memoryview | None = None) -> None:
        """scratch: where what comes is put for a moment, at least 1 KiB. Channels of one event loop can share it: each
        takes out what is its own before the next has its turn.
        """
        self._scratch = memoryview(bytearray(SCRATCH)) if scratch is None else scratch
        self.loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport | None = None
        self.is_kept = False
        """Whether it has answered before."""
        self.idle_since = 0.0
        self._reply: Reply | None = None
        self._state = _HEAD
        self._left = 0
        self._rest = b""
        self._may_stay = True
        self._holds = False

    @property
    def is_open(self) -> bool:
        return self.transport is not None and not self.transport.is_closing()

    def ask(self, request: bytes, most: int, *, is_stream: bool = False) -> Reply:
        """Sends a request. most: bytes that its answer may have, unless it is a stream. Broken."""
        if self.transport is None or self.transport.is_closing() or self._reply is not None:
            raise Broken("the connection was closed")
        reply = self._reply = Reply(self, most, is_stream=is_stream)
        self._state, self._rest = _HEAD, b""
        self.transport.write(request)
        return reply

    @property
    def has_heard(self) -> bool:
        """Whether anything has come of the answer that is waited for."""
        return bool(self._rest) or self._state != _HEAD

    @property
    def may_stay(self) -> bool:
        """Whether the last answer was read to its end, and the server listens on."""
        return self._may_stay and self._reply is None and self.is_open

    def change(self, transport: asyncio.Transport) -> None:
        """Goes on over another transport: the one that was asked for by the last request."""
        self._reply, self._state, self._rest = None, _HEAD, b""
        self.transport = transport

    def end(self, error: Exception) -> None:
        """Closes the connection; whoever waits for an answer is told error. Can be repeated."""
        reply, self._reply = self._reply, None
        transport, self.transport = self.transport, None
        if transport is not None:
            # In a turn of its own: TLS that is in the middle of handing us what it has read writes after it, and
            # complains loudly of a transport that is gone by then.
            self.loop.call_soon(transport.abort)
        if reply is not None:
            reply.ends(error)

    def close(self) -> None:
        """Closes the connection."""
        self.end(Broken("the connection was closed"))

    def hold_on(self) -> None:
        """Reads no more for now."""
        if not self._holds and self.transport is not None:
            self._holds = True
            self.transport.pause_reading()

    def go_on(self) -> None:
        """Reads again."""
        if self._holds and self.transport is not None:
            self._holds = False
            self.transport.resume_reading()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        # asyncio's other kind of protocol is given new bytes each time, for which uvloop's TLS takes 256 KiB from the
        # system and gives nearly all of it back: a third of the time that the kernel works for us.
        return self._scratch

    def buffer_updated(self, nbytes: int) -> None:
        self._receive(bytes(self._scratch[:nbytes]))

    def _receive(self, data: bytes) -> None:
        reply = self._reply
        if reply is None:  # nobody has asked for anything
            self.close()
            return
        try:
            rest = self._feed(reply, self._rest + data if self._rest else data)
        except (Broken, OverLong) as error:
            self.end(error)
            return
        if self._reply is None and rest:  # more than what was asked for
            self._may_stay = False
        self._rest = rest

    def connection_lost(self, error: Exception | None) -> None:
        if self._reply is not None and self._state == _TO_THE_END and error is None:
            self._done(self._reply)
        elif isinstance(error, OSError) and not isinstance(error, ConnectionError):
            self.end(error)
        elif self.has_heard:
            self.end(Broken("the connection ended in the middle of an answer"))
        else:
            self.end(Broken("the server closed the connection before its answer"))
        self.transport = None

    def _feed(self, reply: Reply, data: bytes) -> bytes:
        """Takes in what has come; answers what is to be looked at again together with what comes next."""
        at, end = 0, len(data)
        while self._reply is reply and (at < end):
            state = self._state
            if state in (_BODY, _CHUNK_BODY):
                part = data[at : at + self._left] if at or self._left < end else data
                at += len(part)
                self._left -= len(part)
                reply.add(part)
                if not self._left and state == _BODY:
                    self._done(reply)
                elif not self._left:
                    self._state = _CHUNK_END
            elif state == _TO_THE_END:
                reply.add(data[at:])
                return b""
            else:
                mark, most = (b"\r\n\r\n", MOST_HEAD) if state == _HEAD else (b"\r\n", _MOST_LINE)
                stop = data.find(mark, at)
                if stop < 0:
                    if end - at > most:
                        raise Broken("the server does not speak HTTP")
                    return data[at:]
                self._line(reply, data[at:stop])
                at = stop + len(mark)
        return data[at:]

    def _line(self, reply: Reply, line: bytes) -> None:
        """A head, or a line of what is sent in chunks."""
        if self._state == _HEAD:
            self._begin(reply, line)
        elif self._state == _CHUNK_HEAD:
            found = _CHUNK.fullmatch(line)
            if found is None:
                raise Broken("the server sends chunks that are none")
            self._left = int(found[1], 16)
            self._state = _CHUNK_BODY if self._left else _TRAILER
        elif self._state == _CHUNK_END:
            if line:
                raise Broken("the server sends chunks that are none")
            self._state = _CHUNK_HEAD
        elif not line:  # the end of the trailer
            self._done(reply)

    def _begin(self, reply: Reply, head: bytes) -> None:
        found = _STATUS.match(head)
        if found is None:
            raise Broken("the server does not speak HTTP")
        status = int(found[2])
        if status == 101:
            raise Broken("the server changes to another protocol")
        if status < 200:  # it only says that it goes on
            return
        fields: dict[bytes, bytes] = {}
        for each in _FIELD.finditer(head):
            name, value = each[1].lower(), each[2]
            if fields.setdefault(name, value) != value:  # two answers, to one who is not meant to see the second
                raise Broken("the server does not speak HTTP")
        self._may_stay = found[1] == b"1" and b"close" not in fields.get(b"connection", b"").lower()
        coding, length = fields.get(b"transfer-encoding"), fields.get(b"content-length")
        reply.begins(status, fields)
        if status in (204, 304) or length == b"0":
            self._done(reply)
        elif coding is not None:
            if coding.lower() != b"chunked":
                raise Broken("the server packs its answers in a way that nobody asked for")
            self._state = _CHUNK_HEAD
        elif length is not None:
            if _NUMBER.fullmatch(length) is None:
                raise Broken("the server does not speak HTTP")
            self._state, self._left = _BODY, int(length)
        else:
            self._state, self._may_stay = _TO_THE_END, False

    def _done(self, reply: Reply) -> None:
        self._reply, self._state, self._rest, self.is_kept = None, _HEAD, b"", True
        reply.ends()
