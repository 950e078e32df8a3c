"""Named tasks that run for ever, as one group.

    async with Tasks() as tasks:
        tasks.start("claims informer", informer.run())
        tasks.start("claims loop", loop.run(), stop=loop.drain)
        await stopping.wait()

* Leaving the block stops the tasks one after another, the last one started first. A task's `stop` is awaited first and
  lets it finish what it holds; then it is cancelled. All of them together have `grace` seconds; each has a second at
  least, so that a slow one can't take away the good end of those after it.
* The first task that ends by itself, by a crash or a return, ends the group: the body and all other tasks are cancelled
  at once, no `stop` is called (the leadership may be lost), and the block raises TaskEnded, which names the task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

Stop = Callable[[], Awaitable[None]]

_LEAST = 1.0
"""Seconds that every task has for its good end, and again for its cancellation."""


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
        crash = _crash_of(task)  # asked for in any case, or asyncio complains that nobody did
        if self._stopping or self._failure is not None or self._body is None:
            return
        self._failure = _unexpected_end(task.get_name(), crash)
        self._body.cancel()
        self._cancel_all()

    def _cancel_all(self) -> None:
        for running in self._running:
            running.task.cancel()

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
        for running in self._running:
            if running.task.done() and self._failure is None:  # so lately that _on_end has not been told yet
                self._failure = _unexpected_end(running.name, _crash_of(running.task))
                self._cancel_all()
        errors = await self._stop_all()
        if self._failure is not None:
            if others == 0 and (error is None or isinstance(error, asyncio.CancelledError)):
                raise self._failure from self._failure.__cause__
            errors.insert(0, self._failure)
        if error is None and errors:
            raise errors[0] from errors[0].__cause__
        for late in errors:
            if error is not None:
                error.add_note(f"while stopping: {late}")

    async def _stop_all(self) -> list[TaskEnded]:
        errors: list[TaskEnded] = []
        end = asyncio.get_running_loop().time() + self._grace
        try:
            while self._running:
                running = self._running.pop()
                if not running.task.done():
                    error = await self._stop_one(running, end)
                    if error is not None:
                        errors.append(error)
        finally:
            # Only when stopping itself is cancelled is anything left here.
            self._cancel_all()
        return errors

    async def _stop_one(self, running: _Running, end: float) -> TaskEnded | None:
        failure: TaskEnded | None = None
        clock = asyncio.get_running_loop().time
        begin = clock()
        try:
            async with asyncio.timeout_at(max(end, begin + _LEAST)):
                if running.stop is not None and self._failure is None:
                    await running.stop()
        except TimeoutError:
            failure = TaskEnded(running.name, f"did not finish within {clock() - begin:.3g} s and was cancelled")
        except Exception as error:  # noqa: BLE001 - kept, named and raised once everything has stopped
            failure = TaskEnded(running.name, f"could not finish: {type(error).__name__}: {error}")
            failure.__cause__ = error
        running.task.cancel()
        await asyncio.wait({running.task}, timeout=max(end - clock(), _LEAST))
        if not running.task.done():
            return TaskEnded(running.name, "ignored its cancellation")
        crash = _crash_of(running.task)
        return failure if crash is None else _unexpected_end(running.name, crash)


def _crash_of(task: asyncio.Task[object]) -> BaseException | None:
    return None if task.cancelled() else task.exception()


def _unexpected_end(name: str, crash: BaseException | None) -> TaskEnded:
    if crash is None:
        return TaskEnded(name, "ended, but should have run for ever")
    failure = TaskEnded(name, f"failed: {type(crash).__name__}: {crash}")
    failure.__cause__ = crash
    return failure
