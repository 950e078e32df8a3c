"""A sentence in two languages, and which of them a person reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class Text:
    """The same sentence in English and Chinese."""

    en: str
    zh: str

    def said(self, language: Language) -> str:
        """The sentence in that language."""
        return self.zh if language == "zh" else self.en

    def as_dict(self) -> dict[str, str]:
        """Both, for `-o json`."""
        return {"en": self.en, "zh": self.zh}


def same(sentence: str) -> Text:
    """What reads alike in both languages: an error's own words."""
    return Text(sentence, sentence)


def fill(templates: Mapping[Language, str], facts: Mapping[str, object]) -> Text:
    """The sentence with the facts put in. KeyError when it names one that is not there."""
    return Text(templates["en"].format_map(facts), templates["zh"].format_map(facts))


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
