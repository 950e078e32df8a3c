"""Tables for people, and what is being done: with colour and frames on a terminal, as plain columns everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from berth.cli.output import say, tell
from berth.cli.relay import relay
from berth.cli.wrapping import is_terminal, width_of
from berth.texts.visible import shortened, visible

PLAIN_GAP = "  "
_CELL = 300
"""Characters of a cell at most."""


@contextmanager
def progress(doing: str) -> Iterator[None]:
    """What is being done, on stderr while it is done; nothing where stderr is no terminal."""
    if relay():
        tell("doing", text=doing)
        yield
        tell("doing", text="")
        return
    if not is_terminal(sys.stderr):
        yield
        return
    width = width_of(sys.stderr)
    with Console(stderr=True, width=width).status(Text(_fitting(f"{_cell(doing)} …", width - 3))):
        yield


def overwrite(text: str) -> None:
    """Puts text in the place of what overwrite put on the last line of stderr, a terminal, before."""
    if relay():
        tell("doing", text=text)
        return
    click.echo(f"\r\x1b[K{_fitting(visible(text), width_of(sys.stderr) - 1)}", nl=False, err=True, color=True)
    sys.stderr.flush()


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]], styles: Sequence[str] = ()) -> None:
    """Rows below headings. styles: for each row's first cell, where stdout is a terminal."""
    if relay():
        tell("table", headings=headings, rows=rows, styles=styles)
        return
    if is_terminal(sys.stdout):
        cells = [[_cell(cell) for cell in row] for row in (headings, *rows)]
        _print_framed(cells[0], cells[1:], styles)
        return
    for each in plain_lines(headings, rows):
        say(each)


def plain_lines(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows below headings, in columns."""
    cells = [[_cell(cell) for cell in row] for row in (headings, *rows)]
    widths = [max(cell_len(row[at]) for row in cells) for at in range(len(headings))]
    for row in cells:
        padded = [cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)]
        yield PLAIN_GAP.join(padded).rstrip()


def _fitting(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, width)


def _cell(text: str) -> str:
    return shortened(visible(text), _CELL)


def _print_framed(headings: Sequence[str], rows: Sequence[Sequence[str]], styles: Sequence[str]) -> None:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(Text(heading), overflow="fold")
    for at, row in enumerate(rows):
        first = Text(row[0], style=styles[at] if at < len(styles) else "")
        table.add_row(first, *(Text(cell) for cell in row[1:]))
    Console(width=width_of(sys.stdout)).print(table)
