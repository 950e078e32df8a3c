"""All that commands print goes through here, and tables.py beside it: lines for people, content for programs, questions
and complaints; and what options about that are alike everywhere.

Lines for people are made of what strangers wrote, too: here it is made fit to be looked at (berth.texts.visible), once
and for all. A test sees to it that nothing is printed past these functions.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

import click

from berth.texts.command import Shell
from berth.texts.exact import to_json, to_yaml
from berth.texts.text import Language, language_of
from berth.texts.visible import line

LANGUAGE = click.Option(
    ["--lang"], type=click.Choice(["en", "zh"]), help="Language of the answer. [default: the locale's]"
)


@dataclass(frozen=True, slots=True)
class Styled:
    """A part of a line in a colour. style: `red`, `yellow`, `green`, `cyan`, `bold`, `dim`, or none."""

    text: str
    style: str = ""


Part = str | Styled
"""A Shell among them is a command: it is printed whole, however long it is."""


def output_option(*others: str) -> click.Option:
    """`-o`: for people, or as JSON."""
    return click.Option(
        ["-o", "--output"],
        type=click.Choice(["text", *others, "json"]),
        default="text",
        help="Form of the answer. [default: text]",
    )


def language(lang: str | None) -> Language:
    """The language asked for, else the locale's."""
    return "zh" if lang == "zh" else "en" if lang == "en" else language_of(os.environ)


def say(*parts: Part, on_stderr: bool = False) -> None:
    """One line for a person."""
    is_coloured = (sys.stderr if on_stderr else sys.stdout).isatty() and not os.environ.get("NO_COLOR")
    click.echo("".join(_shown(part, is_coloured) for part in parts), err=on_stderr)


def say_exactly(text: str) -> None:
    """Content for programs: YAML or JSON, in which nothing is left that a terminal obeys (berth.texts.exact)."""
    click.echo(text)


def print_data(content: object, output: str) -> None:
    """Content as JSON or YAML."""
    say_exactly(to_yaml(content) if output == "yaml" else to_json(content))


def print_json(content: object) -> None:
    """Content as JSON."""
    say_exactly(to_json(content))


def complain(sentence: str) -> None:
    """One sentence on stderr."""
    click.echo(f"berth: {line(sentence)}", err=True)


def ask(question: str, *, on_stderr: bool = False) -> bool:
    """Whether the person says yes. click.Abort where he says nothing any more (Ctrl-C, Ctrl-D)."""
    return click.confirm(line(question), default=False, err=on_stderr)


def _shown(part: Part, is_coloured: bool) -> str:
    text, style = (part.text, part.style) if isinstance(part, Styled) else (part, "")
    shown = line(text, is_command=isinstance(text, Shell))
    if not style or not is_coloured:
        return shown
    if style in ("bold", "dim"):
        return click.style(shown, bold=style == "bold" or None, dim=style == "dim" or None)
    return click.style(shown, fg=style)
