"""One long-running program of the dev cluster: start it, see that it is ready, hurt it, start it again.

A process runs in a session of its own, so that Ctrl-C reaches only us and we decide the order of the end. Unless it is
detached it dies with us, whatever kills us (PR_SET_PDEATHSIG). Everything that it prints goes to its log.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from devcluster.errors import ProcessFailed, ProgramMissing
from devcluster.identity import Identity, identify, is_frozen

_POLL = 0.02
"""Seconds between two looks at a condition: far below what a person notices, cheap enough for two cores."""

_DYING = 60
"""Seconds after which a process that was killed is told as stuck in the kernel."""

# PR_SET_PDEATHSIG fires when the *thread* that started the child ends. Callers start processes from short-lived worker
# threads (asyncio.to_thread), so one thread that lives as long as we do starts them all.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="devcluster-starter")


class Process:
    """A program that can be started, killed, paused and restarted any number of times with the same arguments."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        ready: Callable[[], bool] | None = None,
        deadline: float = 60.0,
        detached: bool = False,
    ) -> None:
        """env: added to our own environment. ready: True once the program serves; default: that it runs.

        deadline: seconds that it may take to become ready. detached: it outlives us.
        """
        self.name = name
        self.argv = tuple(argv)
        self.log = log
        self.identity: Identity | None = None
        self._env = dict(env or {})
        self._ready = ready or (lambda: True)
        self._deadline = deadline
        self._detached = detached
        self._child: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    def __repr__(self) -> str:
        return f"<Process {self.name} pid={self.identity.pid if self.identity else None}>"

    @property
    def pid(self) -> int:
        """The number of the running process; an error when it was never started."""
        if self.identity is None:
            raise ProcessFailed(self.name, "was not started", self.log, "")
        return self.identity.pid

    @property
    def is_running(self) -> bool:
        """True from start until the process has ended, paused or not."""
        return self._child is not None and self._child.poll() is None

    @property
    def exit_code(self) -> int | None:
        """What the process ended with (negative: the signal), None while it runs or before it was started."""
        return None if self._child is None else self._child.poll()

    def start(self, *, wait: bool = True, pass_fds: Sequence[int] = ()) -> None:
        """Starts the program; ready when this returns, unless wait is False. Does nothing when it runs already."""
        if not self.is_running:
            self._child = _starter.submit(self._spawn, tuple(pass_fds)).result()
            self.identity = identify(self._child.pid) or Identity(self._child.pid, 0)
        if wait:
            self.wait_ready()

    def wait_ready(self, deadline: float | None = None) -> None:
        """Returns once the program serves. ProcessFailed, with the end of its log, when it ends or takes too long."""
        self.wait_until(self._ready, "ready", deadline)

    def wait_until(self, condition: Callable[[], bool], what: str, deadline: float | None = None) -> None:
        """Returns once the condition holds while the program runs; else as wait_ready. what: its name, for people."""
        allowed = self._deadline if deadline is None else deadline
        end = time.monotonic() + allowed
        while not (self.is_running and condition()):
            if not self.is_running:
                raise self._failure(f"ended with {self.exit_code} before it was {what}")
            if time.monotonic() > end:
                raise self._failure(f"was not {what} after {allowed:.0f} s")
            time.sleep(_POLL)

    def stop(self, grace: float = 10.0) -> None:
        """Ends the program with SIGTERM, after grace seconds with SIGKILL; it is gone when this returns."""
        if self._child is None:
            return
        if self.is_running and self.identity is not None:
            self.signal(signal.SIGTERM)
            self.signal(signal.SIGCONT)  # a paused process would sleep through the SIGTERM
            try:
                self._child.wait(grace)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """Ends the program with SIGKILL, as a crash or the out-of-memory killer would; it is gone when this returns."""
        if self._child is not None:
            self.signal(signal.SIGKILL)
            try:
                self._child.wait(_DYING)
            except subprocess.TimeoutExpired:
                raise self._failure(f"has not ended {_DYING} s after it was killed") from None

    def pause(self) -> None:
        """Freezes the program (SIGSTOP): its sockets accept, and nothing ever answers. All of it stands still."""
        self.signal(signal.SIGSTOP)
        self.wait_until(lambda: is_frozen(self.pid), "frozen")

    def resume(self) -> None:
        """Lets a paused program go on."""
        self.signal(signal.SIGCONT)

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal; does nothing when the program does not run."""
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(number)

    def restart(self) -> None:
        """Stops the program and starts it again; ready when this returns."""
        self.stop()
        self.start()

    def log_tail(self, lines: int = 15) -> str:
        """The last lines that the program has written since it was started last."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(self._log_start, self.log.stat().st_size - 65536))
                return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""

    def _spawn(self, pass_fds: tuple[int, ...]) -> subprocess.Popen[bytes]:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            bind_to_us = [] if self._detached else ["setpriv", "--pdeathsig", "KILL", "--"]
            try:
                return subprocess.Popen(
                    [*bind_to_us, *self.argv],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, **self._env},
                    start_new_session=True,
                    pass_fds=pass_fds,
                )
            except FileNotFoundError as error:
                raise ProgramMissing(f"{self.name} can't be started: there is no {error.filename} here") from error

    def _failure(self, why: str) -> ProcessFailed:
        return ProcessFailed(self.name, why, self.log, self.log_tail())
