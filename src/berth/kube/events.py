"""Posts Events in the background: merged when they repeat, dropped rather than waited for.

`post` only queues. Two workers, so that Events never crowd out the real work, make one request each: a new Event is
created; one that was posted with the same text less than ten minutes ago has its count raised instead. An outage of
the API server is waited for, a few times per Event; an Event that can't be posted at all (its namespace is gone) is
dropped. While much of the real work waits, Events wait behind it, but none for ever, nor until there is no room left.

Whoever may change an object can make it fail in ever new words. An object has ten Events at once, and one more every
five minutes; what else is to be said goes into one Event for each of its reasons, which always tells the latest, and
no Event is written more often than every few seconds. So the truth of the moment gets through, and nothing piles up.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog

from berth.kube.allowance import Allowance
from berth.kube.backoff import Backoff
from berth.kube.client import Api
from berth.kube.errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    Invalid,
    KubeError,
    NotFound,
    Unauthorized,
)
from berth.kube.event_object import EventAuthor, EventMeta, EventObject, involved
from berth.kube.log_throttle import LogThrottle
from berth.kube.outcome import Note
from berth.texts.bounded import bounded

log = structlog.get_logger()

_REMEMBERED = 4096
"""Events whose repeats are recognised; what client-go remembers, too."""
_TRIES = 6
"""With the backoff between them: about a minute and a half of outage."""
_LONGEST_MESSAGE = 1024
"""Bytes; the limit of the newer Events API, which tools that show Events rely on."""
_AT_ONCE, _ONE_MORE = 10, 300.0
"""Events of their own that one object has at once, and seconds until it has one more: client-go's figures, which begins
to combine at ten that are alike, and lets one through in five minutes."""
_BEHIND, _LOOK = 30.0, 0.1
"""Seconds that an Event waits behind other work at most, and between two looks whether that is done."""
_COMBINED = "(combined from similar events): "
"""client-go's words for it; people and tools know them."""


@dataclass(frozen=True, slots=True)
class RecorderStatistics:
    """Notes since the start, by what became of them; waiting: queued at this moment."""

    created: int
    merged: int
    dropped: int
    waiting: int


@dataclass(slots=True, eq=False)
class _Series:
    """One Event and its repeats."""

    note: Note
    """What it says now. Its message is bounded."""
    name: str
    first: datetime
    last: datetime
    seen: float
    """When it was posted last, by the event loop's clock."""
    count: int = 1
    delivered: int = 0
    """The count that the API server knows."""
    queued: bool = False
    """Put off, in the queue, or in a worker's hands."""
    written: float = 0.0
    """When it was sent last, by the event loop's clock; 0 before."""
    combines: bool = False
    """It has said other things before."""

    @property
    def message(self) -> str:
        """As the Event has it."""
        said = self.note.message
        return bounded(f"{_COMBINED}{said}", _LONGEST_MESSAGE, behind=False) if self.combines else said


class Recorder:
    """Delivers Notes as Events of the core API; see the module's text.

    component: who reports, as `kubectl describe` shows it; host: where that runs.
    """

    def __init__(
        self,
        api: Api,
        *,
        component: str,
        host: str = "",
        waiting: int = 10_000,
        concurrency: int = 2,
        merge_seconds: float = 600.0,
        spacing: float = 5.0,
        is_busy: Callable[[], bool] = lambda: False,
    ) -> None:
        """waiting: how many may; spacing: seconds between two writes of one Event; is_busy: whether so much other work
        waits that Events should stand behind it.
        """
        self._api = api
        self._component = component
        self._host = host
        self._waiting = waiting
        self._concurrency = concurrency
        self._merge_seconds = merge_seconds
        self._spacing = spacing
        self.is_busy = is_busy
        self._is_flushing = False
        self._queue: asyncio.Queue[_Series] = asyncio.Queue()
        self._recent: dict[tuple[str, ...], _Series] = {}  # the least recently used first
        self._put_off: dict[_Series, asyncio.TimerHandle] = {}
        self._allowance = Allowance(burst=_AT_ONCE, seconds=_ONE_MORE)
        self._created = self._merged = self._dropped = 0
        self._throttle = LogThrottle()

    def post(self, note: Note) -> None:
        """Queues note; never waits, never fails. When too many wait already, it is dropped and counted."""
        message = bounded(note.message, _LONGEST_MESSAGE, behind=False)
        if message != note.message:
            note = replace(note, message=message)
        about = note.about
        who = (about.kind, about.namespace, about.name, about.uid)
        key: tuple[str, ...] = (*who, note.type, note.reason, note.message)
        if not self._is_alive(key) and not self._allowance.take(who):
            key = (*who, note.type, note.reason)
        series = self._counted(key, note)
        if not series.queued:
            if self._queue.qsize() + len(self._put_off) >= self._waiting:
                self._drop(series, "too many Events are waiting")
                return
            self._line_up(series)
        self._recent[key] = series
        if len(self._recent) > _REMEMBERED:
            del self._recent[next(iter(self._recent))]

    def _is_alive(self, key: tuple[str, ...]) -> bool:
        series = self._recent.get(key)
        return series is not None and asyncio.get_running_loop().time() < series.seen + self._merge_seconds

    def _counted(self, key: tuple[str, ...], note: Note) -> _Series:
        """The series that note belongs to, with note counted in: for the caller to put back among the recent ones."""
        now, clock = datetime.now(UTC), asyncio.get_running_loop().time()
        is_alive = self._is_alive(key)
        series = self._recent.pop(key, None)
        if series is None or not is_alive:
            return _Series(note, f"{note.about.name[:200]}.{secrets.token_hex(8)}", now, now, clock)
        series.count += 1
        series.last, series.seen = now, clock
        series.combines = series.combines or series.note.message != note.message
        series.note = note
        return series

    def _line_up(self, series: _Series) -> None:
        """Has the series sent, as soon as it may be."""
        series.queued = True
        loop = asyncio.get_running_loop()
        due = series.written + self._spacing
        if not series.written or due <= loop.time():
            self._queue.put_nowait(series)
        else:
            self._put_off[series] = loop.call_at(due, self._hurry, series)

    def _hurry(self, series: _Series) -> None:
        self._put_off.pop(series).cancel()
        self._queue.put_nowait(series)

    async def run(self) -> None:
        """Delivers for ever."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._concurrency):
                group.create_task(self._work(), name=f"events worker {number}")

    async def flush(self) -> None:
        """Returns once all that was posted is delivered or dropped, by run, with nothing put off any more. The caller
        sets the deadline.
        """
        self._is_flushing = True
        try:
            await self._queue.join()
            while self._put_off:
                for series in list(self._put_off):
                    self._hurry(series)
                await self._queue.join()
        finally:
            self._is_flushing = False

    def statistics(self) -> RecorderStatistics:
        """What became of the notes so far."""
        return RecorderStatistics(self._created, self._merged, self._dropped, self._queue.qsize() + len(self._put_off))

    async def _work(self) -> None:
        while True:
            series = await self._queue.get()
            try:
                await self._give_way(series)
                await self._deliver(series)
            finally:
                series.queued = False
                if series.delivered < series.count:  # repeats that came while the request was under way
                    self._line_up(series)
                self._queue.task_done()

    async def _give_way(self, series: _Series) -> None:
        """Lets other work go first, as long as there is room for those that come meanwhile."""
        clock, room = asyncio.get_running_loop().time, self._waiting // 2
        while (  # noqa: ASYNC110
            self.is_busy() and not self._is_flushing and self._queue.qsize() < room and clock() < series.seen + _BEHIND
        ):
            # Looked at now and then: who empties the queues has nobody to tell.
            await asyncio.sleep(_LOOK)

    async def _deliver(self, series: _Series) -> None:
        backoff = Backoff()
        for _ in range(_TRIES):
            count = series.count
            series.written = asyncio.get_running_loop().time()
            try:
                if series.delivered == 0:
                    await self._create(series, count)
                    self._created += 1
                else:
                    await self._raise_count(series, count)
                    self._merged += count - series.delivered
                series.delivered = count
            except NotFound as error:
                if series.delivered == 0:
                    return self._drop(series, str(error))
                series.delivered = 0  # the Event has expired in the meantime: make a new one
            except (Invalid, Forbidden, Unauthorized, Conflict) as error:
                return self._drop(series, str(error))
            except KubeError as error:
                problem = str(error)
                await asyncio.sleep(backoff.next(series.name))
            else:
                return None
        return self._drop(series, problem)

    async def _create(self, series: _Series, count: int) -> None:
        note = series.note
        event = EventObject(
            # Events about what lives in no namespace belong into `default`; the API server accepts no other.
            metadata=EventMeta(name=series.name, namespace=note.about.namespace or "default"),
            involvedObject=involved(note.about),
            type=note.type,
            reason=note.reason,
            message=series.message,
            source=EventAuthor(self._component, self._host),
            firstTimestamp=_seconds(series.first),
            lastTimestamp=_seconds(series.last),
            count=count,
            reportingComponent=self._component,
            reportingInstance=self._host,
        )
        with suppress(AlreadyExists):  # an earlier try got through, only its answer was lost
            await self._api.create(event)

    async def _raise_count(self, series: _Series, count: int) -> None:
        patch: dict[str, object] = {"count": count, "lastTimestamp": _seconds(series.last)}
        if series.combines:
            patch["message"] = series.message
        await self._api.patch(EventObject, series.name, patch, namespace=series.note.about.namespace or "default")

    def _drop(self, series: _Series, why: str) -> None:
        self._dropped += series.count - series.delivered
        series.delivered = series.count
        held_back = self._throttle.worth_logging(series.name, why)
        if held_back is not None:
            note = series.note
            log.warning("an Event was dropped", about=note.about.name, reason=note.reason, why=why, held_back=held_back)
        self._throttle.forget(series.name)


def _seconds(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
