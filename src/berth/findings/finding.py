"""Findings, and what could not be looked at. Pure values; their words come from a catalogue.

Order of harm: failures before warnings before notes; among them shares that don't work, of which much else follows,
before lost data, before what stops everybody, before what stops one, before what is merely unpleasant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from berth.texts.command import Shell
from berth.texts.data import as_data, camel
from berth.texts.text import Text

Severity = Literal["failure", "warning", "note"]
"""failure: it does not work; warning: it works, dangerously or not for long; note: worth knowing."""
SEVERITIES: tuple[Severity, ...] = ("failure", "warning", "note")

Harm = Literal["outage", "data", "everyone", "one", "comfort"]
"""outage: a share does not do its work, and much of what is told below it follows from that; data: lost or mixed up;
everyone: no claim or pod gets storage; one: this object; comfort: slow, noisy, confusing.
"""
HARMS: tuple[Harm, ...] = ("outage", "data", "everyone", "one", "comfort")

KINDS: dict[str, str] = {
    "claim": "PVC",
    "class": "StorageClass",
    "volume": "PV",
    "pod": "Pod",
    "node": "节点",
    "workload": "工作负载",
    "namespace": "命名空间",
    "provisioner": "制备器",
    "share": "共享",
    "server": "NFS 服务器",
    "mount": "挂载点",
    "host": "主机",
    "process": "进程",
    "lease": "Lease",
    "webhook": "Webhook",
    "role": "角色",
    "file": "文件",
    "directory": "目录",
    "cluster": "集群",
}
"""The kinds of objects that a finding may be about, and their Chinese names."""


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """A real object: kind is one of KINDS, name as a person types it (`ddddd/demo4nfs`, `10.0.0.1:/export`)."""

    kind: str
    name: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is not among berth.findings.finding.KINDS")

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def text(self) -> Text:
        """How it is called in either language."""
        return Text(str(self), f"{KINDS[self.kind]} {self.name}")

    def as_dict(self) -> dict[str, str]:
        """For `-o json`."""
        return {"kind": self.kind, "name": self.name}


@dataclass(frozen=True, slots=True)
class Where:
    """A line of a file. line: 0 where no line is to blame; file: empty where it is in none."""

    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


Tell = Callable[[Sequence[Subject], Mapping[str, Any]], "Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One result: what was seen, why it is so, what to type. Made by Catalogue.find."""

    id: str
    """The catalogue's; never changes its meaning."""
    severity: Severity
    harm: Harm
    about: tuple[Subject, ...]
    """The objects it is about, the most important one first; may be empty for a text that names none."""
    seen: Text
    why: Text
    """Empty where there is nothing to add."""
    do: Text
    commands: tuple[Shell, ...] = ()
    """Exact shell commands with the real names, in this order."""
    evidence: tuple[str, ...] = ()
    """What shows it, verbatim: a log line, a field of an object."""
    count: int = 1
    """How often it was seen."""
    sources: tuple[str, ...] = ()
    """Where to read on: `owner/repository#number`, or a document's address."""
    where: Where | None = None
    """For findings about what is written in files."""
    facts: Mapping[str, object] = field(default_factory=dict, compare=False)
    """The values in the sentences, for programs: nobody has to read them out of a sentence."""
    tell: Tell | None = field(default=None, compare=False, repr=False)
    """Makes the same finding of other objects and facts."""

    @property
    def rank(self) -> tuple[int, int, str, tuple[Subject, ...]]:
        """Sorts findings by harm, the worst first, and always in the same order."""
        return SEVERITIES.index(self.severity), HARMS.index(self.harm), self.id, self.about

    def as_dict(self) -> dict[str, object]:
        """For `-o json` and `-o yaml`: both languages in it."""
        return {
            "id": self.id,
            "severity": self.severity,
            "harm": self.harm,
            "about": [subject.as_dict() for subject in self.about],
            "seen": self.seen.as_dict(),
            "why": self.why.as_dict(),
            "do": self.do.as_dict(),
            "commands": list(self.commands),
            "evidence": list(self.evidence),
            "count": self.count,
            "sources": list(self.sources),
            "where": as_data(self.where),
            "facts": {camel(name): as_data(value) for name, value in self.facts.items()},
        }


@dataclass(frozen=True, slots=True)
class Question:
    """What would be a finding if the text were about NFS, which it does not say. It changes no exit code."""

    ask: Finding
    """In `seen` the question, in `do` how its answer is read, in `commands` what answers it."""
    if_so: Finding
    """What it is then."""

    def as_dict(self) -> dict[str, object]:
        """For `-o json` and `-o yaml`."""
        return {
            "id": self.if_so.id,
            "ask": self.ask.seen.as_dict(),
            "answer": self.ask.do.as_dict(),
            "commands": list(self.ask.commands),
            "ifSo": self.if_so.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class Unseen:
    """What could not be looked at, and why. No finding says nothing about it, neither good nor bad."""

    what: Text
    reason: Text
    check: str = ""
    """The id of the check that wanted to look."""
    about: Subject | None = None
    """The object, where it is one."""

    def as_dict(self) -> dict[str, object]:
        """For `-o json` and `-o yaml`."""
        return {"check": self.check, "what": self.what.as_dict(), "reason": self.reason.as_dict()}


@dataclass(frozen=True, slots=True)
class Report:
    """All that one run of the doctor has to say."""

    findings: tuple[Finding, ...] = ()
    unseen: tuple[Unseen, ...] = ()
    checks: tuple[str, ...] = ()
    """The ids of the checks that ran."""
    questions: tuple[Question, ...] = ()
    """What may be a failure, or none of NFS: it is asked, and counts for nothing."""

    @property
    def exit_code(self) -> int:
        """2 failures; else 3 something could not be looked at; else 1 warnings; else 0, healthy."""
        severities = {finding.severity for finding in self.findings}
        if "failure" in severities:
            return 2
        if self.unseen:
            return 3
        return 1 if "warning" in severities else 0

    def as_dict(self) -> dict[str, object]:
        """For `-o json` and `-o yaml`."""
        return {
            "findings": [finding.as_dict() for finding in self.findings],
            "questions": [question.as_dict() for question in self.questions],
            "unseen": [unseen.as_dict() for unseen in self.unseen],
            "checks": list(self.checks),
            "exitCode": self.exit_code,
        }


def report(
    findings: Iterable[Finding],
    unseen: Iterable[Unseen] = (),
    checks: Iterable[str] = (),
    questions: Iterable[Question] = (),
) -> Report:
    """A report with each finding once, sorted by harm; so are the questions."""
    once = {(each.id, each.about, each.seen): each for each in findings}
    asked = sorted(questions, key=lambda each: each.if_so.rank)
    return Report(tuple(sorted(once.values(), key=lambda each: each.rank)), tuple(unseen), tuple(checks), tuple(asked))
