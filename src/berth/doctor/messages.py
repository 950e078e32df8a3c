"""What the catalogue knows of one message: the failure behind the words, with the real names in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from berth.doctor.known import entries
from berth.doctor.names_in_text import NAMED_KINDS, Names, own_names
from berth.doctor.wordings import in_english
from berth.findings.entry import CatalogueEntry, names_of
from berth.findings.finding import Finding, Subject
from berth.findings.pattern import TextPattern
from berth.findings.versions import Version


@cache
def _patterns() -> tuple[tuple[CatalogueEntry, TextPattern], ...]:
    known = entries().values()
    return tuple((entry, pattern) for entry in known for pattern in (*entry.patterns, *entry.ambiguous))


def matches(text: str) -> dict[str, Names]:
    """The failures that a message about something on NFS shows, each with the names that it says, without echoes."""
    found: dict[str, Names] = {}
    text = in_english(text)
    for entry, pattern in _patterns():
        if entry.id in found or pattern.needle not in text:
            continue
        match = pattern.regex.search(text)
        if match is not None:
            found[entry.id] = {name: value for name, value in match.groupdict().items() if value}
    known = entries()
    if any(not known[failure].is_general for failure in found):
        found = {failure: names for failure, names in found.items() if not known[failure].is_general}
    failures = {failure for failure in found if known[failure].yields_to != ("*",)}
    return {
        failure: names
        for failure, names in found.items()
        if not (set(known[failure].yields_to) & found.keys() or (failure not in failures and failures))
    }


def known_in(
    text: str, facts: Mapping[str, str], *, version: Version | None = None, count: int = 1
) -> Iterator[Finding]:
    """The findings that a message is worth, about the objects in facts and those that it names."""
    for failure, said in matches(text).items():
        names = {**own_names(text), **said, **facts}
        about = [Subject(kind, names[kind]) for kind in NAMED_KINDS if kind in names]
        told = entries()[failure].told_by({**names_of(about), **names}, version)
        yield told.finding(about, names, version=version, evidence=[text], count=count)
