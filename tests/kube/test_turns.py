"""What is done for all objects of a cache is done in turns of a bounded number of them: others never wait long."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest
from lightkube.resources.core_v1 import ConfigMap

from berth.aio.slices import TURN
from berth.kube.informer import Informer
from tests.fake_api.api import FakeApi

OBJECTS = 20 * TURN


class Turns:
    """Counts what handlers are told in each turn of the loop."""

    def __init__(self) -> None:
        self.now = 0
        self.told: Counter[int] = Counter()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(0)
            self.now += 1

    def note(self, old: ConfigMap | None, new: ConfigMap | None) -> None:
        self.told[self.now] += 1

    @property
    def longest(self) -> int:
        return max(self.told.values())


def put(api: FakeApi, number: int) -> None:
    meta = {"name": f"c{number}", "namespace": "team"}
    api.cluster.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})


async def listed(api: FakeApi, turns: Turns) -> None:
    informer = Informer(api, ConfigMap, page_size=5 * TURN)
    informer.add_handler(turns.note)
    task = asyncio.create_task(informer.run())
    await informer.wait_synced()
    task.cancel()


async def introduced(api: FakeApi, turns: Turns) -> None:
    informer = Informer(api, ConfigMap)
    task = asyncio.create_task(informer.run())
    await informer.wait_synced()
    await informer.introduce(turns.note)
    task.cancel()


async def resynced(api: FakeApi, turns: Turns) -> None:
    informer = Informer(api, ConfigMap, resync=0.01)
    task = asyncio.create_task(informer.run())
    await informer.wait_synced()
    informer.add_handler(turns.note)
    async with asyncio.timeout(60):
        while turns.told.total() < OBJECTS:  # noqa: ASYNC110 - a resync tells no one else that it is through
            await asyncio.sleep(0)
    task.cancel()


async def gone(api: FakeApi, turns: Turns) -> None:
    """All that was there is not there any more when it is listed again."""
    informer = Informer(api, ConfigMap)
    task = asyncio.create_task(informer.run())
    await informer.wait_synced()
    task.cancel()
    for number in range(OBJECTS):
        api.cluster.drop("ConfigMap", f"c{number}", "team")
    informer.add_handler(turns.note)
    await informer._list()


@pytest.mark.parametrize("minor", ["20", "34"])
@pytest.mark.parametrize("work", [listed, introduced, resynced, gone])
def test_no_turn_is_longer_than_a_slice(work: Callable[[FakeApi, Turns], Awaitable[None]], minor: str) -> None:
    async def main() -> None:
        api, turns = FakeApi(), Turns()
        api.cluster.release = ("1", minor)
        for number in range(OBJECTS):
            put(api, number)
        counting = asyncio.create_task(turns.run())
        await work(api, turns)
        counting.cancel()
        assert turns.told.total() >= OBJECTS
        assert turns.longest <= TURN

    asyncio.run(main())
