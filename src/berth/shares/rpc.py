"""One TCP connection to one program of a server (portmapper, mountd, NFS), driven by the event loop through libnfs.

Any number of tasks call at once; their calls go out together and are answered in any order. Nothing here watches the
clock: deadlines are the caller's, who cancels. A cancelled call's reply is dropped when it comes. Once broken or closed
a connection stays so, and every call that waits is told.

RpcError
 |- ConnectFailed    the server's port can't be reached
 |- ConnectionLost   it broke; whether the server did what was asked is unknown
 `- CallRejected     the server can't make sense of the call: wrong program or version, security flavour, garbage
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from berth.shares import libnfs

T = TypeVar("T")

MOST_AT_ONCE = 128
"""Calls in flight on one connection; more wait here. Servers have limits of their own, this one bounds our memory."""


class Identity(NamedTuple):
    """Whom a call claims to come from (AUTH_SYS)."""

    uid: int
    gid: int


ROOT = Identity(0, 0)


class RpcError(Exception):
    """Base of the family. why: for people; status: the system's name of the failure, where there is one."""

    def __init__(self, why: str, status: str = "") -> None:
        super().__init__(f"{why} ({status})" if status else why)
        self.why = why
        self.status = status


class ConnectFailed(RpcError):  # noqa: N818
    """The server's port can't be reached."""


class ConnectionLost(RpcError):  # noqa: N818
    """The connection broke, or was closed, before the reply came."""


class CallRejected(RpcError):  # noqa: N818
    """The server answered that it can't make sense of the call."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    connection: Connection
    future: asyncio.Future[Any]
    decode: Callable[[int], Any]


_waiting: dict[int, _Waiting] = {}
"""Who waits under which token. The token is all that libnfs keeps, so a late callback can't reach what is gone."""
_tokens = itertools.count(1)


def _on_reply(_context: int | None, status: int, reply: int | None, token: int | None) -> None:
    waiting = _waiting.pop(token or 0, None)
    if waiting is not None:
        waiting.connection.on_reply(waiting.future, waiting.decode, status, reply or 0)


_callback = libnfs.Callback(_on_reply)


class Connection:
    """See the module's text. Must be closed; belongs to the loop it was made in."""

    def __init__(self, address: str, port: int) -> None:
        """address: numeric (a name would be looked up by libnfs, which blocks). Nothing is connected yet."""
        self.calls = 0
        """How many calls were made."""
        self.heard = 0.0
        """Loop time of the last reply; 0 before the first."""
        self.address = address
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._library = libnfs.load()
        self._context: int | None = self._library.rpc_init_context()
        self._identity: Identity | None = None
        self._descriptor = -1
        self._watches_writing = False
        self._will_flush = False
        self._tokens: set[int] = set()
        self._room = asyncio.Semaphore(MOST_AT_ONCE)

    @property
    def is_open(self) -> bool:
        return self._context is not None

    async def connect(self) -> None:
        """Connects; ConnectFailed when that is refused or impossible. From a port below 1024 where we may."""
        name, port, function = self.address.encode(), self._port, self._library.rpc_connect_async
        connected: asyncio.Future[None] = self._loop.create_future()
        try:
            token = self._queue(
                lambda context, callback, token: function(context, name, port, callback, token), _nothing, connected
            )
            try:
                self._descriptor = self._library.rpc_get_fd(self._context)
                self._watch_writing(True)
                await connected
            finally:
                self._forget(token)
        except RpcError as error:
            self.close()
            raise ConnectFailed(f"can't connect to {self.address} port {port}", error.status) from error
        except BaseException:
            self.close()
            raise
        self._loop.add_reader(self._descriptor, self._service, libnfs.READABLE)
        self._flush()

    async def call(
        self,
        start: libnfs.Start,
        decode: Callable[[int], T],
        identity: Identity = ROOT,
        *,
        again: float | None = None,
    ) -> T:
        """Makes one call; decode gets the address of the reply, which is valid only while it runs.

        again: seconds after which the call is made once more, and so on, until one of them is answered. Only for calls
        that change nothing. None: the server is trusted to answer.
        """
        async with self._room:
            future: asyncio.Future[T] = self._loop.create_future()
            tokens = [self._send(start, decode, identity, future)]
            timer: asyncio.TimerHandle | None = None

            def repeat() -> None:
                nonlocal timer
                if not future.done() and again is not None and self._context is not None:
                    tokens.append(self._send(start, decode, identity, future))
                    timer = self._loop.call_later(again, repeat)

            if again is not None:
                timer = self._loop.call_later(again, repeat)
            try:
                return await future
            finally:
                if timer is not None:
                    timer.cancel()
                for token in tokens:
                    self._forget(token)

    def close(self, why: str = "the connection was closed", status: str = "") -> None:
        """Lets go of the socket and tells all who wait. Can be repeated. Never called from within libnfs."""
        if self._context is None:
            return
        context, self._context = self._context, None
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            self._loop.remove_writer(self._descriptor)
        for token in tuple(self._tokens):
            waiting = _waiting.pop(token, None)
            if waiting is not None and not waiting.future.done():
                waiting.future.set_exception(ConnectionLost(why, status))
        self._library.rpc_destroy_context(context)

    def on_reply(self, future: asyncio.Future[Any], decode: Callable[[int], Any], status: int, reply: int) -> None:
        """For the callback alone."""
        if future.done():
            return
        if status != libnfs.SUCCESS:
            future.set_exception(self._failure(reply))
            return
        self.heard = self._loop.time()
        try:
            future.set_result(decode(reply))
        except Exception as error:  # noqa: BLE001 - must not cross C code; the caller gets it
            future.set_exception(error)

    def _send(
        self, start: libnfs.Start, decode: Callable[[int], T], identity: Identity, future: asyncio.Future[T]
    ) -> int:
        if self._context is not None and identity != self._identity:
            self._library.rpc_set_uid(self._context, _signed(identity.uid))
            self._library.rpc_set_gid(self._context, _signed(identity.gid))
            self._identity = identity
        token = self._queue(start, decode, future)
        self.calls += 1
        if not self._will_flush:
            # Once per turn of the loop, so that calls made together leave together.
            self._will_flush = True
            self._loop.call_soon(self._flush)
        return token

    def _queue(self, start: libnfs.Start, decode: Callable[[int], T], future: asyncio.Future[T]) -> int:
        if self._context is None:
            raise ConnectionLost("the connection is closed")
        token = next(_tokens)
        _waiting[token] = _Waiting(self, future, decode)
        self._tokens.add(token)
        if start(self._context, _callback, token) < 0:
            self._forget(token)
            raise self._failure(0)
        return token

    def _forget(self, token: int) -> None:
        _waiting.pop(token, None)
        self._tokens.discard(token)

    def _flush(self) -> None:
        self._will_flush = False
        if self._context is not None:
            self._service(libnfs.WRITABLE)

    def _service(self, events: int) -> None:
        if self._library.rpc_service(self._context, events) < 0:
            failure = self._failure(0)
            self.close(failure.why, failure.status)
            return
        self._watch_writing(bool(self._library.rpc_which_events(self._context) & libnfs.WRITABLE))

    def _watch_writing(self, wanted: bool) -> None:
        if wanted == self._watches_writing:
            return
        self._watches_writing = wanted
        if wanted:
            self._loop.add_writer(self._descriptor, self._service, libnfs.WRITABLE)
        else:
            self._loop.remove_writer(self._descriptor)

    def _failure(self, reply: int) -> RpcError:
        """What libnfs's text says: its own when the connection broke, the reply's when the server said no."""
        said = ctypes.string_at(reply).decode(errors="replace") if reply else ""
        for text, status in _REJECTIONS.items():
            if said.startswith(text):
                return CallRejected("the server rejected the call", status)
        detail = (self._library.rpc_get_error(self._context) or b"").decode(errors="replace") if self._context else said
        number = re.search(r"errno:(\d+)|\((\d+)\)", detail)
        if number:
            code = int(number[1] or number[2])
            return ConnectionLost("the connection broke", errno.errorcode.get(code, f"errno {code}"))
        if "pdu" in detail.lower():
            return ConnectionLost(f"the server sent something that is no reply: {detail}")
        return ConnectionLost("the server closed the connection")


_REJECTIONS = {
    "Server responded: Program not available": "PROG_UNAVAIL",
    "Server responded: Program version mismatch": "PROG_MISMATCH",
    "Server responded: Procedure not available": "PROC_UNAVAIL",
    "Server responded: Garbage arguments": "GARBAGE_ARGS",
    "Server responded: System Error": "SYSTEM_ERR",
    "RPC Packet not accepted": "MSG_DENIED",
    "Message rejected": "REPLY_UNREADABLE",
    "Unknown rpc response": "REPLY_UNREADABLE",
}
"""How libnfs says that a reply came, but no result; and RFC 5531's names for it."""


def _nothing(_reply: int) -> None:
    return None


def _signed(number: int) -> int:
    """An id as the C int that libnfs takes and turns back (nobody is 4294967294 on some servers)."""
    return number - (1 << 32) if number >= 1 << 31 else number
