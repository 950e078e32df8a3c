"""A sweep while volumes are made, moved and given up: in every order, nobody loses a directory or a record."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from berth.volumes.naming import record_path
from tests.volumes.bench import Bench
from tests.volumes.builders import Life, born, plan, release_plan, sweep
from tests.volumes.memory import MemoryShare


async def test_a_volume_that_is_moved_while_the_sweep_goes_on_keeps_its_record(share: Bench, lifecycle: Life) -> None:
    made = await born(share, content=b"x")
    is_there = True

    def has_pv(pv: str) -> bool:
        return is_there

    async def release() -> None:
        nonlocal is_there
        await lifecycle.release(release_plan(made, on_delete="delete"), share)
        is_there = False

    for turns in range(12):
        is_there = True
        lifecycle.has_pv = has_pv
        sweeping = asyncio.ensure_future(lifecycle.sweep(share))
        for _ in range(turns):
            await asyncio.sleep(0)
        await release()
        assert await sweeping == []
        assert await lifecycle.waiting_trash(share) == [made.pv]
        await lifecycle.purge(made.pv, share)
        await lifecycle.create(made, share)
        await share.write_file(f"{made.path}/content", b"x")


class Slow(MemoryShare):
    """A share that takes its time to write a record, and to remove a directory."""

    async def write_file(self, path: str, content: bytes, *, exclusive: bool = False) -> None:
        for _ in range(10):
            await asyncio.sleep(0)
        await super().write_file(path, content, exclusive=exclusive)

    async def remove_directory(self, path: str) -> bool:
        for _ in range(10):
            await asyncio.sleep(0)
        return await super().remove_directory(path)


@pytest.mark.parametrize("turns", range(-12, 24))
@pytest.mark.parametrize("path", ["x/same", "x/same/below"])
async def test_a_volume_that_is_made_while_its_place_is_removed_keeps_its_directory(
    lifecycle: Life, turns: int, path: str
) -> None:
    slow = Slow(plan().share)
    await lifecycle.create(plan("gone", parameters={"pathPattern": "x/same"}), slow)
    made = plan("new", parameters={"pathPattern": path})

    async def after(wait: int, work: Awaitable[object]) -> None:
        for _ in range(wait):
            await asyncio.sleep(0)
        await work

    await asyncio.gather(
        after(-turns, sweep(slow, by=lifecycle, claims=(made,))), after(turns, lifecycle.create(made, slow))
    )
    assert path in slow.tree()
    assert record_path(made.pv) in slow.tree()


async def test_the_process_that_made_an_orphan_tidies_it_away_too(share: Bench, lifecycle: Life) -> None:
    for path in ("", "x/y"):
        made = plan("gone", parameters={"pathPattern": path} if path else {})
        await lifecycle.create(made, share)
        assert await sweep(share, by=lifecycle) == []
        assert made.path not in share.tree()


@pytest.mark.parametrize("turns", range(14))
async def test_a_volume_that_is_made_while_an_orphan_of_its_path_is_swept_keeps_its_directory(
    share: Bench, lifecycle: Life, turns: int
) -> None:
    gone = await born(share, "gone", path="x/same")
    for path in ("x/same", "x/same/below"):
        made = plan("new", parameters={"pathPattern": path})
        sweeping = asyncio.ensure_future(sweep(share, by=lifecycle, claims=(made,)))
        for _ in range(turns):
            await asyncio.sleep(0)
        await lifecycle.create(made, share)
        await sweeping
        assert path in share.tree()
        assert record_path(made.pv) in share.tree()
        share.take_away("x")
        share.take_away(record_path(made.pv))
        await lifecycle.create(gone, share)


@pytest.mark.parametrize("turns", range(14))
async def test_a_claim_that_goes_while_its_volume_is_made_leaves_no_directory_without_a_record(
    share: Bench, lifecycle: Life, turns: int
) -> None:
    made = plan()
    creating = asyncio.ensure_future(lifecycle.create(made, share))
    for _ in range(turns):
        await asyncio.sleep(0)
    await sweep(share, by=lifecycle)
    await creating
    assert (made.path in share.tree()) is (record_path(made.pv) in share.tree())


async def test_a_volume_whose_pv_comes_while_its_record_is_read_stays(share: Bench, lifecycle: Life) -> None:
    made = await born(share)
    answers = iter([False, True])
    lifecycle.has_pv = lambda pv: next(answers)
    assert await lifecycle.sweep(share) == []
    assert made.path in share.tree()


async def test_a_record_that_goes_while_the_sweep_goes_on_is_no_obstacle(share: Bench, lifecycle: Life) -> None:
    made = await born(share)

    def has_pv(pv: str) -> bool:
        share.take_away(record_path(pv))
        return False

    lifecycle.has_pv = has_pv
    assert await lifecycle.sweep(share) == []
    assert made.path in share.tree()
