"""How much of a long job is under way at a server at once: as much as it keeps up with, so that others don't wait.

Calls over a long way take long, however few they are, so no time is long by itself: it is the wait beyond the shortest
one seen that tells a queue at the server.
"""

from __future__ import annotations

import math

SLACK = 0.25
"""Seconds that a call may wait in line. A claim's calls wait as long there."""


class Window:
    """Starts at half of most, grows by one with every call that is answered in time, and halves when one is late."""

    def __init__(self, most: int) -> None:
        self.size = max(1, most // 2)
        self._most = most
        self._shortest = math.inf
        self._narrowed = -math.inf

    def answered(self, began: float, ended: float) -> None:
        """A call was made at the one moment, and answered at the other."""
        took = ended - began
        self._shortest = min(self._shortest, took)
        if took <= self._shortest + SLACK:
            self.size = min(self._most, self.size + 1)
        elif began >= self._narrowed:  # what was under way already when it was narrowed says nothing new
            self.size = max(1, self.size // 2)
            self._narrowed = ended
