"""What messages of one failure have said, object by object, and the finding or the question that this comes to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from berth.doctor.names_in_text import NAMED_KINDS, Names
from berth.findings.catalogue import Catalogue
from berth.findings.entry import CatalogueEntry, names_of
from berth.findings.finding import Finding, Question, Subject
from berth.findings.versions import Version

QUESTIONS = Catalogue("berth.doctor", "questions.yaml")
"""What is asked where a message may be about NFS or not."""

_SUBJECTS = 20
"""Objects that one finding names at most."""
_EVIDENCE = 3
_OBJECTS = 1000
"""Objects that are told apart at most."""
_KEY = ("claim", "pod", "share", "volume", "server", "file", "mountpoint", "directory")
"""What tells one object of a failure from another: the first of these that a message names."""
_PATHS = ("file", "directory", "mountpoint")
LOOKED_AT = 20_000
"""Messages of one failure that are searched for names at all; those after are counted with the first."""
_SHARED = ("workload_namespace", "workload_name", "account")
"""Names that hold for all messages of a failure, whichever said them: of the program that writes the log."""


@dataclass(slots=True)
class Told:
    """What messages about one object have said: the names and the text of the one that knows most, and how many."""

    names: Names
    text: str
    count: int


@dataclass(slots=True)
class Seen:
    """What messages of one failure have said. settled: the objects for which it came to a good end."""

    told: dict[str, Told] = field(default_factory=dict)
    shared: Names = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    lines: int = 0

    def note(self, names: Names, text: str, count: int) -> None:
        """Takes a message."""
        self.lines += 1
        self.shared.update({name: names[name] for name in _SHARED if name in names})
        key = next((names[kind] for kind in _KEY if kind in names), "")
        is_too_much = self.lines > LOOKED_AT or len(self.told) >= _OBJECTS
        if key not in self.told and is_too_much:
            key = next(iter(self.told))  # told apart no longer, still counted
        told = self.told.setdefault(key, Told(names, text, 0))
        told.count += count
        if len(names) > len(told.names):
            told.names, told.text = names, text

    def settle(self, names: Names) -> None:
        """Takes a message of a good end."""
        self.settled |= {names[kind] for kind in ("claim", "pod") if kind in names}

    def open(self, wanted: Callable[[Names], bool] = lambda names: True) -> list[Told]:
        """The failures that did not come to a good end; those of which most is known come first."""
        return sorted(
            (told for key, told in self.told.items() if key not in self.settled and wanted(told.names)),
            key=lambda told: -len(told.names),
        )


def finding_of(entry: CatalogueEntry, told: Sequence[Told], shared: Names, version: Version | None) -> Finding:
    """What is told about a failure by all its messages."""
    about, names = _about(told), {**shared, **told[0].names}
    return entry.told_by({**names_of(about), **names}, version).finding(
        about,
        names,
        version=version,
        evidence=[each.text for each in told[:_EVIDENCE]],
        count=sum(each.count for each in told),
    )


def question_of(entry: CatalogueEntry, told: Sequence[Told], shared: Names, version: Version | None) -> Question:
    """What is asked about messages that may be this failure."""
    about, names = _about(told), {**shared, **told[0].names}
    known = {name: value for name, value in names.items() if name not in _PATHS or value.startswith("/")}
    places = [each for each in about if each.kind not in _PATHS or each.name.startswith("/")]
    ask = QUESTIONS.entry(entry.ask or "on-nfs").told_by({**names_of(places), **known}, version)
    return Question(ask.finding(places, known), finding_of(entry, told, shared, version))


def _about(told: Sequence[Told]) -> list[Subject]:
    return list(dict.fromkeys(subject for each in told for subject in _subjects(each.names)))[:_SUBJECTS]


def without_echoes(found: Sequence[CatalogueEntry], beside: Iterable[CatalogueEntry] = ()) -> list[CatalogueEntry]:
    """Those that say something new beside the others. beside: entries that count as others for all of them."""
    others = [*found, *beside]
    return [entry for entry in found if not _is_echo(entry, others)]


def _subjects(names: Names) -> list[Subject]:
    kinds = [kind for kind in NAMED_KINDS if kind in names and not (kind == "server" and "share" in names)]
    return [Subject(kind, names[kind]) for kind in kinds]


def _is_echo(entry: CatalogueEntry, found: Iterable[CatalogueEntry]) -> bool:
    others = [other for other in found if other.id != entry.id]
    if entry.yields_to == ("*",):
        return any(other.severity == "failure" and other.yields_to != ("*",) for other in others)
    return any(other.id in entry.yields_to for other in others)
