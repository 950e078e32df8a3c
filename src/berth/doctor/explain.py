"""Any log, event list or error message in; every known failure in it explained once, the worst first.

A line is looked at only if it has a literal part of a pattern (sift), so that a hundred megabytes take seconds. Lines
of JSON, and messages quoted within messages, are read as what they say. A failure's finding names all objects that its
messages name (up to some), and is told with the names of the message that knows most.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import BinaryIO

import msgspec

from berth.doctor.known import entries
from berth.doctor.names_in_text import (
    BEFORE,
    NAMED_KINDS,
    VERSIONS,
    Described,
    Names,
    is_described,
    names_around,
    own_names,
)
from berth.doctor.object_lists import as_lines, is_document
from berth.doctor.sift import Hit, sift
from berth.findings.entry import PARTS, CatalogueEntry, names_of
from berth.findings.finding import Finding, Report, Subject, report
from berth.findings.pattern import TextPattern
from berth.findings.versions import Version, parse_version
from berth.texts.yaml_in import YamlRefused

_BEGINNING = 4096
_WHOLE = 64 << 20
"""Bytes of a document that is read as a whole; a bigger one is read line by line."""
_SUBJECTS = 20
"""Objects that one finding names at most."""
_EVIDENCE = 3
_OBJECTS = 1000
"""Objects that are told apart at most."""
_KEY = ("claim", "pod", "share", "volume", "server", "file", "mountpoint")
"""What tells one object of a failure from another: the first of these that a message names."""
_LOOKED_BACK = 100
"""Messages of one failure for which the lines before are read: after so many nothing new is learned."""
_LOOKED_AT = 20_000
"""Messages of one failure that are searched for names at all; those after are counted with the first."""
_SHARED = ("workload_namespace", "workload_name", "account")
"""Names that hold for all messages of a failure, whichever said them: of the program that writes the log."""
_REPEATED = re.compile(r"\(x(\d+) over ")
_TOLD = ("kind", "name", "namespace", "host", "gitVersion", "kubeletVersion")
"""Keys of JSON that say what their value is."""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_ESCAPED = re.compile(r"(?<!\\)\\+(?P<what>[\"nt])")


@dataclass(slots=True)
class _Told:
    """What messages about one object have said: the names and the text of the one that knows most, and how many."""

    names: Names
    text: str
    count: int


@dataclass(slots=True)
class _Seen:
    """What messages of one failure have said, object by object. settled: those that came to a good end."""

    told: dict[str, _Told] = field(default_factory=dict)
    shared: Names = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    lines: int = 0

    def note(self, names: Names, text: str, count: int) -> None:
        """Takes a message."""
        self.lines += 1
        self.shared.update({name: names[name] for name in _SHARED if name in names})
        key = next((names[kind] for kind in _KEY if kind in names), "")
        is_too_much = self.lines > _LOOKED_AT or len(self.told) >= _OBJECTS
        if key not in self.told and is_too_much:
            key = next(iter(self.told))  # told apart no longer, still counted
        told = self.told.setdefault(key, _Told(names, text, 0))
        told.count += count
        if len(names) > len(told.names):
            told.names, told.text = names, text

    def settle(self, names: Names) -> None:
        """Takes a message of a good end."""
        self.settled |= {names[kind] for kind in ("claim", "pod") if kind in names}

    def open(self) -> list[_Told]:
        """The failures that did not come to a good end; those of which most is known come first."""
        return sorted(
            (told for key, told in self.told.items() if key not in self.settled), key=lambda told: -len(told.names)
        )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A pattern, and what it tells: a failure, the good end of one, or (entry None) the version of Kubernetes."""

    pattern: TextPattern
    entry: CatalogueEntry | None = None
    is_end: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a text holds. version: as given, or as the text says it; None where nobody knows."""

    report: Report
    version: Version | None
    needs_version: bool
    """Some cure hangs on the version, which is not known."""


class Explainer:
    """Reads texts, and tells what it has seen in all of them."""

    def __init__(self, version: Version | None = None) -> None:
        self._version = version
        self.refused = ""
        """Why a list of objects was read line by line only; empty where none was."""
        self._seen: dict[str, _Seen] = {}
        self._described = Described()
        self._by_needle: dict[str, list[_Wanted]] = {needle: [] for needle in Described.NEEDLES}
        for wanted in _all_wanted():
            self._by_needle.setdefault(wanted.pattern.needle, []).append(wanted)
        self._needles = tuple(self._by_needle)

    def read(self, stream: BinaryIO) -> None:
        """Reads all of stream, block by block; a list of objects in YAML or JSON as a whole."""
        begun = stream.read(_BEGINNING)
        if is_document(begun):
            begun = self._as_lines(begun + stream.read(_WHOLE - _BEGINNING))
        for hit in sift(stream, self._needles, begun):
            said = _plain(hit.line)
            told: set[str] = set()
            for number in hit.needles:
                needle = self._needles[number]
                if needle in Described.NEEDLES:
                    self._described.read(said)
                for wanted in self._by_needle[needle]:
                    self._try(wanted, said, hit, told)

    def _as_lines(self, document: bytes) -> bytes:
        try:
            return as_lines(document)
        except YamlRefused as refused:
            self.refused = str(refused)
            return document

    def explain(self, version: Version | None = None) -> Explanation:
        """What was seen so far. version: what is known by now, if the text does not say it."""
        version = self._version or version
        known = entries()
        found = [known[failure] for failure, seen in self._seen.items() if seen.open()]
        kept = [entry for entry in found if not _is_echo(entry, found)]
        findings = [_finding(entry, self._seen[entry.id], version) for entry in kept]
        needs = version is None and any(_hangs_on_version(entry) for entry in kept)
        return Explanation(report(findings), version, needs)

    def _try(self, wanted: _Wanted, said: str, hit: Hit, told: set[str]) -> None:
        """Tries a pattern on a line. told: the failures that the line has told already."""
        entry = wanted.entry
        if entry is not None and entry.id in told:
            return
        match = wanted.pattern.regex.search(said)
        if match is None:
            return
        if entry is None:
            self._version = self._version or parse_version(match["version"])
            return
        seen = self._seen.setdefault(entry.id, _Seen())
        names = {**self._around(seen, said, hit), **{name: value for name, value in match.groupdict().items() if value}}
        if wanted.is_end:
            seen.settle(names)
            return
        told.add(entry.id)
        repeated = _REPEATED.search(said)
        seen.note(names, " ".join(said.split()), int(repeated[1]) if repeated else 1)

    def _around(self, seen: _Seen, said: str, hit: Hit) -> Names:
        """The names that stand around a message."""
        if seen.lines >= _LOOKED_AT:
            return {}
        if seen.lines >= _LOOKED_BACK:
            return own_names(said)
        before = [part for line in hit.before(BEFORE) for part in _plain(line).splitlines()]
        own = said.splitlines() or [said]
        around = names_around(own[-1], [*before, *own[:-1]])
        if is_described([said, *before]):
            return {**self._described.names(), **around}
        return around


def _all_wanted() -> Iterator[_Wanted]:
    for entry in entries().values():
        yield from (_Wanted(pattern, entry) for pattern in entry.patterns)
        yield from (_Wanted(pattern, entry, is_end=True) for pattern in entry.settled_by)
    yield from (_Wanted(pattern) for pattern in VERSIONS)


def _finding(entry: CatalogueEntry, seen: _Seen, version: Version | None) -> Finding:
    told = seen.open()
    about = dict.fromkeys(subject for each in told for subject in _subjects(each.names))
    subjects, names = list(about)[:_SUBJECTS], {**seen.shared, **told[0].names}
    return entry.told_by({**names_of(subjects), **names}, version).finding(
        subjects,
        names,
        version=version,
        evidence=[each.text for each in told[:_EVIDENCE]],
        count=sum(each.count for each in told),
    )


def _subjects(names: Names) -> list[Subject]:
    kinds = [kind for kind in NAMED_KINDS if kind in names and not (kind == "server" and "share" in names)]
    return [Subject(kind, names[kind]) for kind in kinds]


def _is_echo(entry: CatalogueEntry, found: Iterable[CatalogueEntry]) -> bool:
    others = [other for other in found if other.id != entry.id]
    if entry.yields_to == ("*",):
        return any(other.severity == "failure" and other.yields_to != ("*",) for other in others)
    return any(other.id in entry.yields_to for other in others)


def _hangs_on_version(entry: CatalogueEntry) -> bool:
    return any(str(variant.applies) for variant in chain.from_iterable(entry.every(part) for part in PARTS))


def _plain(line: str) -> str:
    """What a line says: without colours, and read as JSON where it is."""
    line = _COLOUR.sub("", line) if "\x1b" in line else line
    if line.lstrip().startswith("{"):
        with suppress(msgspec.DecodeError, RecursionError):
            line = "\n".join(_said(msgspec.json.decode(line)))
    if "\\" in line:
        line = _ESCAPED.sub(lambda found: {"n": "\n", "t": " "}.get(found["what"], '"'), line)
    return line


def _said(content: object, key: str = "") -> Sequence[str]:
    """All strings in it, each with its key in front, so that names are found beside their keys."""
    match content:
        case str():
            return [f"{key}: {content}" if key in _TOLD else content]
        case dict():
            return [part for name, value in content.items() for part in _said(value, str(name))]
        case list():
            return [part for value in content for part in _said(value, key)]
    return []
