"""Keys are handed out once each, in order, by one worker at a time; delays and closing."""

from __future__ import annotations

import asyncio

import pytest

from berth.kube.backoff import Backoff
from berth.kube.workqueue import QueueClosed, QueueStatistics, WorkQueue
from tests.aio.virtual_time import run_virtual


async def take_all(queue: WorkQueue) -> list[str]:
    """What can be had without waiting."""
    keys = []
    while len(queue):
        keys.append(await queue.take())
    return keys


def test_first_come_first_served_and_nothing_twice() -> None:
    async def main() -> None:
        queue = WorkQueue("claims")
        for key in ("a", "b", "a", "c", "b"):
            queue.add(key)
        assert await take_all(queue) == ["a", "b", "c"]

    run_virtual(main())


def test_a_key_in_work_is_not_handed_to_a_second_worker_but_runs_again_afterwards() -> None:
    async def main() -> None:
        queue = WorkQueue("claims")
        queue.add("a")
        assert await queue.take() == "a"
        queue.add("a")
        queue.add("a")
        assert len(queue) == 0
        queue.done("a")
        assert await take_all(queue) == ["a"]
        queue.done("a")
        assert len(queue) == 0

    run_virtual(main())


def test_a_key_never_has_two_workers_whatever_is_added() -> None:
    async def main() -> None:
        queue = WorkQueue("claims")
        in_work: set[str] = set()
        runs = 0

        async def work() -> None:
            nonlocal runs
            while True:
                key = await queue.take()
                assert key not in in_work
                in_work.add(key)
                runs += 1
                await asyncio.sleep(3)
                in_work.remove(key)
                queue.done(key)

        workers = [asyncio.create_task(work()) for _ in range(8)]
        for number in range(400):
            queue.add(f"k{number % 5}")
            queue.add_after(f"k{number % 3}", number % 7)
            await asyncio.sleep(0.25)
        await asyncio.sleep(60)
        for worker in workers:
            worker.cancel()
        results = await asyncio.gather(*workers, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results)
        assert runs > 100
        assert queue.statistics() == QueueStatistics(waiting=0, delayed=0, working=0, failing=0)

    run_virtual(main())


def test_a_delayed_key_comes_when_it_is_due_and_of_two_delays_the_earlier_counts() -> None:
    async def main() -> None:
        queue = WorkQueue("claims")
        clock = asyncio.get_running_loop().time
        begin = clock()
        queue.add_after("a", 30)
        queue.add_after("a", 10)
        queue.add_after("a", 20)
        assert await queue.take() == "a"
        assert clock() - begin == pytest.approx(10)
        queue.done("a")
        await asyncio.sleep(60)
        assert len(queue) == 0

    run_virtual(main())


def test_a_change_overtakes_a_delay() -> None:
    async def main() -> None:
        queue = WorkQueue("claims")
        queue.add_after("a", 300)
        queue.add("a")
        assert await take_all(queue) == ["a"]
        queue.done("a")
        await asyncio.sleep(600)
        assert len(queue) == 0

    run_virtual(main())


def test_retries_of_a_key_slow_down_until_it_is_forgotten() -> None:
    async def main() -> None:
        queue = WorkQueue("claims", backoff=Backoff(first=1, limit=300))
        clock = asyncio.get_running_loop().time
        queue.add("a")
        assert await queue.take() == "a"
        waits = []
        for _ in range(12):
            begin = clock()
            promised = queue.retry("a")
            queue.done("a")
            assert await queue.take() == "a"
            waits.append(clock() - begin)
            assert waits[-1] == pytest.approx(promised)
        assert waits[0] <= 1
        assert 150 <= waits[-1] <= 300
        assert queue.failures("a") == 12
        assert queue.statistics().failing == 1
        queue.forget("a")
        assert queue.retry("a") <= 1
        assert queue.retry("b", at_least=7) == 7

    run_virtual(main())


def test_a_cancelled_taker_loses_no_key() -> None:
    async def main() -> None:
        queue = WorkQueue("claims")
        first = asyncio.create_task(queue.take())
        second = asyncio.create_task(queue.take())
        await asyncio.sleep(1)
        queue.add("a")
        first.cancel()  # it has been woken for `a` already, but has not run yet
        assert await second == "a"
        with pytest.raises(asyncio.CancelledError):
            await first

    run_virtual(main())


def test_after_close_nothing_is_handed_out_and_what_is_in_work_can_be_handed_back() -> None:
    async def main() -> None:
        queue = WorkQueue("claims")
        queue.add("a")
        assert await queue.take() == "a"
        takers = [asyncio.create_task(queue.take()) for _ in range(3)]
        await asyncio.sleep(1)
        queue.add_after("later", 5)
        queue.close()
        queue.add("b")
        queue.retry("a")
        queue.done("a")
        for taker in takers:
            with pytest.raises(QueueClosed):
                await taker
        with pytest.raises(QueueClosed):
            await queue.take()
        await asyncio.sleep(60)
        assert queue.statistics() == QueueStatistics(waiting=0, delayed=0, working=0, failing=1)

    run_virtual(main())


class Watching:
    def __init__(self) -> None:
        self.seen: list[tuple[object, ...]] = []

    def added(self, queue: str, depth: int) -> None:
        self.seen.append(("added", queue, depth))

    def started(self, queue: str, depth: int, waited: float) -> None:
        self.seen.append(("started", queue, depth, round(waited, 3)))

    def finished(self, queue: str, worked: float) -> None:
        self.seen.append(("finished", queue, round(worked, 3)))

    def retried(self, queue: str) -> None:
        self.seen.append(("retried", queue))


def test_an_observer_is_told_depth_and_durations() -> None:
    async def main() -> list[tuple[object, ...]]:
        watching = Watching()
        queue = WorkQueue("claims", observer=watching)
        queue.add("a")
        queue.add("b")
        await asyncio.sleep(2)
        key = await queue.take()
        await asyncio.sleep(3)
        queue.retry(key)
        queue.done(key)
        return watching.seen

    assert run_virtual(main()) == [
        ("added", "claims", 1),
        ("added", "claims", 2),
        ("started", "claims", 1, 2),
        ("retried", "claims"),
        ("finished", "claims", 3),
    ]


async def test_a_delay_of_nothing_is_one_like_any_other() -> None:
    queue = WorkQueue("claims")
    for seconds in (0.0, 0.0, 1e-4, 300.0):  # for the first two the event loop has another kind of handle
        queue.add_after("a", seconds)
    assert await queue.take() == "a"
    queue.done("a")
    queue.add_after("a", 300.0)
    queue.add_after("a", 0.0)
    assert await queue.take() == "a"
