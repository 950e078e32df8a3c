"""Any log, event list or error message in; every known failure in it explained once, the worst first.

A line is looked at only if it has a literal part of a pattern (sift), so that a hundred megabytes take seconds. Lines
of JSON, and messages quoted within messages, are read as what they say. A failure's finding names all objects that its
messages name (up to some), and is told with the names of the message that knows most.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
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
_KEYS = 1000
"""Claims and pods that are told apart at most."""
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
    """What messages of one failure have said. by_key: of each claim or pod the names of what was said about it."""

    count: int = 0
    lines: int = 0
    by_key: dict[str, Names] = field(default_factory=dict)
    shared: Names = field(default_factory=dict)
    evidence: dict[str, None] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)

    @property
    def names(self) -> Names:
        """Those of the message that knows most, of what did not come to a good end."""
        return max(self._open, key=len, default={})

    @property
    def subjects(self) -> list[Subject]:
        """All objects that did not come to a good end, those of names first."""
        found = [subject for names in (self.names, *self._open) for subject in _subjects(names)]
        return list(dict.fromkeys(found))[:_SUBJECTS]

    @property
    def is_over(self) -> bool:
        """Whether there is nothing to tell: it was not seen, or all of it came to a good end."""
        return not self.lines or not self._open

    @property
    def _open(self) -> list[Names]:
        return [names for key, names in self.by_key.items() if key not in self.settled]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A pattern, and what it tells: a failure, the good end of one, or (entry None) the version of Kubernetes."""

    pattern: Pattern
    entry: Entry | None = None
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
            begun = as_lines(begun + stream.read(_WHOLE - _BEGINNING))
        for hit in sift(stream, self._needles, begun):
            said = _plain(hit.line)
            told: set[str] = set()
            for number in hit.needles:
                needle = self._needles[number]
                if needle in Described.NEEDLES:
                    self._described.read(said)
                for wanted in self._by_needle[needle]:
                    self._try(wanted, said, hit, told)

    def explain(self, version: Version | None = None) -> Explanation:
        """What was seen so far. version: what is known by now, if the text does not say it."""
        version = self._version or version
        known = entries()
        found = [known[failure] for failure, seen in self._seen.items() if not seen.is_over]
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
        key = names.get("claim") or names.get("pod") or ""
        if wanted.is_end:
            seen.settled.add(key)
            return
        told.add(entry.id)
        _note(seen, key, names, said)

    def _around(self, seen: _Seen, said: str, hit: Hit) -> Names:
        """The names that stand around a message."""
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


def _note(seen: _Seen, key: str, names: Names, said: str) -> None:
    repeated = _REPEATED.search(said)
    seen.count += int(repeated[1]) if repeated else 1
    seen.lines += 1
    seen.shared.update({name: names[name] for name in _SHARED if name in names})
    quoted = " ".join(said.split())
    knows_most = len(names) > max(map(len, seen.by_key.values()), default=-1)
    if knows_most:
        seen.evidence = {quoted: None, **seen.evidence}
    elif len(seen.evidence) < _EVIDENCE:
        seen.evidence.setdefault(quoted)
    if key in seen.by_key or len(seen.by_key) < _KEYS:
        kept = seen.by_key.get(key)
        if kept is None or len(names) > len(kept):
            seen.by_key[key] = names


def _finding(entry: Entry, seen: _Seen, version: Version | None) -> Finding:
    return entry.finding(
        seen.subjects,
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
