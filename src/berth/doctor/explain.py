"""Any log, event list or error message in; every known failure in it explained once, the worst first.

A line is looked at only if it has a literal part of a pattern (sift), so that a hundred megabytes take seconds. Lines
of JSON, and messages quoted within messages, are read as what they say. A failure's finding names all objects that its
messages name (up to some), and is told with the names of the message that knows most.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import msgspec

from berth.doctor.clues import BEFORE, VERSIONS, Described, Names, is_described, names_around, own_names
from berth.doctor.documents import as_lines, is_document
from berth.doctor.entry import Entry
from berth.doctor.finding import KINDS, Finding, Report, Subject, report
from berth.doctor.known import entries
from berth.doctor.pattern import Pattern
from berth.doctor.sift import Hit, sift
from berth.doctor.versions import Version, parse_version

_BEGINNING = 4096
_WHOLE = 64 << 20
"""Bytes of a document that is read as a whole; a bigger one is read line by line."""
_SUBJECTS = 20
"""Objects that one finding names at most."""
_EVIDENCE = 3
_LOOKED_BACK = 100
"""Messages of one failure for which the lines before are read: after so many nothing new is learned."""
_SHARED = ("workload_namespace", "workload_name", "account")
"""Names that hold for all messages of a failure, whichever said them: of the program that writes the log."""
_REPEATED = re.compile(r"\(x(\d+) over ")
_TOLD = ("kind", "name", "namespace", "host", "gitVersion", "kubeletVersion")
"""Keys of JSON that say what their value is."""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_ESCAPED = re.compile(r"\\+(?P<what>[\"nt])")


@dataclass
class _Seen:
    count: int = 0
    lines: int = 0
    names: Names = field(default_factory=dict)
    shared: Names = field(default_factory=dict)
    subjects: dict[Subject, None] = field(default_factory=dict)
    evidence: dict[str, None] = field(default_factory=dict)


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
        self._seen: dict[str, _Seen] = {}
        patterns: list[tuple[Entry | None, Pattern]] = [
            (entry, pattern) for entry in entries().values() for pattern in entry.patterns
        ]
        patterns += [(None, pattern) for pattern in VERSIONS]
        self._described = Described()
        self._by_needle: dict[str, list[tuple[Entry | None, Pattern]]] = {}
        for entry, pattern in patterns:
            self._by_needle.setdefault(pattern.needle, []).append((entry, pattern))
        for needle in Described.NEEDLES:
            self._by_needle.setdefault(needle, [])
        self._needles = tuple(self._by_needle)

    def read(self, stream: BinaryIO) -> None:
        """Reads all of stream, block by block; a list of objects in YAML or JSON as a whole."""
        begun = stream.read(_BEGINNING)
        if is_document(begun):
            begun = as_lines(begun + stream.read(_WHOLE - _BEGINNING))
        for hit in sift(stream, self._needles, begun):
            said = _plain(hit.line)
            told: set[str] = set()
            for number in hit.needles:
                needle = self._needles[number]
                if needle in Described.NEEDLES:
                    self._described.read(said)
                for entry, pattern in self._by_needle[needle]:
                    match = None if entry is not None and entry.id in told else pattern.regex.search(said)
                    if match is None:
                        continue
                    if entry is None:
                        self._version = self._version or parse_version(match["version"])
                    else:
                        told.add(entry.id)
                        self._note(entry, match, said, hit)

    def explain(self, version: Version | None = None) -> Explanation:
        """What was seen so far. version: what is known by now, if the text does not say it."""
        version = self._version or version
        known = entries()
        found = {failure: known[failure] for failure in self._seen}
        kept = [entry for entry in found.values() if not _is_echo(entry, found.values())]
        findings = [_finding(entry, self._seen[entry.id], version) for entry in kept]
        needs = version is None and any(_hangs_on_version(entry) for entry in kept)
        return Explanation(report(findings), version, needs)

    def _note(self, entry: Entry, match: re.Match[str], said: str, hit: Hit) -> None:
        seen = self._seen.setdefault(entry.id, _Seen())
        repeated = _REPEATED.search(said)
        seen.count += int(repeated[1]) if repeated else 1
        seen.lines += 1
        names: Names = {name: value for name, value in match.groupdict().items() if value}
        if seen.lines <= _LOOKED_BACK:
            before = [part for line in hit.before(BEFORE) for part in _plain(line).splitlines()]
            own = said.splitlines() or [said]
            around = names_around(own[-1], [*before, *own[:-1]])
            if is_described([said, *before]):
                around = {**self._described.names(), **around}
        else:
            around = own_names(said)
        names = {**around, **names}
        seen.shared.update({name: names[name] for name in _SHARED if name in names})
        quoted = " ".join(said.split())
        if len(names) > len(seen.names):
            seen.names = names
            seen.evidence = {quoted: None, **seen.evidence}
        for subject in _subjects(names):
            if len(seen.subjects) < _SUBJECTS:
                seen.subjects.setdefault(subject)
        if len(seen.evidence) < _EVIDENCE:
            seen.evidence.setdefault(quoted)


def _finding(entry: Entry, seen: _Seen, version: Version | None) -> Finding:
    about = dict.fromkeys([*_subjects(seen.names), *seen.subjects])
    return entry.finding(
        tuple(about),
        {**seen.shared, **seen.names},
        version=version,
        evidence=tuple(seen.evidence)[:_EVIDENCE],
        count=seen.count,
    )


def _subjects(names: Names) -> list[Subject]:
    kinds = [kind for kind in KINDS if kind in names and not (kind == "server" and "share" in names)]
    return [Subject(kind, names[kind]) for kind in kinds]


def _is_echo(entry: Entry, found: Iterable[Entry]) -> bool:
    others = [other for other in found if other.id != entry.id]
    if entry.yields_to == ("*",):
        return any(other.severity == "failure" and other.yields_to != ("*",) for other in others)
    return any(other.id in entry.yields_to for other in others)


def _hangs_on_version(entry: Entry) -> bool:
    return any(str(variant.applies) for variant in (*entry.seen, *entry.why, *entry.cure))


def _plain(line: str) -> str:
    """What a line says: without colours, and read as JSON where it is."""
    line = _COLOUR.sub("", line) if "\x1b" in line else line
    if line.lstrip().startswith("{"):
        try:
            content = msgspec.json.decode(line)
        except msgspec.DecodeError:
            pass
        else:
            line = "\n".join(_said(content))
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
