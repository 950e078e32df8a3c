"""A few threads for calls that may hang in the kernel or in a resolver.

The event loop's own executor won't do: a call on a hung NFS mount keeps its thread for hours, the executor would run
out of threads for everybody else, and the interpreter would wait for them when it exits. These threads are daemons,
their number is fixed, and a call that is given up keeps its thread until it comes back; with all of them stuck, calls
fail at once.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


class ThreadsStuck(Exception):  # noqa: N818
    """The call was not made: every thread is busy with a call that was given up."""


@dataclass(slots=True, eq=False)
class _Job:
    function: Callable[[], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    is_given_up: bool = False
    has_started: bool = False


class Threads:
    """Any number of calls at once, of which `size` run. Threads are started as needed."""

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._size = size
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._started = 0
        self._idle = 0
        self._stuck = 0
        self._is_closed = False

    @property
    def stuck(self) -> int:
        """How many threads are busy with calls that nobody waits for any more."""
        return self._stuck

    async def run(self, function: Callable[[], T]) -> T:
        """What function returns or raises, called in a thread. Give it up by cancelling, that is, with a deadline."""
        loop = asyncio.get_running_loop()
        job = _Job(function, loop, loop.create_future())
        with self._lock:
            if self._is_closed:
                raise RuntimeError(f"{self._name} threads are closed")
            if self._stuck >= self._size:
                raise ThreadsStuck(f"all {self._size} threads wait for calls that do not come back")
            if self._idle <= self._jobs.qsize() and self._started < self._size:
                self._started += 1
                number = self._started
                threading.Thread(target=self._work, name=f"{self._name}-{number}", daemon=True).start()
            self._jobs.put(job)
        try:
            result: T = await job.future
            return result
        except asyncio.CancelledError:
            with self._lock:
                job.is_given_up = True
                if job.has_started:
                    self._stuck += 1
            raise

    def close(self) -> None:
        """Ends the threads as they come free. Further calls are an error of the caller."""
        with self._lock:
            self._is_closed = True
            for _ in range(self._started):
                self._jobs.put(None)

    def _work(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            job = self._jobs.get()
            with self._lock:
                self._idle -= 1
                if job is None:
                    return
                if job.is_given_up:
                    continue
                job.has_started = True
            outcome: Any = None
            failure: BaseException | None = None
            try:
                outcome = job.function()
            except BaseException as error:  # noqa: BLE001 - handed to the caller
                failure = error
            with self._lock:
                job.has_started = False
                if job.is_given_up:
                    self._stuck -= 1
                    continue
            with suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits
                job.loop.call_soon_threadsafe(_deliver, job.future, outcome, failure)
            # A thread that waits for work must not keep the last caller's objects alive.
            del job, outcome, failure


def _deliver(future: asyncio.Future[Any], outcome: Any, failure: BaseException | None) -> None:
    if future.done():
        return
    if failure is not None:
        future.set_exception(failure)
    else:
        future.set_result(outcome)
