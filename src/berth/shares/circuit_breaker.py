"""Keeps a share that does not answer from holding up everybody who has work elsewhere.

While a share works, all calls pass. Once it has failed as a whole, one call at a time goes through to find out whether
it is back; the others are told at once what the last one met, instead of each waiting for its own deadline.
"""

from __future__ import annotations

from types import TracebackType

from berth.volumes.errors import FailureStage, Unavailable, VolumeError

_WHOLE: frozenset[FailureStage] = frozenset({"dns", "connect", "mount", "timeout"})
"""Stages that say something about the share, not about one path on it."""


class CircuitBreaker:
    """One share's. Not for use from several threads."""

    def __init__(self) -> None:
        self.failure: Unavailable | None = None
        """How the share has failed as a whole."""
        self.has_scout = False
        """Whether a call is finding out whether the share is back."""

    @property
    def is_shut(self) -> bool:
        return self.failure is not None

    def passage(self) -> Passage:
        """Around one call. Raises the share's last failure, if it failed as a whole and another call is finding out."""
        return Passage(self)


class Passage:
    """One call's way through a CircuitBreaker: a context manager."""

    __slots__ = ("_breaker", "_is_scout")

    def __init__(self, breaker: CircuitBreaker) -> None:
        self._breaker = breaker
        self._is_scout = False

    def __enter__(self) -> None:
        breaker = self._breaker
        if breaker.failure is None:
            return
        if breaker.has_scout:
            raise _again(breaker.failure)
        self._is_scout = breaker.has_scout = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        breaker = self._breaker
        if isinstance(error, Unavailable):
            breaker.failure = error if error.stage in _WHOLE else None
        elif error is None or isinstance(error, VolumeError):
            breaker.failure = None  # an answer, if not always the one hoped for
        if self._is_scout:
            breaker.has_scout = False


def _again(failure: Unavailable) -> Unavailable:
    return Unavailable(failure.share, failure.stage, failure.why, status=failure.status, path=failure.path)
