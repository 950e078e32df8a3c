"""Which failures are worth a log line. An outage hits thousands of keys again and again; the log must stay readable.

What is remembered is bounded, however many keys and texts there are: the oldest are forgotten, and said once more.
"""

from __future__ import annotations

import asyncio

from berth.kube.allowance import Allowance

_SAME_KEY_AGAIN = 3600.0
_LINES_PER_WINDOW = 10
_WINDOW = 60.0
_MOST = 10_000
"""Keys and texts that are remembered."""


class LogThrottle:
    """Decides line by line: one text once an hour for the same key, ten lines and then one a minute for the same key
    whatever its texts, and ten times a minute one text for all keys.
    """

    def __init__(self, *, most: int = _MOST) -> None:
        # A text's hash stands for it: whose length strangers can choose, nobody keeps.
        self._last: dict[str, tuple[int, float]] = {}  # key -> its last text, and when that was logged
        self._windows: dict[int, _Window] = {}  # by text; all last equally long, so the first ends first
        self._allowance = Allowance(burst=_LINES_PER_WINDOW, seconds=_WINDOW, most=most)
        self._most = most

    def worth_logging(self, key: str, text: str) -> int | None:
        """None: stay silent. Else: log it, and that so many lines of this text were held back before it."""
        now = asyncio.get_running_loop().time()
        said = hash(text)
        last = self._last.pop(key, None)
        if last is not None and last[0] == said and now < last[1] + _SAME_KEY_AGAIN:
            self._last[key] = last
            return None
        self._last[key] = (said, now)
        if len(self._last) > self._most:
            del self._last[next(iter(self._last))]
        if not self._allowance.take(key):
            return None
        return self._in_window(said, now)

    def _in_window(self, said: int, now: float) -> int | None:
        window = self._windows.get(said)
        if window is None or now >= window.until:
            self._windows.pop(said, None)
            while self._windows and (len(self._windows) >= self._most or self._first.until <= now):
                del self._windows[next(iter(self._windows))]
            self._windows[said] = _Window(now + _WINDOW)
            return window.held_back if window is not None else 0
        window.lines += 1
        if window.lines <= _LINES_PER_WINDOW:
            return 0
        window.held_back += 1
        return None

    @property
    def _first(self) -> _Window:
        return next(iter(self._windows.values()))

    def forget(self, key: str) -> None:
        """Key is well: its next failure is news."""
        self._last.pop(key, None)

    def __len__(self) -> int:
        """Keys and texts that are remembered."""
        return max(len(self._last), len(self._windows), len(self._allowance))


class _Window:
    __slots__ = ("held_back", "lines", "until")

    def __init__(self, until: float) -> None:
        self.until = until
        self.lines = 1
        self.held_back = 0
