"""Asking before something is done, and what is said where nobody can be asked."""

from __future__ import annotations

import sys

import click

from berth.cli.ending import EXIT_INTERRUPTED, EXIT_USAGE, EXIT_WARNINGS
from berth.cli.output import ask, complain, say
from berth.texts.text import Language, Text

YES = click.Option(["--yes"], is_flag=True, help="Don't ask, begin.")

_NOTHING = Text("nothing was changed", "没有做任何改动")


def confirm(question: Text, refusal: Text, lang: Language) -> None:
    """Returns if somebody at the terminal agrees. Ends the process if not: with the refusal, where nobody is."""
    if not sys.stdin.isatty():
        complain(refusal.said(lang))
        raise SystemExit(EXIT_USAGE)
    try:
        is_agreed = ask(question.said(lang), on_stderr=True)
    except click.Abort:
        say(on_stderr=True)
        complain(_NOTHING.said(lang))
        raise SystemExit(EXIT_INTERRUPTED) from None
    if not is_agreed:
        complain(_NOTHING.said(lang))
        raise SystemExit(EXIT_WARNINGS)
