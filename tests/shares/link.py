"""A network between a client and a server that a test can bend: late, cut, silent, or lying."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Self


class Link:
    """A TCP proxy to one port. Everything may be changed while it runs."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.delay = 0.0
        """Seconds that every byte is under way, in each direction."""
        self.rewrite: Callable[[bytes], bytes] = lambda said: said
        """What the client hears of what the server said."""
        self.holds: Callable[[bytes], bool] = lambda said: False
        """Which piece of what the client says waits at the link until `released` is set. `held` tells that one does."""
        self.held, self.released = asyncio.Event(), asyncio.Event()
        self.is_silent = False
        """Whether the client hears nothing."""
        self.port = 0
        self.connections = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await self._server.wait_closed()

    def cut(self) -> None:
        """Breaks all connections."""
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        there_reader, there_writer = await asyncio.open_connection(*self._target)
        self._writers |= {writer, there_writer}
        asking = asyncio.create_task(self._pump(reader, there_writer, lambda said: said, self._hold))
        await self._pump(there_reader, writer, self._answer)
        asking.cancel()
        self._writers -= {writer, there_writer}

    def _answer(self, said: bytes) -> bytes:
        return b"" if self.is_silent else self.rewrite(said)

    async def _hold(self, said: bytes) -> None:
        if self.holds(said):
            self.held.set()
            await self.released.wait()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        change: Callable[[bytes], bytes],
        before: Callable[[bytes], Awaitable[None]] | None = None,
    ) -> None:
        with suppress(OSError):
            while said := await reader.read(65536):
                if before is not None:
                    await before(said)
                # Later bytes set out while earlier ones are under way: the link is long, not narrow.
                asyncio.get_running_loop().call_later(self.delay, writer.write, change(said))
        writer.transport.abort()
