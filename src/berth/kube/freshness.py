"""Whether a lease that was renewed at one moment can still be counted on now, by every clock that there is.

No clock alone tells for how long a process did nothing: the monotonic one stands still while the machine is suspended,
the boot-time clock while a virtual machine is paused, and the wall clock is set by others. So the lease counts as fresh
only while none of them says otherwise, and not at all once the wall clock has jumped, in either direction, against the
boot-time clock: then the next renewal, which only the API server can grant, decides.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # the latter where a system has no such clock
_JUMP = 1.0
"""Seconds by which the wall clock may differ from the boot-time clock between two renewals: more than any slewing."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment by three clocks, in seconds."""

    monotonic: float
    """Stands still while the machine is suspended."""
    boot: float
    """Goes on while the machine is suspended."""
    wall: float
    """Since 1970, UTC; may be set forward and back. It is the one that is written into the lease."""


def read_clocks() -> Moment:
    """This moment."""
    return Moment(time.monotonic(), time.clock_gettime(_BOOT), time.time())


class Freshness:
    """What is known about the age of a lease's last renewal."""

    def __init__(self, lasts: float, clock: Callable[[], Moment] = read_clocks) -> None:
        """lasts: seconds after a renewal for which the lease counts as fresh; shorter than it really lasts."""
        self._lasts = lasts
        self._jump = min(_JUMP, lasts / 4)
        self._clock = clock
        self._renewed: Moment | None = None

    def now(self) -> Moment:
        """This moment. Taken before a renewal is sent, it is from when on the renewal counts."""
        return self._clock()

    def renewed(self, at: Moment) -> None:
        """The lease was renewed by a request that was sent at that moment."""
        self._renewed = at

    def is_since(self, moment: Moment) -> bool:
        """Whether the last renewal was sent at that moment or later."""
        return self._renewed is not None and self._renewed.monotonic >= moment.monotonic

    @property
    def left(self) -> float:
        """Seconds, by the monotonic clock, for which the last renewal still counts; negative: no longer."""
        return self._lasts - (self._clock().monotonic - self._renewed.monotonic) if self._renewed else -1.0

    def doubt(self) -> str:
        """Empty while the lease is fresh by all clocks; otherwise why it may not be."""
        if self._renewed is None:
            return "the lease was never renewed"
        now, then = self._clock(), self._renewed
        asleep = now.boot - then.boot
        age = max(now.monotonic - then.monotonic, asleep)
        if age >= self._lasts:
            return f"the lease was last renewed {age:.1f} s ago and may be another's by now"
        jumped = (now.wall - then.wall) - asleep
        if abs(jumped) > self._jump:
            return f"the clock jumped by {jumped:+.1f} s since the lease was renewed, so nobody knows when that was"
        return ""
