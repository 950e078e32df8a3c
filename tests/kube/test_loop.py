"""What becomes of a reconciler's answer: queue, Events, metric, and one log line."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from berth.kube.errors import TooManyRequests, Unreachable
from berth.kube.loop import Loop
from berth.kube.outcome import Done, GiveUp, Note, Outcome, Reference, RetryAfter
from berth.kube.workqueue import WorkQueue
from tests.aio.virtual_time import run_virtual

NOTE = Note(Reference("v1", "PersistentVolumeClaim", "demo", "uid", "ns"), "Warning", "ProvisioningFailed", "no share")


class Scripted:
    """A reconciler that answers, per key, what its script says; the last answer for ever."""

    name = "provision"

    def __init__(self, **scripts: list[Outcome | Exception | Callable[[], Awaitable[Outcome]]]) -> None:
        self._scripts = scripts
        self.calls: list[tuple[float, str]] = []

    async def __call__(self, key: str) -> Outcome:
        self.calls.append((asyncio.get_running_loop().time(), key))
        script = self._scripts[key]
        answer = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            return await answer()
        return answer

    def blame(self, key: str, error: Exception) -> tuple[Note, ...]:
        return (Note(NOTE.about, "Warning", "ProvisioningFailed", f"{key}: {error}"),)


class Rig:
    """A loop with everything around it recorded."""

    def __init__(self, reconciler: Scripted, *, workers: int = 2, outages: tuple[type[Exception], ...] = ()) -> None:
        self.reconciler = reconciler
        self.queue = WorkQueue("claims")
        self.notes: list[Note] = []
        self.observed: list[tuple[str, str]] = []
        self.loop = Loop(
            reconciler,
            self.queue,
            workers=workers,
            post=self.notes.append,
            outages=outages,
            observer=lambda loop, outcome, seconds: self.observed.append((loop, outcome)),
        )

    async def run_for(self, seconds: float, *keys: str) -> list[Any]:
        """Adds keys, lets the loop work for so long, and returns the log."""
        with capture_logs() as logs:
            task = asyncio.create_task(self.loop.run())
            for key in keys:
                self.queue.add(key)
            await asyncio.sleep(seconds)
            task.cancel()
            await asyncio.wait({task})
        return logs


def test_done_is_one_line_and_rests() -> None:
    async def main() -> None:
        rig = Rig(Scripted(a=[Done("created", notes=(NOTE,))], b=[Done()]))
        logs = await rig.run_for(3600, "a", "b")
        assert [(line["event"], line["key"], line["did"], line["attempt"]) for line in logs] == [
            ("reconciled", "a", "created", 1)
        ]
        assert rig.notes == [NOTE]
        assert rig.observed == [("provision", "done"), ("provision", "done")]
        assert len(rig.reconciler.calls) == 2

    run_virtual(main())


def test_give_up_waits_for_a_change() -> None:
    async def main() -> None:
        rig = Rig(Scripted(a=[GiveUp("pathPattern: label x is missing", notes=(NOTE,))]))
        logs = await rig.run_for(3600, "a")
        assert [(line["event"], line["why"], line["log_level"]) for line in logs] == [
            ("gave up until it changes", "pathPattern: label x is missing", "warning")
        ]
        assert rig.observed == [("provision", "gave_up")]
        assert rig.queue.failures("a") == 0

    run_virtual(main())


def test_retry_after_comes_back_when_it_says() -> None:
    async def main() -> None:
        rig = Rig(Scripted(a=[RetryAfter("not bound yet", seconds=7), Done("expanded")]))
        logs = await rig.run_for(60, "a")
        (first, _), (second, _) = rig.reconciler.calls
        assert second - first == pytest.approx(7)
        assert [line["event"] for line in logs] == ["will retry", "reconciled"]
        assert logs[0]["retry_in"] == 7

    run_virtual(main())


def test_retry_after_without_a_time_backs_off_and_success_forgets() -> None:
    async def main() -> None:
        rig = Rig(Scripted(a=[*[RetryAfter("share is down")] * 5, Done("created")]))
        logs = await rig.run_for(600, "a")
        times = [time for time, _ in rig.reconciler.calls]
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert len(gaps) == 5
        for number, gap in enumerate(gaps):
            assert 2**number / 2 <= gap <= 2**number
        # Five failures with one text are one line; the success says how many tries it took.
        assert [(line["event"], line["attempt"]) for line in logs] == [("will retry", 1), ("reconciled", 6)]
        assert rig.queue.failures("a") == 0

    run_virtual(main())


def test_an_outage_is_one_line_without_traceback_and_blamed() -> None:
    async def main() -> None:
        error = Unreachable("create persistentvolumes pvc-1", "https://10.0.0.1", "connection refused")
        rig = Rig(Scripted(a=[error, OSError("server gone"), Done()]), outages=(OSError,))
        logs = await rig.run_for(60, "a")
        assert [line["event"] for line in logs] == ["failed", "failed"]
        assert all(line["log_level"] == "warning" and "exc_info" not in line for line in logs)
        assert logs[0]["why"] == str(error)
        assert rig.notes[0].message == f"a: {error}"
        assert rig.observed == [("provision", "failed"), ("provision", "failed"), ("provision", "done")]

    run_virtual(main())


def test_a_bug_is_logged_with_its_traceback_and_retried() -> None:
    async def main() -> None:
        bug = KeyError("spec")
        rig = Rig(Scripted(a=[bug, Done("created")]))
        logs = await rig.run_for(60, "a")
        assert [line["event"] for line in logs] == ["failed", "reconciled"]
        assert (logs[0]["log_level"], logs[0]["exc_info"], logs[0]["why"]) == ("error", bug, "KeyError: 'spec'")

    run_virtual(main())


def test_the_server_is_not_asked_again_before_it_said() -> None:
    async def main() -> None:
        busy = TooManyRequests("create events", 429, "TooManyRequests", "too many requests", retry_after=30)
        rig = Rig(Scripted(a=[busy, Done()]))
        await rig.run_for(60, "a")
        (first, _), (second, _) = rig.reconciler.calls
        assert second - first == pytest.approx(30)

    run_virtual(main())


def test_a_bug_in_blame_does_not_stop_the_work() -> None:
    class Speechless(Scripted):
        def blame(self, key: str, error: Exception) -> tuple[Note, ...]:
            raise AttributeError("no metadata")

    async def main() -> None:
        rig = Rig(Speechless(a=[OSError("gone"), Done("created")]), workers=1)
        logs = await rig.run_for(60, "a")
        assert [line["event"] for line in logs] == [
            "failed",
            "could not make the Events for a failure",
            "reconciled",
        ]

    run_virtual(main())


def test_something_cancelled_inside_is_a_failure_and_costs_no_worker() -> None:
    async def cancelled_inside() -> Outcome:
        inner = asyncio.ensure_future(asyncio.sleep(60))
        inner.cancel()
        await inner
        return Done()

    async def main() -> None:
        rig = Rig(Scripted(a=[cancelled_inside, Done("created")], b=[Done("created")]), workers=1)
        logs = await rig.run_for(60, "a", "b")
        assert [(line["event"], line["key"]) for line in logs] == [
            ("failed", "a"),
            ("reconciled", "b"),
            ("reconciled", "a"),
        ]

    run_virtual(main())


def test_a_stop_finishes_what_is_in_flight_and_takes_nothing_new() -> None:
    async def slow() -> Outcome:
        await asyncio.sleep(5)
        return Done("created")

    async def main() -> None:
        rig = Rig(Scripted(a=[slow], b=[slow], c=[slow]), workers=2)
        with capture_logs() as logs:
            task = asyncio.create_task(rig.loop.run())
            for key in "abc":
                rig.queue.add(key)
            await asyncio.sleep(1)
            begin = asyncio.get_running_loop().time()
            await rig.loop.drain()
            assert asyncio.get_running_loop().time() - begin == pytest.approx(4)
            await task
        assert sorted(line["key"] for line in logs) == ["a", "b"]

    run_virtual(main())


def test_a_loop_that_was_never_started_is_drained_at_once() -> None:
    async def main() -> None:
        await Rig(Scripted()).loop.drain()

    run_virtual(main())


def test_cancelling_the_loop_cancels_its_reconcilers() -> None:
    cancelled: list[str] = []

    async def main() -> None:
        async def slow() -> Outcome:
            try:
                await asyncio.sleep(600)
            except asyncio.CancelledError:
                cancelled.append("a")
                raise
            return Done()

        rig = Rig(Scripted(a=[slow]))
        assert await rig.run_for(1, "a") == []
        assert rig.observed == []

    run_virtual(main())
    assert cancelled == ["a"]
