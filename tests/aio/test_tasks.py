"""Named tasks: the first unexpected end ends the group and names the task; a good end has an order."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from berth.aio.tasks import TaskEnded, Tasks
from tests.aio.virtual_time import run_virtual


async def forever() -> None:
    await asyncio.Event().wait()


async def crash_after(seconds: float) -> None:
    await asyncio.sleep(seconds)
    raise OSError("disk on fire")


async def end_after(seconds: float) -> None:
    await asyncio.sleep(seconds)


def test_a_crash_ends_the_body_and_is_named() -> None:
    async def main() -> None:
        async with Tasks() as tasks:
            tasks.start("steady", forever())
            tasks.start("shaky", crash_after(5))
            await forever()

    with pytest.raises(TaskEnded, match="task 'shaky' failed: OSError: disk on fire") as caught:
        run_virtual(main())
    assert caught.value.name == "shaky"
    assert isinstance(caught.value.__cause__, OSError)


def test_a_return_is_an_unexpected_end_too() -> None:
    async def main() -> None:
        async with Tasks() as tasks:
            tasks.start("short", end_after(1))
            await forever()

    with pytest.raises(TaskEnded, match="task 'short' ended, but should have run for ever"):
        run_virtual(main())


def test_a_crash_is_raised_even_if_the_body_ends_at_the_same_time() -> None:
    async def main() -> None:
        body_ends = asyncio.Event()

        async def crash() -> None:
            await asyncio.sleep(1)
            body_ends.set()
            raise OSError("disk on fire")

        async with Tasks() as tasks:
            tasks.start("shaky", crash())
            await body_ends.wait()

    with pytest.raises(TaskEnded, match="shaky"):
        run_virtual(main())


def test_after_a_crash_the_others_are_cancelled_at_once_and_not_asked_to_finish() -> None:
    asked: list[str] = []
    ended: dict[str, float] = {}

    async def note_end(name: str) -> None:
        try:
            await forever()
        finally:
            ended[name] = asyncio.get_running_loop().time()

    async def ask() -> None:
        asked.append("worker")
        await asyncio.sleep(3)

    async def main() -> float:
        begin = asyncio.get_running_loop().time()
        with contextlib.suppress(TaskEnded):
            async with Tasks() as tasks:
                tasks.start("worker", note_end("worker"), stop=ask)
                tasks.start("lease", crash_after(5))
                await forever()
        return begin

    begin = run_virtual(main())
    assert asked == []
    assert ended["worker"] == begin + 5


def test_leaving_stops_the_last_one_started_first_and_lets_each_finish() -> None:
    log: list[str] = []

    async def work(name: str) -> None:
        try:
            await forever()
        finally:
            log.append(f"{name} cancelled")

    async def finish(name: str) -> None:
        log.append(f"{name} finishing")
        await asyncio.sleep(2)

    async def main() -> None:
        async with Tasks(grace=30) as tasks:
            tasks.start("informer", work("informer"))
            tasks.start("events", work("events"), stop=lambda: finish("events"))
            tasks.start("loop", work("loop"), stop=lambda: finish("loop"))
            await asyncio.sleep(1)

    run_virtual(main())
    assert log == [
        "loop finishing",
        "loop cancelled",
        "events finishing",
        "events cancelled",
        "informer cancelled",
    ]


def test_a_task_that_ends_while_it_finishes_is_no_failure() -> None:
    async def main() -> None:
        stopping = asyncio.Event()

        async def work() -> None:
            await stopping.wait()

        async def stop() -> None:
            stopping.set()

        async with Tasks() as tasks:
            tasks.start("loop", work(), stop=stop)
            await asyncio.sleep(1)

    run_virtual(main())


def test_all_together_have_the_grace_and_each_a_second_at_least() -> None:
    times: list[float] = []

    async def main() -> None:
        clock = asyncio.get_running_loop().time
        try:
            async with Tasks(grace=20) as tasks:
                tasks.start("quick", forever(), stop=lambda: asyncio.sleep(0.5))
                tasks.start("hung 1", forever(), stop=forever)
                tasks.start("hung 2", forever(), stop=forever)
                times.append(clock())
        finally:
            times.append(clock())

    with pytest.raises(TaskEnded, match="task 'hung 2' did not finish within 20 s"):
        run_virtual(main())
    assert times[1] - times[0] == pytest.approx(20 + 1 + 0.5)


def test_an_error_of_the_body_comes_out_unchanged() -> None:
    async def main() -> None:
        async with Tasks() as tasks:
            tasks.start("steady", forever())
            raise ValueError("my own")

    with pytest.raises(ValueError, match="my own"):
        run_virtual(main())


def test_a_failure_while_stopping_is_raised() -> None:
    async def broken() -> None:
        raise OSError("could not write")

    async def main() -> None:
        async with Tasks() as tasks:
            tasks.start("events", forever(), stop=broken)

    with pytest.raises(TaskEnded, match="task 'events' could not finish: OSError: could not write"):
        run_virtual(main())


def test_cancelled_from_outside_it_stops_in_order_and_stays_cancelled() -> None:
    log: list[str] = []

    async def finish() -> None:
        log.append("finished")

    async def group() -> None:
        async with Tasks() as tasks:
            tasks.start("loop", forever(), stop=finish)
            await forever()

    async def main() -> None:
        task = asyncio.create_task(group())
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run_virtual(main())
    assert log == ["finished"]
