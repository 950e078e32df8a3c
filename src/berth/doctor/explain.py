"""Any log, event list or error message in; every known failure in it explained once, the worst first.

A line is looked at only if it has a literal part of a pattern (sift), so that a hundred megabytes take seconds. Lines
of JSON, and messages quoted within messages, are read as what they say. A failure's finding names all objects that its
messages name (up to some), and is told with the names of the message that knows most. What may be about NFS or not
(nfs_signs) is asked, and is no finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO

from berth.doctor.known import entries
from berth.doctor.names_in_text import (
    BEFORE,
    VERSIONS,
    Described,
    Names,
    is_described,
    names_around,
    own_names,
)
from berth.doctor.nfs_signs import AFTER, KnownOnNfs, Verdict, is_own_disk, record_of, verdict
from berth.doctor.object_lists import as_lines, is_document
from berth.doctor.plain import plain
from berth.doctor.sift import Hit, sift
from berth.doctor.told import LOOKED_AT, Seen, finding_of, question_of, without_echoes
from berth.findings.entry import PARTS, CatalogueEntry
from berth.findings.finding import Question, Report, report
from berth.findings.pattern import TextPattern
from berth.findings.versions import Version, parse_version
from berth.texts.yaml_in import YamlRefused

_BEGINNING = 4096
_WHOLE = 64 << 20
"""Bytes of a document that is read as a whole; a bigger one is read line by line."""
_LOOKED_BACK = 100
"""Messages of one failure for which the lines before are read: after so many nothing new is learned."""
_JUDGED = 2000
"""Messages of one failure whose whole record is judged; those after by their own line."""
_REPEATED = re.compile(r"\(x(\d+) over ")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A pattern, and what it tells: a failure, the good end of one, or (entry None) the version of Kubernetes."""

    pattern: TextPattern
    entry: CatalogueEntry | None = None
    is_end: bool = False
    is_ambiguous: bool = False


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
        self._seen: dict[str, Seen] = {}
        self._asked: dict[str, Seen] = {}
        """What may be about NFS or not."""
        self._described = Described()
        self._on_nfs = KnownOnNfs()
        self._by_needle: dict[str, list[_Wanted]] = {needle: [] for needle in (*Described.NEEDLES, *KnownOnNfs.NEEDLES)}
        for wanted in _all_wanted():
            self._by_needle.setdefault(wanted.pattern.needle, []).append(wanted)
        self._needles = tuple(self._by_needle)

    def read(self, stream: BinaryIO) -> None:
        """Reads all of stream, block by block; a list of objects in YAML or JSON as a whole."""
        begun = stream.read(_BEGINNING)
        if is_document(begun):
            begun = self._as_lines(begun + stream.read(_WHOLE - _BEGINNING))
        for hit in sift(stream, self._needles, begun):
            said = plain(hit.line)
            needles = {self._needles[number] for number in hit.needles}
            if not needles.isdisjoint(Described.NEEDLES):
                self._described.read(said)
            if not needles.isdisjoint(KnownOnNfs.NEEDLES):
                self._on_nfs.read(said)
            self._match(said, hit)

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
        told = {failure: seen.open() for failure, seen in self._seen.items()}
        for failure, seen in self._asked.items():
            told[failure] = told.get(failure, []) + seen.open(self._on_nfs.holds)
        kept = without_echoes([known[failure] for failure, messages in told.items() if messages])
        findings = [finding_of(entry, told[entry.id], self._shared(entry.id), version) for entry in kept]
        needs = version is None and any(_hangs_on_version(entry) for entry in kept)
        return Explanation(report(findings, questions=self._questions(kept, version)), version, needs)

    def _questions(self, found: list[CatalogueEntry], version: Version | None) -> list[Question]:
        ids = {entry.id for entry in found}
        asked = {failure: seen.open(self._is_open) for failure, seen in self._asked.items() if failure not in ids}
        kept = without_echoes([entries()[failure] for failure, messages in asked.items() if messages], found)
        return [question_of(entry, asked[entry.id], self._shared(entry.id), version) for entry in kept]

    def _is_open(self, names: Names) -> bool:
        return not self._on_nfs.holds(names) and not is_own_disk(names)

    def _shared(self, failure: str) -> Names:
        told = [seen[failure].shared for seen in (self._asked, self._seen) if failure in seen]
        return {name: value for shared in told for name, value in shared.items()}

    def _match(self, said: str, hit: Hit) -> None:
        """Tries the patterns that a line may match; of one failure one only, the surest first."""
        matched: dict[str, tuple[_Wanted, re.Match[str]]] = {}
        for number in hit.needles:
            for wanted in self._by_needle[self._needles[number]]:
                key = "" if wanted.entry is None else f"{wanted.entry.id} {wanted.is_end}"
                if key in matched and (wanted.is_ambiguous or not matched[key][0].is_ambiguous):
                    continue
                match = wanted.pattern.regex.search(said)
                if match is not None:
                    matched[key] = wanted, match
        for wanted, match in matched.values():
            self._take(wanted, match, said, hit)

    def _take(self, wanted: _Wanted, match: re.Match[str], said: str, hit: Hit) -> None:
        """Takes what a pattern has found in a line."""
        entry = wanted.entry
        if entry is None:
            self._version = self._version or parse_version(match["version"])
            return
        meant: Verdict = "nfs" if wanted.is_end else self._verdict(entry, said, hit)
        if meant == "other" or (meant == "own disk" and wanted.is_ambiguous):
            return
        is_asked = wanted.is_ambiguous and meant == "unknown"
        seen = (self._asked if is_asked else self._seen).setdefault(entry.id, Seen())
        names = {**self._around(seen, said, hit), **{name: value for name, value in match.groupdict().items() if value}}
        if wanted.is_end:
            seen.settle(names)
            self._asked.setdefault(entry.id, Seen()).settle(names)
            return
        repeated = _REPEATED.search(said)
        seen.note(names, " ".join(said.split()), int(repeated[1]) if repeated else 1)

    def _verdict(self, entry: CatalogueEntry, said: str, hit: Hit) -> Verdict:
        """Whether NFS is meant, by the record that a message stands in."""
        if sum(seen[entry.id].lines for seen in (self._seen, self._asked) if entry.id in seen) >= _JUDGED:
            return verdict(said, ())
        before = [plain(line) for line in hit.before(BEFORE)]
        return verdict(said, record_of(said, before, [plain(line) for line in hit.after(AFTER)]))

    def _around(self, seen: Seen, said: str, hit: Hit) -> Names:
        """The names that stand around a message."""
        if seen.lines >= LOOKED_AT:
            return {}
        if seen.lines >= _LOOKED_BACK:
            return own_names(said)
        before = [part for line in hit.before(BEFORE) for part in plain(line).splitlines()]
        own = said.splitlines() or [said]
        around = names_around(own[-1], [*before, *own[:-1]])
        if is_described([said, *before]):
            return {**self._described.names(), **around}
        return around


def _all_wanted() -> Iterator[_Wanted]:
    for entry in entries().values():
        yield from (_Wanted(pattern, entry) for pattern in entry.patterns)
        yield from (_Wanted(pattern, entry, is_ambiguous=True) for pattern in entry.ambiguous)
        yield from (_Wanted(pattern, entry, is_end=True) for pattern in entry.settled_by)
    yield from (_Wanted(pattern) for pattern in VERSIONS)


def _hangs_on_version(entry: CatalogueEntry) -> bool:
    return any(str(variant.applies) for variant in chain.from_iterable(entry.every(part) for part in PARTS))
