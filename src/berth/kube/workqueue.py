"""Keys that wait to be worked on, each by one worker at a time.

* A key that waits already is not queued twice. A key added while it is being worked on runs again once that is done.
* First come, first served; delayed keys join the end of the line when their time has come.
* Keys may be told apart by lane (what they wait for: a server, say). Lanes are served in turn, and none holds so many
  workers that others find none: a lane whose keys take long delays itself only. Every operation takes the same short
  time, however many keys and lanes there are.
* A key has at most one delay. `add` overtakes it; of two delays the earlier one counts.
* After `close` nothing is handed out any more, what waits is dropped, and takers get QueueClosed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from berth.kube.backoff import Backoff

LATE = 1.0
"""Seconds after which a key that is worked on makes its lane a late one."""
_LEFT = 7
"""A lane that is not late holds at most so many workers for each that it leaves free."""


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


@dataclass(slots=True, eq=False)
class _Lane:
    """Keys that wait for one and the same thing."""

    name: str
    line: deque[str] = field(default_factory=deque)
    held: dict[str, float] = field(default_factory=dict)
    """Keys in workers' hands -> when they were taken; the oldest first."""
    is_quick: bool = False
    """Whether its last key was no longer in hand than LATE. Nobody knows that of a lane that is new."""
    in_turn: bool = False

    def is_late(self, now: float) -> bool:
        return not self.is_quick or (bool(self.held) and now - next(iter(self.held.values())) > LATE)


class WorkQueue:
    """A queue of keys for one event loop; not for threads."""

    def __init__(
        self,
        name: str,
        *,
        backoff: Backoff | None = None,
        observer: QueueObserver | None = None,
        lane: Callable[[str], str] | None = None,
    ) -> None:
        """lane: which lane a key belongs to at this moment, answered at once and never raising; None: all to one."""
        self.name = name
        self.workers = 0
        """How many takers there are at most. With lanes, each leaves some of them to others; 0: none is held back."""
        self._backoff = backoff or Backoff()
        self._observer = observer
        self._lane_of = lane
        self._lanes: dict[str, _Lane] = {}
        self._turn: deque[_Lane] = deque()
        """Lanes with keys in line, but those that were found to hold enough: they return when one of theirs is done."""
        self._waiting = 0  # keys in line
        self._since: dict[str, float] = {}  # keys in line, or added while worked on -> when they were added
        self._working: dict[str, _Lane] = {}  # keys in workers' hands
        self._delayed: dict[str, tuple[float, asyncio.Handle]] = {}  # keys not due yet -> when they are, and the timer
        self._takers: deque[asyncio.Future[None]] = deque()
        self._closed = False

    def add(self, key: str) -> None:
        """Queues key, now. Nothing changes if it waits already."""
        if self._closed:
            return
        delayed = self._delayed.pop(key, None)
        if delayed is not None:
            delayed[1].cancel()
        if key in self._since:
            return
        self._since[key] = asyncio.get_running_loop().time()
        if key not in self._working:
            self._line_up(key)
        if self._observer is not None:
            self._observer.added(self.name, self._waiting)

    def add_after(self, key: str, seconds: float) -> None:
        """Queues key once seconds have passed, unless it waits already or is due earlier."""
        if self._closed or key in self._since:
            return
        loop = asyncio.get_running_loop()
        due, delayed = loop.time() + seconds, self._delayed.get(key)
        if delayed is not None:
            if delayed[0] <= due:
                return
            delayed[1].cancel()
        self._delayed[key] = due, loop.call_later(seconds, self.add, key)

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
        while (lane := self._next_lane(loop.time())) is None:
            taker = loop.create_future()
            self._takers.append(taker)
            try:
                await taker
            except asyncio.CancelledError:
                # Woken and cancelled at the same time: the wake-up belongs to somebody else now.
                if taker.done() and not taker.cancelled():
                    self._wake_one()
                raise
        key, now = lane.line.popleft(), loop.time()
        self._waiting -= 1
        waited = now - self._since.pop(key)
        self._working[key], lane.held[key] = lane, now
        if lane.line:
            self._give_turn(lane)
        if self._turn:  # one who slept because no lane might have more may be of use by now
            self._wake_one()
        if self._observer is not None:
            self._observer.started(self.name, self._waiting, waited)
        return key

    def done(self, key: str) -> None:
        """Hands key back; it joins the line again if it was added in the meantime."""
        lane = self._working.pop(key)
        worked = asyncio.get_running_loop().time() - lane.held.pop(key)
        lane.is_quick = worked <= LATE
        if key in self._since and not self._closed:
            self._line_up(key)
        if lane.line:
            self._give_turn(lane)
            self._wake_one()
        elif not lane.held:
            self._lanes.pop(lane.name, None)
        if self._observer is not None:
            self._observer.finished(self.name, worked)

    def close(self) -> None:
        """Hands out nothing any more; takers get QueueClosed, waiting and delayed keys are dropped."""
        self._closed = True
        for _, timer in self._delayed.values():
            timer.cancel()
        self._delayed.clear()
        self._turn.clear()
        self._lanes.clear()
        for lane in self._working.values():
            lane.line.clear()
        self._waiting = 0
        self._since.clear()
        while self._takers:
            self._wake_one()

    def __len__(self) -> int:
        """Keys in line."""
        return self._waiting

    def statistics(self) -> QueueStatistics:
        """The state of the queue at this moment."""
        return QueueStatistics(self._waiting, len(self._delayed), len(self._working), len(self._backoff))

    def _line_up(self, key: str) -> None:
        name = self._lane_of(key) if self._lane_of is not None else ""
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = _Lane(name)
        lane.line.append(key)
        self._waiting += 1
        self._give_turn(lane)
        self._wake_one()

    def _give_turn(self, lane: _Lane) -> None:
        if not lane.in_turn:
            lane.in_turn = True
            self._turn.append(lane)

    def _next_lane(self, now: float) -> _Lane | None:
        """The lane whose turn it is, taken out of the turn. Each that holds enough is passed by once, then waits."""
        if self._closed:
            raise QueueClosed(self.name)
        while self._turn:
            lane = self._turn.popleft()
            lane.in_turn = False
            if self._may_have_more(lane, now):
                return lane
        return None

    def _may_have_more(self, lane: _Lane, now: float) -> bool:
        """Whether a lane may hold one worker more. One that is late holds no more than it leaves free, so that several
        of them leave some, too; and none takes the last one, unless it has none.
        """
        held, free = len(lane.held), self.workers - len(self._working)
        if not held or not self.workers or self._lane_of is None:
            return True
        return free > 1 and held < (free if lane.is_late(now) else _LEFT * free)

    def _wake_one(self) -> None:
        while self._takers:
            taker = self._takers.popleft()
            if not taker.done():
                taker.set_result(None)
                return
