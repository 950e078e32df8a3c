"""Posts Events in the background: merged when they repeat, dropped rather than waited for.

`post` only queues. Two workers, so that Events never crowd out the real work, make one request each: a new Event is
created; one that was posted with the same text less than ten minutes ago has its count raised instead. An outage of
the API server is waited for, a few times per Event; an Event that can't be posted at all (its namespace is gone) is
dropped.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import structlog
from lightkube.core.resource import NamespacedResourceG
from lightkube.resources.core_v1 import Event

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
from berth.kube.outcome import Note
from berth.kube.repeats import Repeats

log = structlog.get_logger()

_REMEMBERED = 4096
"""Events whose repeats are recognised; what client-go remembers, too."""
_TRIES = 6
"""With the backoff between them: about a minute and a half of outage."""
_LONGEST_MESSAGE = 1024
"""Characters; the limit of the newer Events API, which tools that show Events rely on."""


class _Meta(msgspec.Struct, omit_defaults=True):
    name: str | None = None
    namespace: str | None = None
    resourceVersion: str | None = None  # noqa: N815


class _Involved(msgspec.Struct, omit_defaults=True):
    apiVersion: str = ""  # noqa: N815
    kind: str = ""
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resourceVersion: str = ""  # noqa: N815


class _Source(msgspec.Struct, omit_defaults=True):
    component: str = ""
    host: str = ""


class _Event(msgspec.Struct, NamespacedResourceG, omit_defaults=True):
    """core/v1 Event with the fields that are written; of the answer, only the metadata is read."""

    _api_info = Event._api_info

    metadata: _Meta
    involvedObject: _Involved  # noqa: N815
    type: str = ""
    reason: str = ""
    message: str = ""
    source: _Source | None = None
    firstTimestamp: str | None = None  # noqa: N815
    lastTimestamp: str | None = None  # noqa: N815
    count: int = 0
    reportingComponent: str = ""  # noqa: N815
    reportingInstance: str = ""  # noqa: N815


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
    name: str
    first: datetime
    last: datetime
    seen: float
    """When it was posted last, by the event loop's clock."""
    count: int = 1
    delivered: int = 0
    """The count that the API server knows."""
    queued: bool = False
    """In the queue, or in a worker's hands."""


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
    ) -> None:
        self._api = api
        self._component = component
        self._host = host
        self._waiting = waiting
        self._concurrency = concurrency
        self._merge_seconds = merge_seconds
        self._queue: asyncio.Queue[_Series] = asyncio.Queue()
        self._recent: dict[tuple[str, ...], _Series] = {}  # the least recently used first
        self._created = self._merged = self._dropped = 0
        self._repeats = Repeats()

    def post(self, note: Note) -> None:
        """Queues note; never waits, never fails. When too many wait already, it is dropped and counted."""
        now, clock = datetime.now(UTC), asyncio.get_running_loop().time()
        about = note.about
        key = (about.kind, about.namespace, about.name, about.uid, note.type, note.reason, note.message)
        series = self._recent.pop(key, None)
        if series is not None and clock < series.seen + self._merge_seconds:
            series.count += 1
            series.last, series.seen = now, clock
        else:
            series = _Series(note, f"{about.name[:200]}.{secrets.token_hex(8)}", now, now, clock)
        if not series.queued:
            if self._queue.qsize() >= self._waiting:
                self._drop(series, "too many Events are waiting")
                return
            series.queued = True
            self._queue.put_nowait(series)
        self._recent[key] = series
        if len(self._recent) > _REMEMBERED:
            del self._recent[next(iter(self._recent))]

    async def run(self) -> None:
        """Delivers for ever."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._concurrency):
                group.create_task(self._work(), name=f"events worker {number}")

    async def flush(self) -> None:
        """Returns once all that was posted is delivered or dropped, by run. The caller sets the deadline."""
        await self._queue.join()

    def statistics(self) -> RecorderStatistics:
        """What became of the notes so far."""
        return RecorderStatistics(self._created, self._merged, self._dropped, self._queue.qsize())

    async def _work(self) -> None:
        while True:
            series = await self._queue.get()
            try:
                # Repeats that came while a request was under way are delivered right away, in one further request.
                while series.delivered < series.count:
                    await self._deliver(series)
            finally:
                series.queued = False
                self._queue.task_done()

    async def _deliver(self, series: _Series) -> None:
        backoff = Backoff()
        for _ in range(_TRIES):
            count = series.count
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
        note, about = series.note, series.note.about
        event = _Event(
            # Events about what lives in no namespace belong into `default`; the API server accepts no other.
            metadata=_Meta(name=series.name, namespace=about.namespace or "default"),
            involvedObject=_Involved(
                apiVersion=about.api_version,
                kind=about.kind,
                name=about.name,
                namespace=about.namespace,
                uid=about.uid,
                resourceVersion=about.resource_version,
            ),
            type=note.type,
            reason=note.reason,
            message=_shortened(note.message),
            source=_Source(self._component, self._host),
            firstTimestamp=_seconds(series.first),
            lastTimestamp=_seconds(series.last),
            count=count,
            reportingComponent=self._component,
            reportingInstance=self._host,
        )
        with suppress(AlreadyExists):  # an earlier try got through, only its answer was lost
            await self._api.create(event)

    async def _raise_count(self, series: _Series, count: int) -> None:
        patch = {"count": count, "lastTimestamp": _seconds(series.last)}
        await self._api.patch(_Event, series.name, patch, namespace=series.note.about.namespace or "default")

    def _drop(self, series: _Series, why: str) -> None:
        self._dropped += series.count - series.delivered
        series.delivered = series.count
        held_back = self._repeats.worth_logging(series.name, why)
        if held_back is not None:
            note = series.note
            log.warning("an Event was dropped", about=note.about.name, reason=note.reason, why=why, held_back=held_back)
        self._repeats.forget(series.name)


def _shortened(message: str) -> str:
    return message if len(message) <= _LONGEST_MESSAGE else message[: _LONGEST_MESSAGE - 1] + "…"


def _seconds(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
