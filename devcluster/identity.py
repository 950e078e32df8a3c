"""Which process a number means: a pid is reused, a pid together with its start time is not."""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Identity:
    """One process of this boot of the machine, and never another one."""

    pid: int
    started: int
    """Start time in clock ticks since boot, as /proc/<pid>/stat says it."""

    @property
    def is_alive(self) -> bool:
        """False once the process has ended, even while its parent has not collected it."""
        return _started(self.pid) == self.started

    def send(self, number: signal.Signals) -> None:
        """Signals the process; does nothing when it is gone, whoever has its number now."""
        with suppress(ProcessLookupError):
            handle = os.pidfd_open(self.pid)
            try:
                # The handle keeps meaning the same process, so checking after opening leaves no gap for a reused pid.
                if self.is_alive:
                    signal.pidfd_send_signal(handle, number)
            finally:
                os.close(handle)

    def wait_gone(self, deadline: float) -> bool:
        """Waits until the process has ended; False when it lives on after deadline seconds. It need not be a child."""
        end = time.monotonic() + deadline
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            while self.is_alive:
                left = end - time.monotonic()
                if left <= 0:
                    return False
                # A pidfd becomes readable when its process ends; the short timeout covers a handle on a reused pid.
                select.select([handle], [], [], min(left, 0.2))
            return True
        finally:
            os.close(handle)

    def end(self, grace: float) -> None:
        """Ends the process: politely, and with SIGKILL when it is still there after grace seconds."""
        self.send(signal.SIGTERM)
        self.send(signal.SIGCONT)  # a stopped process would sleep through the SIGTERM
        if not self.wait_gone(grace):
            self.send(signal.SIGKILL)
            self.wait_gone(10)


def identify(pid: int) -> Identity | None:
    """The identity of a running process, None when there is none with that number."""
    started = _started(pid)
    return None if started is None else Identity(pid, started)


def is_frozen(pid: int) -> bool:
    """True when each thread of a process has been stopped (SIGSTOP), which takes a moment after the signal."""
    threads = [_stat(path) for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    return all(fields[0] in "Tt" for fields in threads if fields)


def _started(pid: int) -> int | None:
    fields = _stat(Path(f"/proc/{pid}/stat"))
    return None if not fields or fields[0] in "ZX" else int(fields[19])


def _stat(path: Path) -> list[str]:
    """The fields of a stat file below /proc, from the state on; none when the process or thread has gone."""
    try:
        # The second field, the command's name in brackets, may hold anything, brackets and blanks included.
        return path.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
