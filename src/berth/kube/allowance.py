"""How often something may be said about one object: some at once, and then one now and again."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable

MOST_KEYS = 4096
"""Keys that are remembered, those that were used last: what client-go's filter of Events remembers, too."""


class Allowance:
    """A bucket of tokens for each key: full at first, and one more each so many seconds."""

    def __init__(self, *, burst: int, seconds: float, most: int = MOST_KEYS) -> None:
        self._burst = burst
        self._seconds = seconds
        self._most = most
        self._buckets: dict[Hashable, tuple[float, float]] = {}  # key -> (tokens, when); the one used last is last

    def take(self, key: Hashable) -> bool:
        """Takes one of the key's tokens; False when there is none."""
        now = asyncio.get_running_loop().time()
        tokens, since = self._buckets.pop(key, (float(self._burst), now))
        tokens = min(float(self._burst), tokens + (now - since) / self._seconds)
        is_given = tokens >= 1.0
        self._buckets[key] = (tokens - 1.0 if is_given else tokens, now)
        if len(self._buckets) > self._most:
            del self._buckets[next(iter(self._buckets))]
        return is_given

    def forget(self, key: Hashable) -> None:
        """The key starts with a full bucket again."""
        self._buckets.pop(key, None)

    def __len__(self) -> int:
        """Keys that are remembered."""
        return len(self._buckets)
