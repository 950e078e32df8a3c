"""Keeps a share that does not answer from holding up everybody who has work elsewhere.

While a share works, all calls pass. Once it has failed as a whole, one call at a time goes through to find out whether
it is back; the others are told at once what the last one met, instead of each waiting for its own deadline.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from berth.volumes.errors import FailureStage, Unavailable, VolumeError

_WHOLE: frozenset[FailureStage] = frozenset({"dns", "connect", "mount", "timeout"})
"""Stages that say something about the share, not about one path on it."""


class CircuitBreaker:
    """One share's. Not for use from several threads."""

    def __init__(self) -> None:
        self._failure: Unavailable | None = None
        self._has_scout = False

    @property
    def is_shut(self) -> bool:
        return self._failure is not None

    @contextmanager
    def passage(self) -> Iterator[None]:
        """Around one call. Raises the share's last failure, if it failed as a whole and another call is finding out."""
        is_scout = self._failure is not None
        if is_scout and self._has_scout:
            raise _again(self._failure)
        if is_scout:
            self._has_scout = True
        try:
            yield
        except Unavailable as failure:
            self._failure = failure if failure.stage in _WHOLE else None
            raise
        except VolumeError:
            self._failure = None  # an answer, if not the one hoped for
            raise
        else:
            self._failure = None
        finally:
            if is_scout:
                self._has_scout = False


def _again(failure: Unavailable | None) -> Unavailable:
    assert failure is not None
    return Unavailable(failure.share, failure.stage, failure.why, status=failure.status, path=failure.path)
