"""Named tasks that run for ever, as one group.

    async with Tasks() as tasks:
        tasks.start("claims informer", informer.run())
        tasks.start("claims loop", loop.run(), stop=loop.drain)
        await stopping.wait()

* The first task that ends by itself, by a crash or a return, ends the group: the body is cancelled, and leaving the
  block raises TaskEnded, which names the task.
* Leaving the block, for whatever reason, stops the tasks one after another, the last one started first. A task's
  `stop` is awaited first and lets it finish what it holds; then it is cancelled. Each gets `grace` seconds for both
  together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

Stop = Callable[[], Awaitable[None]]


class TaskEnded(Exception):  # noqa: N818 - says what happened
    """A task of the group did what it must not: it ended (name, cause) or would not stop when told to."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"task {name!r} {why}")
        self.name = name


@dataclass(frozen=True, slots=True)
class _Running:
    name: str
    task: asyncio.Task[object]
    stop: Stop | None


class Tasks:
    """A group of named tasks; see the module's text. Used once, by the task that enters it."""

    def __init__(self, *, grace: float = 10.0) -> None:
        self._grace = grace
        self._running: list[_Running] = []
        self._failure: TaskEnded | None = None
        self._stopping = False
        self._body: asyncio.Task[Any] | None = None

    async def __aenter__(self) -> Self:
        self._body = asyncio.current_task()
        return self

    def start(self, name: str, work: Coroutine[Any, Any, object], *, stop: Stop | None = None) -> None:
        """Runs work as a task called name. stop: makes it finish in good order; called once, when the group ends."""
        task: asyncio.Task[object] = asyncio.create_task(work, name=name)
        self._running.append(_Running(name, task, stop))
        task.add_done_callback(self._on_end)

    def _on_end(self, task: asyncio.Task[object]) -> None:
        crash = None if task.cancelled() else task.exception()
        if self._stopping or self._failure is not None or self._body is None:
            return
        self._failure = _unexpected_end(task.get_name(), crash)
        self._body.cancel()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._body is not None
        cancelled_by_us = self._failure is not None
        if cancelled_by_us and error is None:
            # The body ended before it could notice the cancellation: take delivery of it here, not in the middle of
            # stopping.
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError as cancelled:
                error = cancelled
        self._stopping = True
        others = self._body.uncancel() if cancelled_by_us else 0
        errors = await self._stop_all()
        if self._failure is not None and others == 0 and (error is None or isinstance(error, asyncio.CancelledError)):
            raise self._failure
        if error is None and errors:
            raise errors[0]
        for late in errors:
            if error is not None:
                error.add_note(f"while stopping: {late}")

    async def _stop_all(self) -> list[TaskEnded]:
        errors: list[TaskEnded] = []
        try:
            while self._running:
                running = self._running.pop()
                if not running.task.done():
                    error = await self._stop_one(running)
                    if error is not None:
                        errors.append(error)
        finally:
            # Only when stopping itself is cancelled is anything left here.
            for running in self._running:
                running.task.cancel()
        return errors

    async def _stop_one(self, running: _Running) -> TaskEnded | None:
        failure: TaskEnded | None = None
        try:
            async with asyncio.timeout(self._grace):
                if running.stop is not None:
                    await running.stop()
        except TimeoutError:
            failure = TaskEnded(running.name, f"did not finish within {self._grace:g} s and was cancelled")
        except Exception as error:  # noqa: BLE001 - kept, named and raised once everything has stopped
            failure = TaskEnded(running.name, f"could not finish: {type(error).__name__}: {error}")
            failure.__cause__ = error
        running.task.cancel()
        await asyncio.wait({running.task}, timeout=self._grace)
        if not running.task.done():
            return TaskEnded(running.name, f"ignored its cancellation for {self._grace:g} s")
        if not running.task.cancelled() and (crash := running.task.exception()) is not None:
            return _unexpected_end(running.name, crash)
        return failure


def _unexpected_end(name: str, crash: BaseException | None) -> TaskEnded:
    if crash is None:
        return TaskEnded(name, "ended, but should have run for ever")
    failure = TaskEnded(name, f"failed: {type(crash).__name__}: {crash}")
    failure.__cause__ = crash
    return failure
