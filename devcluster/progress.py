"""Long steps, made visible: what is being done, for how long already, and what the tool at work said last."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from devcluster.errors import DevClusterError

_REDRAW = 0.25
_LINE_EVERY = 10.0
"""Seconds between two lines where the output is no terminal (CI logs): often enough to see that it lives."""
_WIDTH = 120
"""Columns of such a line at most: pip names all packages in one."""


class StepFailed(DevClusterError):  # noqa: N818 - reads better where it is raised
    """A step's command ended with an error; the end of what it wrote is part of the message."""


def run(
    title: str,
    argv: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    describe: Callable[[str], str] = str.strip,
) -> None:
    """Runs a command to its end, showing its progress on standard error; all that it writes is appended to log.

    env: added to our own. describe: turns a line of output into what people see of it; empty: nothing new.
    StepFailed when it fails. An interrupt (Ctrl-C) reaches the command too, since it shares our terminal.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink, log.open("rb") as source:
        source.seek(0, os.SEEK_END)
        step = _Step(title, sys.stderr)
        with subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env={**os.environ, **(env or {})}, cwd=cwd
        ) as command:
            tail: deque[str] = deque(maxlen=20)
            try:
                while True:
                    ended = command.poll() is not None
                    for line in source:
                        tail.append(line.decode(errors="replace").rstrip())
                        step.detail = describe(tail[-1]) or step.detail
                    if ended:
                        break
                    step.show()
                    _wait(command)
            finally:
                if command.poll() is None:
                    command.terminate()
                step.end(command.wait() == 0)
    if command.returncode:
        said = "\n".join(f"    {line}" for line in tail)
        raise StepFailed(f"{title} failed: `{argv[0]}` ended with {command.returncode}; the end of {log}:\n{said}")


def _wait(command: subprocess.Popen[bytes]) -> None:
    try:
        command.wait(_REDRAW)
    except subprocess.TimeoutExpired:
        return


class _Step:
    """The line on the screen that belongs to one running command."""

    def __init__(self, title: str, out: TextIO) -> None:
        self.detail = ""
        self._title = title
        self._out = out
        self._start = time.monotonic()
        self._next_line = self._start + _LINE_EVERY
        self._is_terminal = out.isatty()
        self._write(f"{title} ..." if not self._is_terminal else "")

    def show(self) -> None:
        text = f"{self._elapsed()}  {self.detail}".rstrip()
        if self._is_terminal:
            width = shutil.get_terminal_size().columns - 1
            self._out.write(f"\r\x1b[K{self._title} ... {text}"[: width + 4])
            self._out.flush()
        elif time.monotonic() >= self._next_line:
            self._next_line += _LINE_EVERY
            self._write(f"  {text}"[:_WIDTH])

    def end(self, succeeded: bool) -> None:
        if self._is_terminal:
            self._out.write("\r\x1b[K")
        self._write(f"{self._title}: {'done' if succeeded else 'failed'} after {self._elapsed()}")

    def _write(self, text: str) -> None:
        if text:
            self._out.write(f"{text}\n")
        self._out.flush()

    def _elapsed(self) -> str:
        seconds = int(time.monotonic() - self._start)
        return f"{seconds // 60}:{seconds % 60:02}"
