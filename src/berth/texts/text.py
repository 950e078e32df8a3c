"""A sentence in two languages, and which of them a person reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from berth.texts.command import SLOT, fill_command
from berth.texts.visible import FACT, fact, shortened, visible

Language = Literal["en", "zh"]

_SLOT = re.compile(rf"{SLOT.pattern[:-2]}(?P<quoted>!r)?\}}")
"""A place for a fact in a sentence, in quotes where `!r` stands behind its name."""
_COMMAND = re.compile(r"[a-z][a-z0-9.-]* ")
"""How a command between backticks begins; anything else there is a piece of a file, an option, an error's words."""
_SENTENCE = 5 * FACT
"""Characters of a Text among the facts: each of its own facts was made short before."""


@dataclass(frozen=True, slots=True)
class Text:
    """The same sentence in English and Chinese."""

    en: str
    zh: str

    def said(self, language: Language) -> str:
        """The sentence in that language."""
        return self.zh if language == "zh" else self.en

    def __str__(self) -> str:
        return self.en

    def as_dict(self) -> dict[str, str]:
        """Both, for `-o json`."""
        return {"en": self.en, "zh": self.zh}


def same(sentence: str) -> Text:
    """What reads alike in both languages: words of an error or a stranger, made fit to stand among ours."""
    told = fact(sentence)
    return Text(told, told)


def fill(templates: Mapping[Language, str], facts: Mapping[str, object]) -> Text:
    """The sentence with the facts put in, as fill_sentence does. KeyError when it names one that is not there."""
    return Text(fill_sentence(templates["en"], facts, "en"), fill_sentence(templates["zh"], facts, "zh"))


def fill_sentence(template: str, facts: Mapping[str, object], language: Language, limit: int = FACT) -> str:
    """One language's sentence with the facts put in. Between backticks a command's facts are words of the shell;
    everywhere else they are made visible (visible.fact), up to limit characters. A Text among the facts is a sentence
    of ours.
    """
    pieces = template.split("`")
    for at, piece in enumerate(pieces):
        if "{" not in piece:
            continue
        if at % 2 and _COMMAND.match(piece):
            pieces[at] = fill_command(piece, facts)
        else:
            pieces[at] = _SLOT.sub(lambda found: _told(facts[found[1]], found["quoted"], language, limit), piece)
    return "`".join(pieces)


def named_in(template: str) -> set[str]:
    """The facts that a sentence names."""
    return {found[1] for found in _SLOT.finditer(template)}


def _told(value: object, quoted: str | None, language: Language, limit: int) -> str:
    if quoted:
        return fact(repr(value), limit)
    match value:
        case Text():
            return shortened(visible(value.said(language)), _SENTENCE)
        case list() | tuple() | set() | frozenset():
            return ("、" if language == "zh" else ", ").join(fact(str(each), limit) for each in value)
    return fact(str(value), limit)


def joined(texts: Iterable[Text]) -> Text:
    """Several sentences as one."""
    known = tuple(texts)
    return Text("; ".join(text.en for text in known), "；".join(text.zh for text in known))


def language_of(environ: Mapping[str, str]) -> Language:
    """The language of a locale's variables: LC_ALL wins over LC_MESSAGES and that over LANG; English unless Chinese."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environ.get(name):
            return "zh" if environ[name].lower().startswith("zh") else "en"
    return "en"
