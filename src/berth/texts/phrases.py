"""Chinese for sentences that are made in English only: errors, and the help of commands.

A table has the English sentence (`en`), in which `{name}` stands for a fact, and the Chinese one (`zh`) with the same
names. What fills a slot may be such a sentence itself: a reason behind a colon.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from importlib.resources import files

from berth.texts.text import Text
from berth.texts.visible import fact
from berth.texts.yaml_in import read_yaml

_SLOT = re.compile(r"\{([a-z_]+)\}")
_STATUS = re.compile(r"(.+) \(([A-Z][A-Z0-9_]+)\)", re.DOTALL)
"""A reason with the name that the system or the protocol has for it: `connection refused (ECONNREFUSED)`."""
_LONGEST = 4000
"""Characters of a sentence that is looked up."""
_DEEPEST = 4
"""Sentences within sentences."""


class Phrases:
    """The tables of one package, read once. Of several sentences that fit, the one with most words of its own is it."""

    def __init__(self, package: str, *names: str) -> None:
        """names: the YAML files."""
        self._package = package
        self._names = names

    def text(self, sentence: str) -> Text:
        """The sentence in both languages; what no table knows is the same in both."""
        return Text(sentence, self.chinese(sentence))

    def chinese(self, sentence: str, deep: int = 0) -> str:
        """The sentence in Chinese; itself, where no table knows it."""
        if (known := self.table.get(sentence)) is not None:
            return known
        if len(sentence) > _LONGEST or deep > _DEEPEST:
            return sentence
        if (named := _STATUS.fullmatch(sentence)) and (said := self.chinese(named[1], deep + 1)) != named[1]:
            return f"{said}（{named[2]}）"
        for pattern, said in self._patterns:
            if found := pattern.fullmatch(sentence):
                facts = {name: self.chinese(value, deep + 1) for name, value in found.groupdict().items()}
                return _SLOT.sub(lambda slot, facts=facts: facts[slot[1]], said)  # type: ignore[misc]
        return sentence

    def knows(self, sentence: str) -> bool:
        """Whether a table has this very sentence, or a pattern that it fits."""
        return sentence in self.table or any(pattern.fullmatch(sentence) for pattern, _ in self._patterns)

    @cached_property
    def table(self) -> Mapping[str, str]:
        """English to Chinese."""
        whole: dict[str, str] = {}
        for name in self._names:
            for each in read_yaml(files(self._package).joinpath(name).read_text("utf-8")):
                whole[each["en"]] = each["zh"]
        return whole

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        with_slots = [each for each in self.table if _SLOT.search(each)]
        with_slots.sort(key=lambda each: len(_SLOT.sub("", each)), reverse=True)
        return [(_pattern(each), self.table[each]) for each in with_slots]


def _pattern(english: str) -> re.Pattern[str]:
    return re.compile("".join(_pieces(english)), re.DOTALL)


def _pieces(english: str) -> Iterable[str]:
    named = set()
    for at, piece in enumerate(_SLOT.split(english)):
        if at % 2 == 0:
            yield re.escape(piece)
        elif piece in named:
            yield f"(?P={piece})"
        else:
            named.add(piece)
            yield f"(?P<{piece}>.*?)"


ERRORS = Phrases("berth.texts", "errors.yaml")
"""All errors that are made in English."""


def bilingual(sentence: str) -> Text:
    """The words of an error, made fit to stand among ours, and in Chinese where they are Berth's own."""
    en = fact(sentence)
    return Text(en, fact(ERRORS.chinese(sentence)))
