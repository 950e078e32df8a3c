"""What a reconciler answers for one key. Only kube/loop acts on it (queue, Event, metric, log line).

Done | RetryAfter | GiveUp. Anything a reconciler raises is an outage or a bug, retried with backoff.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Reference:
    """The object that an Event is about."""

    api_version: str
    kind: str
    name: str
    uid: str
    namespace: str = ""
    resource_version: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """One Event to post: merged with equal ones, delivered in the background, lost rather than waited for."""

    about: Reference
    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing left to do until the object changes. did: a short word for the log line, empty for no line at all."""

    did: str = ""
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """Not yet. seconds: when to try again; None: the loop's backoff (1 s doubling to 5 min, with jitter, for ever)."""

    why: str
    seconds: float | None = None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Can't be done as it stands: waits for the object to change, or for the resync."""

    why: str
    notes: tuple[Note, ...] = ()


Outcome = Done | RetryAfter | GiveUp
