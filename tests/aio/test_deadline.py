"""A deadline ends what it surrounds, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from berth.aio.deadline import Deadline
from tests.aio.virtual_time import run_virtual


def test_what_ends_in_time_is_left_alone() -> None:
    async def main() -> None:
        with Deadline(10):
            await asyncio.sleep(9)
        await asyncio.sleep(100)  # it would be cancelled here
        with pytest.raises(KeyError), Deadline(60):
            raise KeyError

    run_virtual(main())


async def test_what_takes_longer_is_a_timeout_and_the_task_goes_on() -> None:
    with pytest.raises(TimeoutError), Deadline(0.0):
        await asyncio.Event().wait()
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()
    await asyncio.sleep(0)


async def test_only_the_deadline_that_passed_is_told() -> None:
    with Deadline(60):
        with pytest.raises(TimeoutError), Deadline(0.0):
            await asyncio.Event().wait()
        await asyncio.sleep(0)
    with pytest.raises(TimeoutError), Deadline(0.0), Deadline(60):
        await asyncio.Event().wait()


@pytest.mark.parametrize("seconds", [60.0, 0.0])
async def test_a_cancellation_from_elsewhere_stays_one(seconds: float) -> None:
    async def wait() -> None:
        with Deadline(seconds):
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    if not seconds:
        await asyncio.sleep(0)
        task.cancel()  # while it ends because of its deadline, or because of the first
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_an_error_on_the_way_out_is_told_instead() -> None:
    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise KeyError from None

    with pytest.raises(KeyError), Deadline(0.0):
        await wait()
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()
