"""In a real terminal of 60, 80 and 200 columns: prose breaks between words, commands stand whole, nothing is torn."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len

from berth.cli.wrapping import wrapped
from tests.cli.command import PROGRAM, environment

WIDTHS = [60, 80, 200]
LOG = (
    'E0101 1 controller.go:1004] provision "ddddd/demo4nfs" class "nfs": unexpected error getting claim reference: '
    "selfLink was empty, can't make reference\n"
)


class Terminal:
    """tmux with one window of that many columns."""

    def __init__(self, socket: Path, columns: int, lang: str) -> None:
        self._socket = str(socket)
        place = ["-c", str(socket.parent), "-x", str(columns), "-y", "200"]
        self._tmux("new-session", "-d", *place, "env", "-i", *self._settings(lang), "sh")
        self._wait(r"(?m)^>")

    def _settings(self, lang: str) -> list[str]:
        path = f"{PROGRAM.parent}:{os.environ['PATH']}"
        known = environment({"PATH": path, "LC_ALL": lang, "TERM": "screen-256color", "PS1": "> "})
        return [f"{name}={value}" for name, value in known.items()]

    def _tmux(self, *arguments: str) -> str:
        argv = ["tmux", "-u", "-S", self._socket, "-f", "/dev/null", *arguments]
        return subprocess.run(argv, capture_output=True, text=True, timeout=30, check=True).stdout

    def shows(self, command: str) -> list[str]:
        """The lines on the screen once the command has ended."""
        self._tmux("send-keys", "-R")
        self._tmux("send-keys", f"{command}; echo ended-$?", "Enter")
        lines = self._wait(r"(?m)^ended-\d+$")
        begin = next(at for at, line in enumerate(lines) if "ended-$?" in line) + 1
        end = next(at for at, line in enumerate(lines) if re.fullmatch(r"ended-\d+", line))
        return lines[begin:end]

    def _wait(self, pattern: str) -> list[str]:
        """The lines of the screen once the pattern stands on it."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            lines = [line.rstrip() for line in self._tmux("capture-pane", "-p").rstrip().splitlines()]
            if re.search(pattern, "\n".join(lines)):
                return lines
            time.sleep(0.1)
        raise AssertionError(self._tmux("capture-pane", "-p"))

    def close(self) -> None:
        self._tmux("kill-server")


@pytest.fixture(params=WIDTHS)
def columns(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(params=["C.UTF-8", "zh_CN.UTF-8"])
def terminal(request: pytest.FixtureRequest, tmp_path: Path, columns: int) -> Iterator[Terminal]:
    opened = Terminal(tmp_path / "t", columns, request.param)
    yield opened
    opened.close()


@pytest.mark.slow
def test_a_report_is_broken_between_words_and_its_commands_are_whole(
    terminal: Terminal, columns: int, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    log.write_text(LOG)
    lines = terminal.shows("berth doctor explain log 2>/dev/null")
    plain = subprocess.run(
        [str(PROGRAM), "doctor", "explain", str(log)], capture_output=True, text=True, check=False, timeout=60,
        env=environment({"LC_ALL": "zh_CN.UTF-8" if re.search("[\u4e00-\u9fff]", "".join(lines)) else "C.UTF-8"}),
    ).stdout  # fmt: skip
    assert all(cell_len(line) <= columns for line in lines)
    # Nothing is lost, and no word is torn: blanks apart it is what a pipe gets.
    assert "".join("".join(lines).split()) == "".join(plain.split())
    words = set(re.findall(r"[A-Za-z][A-Za-z'/-]*", plain))
    folded = [before for before in lines if cell_len(before) == columns]
    prose = [
        line for before, line in zip(["", *lines], lines, strict=False) if before not in folded and line not in folded
    ]
    assert [word for line in prose for word in re.findall(r"[A-Za-z][A-Za-z'/-]*", line) if word not in words] == []
    for line in plain.splitlines():
        if line.lstrip().startswith("$ ") and cell_len(line) < columns:
            assert line in lines


@pytest.mark.slow
def test_help_fits_and_its_columns_stay(terminal: Terminal, columns: int) -> None:
    for command in ("", "install", "doctor", "server init"):
        lines = terminal.shows(f"berth {command} --help")
        assert all(cell_len(line) <= min(columns, 100) for line in lines), command
        assert any("--lang" in line for line in lines)


@pytest.mark.slow
def test_progress_takes_the_width_of_the_stream_it_is_on(terminal: Terminal, columns: int) -> None:
    lines = terminal.shows("berth doctor node | cat > /dev/null")
    assert len(lines) <= 1, lines  # a line that is wider than the terminal would leave its rest behind, again and again


def test_wrapping_keeps_indent_commands_and_chinese_punctuation() -> None:
    assert wrapped("  one two three", 10) == ["  one two", "  three"]
    assert wrapped("- one two three", 10) == ["- one two", "  three"]
    assert wrapped("do `berth doctor share nas:/srv` now", 20) == ["do", "`berth doctor share nas:/srv`", "now"]
    for text in ("检查共享，并以客户端身份实际验证（只读）。", "a b, c; d."):
        for width in range(6, 30):
            lines = wrapped(text, width, 0)
            assert "".join("".join(lines).split()) == "".join(text.split())
            assert not [line for line in lines if line[0] in "，。；）,;."]
