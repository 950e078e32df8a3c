"""A take-over and the way back, which fail, are cancelled or killed at each change that they make, and are run again:
never are two at work on one name, and never is it unknown who serves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from berth.kube.errors import KubeError, Unreachable
from berth.objects.translation import FINALIZER
from berth.operations.errors import Stopped
from tests.operations.takeover.things import NAME
from tests.operations.takeover.town import BERTH, OLD, Town, nothing

Work = Callable[[Town], Awaitable[object]]
Happens = Callable[[Town, int], None]


async def take_over(town: Town) -> object:
    return await town.take_over()


async def go_back(town: Town) -> object:
    return await town.revert()


def refuse() -> None:
    raise Unreachable("patch", "http://api.invalid", "connection refused")


def refused(town: Town, at: int) -> None:
    """The API server does not answer, once."""
    town.on_write = lambda number: refuse() if number == at else None


def unheard(town: Town, at: int) -> None:
    """The change is made, and nobody hears of it."""
    town.on_written = lambda number: refuse() if number == at else None


def cancelled(town: Town, at: int) -> None:
    """Ctrl-C."""
    task = asyncio.current_task()
    assert task is not None
    town.on_write = lambda number: task.cancel() if number == at else None


def killed(town: Town, at: int) -> None:
    """Nothing gets through any more: neither the change, nor what would put things right."""
    town.on_write = lambda number: refuse() if number >= at else None


async def run_into(town: Town, work: Work, what: Happens, at: int) -> bool:
    """Whether there was an at-th change, at which something happened."""

    async def do() -> None:
        what(town, at)
        await work(town)

    town.writes.clear()
    with suppress(KubeError, Stopped, asyncio.CancelledError):
        await asyncio.create_task(do())
    town.on_write = town.on_written = nothing
    return len(town.writes) >= at


@pytest.mark.parametrize("what", [refused, unheard, cancelled])
async def test_a_take_over_that_ends_early_is_undone_or_serves_and_the_next_one_goes_on(
    what: Happens,
) -> None:
    at, ends = 0, set()
    while await run_into(town := Town(), take_over, what, at := at + 1):
        assert town.is_as_before or town.is_taken_over, (at, town.writes[-1])
        ends.add(town.is_as_before)
        (done,) = await town.take_over()
        assert town.is_taken_over
        assert town.is_settled, (at, town.writes[-1])
        assert (done.volumes, done.checked, done.lost) == (2, 2, ())
        assert len(town.records()) == 2
        assert town.overlaps == []
    assert at > 20, town.writes
    assert ends == {True, False}


async def test_a_take_over_that_is_killed_is_gone_on_with_or_put_back_by_the_next_one() -> None:
    at, ends = 0, set()
    while await run_into(town := Town(), take_over, killed, at := at + 1):
        ends.add((town.replicas(OLD), NAME in town.names_of_berth))
        await town.take_over()
        assert town.is_taken_over
        assert town.is_settled, (at, town.writes[-1])
        assert town.overlaps == []
    assert ends == {(1, False), (0, False), (0, True)}


async def test_who_cancels_once_more_ends_it_at_once_and_the_next_run_puts_things_right() -> None:
    town = Town()
    task = asyncio.create_task(town.take_over())
    changes = iter([False] * 14)
    town.on_write = lambda _: next(changes, True) and task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert town.steps[-1].stage == "between"
    assert (town.replicas(OLD), town.names_of_berth) == (0, ("nfs.berth.io",))
    town.on_write = nothing
    await town.take_over()
    assert town.is_taken_over


@pytest.mark.parametrize("what", [refused, unheard, cancelled, killed])
async def test_a_way_back_that_ends_early_is_gone_on_with(what: Happens) -> None:
    at = 0
    while True:
        town = Town()
        await town.take_over()
        town.change("PersistentVolume", town.add_volume(3), {"metadata": {"finalizers": [FINALIZER]}})
        if not await run_into(town, go_back, what, at := at + 1):
            break
        await town.revert()
        assert town.is_as_before
        assert (town.replicas(BERTH), town.records(), town.overlaps) == (0, [], [])
        assert not any(each["metadata"].get("finalizers") for each in town.pvs())
    assert at > 3
