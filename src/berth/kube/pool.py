"""Kept-alive connections to one server.

Why not the HTTP client below lightkube: a request costs it about 1 ms of CPU (URL parsing, header objects, two layers
of pools), here 0.15 ms, and Berth makes three requests per claim. Redirects, proxies and HTTP/2 are not supported.

Deadlines are the caller's (asyncio.timeout). Failures are OSError (connecting, TLS, resets) or BrokenAnswer;
kube/answers puts both into words.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from berth.kube.connection import Answer, BrokenAnswer, Connection

_CONNECTING = 10.0
"""Seconds for TCP and TLS together, where the caller's own deadline is not shorter."""
_KEPT_IDLE = 30.0
"""Seconds; below the idle limits of API servers (90 s) and of the load balancers in front of them (50 s and more)."""


class Pool:
    """As many connections to one server as there are requests under way; idle ones are kept for half a minute."""

    def __init__(self, host: str, port: int, *, tls: ssl.SSLContext | None) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._idle: list[Connection] = []
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False

    async def request(self, request: bytes, *, repeatable: bool) -> Answer:
        """Sends request and returns the whole answer.

        repeatable: may be sent a second time when a kept connection turns out to be closed by the server.
        """
        while True:
            connection = await self._take()
            try:
                connection.send(request)
                answer = await connection.whole()
            except (OSError, BrokenAnswer) as error:
                if repeatable and connection.used > 1 and (isinstance(error, OSError) or error.clean):
                    continue
                raise
            finally:
                self._give_back(connection)
            return answer

    @asynccontextmanager
    async def stream(self, request: bytes) -> AsyncIterator[Connection]:
        """Sends request on a connection of its own; its answer is read with head, whole and part."""
        connection = await self._open()
        try:
            connection.send(request, wants_parts=True)
            yield connection
        finally:
            connection.abort()

    async def aclose(self) -> None:
        """Closes what is idle; requests under way go on, and close their connections."""
        self._closed = True
        if self._sweep is not None:
            self._sweep.cancel()
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.abort()
        await asyncio.sleep(0)  # the turn of the event loop in which the sockets are closed

    async def _take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable:
                return connection
        return await self._open()

    async def _open(self) -> Connection:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_CONNECTING):
            _, connection = await loop.create_connection(Connection, self._host, self._port, ssl=self._tls)
        return connection

    def _give_back(self, connection: Connection) -> None:
        if not connection.is_free or self._closed:
            connection.abort()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle.append(connection)
        if self._sweep is None:
            self._sweep = loop.call_later(_KEPT_IDLE, self._drop_idle)

    def _drop_idle(self) -> None:
        loop = asyncio.get_running_loop()
        oldest = loop.time() - _KEPT_IDLE
        # The list is used from its end: its beginning has been idle for longest.
        while self._idle and (self._idle[0].idle_since <= oldest or not self._idle[0].reusable):
            self._idle.pop(0).abort()
        self._sweep = loop.call_at(self._idle[0].idle_since + _KEPT_IDLE, self._drop_idle) if self._idle else None
