"""Tables and findings for people: with colour and frames on a terminal, as plain columns everywhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

PLAIN_GAP = "  "


def say(line: str = "") -> None:
    """One line on stdout."""
    click.echo(line)


@contextmanager
def progress(doing: str) -> Iterator[None]:
    """What is being done, on stderr while it is done; nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield
        return
    with Console(stderr=True).status(escape(f"{doing} …")):
        yield


def styled(text: str, style: str) -> str:
    """The text in a colour, where stdout is a terminal. style: `red`, `yellow`, `green`, `bold`, `dim`, or none."""
    if not sys.stdout.isatty() or not style or os.environ.get("NO_COLOR"):
        return text
    if style == "bold":
        return click.style(text, bold=True)
    return click.style(text, dim=True) if style == "dim" else click.style(text, fg=style)


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]], styles: Sequence[str] = ()) -> None:
    """Rows below headings. styles: for each row's first cell, where stdout is a terminal."""
    if sys.stdout.isatty():
        _print_framed(headings, rows, styles)
        return
    widths = [max(cell_len(row[at]) for row in (headings, *rows)) for at in range(len(headings))]
    for row in (headings, *rows):
        cells = [cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)]
        say(PLAIN_GAP.join(cells).rstrip())


def _print_framed(headings: Sequence[str], rows: Sequence[Sequence[str]], styles: Sequence[str]) -> None:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for at, row in enumerate(rows):
        style = styles[at] if at < len(styles) else ""
        first = Text(row[0], style=style)
        table.add_row(first, *(Text(cell) for cell in row[1:]))
    Console().print(table)
