"""Sentences in two languages. They are data: texts.yaml here, findings.yaml for lint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml

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


def fill(templates: Mapping[Language, str], facts: Mapping[str, object]) -> Text:
    """The sentence with the facts put in. KeyError when it names one that is not there."""
    return Text(templates["en"].format_map(facts), templates["zh"].format_map(facts))


def say(key: str, **facts: object) -> Text:
    """The sentence of texts.yaml under key."""
    return fill(_texts()[key], facts)


def joined(texts: Iterable[Text]) -> Text:
    """Several sentences as one."""
    known = tuple(texts)
    return Text("; ".join(text.en for text in known), "；".join(text.zh for text in known))


@cache
def _texts() -> Mapping[str, Mapping[Language, str]]:
    found: dict[str, Mapping[Language, str]] = yaml.safe_load(
        files("berth.nfsserver").joinpath("texts.yaml").read_text("utf-8")
    )
    return found
