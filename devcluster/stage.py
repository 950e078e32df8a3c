"""Where `make demo` plays: commands are typed into a shell, and shown with what came back, as wide as the terminal is.

On a terminal, programs see one, too, and use its colours; elsewhere all is plain text.
"""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from fcntl import ioctl
from pathlib import Path

from berth.cli.wrapping import indent_of, wrapped
from berth.texts.text import Language, Text
from devcluster import binaries
from devcluster.cluster import DevCluster

WAITING = 60.0
"""Seconds that any step may take."""
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_WIPED = re.compile(r"(?m)^.*\r?\x1b\[K")
"""What a line has shown before it was wiped away: progress, while checks run."""


class StepFailed(Exception):  # noqa: N818
    """A step did not do what it shows; one sentence."""


class Stage:
    """A folder for files, a shell in which kubectl and berth know the cluster, and the screen."""

    def __init__(self, cluster: DevCluster, language: Language) -> None:
        self.language = language
        self._folder = cluster.directory / "demo"
        self._folder.mkdir(exist_ok=True)
        self._is_terminal = sys.stdout.isatty()
        self._width = shutil.get_terminal_size().columns if self._is_terminal else 0
        found = [Path(sys.executable).parent, binaries.find().kubectl.parent]
        self._environment = {
            **os.environ,
            "PATH": os.pathsep.join([*map(str, found), os.environ.get("PATH", os.defpath)]),
            "KUBECONFIG": str(cluster.kubeconfig),
            "LC_ALL": "C.UTF-8",
        }

    def write(self, name: str, content: str) -> None:
        """Puts a file where commands find it."""
        (self._folder / name).write_text(content)

    def type(self, command: str, *, code: int = 0) -> str:
        """Types a command, shows what it prints, and returns that without colours. StepFailed if it does not end with
        that exit code.
        """
        print(self._paint("36", f"$ {command}"), flush=True)
        argv = ["bash", "-c", f"set -o pipefail; {command}"]
        if self._is_terminal:
            text, ended = on_terminal(argv, self._folder, self._environment, self._width)
        else:
            done = subprocess.run(
                argv, cwd=self._folder, env=self._environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, timeout=WAITING, check=False,
            )  # fmt: skip
            text, ended = done.stdout, done.returncode
        plain = COLOUR.sub("", text)
        if ended != code:
            raise StepFailed(f"{command}: {plain.strip() or f'it ended with exit code {ended}'}")
        for line in text.rstrip().splitlines() if plain.strip() else ():
            # What has colours comes from Berth, which has made it fit the width.
            self._lines(line, "") if line == COLOUR.sub("", line) else print(line, flush=True)
        return plain

    def until(self, what: str, condition: Callable[[], bool]) -> None:
        """Waits for a condition; StepFailed when it does not come true."""
        deadline = time.monotonic() + WAITING
        while not condition():
            if time.monotonic() > deadline:
                raise StepFailed(f"waited {WAITING:g} s until {what}, in vain")
            time.sleep(0.05)

    def title(self, text: Text) -> None:
        """A heading."""
        print()
        self._lines(f"## {text.said(self.language)}", "1")

    def say(self, text: Text) -> None:
        """A remark."""
        self._lines(text.said(self.language), "")

    def offer(self, command: str, what: Text) -> None:
        """A command to type, and what it is for."""
        print(f"  {self._paint('36', command)}", flush=True)
        self._lines(f"      {what.said(self.language)}", "")

    def _lines(self, text: str, code: str) -> None:
        for line in wrapped(text, self._width, indent_of(text) + 2) if self._is_terminal else [text]:
            print(self._paint(code, line), flush=True)

    def _paint(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._is_terminal and code else text


def on_terminal(argv: list[str], folder: Path, environment: Mapping[str, str], width: int) -> tuple[str, int]:
    """What a program leaves on a terminal of that width, with its colours, and its exit code. StepFailed when it does
    not end in time.
    """
    ours, its = pty.openpty()
    try:
        ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
        with subprocess.Popen(
            argv, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=its, stderr=its
        ) as program:
            os.close(its)
            try:
                said = _read_all(ours)
            except StepFailed:
                program.kill()
                raise
            return _WIPED.sub("", said.decode(errors="replace").replace("\r\n", "\n")), program.wait(WAITING)
    finally:
        os.close(ours)


def _read_all(terminal: int) -> bytes:
    said, deadline = b"", time.monotonic() + WAITING
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([terminal], [], [], left)[0]:
            break
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # nobody has the other end open any more
            return said
        if not piece:
            return said
        said += piece
    raise StepFailed(f"a command did not end within {WAITING:g} s")
