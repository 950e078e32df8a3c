"""A man in the middle of a controller's two conversations, with the API server and with the NFS server.

He passes on everything, counts what changes something on either side (Events aside), and strikes at the n-th change:
it is not passed on and the controller is killed, or it is passed on and its answer is lost. He also keeps back what a
test asks him to (holds.py). The product knows nothing of it.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from devcluster.cluster import DevCluster
from devcluster.ganesha import GaneshaServer
from devcluster.ports import free_loopback_address, free_ports
from tests.e2e.holds import Hold
from tests.e2e.nfs_calls import change_in, transaction

_CHANGING = (b"POST ", b"PUT ", b"PATCH ", b"DELETE ")
_LAST_FRAGMENT = 0x80000000

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Cut(Exception):  # noqa: N818
    """The conversation ends here."""


class Wire:
    """Use it with `with`. Its own thread does the work, so it goes on while a test waits."""

    def __init__(self, cluster: DevCluster, nfs: GaneshaServer) -> None:
        self.host = free_loopback_address()
        """Where the NFS server seems to be."""
        self._nfs = nfs
        api = urlsplit(cluster.server_url)
        self._api = (api.hostname or "", api.port or 443)
        pki = cluster.directory / "pki"
        self._to_api = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        self._as_api = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._as_api.load_cert_chain(pki / "apiserver.crt", pki / "apiserver.key")
        self._port, self._mountport = free_ports(2, self.host)
        (self._api_port,) = free_ports(1)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire", daemon=True)
        self._lock = threading.Lock()
        self._left = 0
        self._struck = False
        self._kill: Callable[[], None] | None = None
        self._seen: list[str] = []
        self._calls: list[str] = []
        self._holds: list[Hold] = []
        self.problems: list[BaseException] = []
        """What went wrong with the wire itself."""

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        assert not self.problems, self.problems

    def kubeconfig(self, account: Path) -> Path:
        """The same account's kubeconfig, by way of the wire."""
        config = json.loads(account.read_text())
        config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{self._api_port}"
        path = account.with_name(f"{account.stem}-wire-{self._api_port}.kubeconfig")
        path.touch(mode=0o600)
        path.write_text(json.dumps(config))
        return path

    def mount_options(self, version: str) -> list[str]:
        """Those of a class whose server is this wire's host."""
        mountport = [f"mountport={self._mountport}"] if version == "3" else []
        return [f"nfsvers={version}", f"port={self._port}", *mountport]

    def arm(self, at: int, *, kill: Callable[[], None] | None = None) -> None:
        """Strikes at the at-th change from now on: kill is called in its place, or, without one, its answer is lost."""
        with self._lock:
            self._left, self._kill, self._struck, self._seen = at, kill, False, []

    @property
    def has_struck(self) -> bool:
        """Whether the change that was waited for has come, and was struck. No other is until arm is called again."""
        with self._lock:
            return self._struck

    @property
    def seen(self) -> list[str]:
        """The changes since arm, in order."""
        with self._lock:
            return list(self._seen)

    @property
    def calls(self) -> list[str]:
        """All calls to the NFS server so far: what each changes, empty where that is nothing."""
        with self._lock:
            return list(self._calls)

    def hold(self, fits: Callable[[str], bool]) -> Hold:
        """Keeps back what fits, from now on. A message is `PUT /apis/…`, `answer to PATCH /api/…`, or, of the NFS call
        that is calls[3], `answer to call 3`.
        """
        hold = Hold(self._loop, fits)
        self._holds.append(hold)
        return hold

    async def _hold_back(self, message: str) -> None:
        for hold in list(self._holds):
            await hold.pass_by(message)

    def _count(self, change: str) -> bool:
        """Whether the answer to this change is to be lost. _Cut when it must not even be passed on."""
        with self._lock:
            self._seen.append(change)
            if self._left == 0:
                return False
            self._left -= 1
            if self._left:
                return False
            if self._kill is not None:
                self._kill()
            self._struck = True
            if self._kill is not None:
                raise _Cut
        return True

    async def _listen(self) -> None:
        api = await asyncio.start_server(self._serve_api, "127.0.0.1", self._api_port, ssl=self._as_api)
        nfs = await asyncio.start_server(self._serve_nfs, self.host, self._port)
        mountd = await asyncio.start_server(self._serve_mountd, self.host, self._mountport)
        self._servers = (api, nfs, mountd)

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve_api(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(*self._api, ssl=self._to_api)
        is_lost, asked = asyncio.Event(), [""]
        await self._converse(
            (reader, writer),
            there,
            self._pass_requests(reader, there[1], is_lost, asked),
            _pass(there[0], writer, is_lost, lambda: self._hold_back(f"answer to {asked[0]}")),
        )

    async def _serve_nfs(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(self._nfs.host, self._nfs.port)
        lost: set[int] = set()
        numbers: dict[int, int] = {}
        await self._converse(
            (reader, writer),
            there,
            self._pass_calls(reader, there[1], lost, numbers),
            self._pass_replies(there[0], writer, lost, numbers),
        )

    async def _serve_mountd(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(self._nfs.host, self._nfs.mountport)
        never = asyncio.Event()
        await self._converse((reader, writer), there, _pass(reader, there[1], never), _pass(there[0], writer, never))

    async def _converse(self, here: Stream, there: Stream, asking: Awaitable[None], answering: Awaitable[None]) -> None:
        """Runs both directions until one of them ends, and closes both connections at once."""
        tasks = {asyncio.ensure_future(asking), asyncio.ensure_future(answering)}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                expected = (_Cut, OSError, EOFError, asyncio.CancelledError)
                if isinstance(outcome, BaseException) and not isinstance(outcome, expected):
                    self.problems.append(outcome)
            for _, writer in (here, there):
                writer.transport.abort()

    async def _pass_requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_lost: asyncio.Event, asked: list[str]
    ) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.split(b"\r\n")
            fields = (line.partition(b":") for line in lines[1:])
            length = next((int(value) for name, _, value in fields if name.lower() == b"content-length"), 0)
            body = await reader.readexactly(length)
            method, target, _ = lines[0].decode().split(" ", 2)
            asked[0] = f"{method} {target}"
            await self._hold_back(asked[0])
            if head.startswith(_CHANGING) and "/events" not in target and self._count(f"{method} {target}"):
                is_lost.set()
            writer.write(head + body)
            await writer.drain()

    async def _pass_calls(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: set[int], numbers: dict[int, int]
    ) -> None:
        while True:
            raw, call = await _record(reader)
            change = change_in(call)
            with self._lock:
                numbers[transaction(call)] = len(self._calls)
                self._calls.append(change)
            if change and self._count(change):
                lost.add(transaction(call))
            writer.write(raw)
            await writer.drain()

    async def _pass_replies(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: set[int], numbers: dict[int, int]
    ) -> None:
        while True:
            raw, reply = await _record(reader)
            if transaction(reply) in lost:
                raise _Cut
            await self._hold_back(f"answer to call {numbers.get(transaction(reply))}")
            writer.write(raw)
            await writer.drain()


async def _pass(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    is_lost: asyncio.Event,
    hold_back: Callable[[], Awaitable[None]] | None = None,
) -> None:
    while data := await reader.read(65536):
        if is_lost.is_set():
            raise _Cut
        if hold_back is not None:
            await hold_back()
        writer.write(data)
        await writer.drain()


async def _record(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """One RPC message, as it came and without its marks."""
    raw, message = b"", b""
    while True:
        mark = await reader.readexactly(4)
        size = int.from_bytes(mark, "big")
        fragment = await reader.readexactly(size & ~_LAST_FRAGMENT)
        raw += mark + fragment
        message += fragment
        if size & _LAST_FRAGMENT:
            return raw, message
