"""What is wrong with an entry, for the tests of those whose data it is: at run time nothing of this is looked at."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from berth.findings.entry import PARTS, SUBJECT_FACTS, CatalogueEntry, Variant, names

_CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
"""Its letters, and its marks."""
_SLOT = re.compile(r"\{[a-z][a-z_]*\}")
_HOSTILE = "x'; reboot; \"$(reboot)`reboot`"


def mistakes(entry: CatalogueEntry) -> Iterator[str]:
    """Each in a few words: words missing in a language, facts that are not declared or not used, commands that a shell
    would read otherwise than they look, and texts that could be matched and not told.
    """
    told: set[str] = set()
    for part in (*PARTS, "prove"):
        for said in entry.every(part):
            told |= names(said.text.en).union(*(names(each) for command in said.commands for each in command))
            yield from (f"{part}: {mistake}" for mistake in _in_words(said))
        if part in PARTS and entry.says(part) and not entry.every(part):
            yield f"{part}: nobody says it"
    if entry.facts is not None:
        yield from (f"{name} is not declared" for name in sorted(told - entry.facts - SUBJECT_FACTS))
    for pattern in (*entry.patterns, *entry.ambiguous):
        known = {f"{name}{part}": "" for name in pattern.regex.groupindex for part in ("", "_namespace", "_name")}
        for part in filter(entry.says, PARTS):
            if not any(said.fits(known, None) for said in entry.every(part)):
                yield f"{part}: can't be told of what {pattern.source!r} says"


def _in_words(said: Variant) -> Iterator[str]:
    if not said.text.en or _CHINESE.search(said.text.en):
        yield f"no English: {said.text.en}"
    if _SLOT.sub("", said.text.zh) and not _CHINESE.search(said.text.zh):
        yield f"no Chinese: {said.text.zh}"
    if names(said.text.en) != names(said.text.zh):
        yield f"the languages name other facts: {said.text.en}"
    for command in said.commands:
        yield from (f"a fact is not one word of {each}" for each in command if not _quotes_well(each))


def _quotes_well(template: str) -> bool:
    """Whether each fact is one word to a shell, or in one, whatever it holds."""
    slots = _SLOT.findall(template)
    marked = _SLOT.sub(lambda _: shlex.quote(_HOSTILE), template)
    words = shlex.split(marked, comments=True)
    hit = [word for word in words if "reboot" in word]
    return sum(word.count("reboot") for word in hit) == 3 * len(slots) and all(_HOSTILE in word for word in hit)
