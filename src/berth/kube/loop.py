"""The one place that turns a reconciler's answer into retry, Event, metric and log line.

`workers` tasks each take a key from the queue, await the reconciler, act on the outcome, and hand the key back; the
queue sees to it that a key has one worker at a time. By outcome:

  Done         forget the key's failures
  RetryAfter   again after `seconds`, or after the key's backoff
  GiveUp       forget; the object's next change or the resync brings it back
  an error     again after the backoff, and not before the server's Retry-After; the reconciler's `blame` makes the
  Events.
               KubeErrors and the `outages` given are told in one line, anything else is a bug and logged with its
               traceback

Every outcome is one log line (an empty Done none); failures that repeat with the same text are thinned out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from berth.kube.errors import KubeError, StatusError
from berth.kube.log_throttle import LogThrottle
from berth.kube.outcome import Done, GiveUp, Note, Outcome, RetryAfter
from berth.kube.workqueue import QueueClosed, WorkQueue

log = structlog.get_logger()


class Reconciler(Protocol):
    """Brings the world in line for one key. Called with the same key again and again, never twice at once."""

    @property
    def name(self) -> str:
        """What it does, for log lines and metrics: `provision`."""

    async def __call__(self, key: str) -> Outcome:
        """Looks at the object that key names and does what is to be done. Safe to repeat and to cancel at any point."""

    def blame(self, key: str, error: Exception) -> tuple[Note, ...]:
        """The Events to post when the call above raised error; none if there is nobody to tell."""


class LoopObserver(Protocol):
    """Told about every outcome: `done`, `retry`, `gave_up` or `failed`, and how long the reconciler took."""

    def __call__(self, loop: str, outcome: str, seconds: float) -> None: ...


class Loop:
    """Runs one reconciler over one queue; see the module's text."""

    def __init__(
        self,
        reconciler: Reconciler,
        queue: WorkQueue,
        *,
        workers: int,
        post: Callable[[Note], None],
        outages: tuple[type[Exception], ...] = (),
        observer: LoopObserver | None = None,
    ) -> None:
        self._reconciler = reconciler
        self._queue = queue
        queue.workers = workers
        self._workers = workers
        self._post = post
        self._outages: tuple[type[Exception], ...] = (KubeError, *outages)
        self._observer = observer
        self._throttle = LogThrottle()
        self._log = log.bind(loop=reconciler.name)
        self._finished = asyncio.Event()
        self._started = False

    async def run(self) -> None:
        """Works for ever; returns only after drain, once the last key in work is done."""
        self._started = True
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(self._workers):
                    group.create_task(self._work(), name=f"{self._reconciler.name} worker {number}")
        finally:
            self._finished.set()

    async def drain(self) -> None:
        """Takes nothing new; returns once what is in flight is finished. The caller sets the deadline."""
        self._queue.close()
        if self._started:
            await self._finished.wait()

    async def _work(self) -> None:
        while True:
            try:
                key = await self._queue.take()
            except QueueClosed:
                return
            try:
                await self._reconcile(key)
            finally:
                self._queue.done(key)

    async def _reconcile(self, key: str) -> None:
        clock = asyncio.get_running_loop().time
        begin = clock()
        try:
            outcome = await self._reconciler(key)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Nobody cancelled this worker: something that the reconciler awaited was cancelled, which is an error like
            # any other.
            self._failed(key, RuntimeError("an inner task was cancelled"), clock() - begin)
        except Exception as error:  # noqa: BLE001 - logged in _failed, and retried
            self._failed(key, error, clock() - begin)
        else:
            self._act(key, outcome, clock() - begin)

    def _act(self, key: str, outcome: Outcome, seconds: float) -> None:
        took = round(seconds, 3)
        attempt = self._queue.failures(key) + 1
        match outcome:
            case Done(did=did):
                self._forget(key)
                self._observe("done", seconds)
                if did:
                    self._log.info("reconciled", key=key, did=did, attempt=attempt, seconds=took)
            case GiveUp(why=why):
                self._queue.forget(key)
                self._observe("gave_up", seconds)
                self._tell("gave up until it changes", key, why, attempt=attempt, seconds=took)
            case RetryAfter(why=why, seconds=wanted):
                if wanted is None:
                    wanted = self._queue.retry(key)
                else:
                    self._queue.forget(key)
                    self._queue.add_after(key, wanted)
                self._observe("retry", seconds)
                self._tell("will retry", key, why, attempt=attempt, seconds=took, retry_in=round(wanted, 1))
        for note in outcome.notes:
            self._post(note)

    def _failed(self, key: str, error: Exception, seconds: float) -> None:
        attempt = self._queue.failures(key) + 1
        told_to_wait = error.retry_after if isinstance(error, StatusError) else None
        delay = self._queue.retry(key, at_least=told_to_wait or 0.0)
        self._observe("failed", seconds)
        why = str(error) if isinstance(error, self._outages) else f"{type(error).__name__}: {error}"
        bug = None if isinstance(error, self._outages) else error
        self._tell("failed", key, why, bug, attempt=attempt, seconds=round(seconds, 3), retry_in=round(delay, 1))
        try:
            notes = self._reconciler.blame(key, error)
        except Exception:  # noqa: BLE001 - a bug in the wording must not stop the work; it is logged
            self._log.exception("could not make the Events for a failure", key=key)
        else:
            for note in notes:
                self._post(note)

    def _tell(self, message: str, key: str, why: str, bug: Exception | None = None, **fields: object) -> None:
        held_back = self._throttle.worth_logging(key, why)
        if held_back is None:
            return
        if held_back:
            fields["held_back"] = held_back
        if bug is None:
            self._log.warning(message, key=key, why=why, **fields)
        else:
            self._log.error(message, key=key, why=why, exc_info=bug, **fields)

    def _forget(self, key: str) -> None:
        self._queue.forget(key)
        self._throttle.forget(key)

    def _observe(self, outcome: str, seconds: float) -> None:
        if self._observer is not None:
            self._observer(self._reconciler.name, outcome, seconds)
