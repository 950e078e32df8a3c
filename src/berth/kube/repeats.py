"""Which failures are worth a log line. An outage hits thousands of keys again and again; the log must stay readable."""

from __future__ import annotations

import asyncio

_SAME_KEY_AGAIN = 3600.0
_LINES_PER_WINDOW = 10
_WINDOW = 60.0


class Repeats:
    """Decides line by line: one text once an hour for the same key, and ten times a minute for all keys."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[str, float]] = {}  # key -> its last text, and when that was logged
        self._windows: dict[str, _Window] = {}

    def worth_logging(self, key: str, text: str) -> int | None:
        """None: stay silent. Else: log it, and that so many lines of this text were held back before it."""
        now = asyncio.get_running_loop().time()
        last = self._last.get(key)
        if last is not None and last[0] == text and now < last[1] + _SAME_KEY_AGAIN:
            return None
        self._last[key] = (text, now)
        window = self._windows.get(text)
        if window is None or now >= window.until:
            self._windows = {text: w for text, w in self._windows.items() if w.until > now}
            self._windows[text] = _Window(now + _WINDOW)
            return window.held_back if window is not None else 0
        window.lines += 1
        if window.lines <= _LINES_PER_WINDOW:
            return 0
        window.held_back += 1
        return None

    def forget(self, key: str) -> None:
        """Key is well: its next failure is news."""
        self._last.pop(key, None)


class _Window:
    __slots__ = ("held_back", "lines", "until")

    def __init__(self, until: float) -> None:
        self.until = until
        self.lines = 1
        self.held_back = 0
