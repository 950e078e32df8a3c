"""Threads for calls that may hang."""

from __future__ import annotations

import asyncio
import threading

import pytest

from berth.shares.threads import Stuck, Threads
from tests.shares.watch import threads


async def test_calls_run_side_by_side_up_to_the_size() -> None:
    pool = Threads("side by side", 3)
    together = threading.Barrier(3)
    assert sorted(await asyncio.gather(*(pool.run(lambda: together.wait(10)) for _ in range(6)))) == [0, 0, 1, 1, 2, 2]
    assert len(threads("side by side")) == 3
    pool.close()


async def test_what_a_call_raises_comes_out() -> None:
    pool = Threads("raising", 1)
    with pytest.raises(ZeroDivisionError):
        await pool.run(lambda: 1 // 0)
    assert await pool.run(lambda: 7) == 7
    pool.close()


async def test_given_up_calls_keep_their_threads_until_they_come_back() -> None:
    pool, release = Threads("stuck", 2), threading.Event()
    for _ in range(2):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await pool.run(release.wait)
    assert pool.stuck == 2
    with pytest.raises(Stuck):
        await pool.run(lambda: None)
    release.set()
    async with asyncio.timeout(10):
        while pool.stuck:  # noqa: ASYNC110 - set by a thread
            await asyncio.sleep(0.01)
    assert await pool.run(lambda: "free") == "free"
    assert len(threads("stuck")) == 2
    pool.close()


async def test_a_call_given_up_before_its_turn_is_never_made() -> None:
    pool, release, made = Threads("queue", 1), threading.Event(), []
    first = asyncio.create_task(pool.run(release.wait))
    await asyncio.sleep(0)
    second = asyncio.create_task(pool.run(lambda: made.append("second")))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.sleep(0)
    release.set()
    await first
    await pool.run(lambda: made.append("third"))
    assert made == ["third"]
    assert pool.stuck == 0
    pool.close()


async def test_closing_ends_the_threads() -> None:
    pool = Threads("closing", 4)
    await asyncio.gather(*(pool.run(lambda: None) for _ in range(8)))
    pool.close()
    async with asyncio.timeout(10):
        while threads("closing"):  # noqa: ASYNC110 - they set no event
            await asyncio.sleep(0.01)
    with pytest.raises(RuntimeError, match="closed"):
        await pool.run(lambda: None)
