"""Connections to one server: made when they are needed, by way of a proxy if there is one, and kept for the next."""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from dataclasses import dataclass
from functools import partial
from urllib.parse import SplitResult, unquote, urlsplit

from berth.kube.channel import MOST_HEAD, SCRATCH, Channel
from berth.kube.reply import Broken

_KEPT_IDLE = 30.0
"""Seconds; below the idle limits of API servers (90 s) and of the load balancers in front of them (50 s and more)."""


class ProxyFailed(OSError):  # noqa: N818
    """The way to the server ends at the proxy at `where`, because of why."""

    def __init__(self, where: str, why: Exception) -> None:
        super().__init__(where)
        self.where = where
        self.why = why


@dataclass(frozen=True, slots=True)
class Way:
    """How a server is reached. tls: of the server, if it is asked for https. proxy: a URL."""

    server: SplitResult
    tls: ssl.SSLContext | None
    proxy: str | None = None

    @property
    def host(self) -> str:
        """What the server is called in requests."""
        return self.server.netloc.rpartition("@")[2]

    @property
    def before_paths(self) -> str:
        """What stands before each path in requests: a proxy that passes on plain HTTP is told the whole address."""
        return f"http://{self.host}" if self.proxy and self.tls is None else ""


class Channels:
    """See the module's text. For one event loop."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._idle: list[Channel] = []
        """The one that was used last is the last."""
        self._all: set[Channel] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._scratch = memoryview(bytearray(SCRATCH))

    async def take(self, deadline: float, *, fresh: bool = False) -> Channel:
        """A connection that nobody else uses; a new one if none is kept, or fresh. It must be given back. TimeoutError
        at the deadline, by the event loop's clock, and whatever else making one raises.
        """
        channel = None if fresh else self._kept()
        if channel is None:
            async with asyncio.timeout_at(deadline):
                channel = await _connected(self._way, self._scratch)
            self._all.add(channel)
        return channel

    def give_back(self, channel: Channel) -> None:
        """Keeps a connection for the next, if its last answer was read to the end; otherwise it is closed."""
        if channel.may_stay and channel in self._all:
            self._keep(channel)
        else:
            self._all.discard(channel)
            channel.close()

    async def aclose(self) -> None:
        """Closes all connections."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for channel in self._all:
            channel.close()
        self._all.clear()
        self._idle.clear()
        for _ in range(2):  # in the first turn they are closed, in the second the event loop lets go of their sockets
            await asyncio.sleep(0)

    def _kept(self) -> Channel | None:
        oldest = asyncio.get_running_loop().time() - _KEPT_IDLE
        while self._idle:
            channel = self._idle.pop()
            if channel.is_open and channel.idle_since >= oldest:
                return channel
            self._all.discard(channel)
            channel.close()
        return None

    def _keep(self, channel: Channel) -> None:
        channel.idle_since = channel.loop.time()
        self._idle.append(channel)
        if self._timer is None:
            self._timer = channel.loop.call_later(_KEPT_IDLE, self._tidy)

    def _tidy(self) -> None:
        """Closes what was not used for long."""
        self._timer = None
        oldest = asyncio.get_running_loop().time() - _KEPT_IDLE
        for channel in self._idle:
            if channel.idle_since < oldest or not channel.is_open:
                self._all.discard(channel)
                channel.close()
        self._idle = [channel for channel in self._idle if channel in self._all]
        if self._idle:
            self._timer = self._idle[0].loop.call_later(_KEPT_IDLE / 2, self._tidy)


async def _connected(way: Way, scratch: memoryview) -> Channel:
    loop, make = asyncio.get_running_loop(), partial(Channel, scratch)
    host, port = way.server.hostname or "", way.server.port or (443 if way.tls is not None else 80)
    if way.proxy is None:
        name = host if way.tls is not None else None
        _, channel = await loop.create_connection(make, host, port, ssl=way.tls, server_hostname=name)
        return channel
    proxy = urlsplit(way.proxy)
    tls = ssl.create_default_context() if proxy.scheme == "https" else None
    there, its_port = proxy.hostname or "", proxy.port or (80 if tls is None else 443)
    where = f"{there}:{its_port}"
    try:
        name = None if tls is None else there
        _, channel = await loop.create_connection(make, there, its_port, ssl=tls, server_hostname=name)
    except OSError as error:
        raise ProxyFailed(where, error) from error
    if way.tls is None:
        return channel
    try:
        await _tunnel(channel, f"[{host}]:{port}" if ":" in host else f"{host}:{port}", authorization_of(proxy))
    except OSError as error:
        channel.close()
        raise ProxyFailed(where, error) from error
    except BaseException:
        channel.close()
        raise
    assert channel.transport is not None
    transport = await loop.start_tls(channel.transport, channel, way.tls, server_hostname=host)
    assert transport is not None
    channel.change(transport)
    return channel


async def _tunnel(channel: Channel, target: str, authorization: str) -> None:
    head = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"
    if authorization:
        head += f"Proxy-Authorization: {authorization}\r\n"
    status = await channel.ask(f"{head}\r\n".encode(), MOST_HEAD, is_stream=True).head()
    if status != 200:
        raise Broken(f"it answers {status}")


def authorization_of(url: SplitResult) -> str:
    """What name and password in a URL are in a header field; empty without any."""
    if url.username is None:
        return ""
    said = f"{unquote(url.username)}:{unquote(url.password or '')}"
    return f"Basic {b64encode(said.encode()).decode()}"
