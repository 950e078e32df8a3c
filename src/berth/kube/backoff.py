"""How long to wait before the next try, per key: 1 s doubling to 5 min, with jitter, for ever."""

from __future__ import annotations

import random


class Backoff:
    """Delays that double with every failure of a key. Forgets nothing by itself: call forget on success.

    Equal jitter: a delay lies between half and the whole of the doubled value, so that many keys that failed together
    (a server went down) don't come back together, and none comes back at once.
    """

    def __init__(self, *, first: float = 1.0, limit: float = 300.0) -> None:
        self._first = first
        self._limit = limit
        self._failures: dict[str, int] = {}

    def next(self, key: str) -> float:
        """Counts one failure of key; seconds to wait for it."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        # 2**60 s is beyond any limit; without the bound, years of failures would compute ever larger numbers.
        whole = min(self._limit, self._first * 2.0 ** min(failures, 60))
        return whole * random.uniform(0.5, 1.0)

    def failures(self, key: str) -> int:
        """How often key has failed since it was forgotten."""
        return self._failures.get(key, 0)

    def forget(self, key: str) -> None:
        """Starts key again from the first delay."""
        self._failures.pop(key, None)

    def __len__(self) -> int:
        """How many keys have failed and were not forgotten."""
        return len(self._failures)
