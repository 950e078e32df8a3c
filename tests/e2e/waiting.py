"""Waiting for what must come true. Tests never sleep and hope."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL = 0.02
"""Seconds between two looks."""
PATIENCE = 30.0
"""Seconds that anything may take, on a machine that others use too; what works takes a fraction of it."""


def until(what: str, look: Callable[[], T | None], *, deadline: float = PATIENCE) -> T:
    """The first answer of look that is true. Fails with the last one when none comes in time."""
    end = time.monotonic() + deadline
    while not (answer := look()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline:g} s until {what}; seen last: {answer!r}")
        time.sleep(POLL)
    return answer


def until_none(what: str, look: Callable[[], list[str]], *, deadline: float = PATIENCE) -> None:
    """Returns once look finds no more problems. Fails with those that it found last."""
    end = time.monotonic() + deadline
    while found := look():
        if time.monotonic() > end:
            listed = "\n".join(f"  - {one}" for one in found)
            raise AssertionError(f"waited {deadline:g} s until {what}, but:\n{listed}")
        time.sleep(POLL)
