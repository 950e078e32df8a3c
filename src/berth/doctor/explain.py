"""Any log, event list or error message in; every known failure in it explained once, the worst first.

A line is looked at only if it has a literal part of a pattern (sift), so that a hundred megabytes take seconds. Lines
of JSON, and messages quoted within messages, are read as what they say. A failure's finding names all objects that its
messages name (up to some), and is told with the names of the message that knows most. What may be about NFS or not
(nfs_signs) is asked, and is no finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
from berth.doctor.wordings import in_english, spots
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
_JUDGED = 20_000
"""Messages whose whole record is judged; those after are by their own line."""
_REPEATED = re.compile(r"\(x(\d+) over ")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A pattern, and what it tells: a failure, the good end of one, or (entry None) the version of Kubernetes."""

    pattern: TextPattern
    entry: CatalogueEntry | None = None
    is_end: bool = False
    is_ambiguous: bool = False
    rank: int = 0
    """Its place in the catalogue: of the patterns of one failure the first one that a line matches counts."""

    @property
    def is_general(self) -> bool:
        """Whether it gives way to another failure on its line."""
        return self.entry is not None and self.entry.is_general


@dataclass(frozen=True, slots=True)
class _Line:
    """A line that may hold a message. said: what it says, in English; shown: as it stands there."""

    said: str
    shown: str
    needles: Sequence[str]
    hit: Hit

    def before(self) -> list[str]:
        """The lines before it, as they are read."""
        return [plain(line) for line in self.hit.before(BEFORE)]

    def record(self) -> list[str]:
        """The lines around it that belong to its message."""
        return record_of(self.said, self.before(), [plain(line) for line in self.hit.after(AFTER)])


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
        self._judged = 0
        self._described = Described()
        self._on_nfs = KnownOnNfs()
        self._by_needle = _by_needle()
        self._needles = tuple(self._by_needle)

    def read(self, stream: BinaryIO) -> None:
        """Reads all of stream, block by block; a list of objects in YAML or JSON as a whole."""
        begun = stream.read(_BEGINNING)
        if is_document(begun):
            begun = self._as_lines(begun + stream.read(_WHOLE - _BEGINNING))
        for hit in sift(stream, self._needles, begun, spots):
            shown = plain(hit.line)
            said = in_english(shown) if hit.is_spot else shown
            needles = {self._needles[number] for number in hit.needles}
            if hit.is_spot:
                needles = {needle for needle in self._needles if needle in said}
            for reader in (self._described, self._on_nfs):
                if not needles.isdisjoint(reader.NEEDLES):
                    reader.read(said)
            self._match(_Line(said, shown, sorted(needles), hit))

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

    def _match(self, line: _Line) -> None:
        """Tries the patterns that a line may match; of one failure one only, the surest."""
        matched: dict[str, tuple[_Wanted, re.Match[str]]] = {}
        for needle in line.needles:
            for wanted in self._by_needle[needle]:
                key = "" if wanted.entry is None else f"{wanted.entry.id} {wanted.is_end}"
                if key in matched and matched[key][0].rank < wanted.rank:
                    continue
                match = wanted.pattern.regex.search(line.said)
                if match is not None:
                    matched[key] = wanted, match
        if any(each.entry and not each.is_end and not each.is_general for each, _ in matched.values()):
            matched = {key: each for key, each in matched.items() if not each[0].is_general}
        meant: Verdict = self._verdict(line) if any(not each.is_end for each, _ in matched.values()) else "unknown"
        for wanted, match in matched.values():
            self._take(wanted, match, meant, line)

    def _take(self, wanted: _Wanted, match: re.Match[str], meant: Verdict, line: _Line) -> None:
        """Takes what a pattern has found in a line. meant: whether the line is about NFS."""
        entry = wanted.entry
        if entry is None:
            self._version = self._version or parse_version(match["version"])
            return
        if not wanted.is_end and (meant == "other" or (meant == "own disk" and wanted.is_ambiguous)):
            return
        is_asked = wanted.is_ambiguous and meant == "unknown"
        seen = (self._asked if is_asked else self._seen).setdefault(entry.id, Seen())
        own = {name: value for name, value in match.groupdict().items() if value}
        names = {**self._around(seen, line, is_asked), **own}
        if wanted.is_end:
            seen.settle(names)
            self._asked.setdefault(entry.id, Seen()).settle(names)
            return
        repeated = _REPEATED.search(line.said)
        seen.note(names, " ".join(line.shown.split()), int(repeated[1]) if repeated else 1)

    def _verdict(self, line: _Line) -> Verdict:
        """Whether NFS is meant, by the record that a message stands in."""
        self._judged += 1
        if self._judged > _JUDGED:
            return verdict(line.said, ())
        return verdict(line.said, line.record())

    def _around(self, seen: Seen, line: _Line, is_asked: bool) -> Names:
        """The names that stand around a message; where it is asked what it is about, those of its own record alone."""
        if seen.lines >= LOOKED_AT:
            return {}
        if seen.lines >= _LOOKED_BACK:
            return own_names(line.said)
        before = [part for each in (line.record() if is_asked else line.before()) for part in each.splitlines()]
        own = line.said.splitlines() or [line.said]
        around = names_around(own[-1], [*before, *own[:-1]])
        if is_described([line.said, *before]):
            return {**self._described.names(), **around}
        return around


def _by_needle() -> dict[str, list[_Wanted]]:
    """The patterns by their needles: as few as there can be, for each has to be looked for."""
    found: dict[str, list[_Wanted]] = {needle: [] for needle in (*Described.NEEDLES, *KnownOnNfs.NEEDLES)}
    ranked = [replace(wanted, rank=rank) for rank, wanted in enumerate(_all_wanted())]
    for wanted in sorted(ranked, key=lambda wanted: len(wanted.pattern.needle)):
        literals = wanted.pattern.literals
        shared = next((needle for needle in found if any(needle in literal for literal in literals)), None)
        found.setdefault(shared or wanted.pattern.needle, []).append(wanted)
    return found


def _all_wanted() -> Iterator[_Wanted]:
    for entry in entries().values():
        yield from (_Wanted(pattern, entry) for pattern in entry.patterns)
        yield from (_Wanted(pattern, entry, is_ambiguous=True) for pattern in entry.ambiguous)
        yield from (_Wanted(pattern, entry, is_end=True) for pattern in entry.settled_by)
    yield from (_Wanted(pattern) for pattern in VERSIONS)


def _hangs_on_version(entry: CatalogueEntry) -> bool:
    return any(str(variant.applies) for variant in chain.from_iterable(entry.every(part) for part in PARTS))
