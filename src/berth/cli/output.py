"""All that commands print goes through here, and tables.py beside it: lines for people, content for programs, questions
and complaints; and what options about that are alike everywhere.

Lines for people are made of what strangers wrote, too: here it is made fit to be looked at (berth.texts.visible), once
and for all. A test sees to it that nothing is printed past these functions.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click

from berth import __version__
from berth.cli.manner import FORMS, REDACT, Form, Tongue, fit, language, note_answer
from berth.cli.relay import relay
from berth.cli.wrapping import breaks, indent_of, is_terminal, width_of
from berth.operations.remote.protocol import HELLO, encode
from berth.texts.command import Shell
from berth.texts.data import as_data
from berth.texts.exact import to_json, to_yaml
from berth.texts.text import Text
from berth.texts.visible import line

LANGUAGE = click.Option(
    ["--lang"], type=Tongue(), metavar="[en|zh]", help="Language of the answer. [default: the locale's]"
)
REDACTED = click.Option(
    [REDACT],
    is_flag=True,
    expose_value=False,
    help="With stand-ins for names, addresses and paths: the same name has the same one. Look it over before you show "
    "it to others.",
)
"""Which it is, is known before the line is understood (berth.cli.manner): errors are told so, too."""
_YES, _NO = ("y", "yes", "是"), ("", "n", "no", "否")
_YES_OR_NO = Text("please answer y or n", "请回答 y（是）或 n（否）")


@dataclass(frozen=True, slots=True)
class Styled:
    """A part of a line in a colour. style: `red`, `yellow`, `green`, `cyan`, `bold`, `dim`, or none."""

    text: str
    style: str = ""


Part = str | Styled
"""A Shell among them is a command: it is printed whole, however long it is."""


class OutputLost(OSError):  # noqa: N818 - says what happened
    """What was to be printed could not be written: a full disk, a pipe that nobody reads any more. why: the system's
    words."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def output_option(*forms: str) -> click.Option:
    """`-o`: for people, or for programs. forms: those that there are, where they are fewer than FORMS."""
    known = forms or FORMS
    return click.Option(
        ["-o", "--output"],
        type=Form(known),
        default=known[0],
        help=f"Form of the answer. [default: {known[0]}]",
    )


def say(*parts: Part, on_stderr: bool = False, hang: int | None = None) -> None:
    """A line for a person: on a terminal prose that is wider breaks between words. hang: columns by which what
    follows is indented, if not as the first line is.
    """
    pieces = [part if isinstance(part, Styled) else Styled(part) for part in parts]
    if relay():
        told = [[each.text, each.style, isinstance(each.text, Shell)] for each in pieces]
        tell("say", parts=told, on_stderr=on_stderr, hang=hang)
        return
    stream = sys.stderr if on_stderr else sys.stdout
    is_shown = is_terminal(stream)
    is_coloured = is_shown and not os.environ.get("NO_COLOR")
    shown = [Styled(line(each.text, is_command=isinstance(each.text, Shell)), each.style) for each in pieces]
    if not is_shown or any(isinstance(each.text, Shell) for each in pieces):
        _write("".join(_coloured(each, is_coloured) for each in shown), on_stderr=on_stderr)
        return
    whole = "".join(each.text for each in shown)
    indent = indent_of(whole) if hang is None else hang
    for at, (begin, end) in enumerate(breaks(whole, width_of(stream), indent)):
        _write(" " * (indent if at else 0) + _cut(shown, begin, end, is_coloured), on_stderr=on_stderr)


def say_lines(text: str) -> None:
    """Lines of our own, made for the width of the terminal already."""
    if relay():
        tell("lines", text=text)
    else:
        _write(text)


def say_exactly(text: str) -> None:
    """Content for programs: YAML or JSON, in which nothing is left that a terminal obeys (berth.texts.exact)."""
    if relay():
        tell("exact", text=text)
    else:
        _write(text)
    note_answer()


def print_data(content: object, output: str) -> None:
    """Content as JSON or YAML; its keys as Kubernetes writes them (berth.texts.data)."""
    known = as_data(content)
    say_exactly(to_yaml(known) if output == "yaml" else to_json(known))


def complain(sentence: str) -> None:
    """One sentence on stderr."""
    say(f"berth: {fit(sentence)}", on_stderr=True, hang=2)


def ask(question: str, *, on_stderr: bool = False) -> bool:
    """Whether the person says yes. click.Abort where he says nothing any more (Ctrl-C, Ctrl-D)."""
    if afar := relay():
        tell("ask", question=question, on_stderr=on_stderr)
        if (agreed := afar.answer()) is None:
            raise click.Abort
        return agreed
    while True:
        with _writing():
            said = click.prompt(f"{line(question)} [y/N]", default="", show_default=False, err=on_stderr)
        if said.strip().lower() in (*_YES, *_NO):
            return said.strip().lower() in _YES
        say(_YES_OR_NO.said(language()), on_stderr=on_stderr)


def ask_secret(question: str) -> str:
    """What the person types without its being seen; where stdin is no terminal its next line, which may be missing.
    click.Abort where he says nothing any more.
    """
    if not is_terminal(sys.stdin):
        return sys.stdin.readline().rstrip("\n")
    with _writing():
        return str(click.prompt(line(question), "", prompt_suffix=" ", show_default=False, hide_input=True, err=True))


def greet() -> None:
    """Tells who has started this process from afar that it runs, and hears him from now on."""
    if afar := relay():
        tell(HELLO, version=__version__)
        afar.listen()


def tell(kind: str, **facts: object) -> None:
    """A record for who has started this process from afar."""
    _write(encode(kind, facts))


def _write(text: str, *, on_stderr: bool = False) -> None:
    with _writing():
        click.echo(text, err=on_stderr)


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OutputLost:
        raise
    except OSError as error:
        raise OutputLost(error.strerror or str(error)) from error


def _cut(parts: list[Styled], begin: int, end: int, is_coloured: bool) -> str:
    """What of the parts stands between two places of the whole."""
    shown, at = [], 0
    for part in parts:
        piece = part.text[max(begin - at, 0) : max(end - at, 0)]
        at += len(part.text)
        if piece:
            shown.append(_coloured(Styled(piece, part.style), is_coloured))
    return "".join(shown)


def _coloured(part: Styled, is_coloured: bool) -> str:
    if not part.style or not is_coloured:
        return part.text
    if part.style in ("bold", "dim"):
        return click.style(part.text, bold=part.style == "bold" or None, dim=part.style == "dim" or None)
    return click.style(part.text, fg=part.style)
