"""What hosts say, shown here by the same printers as if it were said here: of several, each line behind its host."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.cells import cell_len

from berth.cli.manner import called
from berth.cli.output import Part, Styled, say
from berth.cli.tables import overwrite, plain_lines, print_table
from berth.cli.wrapping import indent_of, is_terminal
from berth.texts.command import Shell

_STYLES = ("red", "yellow", "green", "cyan", "bold", "dim")
_MOST = 10_000
"""Rows of a table that are shown."""


class Screen:
    """stdout and stderr, for the records of some hosts."""

    def __init__(self, hosts: Sequence[str]) -> None:
        self._widest = max(cell_len(called(host)) for host in hosts) if len(hosts) > 1 else 0
        self._doing: dict[str, str] = {}
        self.answers: dict[str, object] = {}
        """What each host has answered to programs."""

    def show(self, host: str, kind: str, facts: Mapping[str, Any]) -> None:
        """A record of a host. What is not as it must be is not shown: hosts are strangers."""
        match kind, facts:
            case "say", {"parts": list(parts)}:
                hang = facts.get("hang")
                self.say(host, *_parts(parts), on_stderr=facts.get("on_stderr") is True,
                         hang=hang if isinstance(hang, int) and 0 <= hang < 80 else None)  # fmt: skip
            case "lines", {"text": str(text)}:
                for line in text.splitlines():
                    self.say(host, line)
            case "table", {"headings": list(headings), "rows": list(rows), "styles": list(styles)}:
                self._table(host, [str(each) for each in headings], rows, [str(each) for each in styles])
            case "exact", {"text": str(text)}:
                self.answers[host] = _read(text)
            case "doing", {"text": str(text)}:
                self.doing(host, text)

    def say(self, host: str, *parts: Part, on_stderr: bool = False, hang: int | None = None) -> None:
        """A line of a host."""
        with self._wiped():
            if not self._widest:
                say(*parts, on_stderr=on_stderr, hang=hang)
                return
            before = called(host) + " " * (self._widest - cell_len(called(host))) + "  "
            said = "".join(each.text if isinstance(each, Styled) else each for each in parts)
            inner = indent_of(said) if hang is None else hang
            say(Styled(before, "cyan"), *parts, on_stderr=on_stderr, hang=cell_len(before) + inner)

    def doing(self, host: str, text: str) -> None:
        """What a host is doing now; empty for nothing in particular."""
        self._doing.pop(host, None)
        if text:
            self._doing[host] = text
        self._redraw()

    def ended(self, host: str) -> None:
        """That host does nothing any more."""
        self.doing(host, "")

    @contextmanager
    def _wiped(self) -> Iterator[None]:
        if not self._doing or not is_terminal(sys.stderr):
            yield
            return
        overwrite("")
        try:
            yield
        finally:
            self._redraw()

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Within it the last line is the question's."""
        if is_terminal(sys.stderr):
            overwrite("")
        yield

    def _redraw(self) -> None:
        if is_terminal(sys.stderr):
            doings = (f"{called(host)}: {text}" if self._widest else text for host, text in self._doing.items())
            told = ", ".join(doings)
            overwrite(f"{told} …" if told else "")

    def _table(self, host: str, headings: list[str], rows: list[Any], styles: list[str]) -> None:
        width = len(headings)
        cells = [[str(cell) for cell in row] for row in rows[:_MOST] if isinstance(row, list) and len(row) == width]
        known = [each if each in _STYLES else "" for each in styles]
        with self._wiped():
            if not self._widest:
                print_table(headings, cells, known)
                return
        for line in plain_lines(headings, cells):
            self.say(host, line)


def _parts(parts: list[Any]) -> Iterator[Part]:
    for each in parts:
        match each:
            case [str(text), str(style), bool(is_command)]:
                yield Styled(Shell(text) if is_command else text, style if style in _STYLES else "")


def _read(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
