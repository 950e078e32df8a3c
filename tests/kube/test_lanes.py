"""Lanes of a queue: served in turn, and none holds so many workers that others find none."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable

import pytest

from berth.kube.workqueue import QueueStatistics, WorkQueue
from tests.aio.virtual_time import run_virtual

Work = Callable[[str], float]
"""Seconds that a key takes."""


def lane_of(key: str) -> str:
    return key.partition("/")[0]


DEAD = frozenset({"lane3", "lane50", "lane99"})


class Pool:
    """Workers of one queue, and what they were seen to do."""

    def __init__(self, workers: int, work: Work) -> None:
        self.queue = WorkQueue("claims", lane=lane_of)
        self.queue.workers = workers
        self.held: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.taken: dict[str, float] = {}
        """When each key was taken first."""
        self.done: list[str] = []
        self._work = work

    async def worker(self) -> None:
        while True:
            key = await self.queue.take()
            lane = lane_of(key)
            self.held[lane] += 1
            self.most[lane] = max(self.most[lane], self.held[lane])
            self.taken.setdefault(key, asyncio.get_running_loop().time())
            await asyncio.sleep(self._work(key))
            self.held[lane] -= 1
            self.done.append(key)
            self.queue.done(key)


def with_pool(workers: int, work: Work, main: Callable[[Pool], Awaitable[None]]) -> Pool:
    async def run() -> Pool:
        pool = Pool(workers, work)
        tasks = [asyncio.create_task(pool.worker()) for _ in range(workers)]
        await asyncio.sleep(0)
        await main(pool)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return pool

    return run_virtual(run())


async def settle(pool: Pool) -> None:
    while pool.queue.statistics() != QueueStatistics(0, 0, 0, 0):  # noqa: ASYNC110 - the queue sets no event
        await asyncio.sleep(0.1)


def test_lanes_are_served_in_turn_and_each_in_its_order() -> None:
    async def main() -> list[str]:
        queue = WorkQueue("claims", lane=lane_of)
        for key in ("a/1", "a/2", "a/3", "b/1", "b/2", "c/1"):
            queue.add(key)
        return [await queue.take() for _ in range(6)]

    assert run_virtual(main()) == ["a/1", "b/1", "c/1", "a/2", "b/2", "a/3"]


@pytest.mark.parametrize("slow_lanes", [1, 3, 5])
def test_a_slow_lane_delays_only_its_own(slow_lanes: int) -> None:
    async def main(pool: Pool) -> None:
        for number in range(160):
            for lane in range(slow_lanes):
                pool.queue.add(f"slow{lane}/{number}")
        await asyncio.sleep(20)
        for number in range(50):
            pool.queue.add(f"quick/{number}")
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(5)
        assert all(pool.taken[f"quick/{number}"] - began < 2 for number in range(50))
        await settle(pool)

    pool = with_pool(32, lambda key: 9.0 if key.startswith("slow") else 0.01, main)
    assert len(pool.done) == 160 * slow_lanes + 50


def test_of_a_hundred_lanes_three_that_hang_cost_the_others_next_to_nothing() -> None:
    """All at once, then one claim after another: those of the living wait at most 0.1 s more than without the dead."""

    def waits(dead: frozenset[str]) -> list[float]:
        added: dict[str, float] = {}

        async def main(pool: Pool) -> None:
            chance, clock = random.Random(1), asyncio.get_running_loop().time

            def add(lane: int, number: object) -> None:
                key = f"lane{lane}/{number}"
                added[key] = clock()
                pool.queue.add(key)

            for number in range(5):
                for lane in range(100):
                    add(lane, number)
            for number in range(600):
                await asyncio.sleep(0.05)
                add(chance.randrange(100), f"later-{number}")
            await asyncio.sleep(1)

        pool = with_pool(32, lambda key: 10.0 if lane_of(key) in dead else 0.03, main)
        return [pool.taken[key] - when for key, when in added.items() if lane_of(key) not in DEAD]

    with_dead, without = waits(DEAD), waits(frozenset())
    assert max(more - less for more, less in zip(with_dead, without, strict=True)) <= 0.1


def test_a_quick_lane_that_is_alone_has_nearly_all_workers() -> None:
    async def main(pool: Pool) -> None:
        for number in range(1000):
            pool.queue.add(f"quick/{number}")
        began = asyncio.get_running_loop().time()
        await settle(pool)
        assert asyncio.get_running_loop().time() - began < 1000 * 0.1 / 26

    assert with_pool(32, lambda _: 0.1, main).most == {"quick": 28}


def test_a_lane_that_begins_to_hang_while_it_has_nearly_all_workers_leaves_the_rest() -> None:
    hangs = False

    async def main(pool: Pool) -> None:
        nonlocal hangs
        for number in range(1000):
            pool.queue.add(f"a/{number}")
        await asyncio.sleep(1)
        hangs = True
        await asyncio.sleep(1)
        pool.queue.add("b/1")
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(2)
        assert pool.taken["b/1"] == began
        assert "b/1" in pool.done

    with_pool(32, lambda key: 60.0 if hangs and key.startswith("a/") else 0.05, main)


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 32])
def test_every_key_is_served_whatever_the_lanes_and_by_one_worker(workers: int) -> None:
    chance = random.Random(workers)
    in_work: defaultdict[str, int] = defaultdict(int)

    def work(key: str) -> float:
        in_work[key] += 1
        return chance.choice((0.0, 0.01, 0.9, 1.5, 10.0))

    async def main(pool: Pool) -> None:
        wanted: Counter[str] = Counter()
        for _ in range(300):
            key = f"{chance.randrange(6)}/{chance.randrange(40)}"
            wanted[key] += 1
            if chance.random() < 0.3:
                pool.queue.add_after(key, chance.uniform(0, 30))
            else:
                pool.queue.add(key)
            await asyncio.sleep(chance.choice((0, 0, 0.1, 1)))
        await settle(pool)
        assert set(pool.done) == set(wanted)

    pool = with_pool(workers, work, main)
    assert Counter(pool.done) == in_work
    assert workers < 2 or max(pool.most.values()) < workers  # nobody takes the last one from the others


def test_a_key_that_changes_its_lane_while_it_waits_or_is_worked_on_is_served_as_before() -> None:
    async def main() -> None:
        lanes = {"k": "a"}
        queue = WorkQueue("claims", lane=lambda key: lanes[key])
        queue.workers = 4
        queue.add("k")
        lanes["k"] = "b"
        assert await queue.take() == "k"
        queue.add("k")
        queue.done("k")
        assert await queue.take() == "k"
        queue.done("k")
        assert queue.statistics() == QueueStatistics(0, 0, 0, 0)

    run_virtual(main())
