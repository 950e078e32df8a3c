"""How many sessions are kept while nobody uses them, whatever the number of shares."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing
from typing import cast

import pytest

from berth.nfs import Session
from berth.shares.direct.session_cache import SessionCache, Unused


class Line:
    """As much of a session as a cache looks at."""

    calls = 0

    def __init__(self) -> None:
        self.is_open = True

    def close(self) -> None:
        self.is_open = False


class Server:
    """Makes sessions; knows which of them are open."""

    def __init__(self) -> None:
        self.made: list[Line] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def dial(self) -> Session:
        await self.may_answer.wait()
        self.made.append(Line())
        return cast("Session", self.made[-1])

    @property
    def open(self) -> list[int]:
        return [number for number, line in enumerate(self.made) if line.is_open]


async def use(*caches: SessionCache) -> None:
    for cache in caches:
        async with cache.lend():
            pass


async def test_of_many_shares_those_used_last_keep_their_sessions() -> None:
    server, unused = Server(), Unused(most=2)
    caches = [SessionCache(server.dial, idle=60, unused=unused) for _ in range(4)]
    await use(*caches)
    assert server.open == [2, 3]
    await use(caches[2], caches[0])  # the third has one still, the first needs a new one
    assert len(server.made) == 5
    assert server.open == [2, 4]
    for cache in caches:
        await cache.aclose()
    assert server.open == []


async def test_what_is_used_is_never_closed_for_others() -> None:
    server, unused = Server(), Unused(most=1)
    caches = [SessionCache(server.dial, idle=60, unused=unused) for _ in range(5)]
    async with AsyncExitStack() as stack:
        for cache in caches:
            stack.push_async_callback(cache.aclose)
        async with caches[0].lend(), caches[1].lend():
            await use(*caches)
            assert server.open == [0, 1, 4]
        assert len(server.open) == 1


async def test_a_session_that_nobody_waits_for_any_more_is_counted_too() -> None:
    server, unused = Server(), Unused(most=1)
    one, other = (SessionCache(server.dial, idle=60, unused=unused) for _ in range(2))
    async with aclosing(one), aclosing(other):
        server.may_answer.clear()
        asking = asyncio.create_task(one.take())
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        one.give_back()
        server.may_answer.set()
        await use(other)
        assert len(server.made) == 2
        assert len(server.open) == 1
