"""How a command line wants to be answered: in which language, and in which form. Known before the line is understood,
so that help and complaints are in that language, too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from berth.texts.phrases import ERRORS, Phrases
from berth.texts.text import Language, Text, language_of

if TYPE_CHECKING:
    from berth.doctor.redaction.reports import Redaction

FORMS = ("table", "json", "yaml")
"""For people; for programs."""
_OLD_FORMS = {"text": "table"}
_LANG, _OUTPUT, REDACT = "--lang", ("-o", "--output"), "--redact"


@dataclass(frozen=True, slots=True)
class Manner:
    """lang: None where the line does not say; form: one of FORMS."""

    lang: Language | None = None
    form: str = "table"
    has_answered: bool = False
    """Whether something for programs was printed already."""
    redaction: Redaction | None = None
    """What puts stand-ins into all that is told, where that is wanted."""


_MANNER: ContextVar[Manner] = ContextVar("manner")
_HELP = Phrases("berth.cli", "help.yaml")


class Tongue(click.Choice[str]):
    """`en` or `zh`, also as locales spell them: `zh_CN.UTF-8`, `en-GB`."""

    def __init__(self) -> None:
        super().__init__(["en", "zh"])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The language."""
        return tongue(str(value)) or super().convert(value, param, ctx)


class Form(click.Choice[str]):
    """One of FORMS, or fewer; `text` is what `table` was called once."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The form."""
        return super().convert(_OLD_FORMS.get(value, value), param, ctx)


def tongue(text: str) -> Language | None:
    """The language that a locale's name begins with, if it is one of ours."""
    head = text.lower().replace("_", "-").partition("-")[0]
    return "zh" if head == "zh" else "en" if head == "en" else None


@contextmanager
def answering(arguments: Sequence[str]) -> Iterator[None]:
    """Within it answers are given as these arguments ask, be the rest of them right or wrong."""
    before = _MANNER.set(_manner_of(arguments))
    try:
        yield
    finally:
        _MANNER.reset(before)


def language(lang: str | None = None) -> Language:
    """The language asked for, else the locale's."""
    return tongue(lang or "") or _manner().lang or language_of(os.environ)


def form() -> str:
    """The form in which the answer, or the error in its place, is wanted."""
    return _manner().form


def has_answered() -> bool:
    """Whether programs have had their answer already: an error after it is told to people."""
    return _manner().has_answered


def redaction() -> Redaction | None:
    """What puts stand-ins for names into answers, where the line asks for it."""
    return _manner().redaction


def fit(sentence: str) -> str:
    """The sentence as it may be told: with stand-ins for names where the line asks for them."""
    wanted = redaction()
    return sentence if wanted is None else wanted.names.text(sentence)


def called(host: str) -> str:
    """How a host may be called in an answer."""
    wanted = redaction()
    return host if wanted is None else wanted.names.name("host", host)


def note_answer() -> None:
    """The answer for programs is out."""
    _MANNER.set(replace(_manner(), has_answered=True))


def both(sentence: str) -> Text:
    """An English sentence of a command's help or an error, in both languages."""
    return _HELP.text(sentence) if _HELP.knows(sentence) else ERRORS.text(sentence)


def _manner() -> Manner:
    return _MANNER.get(Manner())


def _manner_of(arguments: Sequence[str]) -> Manner:
    lang, given, is_redacted = "", "", False
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if word == "--":
            break
        if word == REDACT:
            is_redacted = True
        elif name == _LANG:
            lang = value if equals else next(words, "")
        elif name in _OUTPUT:
            given = value if equals else next(words, "")
        elif word.startswith("-o") and not word.startswith("--"):
            given = word[2:].removeprefix("=")
    told = Manner(tongue(lang), given if given in FORMS else "table")
    return replace(told, redaction=_new_redaction()) if is_redacted else told


def _new_redaction() -> Redaction:
    from berth.doctor.redaction.reports import Redaction  # nobody else needs the doctor for it

    return Redaction()
