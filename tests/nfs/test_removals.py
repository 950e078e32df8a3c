"""Many files removed in few calls: each is answered for itself, whatever becomes of the others."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import Any

import pytest

from berth.nfs import ROOT, Attributes, NfsNode, Status, Withheld
from berth.nfs.v3 import SessionV3
from berth.nfs.v4 import SessionV4
from berth.nfs.v4_removals import AT_ONCE
from berth.nfs.xdr import Reader, hyper, opaque, uint

TOP = NfsNode(b"top!", Attributes("directory", 0o755, 0, 0, 0, 1))
PUT, REMOVE = 22, 28
NAMES = [f"file-{number:03}" for number in range(40)]


class Server:
    """Stands for the connection: takes calls and answers in bytes, as servers of both versions do."""

    def __init__(self, statuses: dict[str, int], *, longest: int = 100, is_gone: bool = False) -> None:
        self.statuses = statuses
        self.longest = longest
        self.is_gone = is_gone
        self.removed: list[str] = []
        self.calls = 0
        self.guarded = 0

    async def call(
        self,
        procedure: int,
        arguments: bytes,
        decode: Callable[[Reader], Any],
        identity: object,
        *,
        again: float | None = None,
        guarded: bool = False,
    ) -> Any:
        self.calls += 1
        self.guarded += guarded
        await asyncio.sleep(0)
        reader = Reader(arguments)
        if procedure == 12:  # of NFSv3: REMOVE
            reader.opaque()
            return decode(Reader(uint(self._remove(reader.opaque().decode()))))
        return decode(Reader(self._compound(reader)))

    def _compound(self, reader: Reader) -> bytes:
        reader.opaque()
        reader.uint()
        count = reader.uint()
        if count > self.longest:
            return uint(Status.RESOURCE) + opaque(b"") + uint(0)
        results: list[bytes] = []
        status = 0
        while len(results) < count and not status:
            number = reader.uint()
            word = reader.opaque()
            status = (Status.STALE if self.is_gone else 0) if number == PUT else self._remove(word.decode())
            done = struct.pack(">I", 0) + hyper(1) + hyper(2) if number == REMOVE and not status else b""
            results.append(uint(number) + uint(status) + done)
        return uint(status) + opaque(b"") + uint(len(results)) + b"".join(results)

    def _remove(self, name: str) -> int:
        if name not in self.statuses:
            self.removed.append(name)
        return self.statuses.get(name, 0)


def open_session(version: int, server: Server) -> Any:
    connection: Any = server
    return SessionV3(connection, TOP) if version == 3 else SessionV4(connection, TOP)


async def removed(version: int, server: Server, names: list[str] = NAMES) -> list[int]:
    answers = await open_session(version, server).remove_files(TOP.handle, names, ROOT)
    return [0 if error is None else error.code for error in answers]


@pytest.mark.parametrize("version", [3, 4])
async def test_each_is_answered_for_itself(version: int) -> None:
    statuses = {NAMES[0]: Status.PERM, NAMES[7]: Status.DELAY, NAMES[8]: Status.NOENT, NAMES[39]: Status.IO}
    server = Server(dict(statuses))
    assert await removed(version, server) == [statuses.get(name, 0) for name in NAMES]
    assert sorted(server.removed) == [name for name in NAMES if name not in statuses]
    assert server.guarded == server.calls


@pytest.mark.parametrize(("version", "calls"), [(3, 40), (4, -(-40 // AT_ONCE))])
async def test_over_v4_many_go_in_one_call(version: int, calls: int) -> None:
    server = Server({})
    assert not any(await removed(version, server))
    assert server.calls == calls


@pytest.mark.parametrize("longest", [9, 3, 2])
async def test_a_server_that_takes_short_compounds_only_gets_shorter_ones_from_then_on(longest: int) -> None:
    server = Server({}, longest=longest)
    session = open_session(4, server)
    assert await session.remove_files(TOP.handle, NAMES, ROOT) == [None] * 40
    assert sorted(server.removed) == NAMES
    before = server.calls
    await session.remove_files(TOP.handle, NAMES[: longest // 2], ROOT)
    assert server.calls - before == 1


async def test_a_server_without_any_resources_is_an_error_and_no_loop() -> None:
    assert await removed(4, Server({}, longest=1)) == [Status.RESOURCE] * 40


async def test_a_directory_that_is_gone_is_the_answer_for_all() -> None:
    server = Server({}, is_gone=True)
    assert await removed(4, server) == [Status.STALE] * 40
    assert server.calls == 1


@pytest.mark.parametrize("version", [3, 4])
async def test_what_ends_a_call_ends_all(version: int) -> None:
    class Holding(Server):
        def _remove(self, name: str) -> int:
            if name == NAMES[20]:
                raise Withheld("another one leads")
            return super()._remove(name)

    with pytest.raises(Withheld):
        await removed(version, Holding({}))


async def test_nothing_is_left_under_way_by_a_cancellation() -> None:
    class Silent(Server):
        waiting = 0

        async def call(self, *_: object, **__: object) -> Any:
            self.waiting += 1
            try:
                await asyncio.Event().wait()
            finally:
                self.waiting -= 1

    server = Silent({})
    removing = asyncio.create_task(removed(3, server))
    while server.waiting < len(NAMES):  # noqa: ASYNC110 - the calls under way set no event
        await asyncio.sleep(0)
    removing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await removing
    assert server.waiting == 0
