"""Keys that wait to be worked on, each by one worker at a time.

* A key that waits already is not queued twice. A key added while it is being worked on runs again once that is done.
* First come, first served; delayed keys join the end of the line when their time has come.
* A key has at most one delay. `add` overtakes it; of two delays the earlier one counts.
* After `close` nothing is handed out any more, what waits is dropped, and takers get QueueClosed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from berth.kube.backoff import Backoff


class QueueClosed(Exception):  # noqa: N818
    """The queue hands out nothing any more."""


class QueueObserver(Protocol):
    """Told about a queue's life; client-go's workqueue metrics can be made from it. All durations in seconds."""

    def added(self, queue: str, depth: int) -> None: ...

    def started(self, queue: str, depth: int, waited: float) -> None: ...

    def finished(self, queue: str, worked: float) -> None: ...

    def retried(self, queue: str) -> None: ...


@dataclass(frozen=True, slots=True)
class QueueStatistics:
    """Keys by state. waiting: in line; delayed: not due yet; working: in workers' hands; failing: to be forgotten."""

    waiting: int
    delayed: int
    working: int
    failing: int


class WorkQueue:
    """A queue of keys for one event loop; not for threads."""

    def __init__(self, name: str, *, backoff: Backoff | None = None, observer: QueueObserver | None = None) -> None:
        self.name = name
        self._backoff = backoff or Backoff()
        self._observer = observer
        self._line: deque[str] = deque()
        self._since: dict[str, float] = {}  # keys in line, or added while worked on -> when they were added
        self._working: dict[str, float] = {}  # keys in workers' hands -> when they were taken
        self._delayed: dict[str, asyncio.TimerHandle] = {}
        self._takers: deque[asyncio.Future[None]] = deque()
        self._closed = False

    def add(self, key: str) -> None:
        """Queues key, now. Nothing changes if it waits already."""
        if self._closed:
            return
        timer = self._delayed.pop(key, None)
        if timer is not None:
            timer.cancel()
        if key in self._since:
            return
        self._since[key] = asyncio.get_running_loop().time()
        if key not in self._working:
            self._line.append(key)
            self._wake_one()
        if self._observer is not None:
            self._observer.added(self.name, len(self._line))

    def add_after(self, key: str, seconds: float) -> None:
        """Queues key once seconds have passed, unless it waits already or is due earlier."""
        if self._closed or key in self._since:
            return
        loop = asyncio.get_running_loop()
        timer = self._delayed.get(key)
        if timer is not None:
            if timer.when() <= loop.time() + seconds:
                return
            timer.cancel()
        self._delayed[key] = loop.call_later(seconds, self.add, key)

    def retry(self, key: str, *, at_least: float = 0.0) -> float:
        """Queues key after its backoff, which this call lengthens. Returns the delay in seconds."""
        delay = max(at_least, self._backoff.next(key))
        if self._observer is not None:
            self._observer.retried(self.name)
        self.add_after(key, delay)
        return delay

    def forget(self, key: str) -> None:
        """Key is well: its next backoff starts from the beginning."""
        self._backoff.forget(key)

    def failures(self, key: str) -> int:
        """How often key was retried since it was last forgotten."""
        return self._backoff.failures(key)

    async def take(self) -> str:
        """The next key, once there is one. The caller must hand it back with done. QueueClosed after close."""
        loop = asyncio.get_running_loop()
        while not self._line or self._closed:
            if self._closed:
                raise QueueClosed(self.name)
            taker = loop.create_future()
            self._takers.append(taker)
            try:
                await taker
            except asyncio.CancelledError:
                # Woken and cancelled at the same time: the wake-up belongs to somebody else now.
                if taker.done() and not taker.cancelled():
                    self._wake_one()
                raise
        key = self._line.popleft()
        now = loop.time()
        waited = now - self._since.pop(key)
        self._working[key] = now
        if self._observer is not None:
            self._observer.started(self.name, len(self._line), waited)
        return key

    def done(self, key: str) -> None:
        """Hands key back; it joins the line again if it was added in the meantime."""
        worked = asyncio.get_running_loop().time() - self._working.pop(key)
        if key in self._since and not self._closed:
            self._line.append(key)
            self._wake_one()
        if self._observer is not None:
            self._observer.finished(self.name, worked)

    def close(self) -> None:
        """Hands out nothing any more; takers get QueueClosed, waiting and delayed keys are dropped."""
        self._closed = True
        for timer in self._delayed.values():
            timer.cancel()
        self._delayed.clear()
        self._line.clear()
        self._since.clear()
        while self._takers:
            self._wake_one()

    def __len__(self) -> int:
        """Keys in line."""
        return len(self._line)

    def statistics(self) -> QueueStatistics:
        """The state of the queue at this moment."""
        return QueueStatistics(len(self._line), len(self._delayed), len(self._working), len(self._backoff))

    def _wake_one(self) -> None:
        while self._takers:
            taker = self._takers.popleft()
            if not taker.done():
                taker.set_result(None)
                return
