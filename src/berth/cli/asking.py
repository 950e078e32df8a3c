"""Asking before something is done, and what is said where nobody can be asked."""

from __future__ import annotations

import sys

import click

from berth.cli.ending import EXIT_INTERRUPTED, EXIT_USAGE, EXIT_WARNINGS, end
from berth.cli.output import ask, say
from berth.cli.wrapping import is_terminal
from berth.texts.text import Language, Text

YES = click.Option(["--yes"], is_flag=True, help="Don't ask, begin.")

_NOTHING = Text("nothing was changed", "没有做任何改动")


def confirm(question: Text, refusal: Text, lang: Language) -> None:
    """Returns if somebody at the terminal agrees. Ends the process if not: with the refusal, where nobody is."""
    if not is_terminal(sys.stdin):
        end(refusal, EXIT_USAGE, lang=lang)
    try:
        is_agreed = ask(question.said(lang), on_stderr=True)
    except click.Abort:
        say(on_stderr=True)
        end(_NOTHING, EXIT_INTERRUPTED, lang=lang)
    if not is_agreed:
        end(_NOTHING, EXIT_WARNINGS, lang=lang)
