"""The help of a command, as its reader's language and terminal want it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence

import click
from rich.cells import cell_len

from berth.cli.manner import both, language
from berth.cli.wrapping import is_terminal, width_of, wrapped
from berth.texts.text import Text

_WIDEST = 100
_COLUMN = 30
"""Columns of names; longer ones have their text below them."""
_FACTS = re.compile(r"(?s)(?P<text>.*?)(?P<facts>(?:\s*\[[^\[\]]*(?:\[[^\]]*\][^\[\]]*)*\])*)\s*")
"""A text, and what click and we put in brackets behind it: [default: 2] [env: NFS_PATH]."""
_RANGE = re.compile(r"([\d.]+)<=x<=([\d.]+)")
_PLACE = re.compile(r"(?:INTEGER|FLOAT)(?: RANGE)?")
"""click's words for a number."""
_BRACKET = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]")


def help_of(ctx: click.Context) -> str:
    """All of it, in lines."""
    width = min(width_of(sys.stdout), _WIDEST) if is_terminal(sys.stdout) else 80
    return "\n".join(_lines(ctx, width))


def _lines(ctx: click.Context, width: int) -> Iterator[str]:
    command = ctx.command
    gap = "" if language() == "zh" else " "
    usage = f"{_said('Usage:')}{gap}{ctx.command_path} {' '.join(command.collect_usage_pieces(ctx))}"
    yield from wrapped(usage, width, 7)
    for paragraph in (command.help or "").split("\n\n"):
        yield ""
        if paragraph.startswith("    "):  # a command to type
            yield paragraph
        else:
            yield from wrapped(f"  {said(paragraph)}", width)
    options = [record for each in command.get_params(ctx) if isinstance(each, click.Option)
               and (record := each.get_help_record(ctx)) is not None]  # fmt: skip
    if options:
        yield from _section(
            _said("Options:"), [(_PLACE.sub("NUMBER", name), said(text)) for name, text in options], width
        )
    if isinstance(command, click.Group):
        rows = []
        for name in command.list_commands(ctx):
            summary = getattr(command, "summaries", {}).get(name, "")
            if not summary:
                below = command.get_command(ctx, name)
                assert below is not None
                summary = "" if below.hidden else summary_of(below)
            if summary:
                rows.append((name, said(summary)))
        yield from _section(_said("Commands:"), rows, width)


def summary_of(command: click.Command) -> str:
    """The first sentence of its help, or what it says of itself in short."""
    return command.short_help or (command.help or "").split("\n\n")[0]


def said(text: str) -> str:
    """A text of help in the language asked for, with what stands in brackets behind it."""
    found = _FACTS.fullmatch(text)
    assert found is not None
    parts = [_said(found["text"].rstrip()), *(f"[{_fact(each)}]" for each in _BRACKET.findall(found["facts"]))]
    return " ".join(part for part in parts if part)


def texts_of(text: str) -> Iterator[str]:
    """What of a text of help has words: itself, and what stands in brackets behind it."""
    found = _FACTS.fullmatch(text)
    assert found is not None
    yield found["text"].rstrip()
    for each in _BRACKET.findall(found["facts"]):
        yield from (fact.partition(": ")[2] or fact for fact in each.split("; ") if not _RANGE.fullmatch(fact))


def _fact(text: str) -> str:
    """`default: 2; required`, in words."""
    colon = "：" if language() == "zh" else ": "
    told = []
    for each in text.split("; "):
        if limits := _RANGE.fullmatch(each):
            least, most = (f"{float(each):g}" for each in limits.groups())
            told.append(Text(f"{least} to {most}", f"{least} 到 {most}").said(language()))
            continue
        name, is_named, value = each.partition(": ")
        told.append(f"{_said(name)}{colon}{_said(value)}" if is_named else _said(name))
    return ("；" if language() == "zh" else "; ").join(told)


def _said(text: str) -> str:
    return both(" ".join(text.split())).said(language())


def _section(heading: str, rows: Sequence[tuple[str, str]], width: int) -> Iterator[str]:
    yield ""
    yield heading
    names = [cell_len(name) for name, _ in rows if cell_len(name) <= _COLUMN]
    column = min(max(names, default=0), width // 3) + 4
    for name, text in rows:
        head = f"  {name}"
        if cell_len(head) + 2 > column:
            yield head
            head = ""
        padded = head + " " * (column - cell_len(head))
        yield from (line.rstrip() for line in wrapped(padded + text, width, column))
