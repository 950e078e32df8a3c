"""Remote procedure calls (RFC 5531) over one TCP connection to one program of a server: portmapper, mountd or NFS.

Any number of tasks call at once; their calls go out together and are answered in any order. Nothing here watches the
clock: deadlines are the caller's, who cancels. A cancelled call's reply is dropped when it comes. Once broken or closed
a connection stays so, and every call that waits is told.
"""

from __future__ import annotations

import asyncio
import errno
import itertools
import random
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from berth.nfs.errors import CallRejected, ConnectFailed, ConnectionLost, Withheld
from berth.nfs.message import LAST_FRAGMENT, REPLY, ROOT, Identity, accept, encode_call, encode_credential
from berth.nfs.sockets import bind_reserved, family
from berth.nfs.xdr import Malformed, Reader

T = TypeVar("T")
SendGuard = Callable[[], str]
"""Why a call that can't be taken back may not leave now; empty while it may. It must answer at once."""

MOST_AT_ONCE = 128
"""Calls in flight on one connection; more wait here. Servers have limits of their own, this one bounds our memory."""
LONGEST_REPLY = 1 << 21
"""Bytes. Nothing that Berth asks for is longer than 64 KiB and some; a server that sends more is none."""

NULL = 0
"""The procedure that every program has and that does nothing."""


def unguarded() -> str:
    """A guard that lets every call out."""
    return ""


@dataclass(slots=True)
class _Waiting:
    future: asyncio.Future[Any]
    decode: Callable[[Reader], Any]


class Connection(asyncio.Protocol):
    """See the module's text. Must be closed."""

    def __init__(
        self,
        address: str,
        port: int,
        program: int,
        version: int,
        *,
        reserved: bool = True,
        guard: SendGuard = unguarded,
    ) -> None:
        """address: numeric. reserved: from a port below 1024 where we may. guard: asked before guarded calls leave.

        Nothing is connected yet.
        """
        self.calls = 0
        """How many calls were made."""
        self.heard = 0.0
        """Loop time of the last reply; 0 before the first."""
        self.address = address
        self.source = ("", 0)
        """From which address and port of ours the server is asked."""
        self._port = port
        self._reserved = reserved
        self._guard = guard
        self._program = (program, version)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._numbers = itertools.count(random.getrandbits(32))
        self._waiting: dict[int, _Waiting] = {}
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        self._outgoing: list[tuple[bytes, _Waiting | None]] = []
        self._incoming = bytearray()
        self._fragments = bytearray()
        self._credentials: dict[Identity, bytes] = {}

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    async def connect(self) -> None:
        """Connects; ConnectFailed when that is refused or impossible. From a port below 1024 where we may."""
        opened = socket.socket(family(self.address), socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            # No TIME_WAIT: there are few ports below 1024, and NFS connections end between calls.
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if self._reserved:
                bind_reserved(opened)
            await self._loop.sock_connect(opened, (self.address, self._port))
            self.source = opened.getsockname()[:2]
            self._transport, _ = await self._loop.create_connection(lambda: self, sock=opened)
        except OSError as error:
            opened.close()
            status = errno.errorcode.get(error.errno or 0, "")
            raise ConnectFailed(f"can't connect to {self.address} port {self._port}", status) from error
        except BaseException:
            opened.close()
            raise

    async def call(
        self,
        procedure: int,
        arguments: bytes,
        decode: Callable[[Reader], T],
        identity: Identity = ROOT,
        *,
        again: float | None = None,
        guarded: bool = False,
    ) -> T:
        """Makes one call and answers what decode reads from the reply.

        again: seconds after which the call is sent once more, and so on, until it is answered. None: the server is
        trusted to answer. guarded: it can't be taken back, so the guard is asked in the moment in which it leaves.
        """
        async with self._room:
            number = next(self._numbers) & 0xFFFFFFFF
            record = encode_call(number, self._program, procedure, self._credential(identity), arguments)
            waiting = self._waiting[number] = _Waiting(self._loop.create_future(), decode)
            self._send(record, waiting if guarded else None)
            timer = None if again is None else self._loop.call_later(again, self._repeat, number, record, again)
            try:
                answer: T = await waiting.future
                return answer
            finally:
                if timer is not None:
                    timer.cancel()
                self._waiting.pop(number, None)

    def close(self, why: str = "the connection was closed", status: str = "") -> None:
        """Lets go of the socket and tells all who wait. Can be repeated."""
        if self._transport is None:
            return
        self._transport.abort()
        self._transport = None
        for waiting in self._waiting.values():
            if not waiting.future.done():
                waiting.future.set_exception(ConnectionLost(why, status))
        self._waiting.clear()

    # What the event loop calls.

    def data_received(self, data: bytes) -> None:
        incoming = self._incoming
        if not incoming and not self._fragments and len(data) >= 4:
            size = int.from_bytes(data[:4]) - LAST_FRAGMENT
            if size == len(data) - 4:  # one reply and no more, as nearly always: it need not be put together
                self._on_record(data, 4)
                return
        incoming += data
        while len(incoming) >= 4:
            marker = int.from_bytes(incoming[:4])
            size = marker & ~LAST_FRAGMENT
            if size + len(self._fragments) > LONGEST_REPLY:
                self.close("the server sent something that is no reply")
                return
            if len(incoming) < 4 + size:
                return
            self._fragments += incoming[4 : 4 + size]
            del incoming[: 4 + size]
            if marker & LAST_FRAGMENT:
                record = bytes(self._fragments)
                self._fragments.clear()
                self._on_record(record)
                if self._transport is None:
                    return

    def eof_received(self) -> None:
        self.close("the server closed the connection")

    def connection_lost(self, error: Exception | None) -> None:
        code = error.errno if isinstance(error, OSError) else None
        self.close(
            "the connection broke" if error else "the server closed the connection", errno.errorcode.get(code or 0, "")
        )

    def _on_record(self, record: bytes, at: int = 0) -> None:
        """A whole reply, which begins at `at`."""
        reader = Reader(record, at)
        try:
            waiting = self._waiting.pop(reader.uint(), None)
            kind = reader.uint()
        except Malformed:
            self.close("the server sent something that is no reply")
            return
        if waiting is None or waiting.future.done() or kind != REPLY:
            return
        self.heard = self._loop.time()
        try:
            accept(reader)
            waiting.future.set_result(waiting.decode(reader))
        except Malformed as error:
            waiting.future.set_exception(CallRejected(f"the server's reply makes no sense: {error}", "UNREADABLE"))
        except Exception as error:  # noqa: BLE001 - the caller's to judge, not the event loop's
            waiting.future.set_exception(error)

    def _send(self, record: bytes, guarded: _Waiting | None = None) -> None:
        if self._transport is None:
            raise ConnectionLost("the connection is closed")
        self.calls += 1
        if not self._outgoing:
            # Once per turn of the loop, so that calls made together leave together.
            self._loop.call_soon(self._flush)
        self._outgoing.append((record, guarded))

    def _flush(self) -> None:
        outgoing, self._outgoing = self._outgoing, []
        if self._transport is not None:
            self._transport.write(b"".join(record for record, guarded in outgoing if self._may_leave(guarded)))

    def _may_leave(self, guarded: _Waiting | None) -> bool:
        """Whether a call may be sent at this very moment; whoever waits for one that may not is told why."""
        if guarded is None:
            return True
        if guarded.future.done():
            return False  # given up before it left
        why = self._guard()
        if why:
            guarded.future.set_exception(Withheld(why))
        return not why

    def _repeat(self, number: int, record: bytes, again: float) -> None:
        if number in self._waiting and self._transport is not None:
            self._send(record)
            self._loop.call_later(again, self._repeat, number, record, again)

    def _credential(self, identity: Identity) -> bytes:
        known = self._credentials.get(identity)
        if known is None:
            if len(self._credentials) > 100:
                self._credentials.clear()
            known = self._credentials[identity] = encode_credential(identity)
        return known


@asynccontextmanager
async def connected(
    address: str, port: int, program: tuple[int, int], *, reserved: bool = True
) -> AsyncIterator[Connection]:
    """A connection to one program, closed at the end. ConnectFailed."""
    connection = Connection(address, port, *program, reserved=reserved)
    try:
        await connection.connect()
        yield connection
    finally:
        connection.close()


async def ping(connection: Connection) -> None:
    """Calls the program for nothing. CallRejected when there is no such program, or not in this version."""
    await connection.call(NULL, b"", lambda _: None)
