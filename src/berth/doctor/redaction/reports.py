"""Findings and reports, told again with stand-ins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import TypeVar

from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.redaction.stand_ins import StandIns
from berth.doctor.share.probed import Probed, ShareReport
from berth.findings.finding import KINDS, Finding, Question, Report, Subject, Unseen, Where
from berth.objects import runtime
from berth.texts.command import Shell
from berth.texts.data import camel
from berth.texts.text import Text

V = TypeVar("V")

_PAIRS = frozenset({"claim", "pod", "lease", "workload", "role", "account", "owner", "endpoint", "configuration"})
"""Kinds of objects, and facts, that are called `namespace/name`."""
_KINDS_OF_FACTS = {
    "owner": "claim", "driver": "provisioner", "endpoint": "service", "service": "service", "lock": "lease",
    "container": "container", "quota": "quota", "accessor": "accessor", "snapshots": "snapshot",
}  # fmt: skip
"""Facts that are names of a kind, though they are not called so."""
_PLACES = frozenset({"share", "file", "directory", "mount", "process", "cluster"})
"""Kinds of subjects that are more than one name."""


_PATHS = frozenset({
    "path", "directory", "export", "mountpoint", "file", "trash", "archive", "record", "to", "origin", "entries",
    "parent",
})  # fmt: skip
"""Facts that are paths, from a share's root on where they don't begin with a slash."""


class Redaction:
    """The redaction of one run: what it is told first, its stand-ins are consistent for."""

    def __init__(self) -> None:
        self.names = StandIns()

    def learn_cluster(self, snapshot: Snapshot) -> None:
        """Takes in the names of all that was read of a cluster."""
        learn = self.names.learn
        for namespace in snapshot.namespaces:
            learn("namespace", namespace.name)
        for kind, objects in (
            ("claim", snapshot.claims), ("volume", snapshot.volumes), ("class", snapshot.classes),
            ("pod", snapshot.pods), ("workload", snapshot.workloads), ("lease", snapshot.leases),
            ("quota", snapshot.quotas), ("webhook", snapshot.webhooks), ("accessor", snapshot.accessors),
            ("provisioner", snapshot.drivers), ("service", snapshot.services),
        ):  # fmt: skip
            for each in objects:
                learn("namespace", each.metadata.namespace)
                learn(kind, each.name)
        for of_class in snapshot.classes:
            learn("provisioner", of_class.provisioner)
        for pod in snapshot.pods:
            self._learn_pod(pod)

    def _learn_pod(self, pod: runtime.Pod) -> None:
        self.names.learn("node", pod.spec.nodeName)
        self.names.learn("account", pod.spec.account)

    def report(self, report: Report) -> Report:
        """All that the doctor says."""
        questions = [finding for each in report.questions for finding in (each.ask, each.if_so)]
        self._learn([*report.findings, *questions])
        return replace(
            report,
            findings=tuple(map(self.finding, report.findings)),
            unseen=tuple(map(self._unseen, report.unseen)),
            questions=tuple(Question(self.finding(each.ask), self.finding(each.if_so)) for each in report.questions),
        )

    def share_report(self, report: ShareReport) -> ShareReport:
        """What was found about a share."""
        self.names.learn("host", report.share.rpartition(":/")[0].strip("[]"))
        self._learn([each.finding for each in report.probes if each.finding is not None])
        return ShareReport(self.names.share(report.share), tuple(map(self._probed, report.probes)))

    def _probed(self, probed: Probed) -> Probed:
        wrong = self.finding(probed.finding) if probed.finding is not None else None
        seen = wrong.seen if wrong is not None else self.text(probed.seen)
        return replace(probed, seen=seen, finding=wrong, facts=self._facts(probed.facts))

    def finding(self, finding: Finding) -> Finding:
        """The same finding, its sentences and commands made anew of stand-ins."""
        about = tuple(map(self._subject, finding.about))
        facts, evidence = (
            self._facts(finding.facts),
            [self.names.text(each, is_foreign=True) for each in finding.evidence],
        )
        where = Where(self.names.places.path(finding.where.file), finding.where.line) if finding.where else None
        if finding.tell is None:
            told = replace(
                finding,
                seen=self.text(finding.seen),
                why=self.text(finding.why),
                do=self.text(finding.do),
                commands=tuple(Shell(self.names.text(each)) for each in finding.commands),
            )
        else:
            told = finding.tell(about, facts)
        return replace(
            told,
            about=about,
            facts=facts,
            evidence=tuple(evidence),
            where=where,
            severity=finding.severity,
            harm=finding.harm,
            count=finding.count,
            tell=None,
        )

    def text(self, text: Text) -> Text:
        """A sentence of ours, with names in it."""
        return Text(self.names.text(text.en), self.names.text(text.zh))

    def _learn(self, findings: Iterable[Finding]) -> None:
        """Takes in the names that findings are about, before any of them is told again."""
        for finding in findings:
            for subject in finding.about:
                if subject.kind in _PAIRS:
                    namespace, _, name = subject.name.rpartition("/")
                    self.names.learn("namespace", namespace)
                    self.names.learn(subject.kind, name)
                elif subject.kind not in _PLACES:
                    self.names.learn("host" if subject.kind == "server" else subject.kind, subject.name)

    def _subject(self, subject: Subject) -> Subject:
        return Subject(subject.kind, self._named(subject.kind, subject.name))

    def _named(self, kind: str, raw: str) -> str:
        if kind in _PAIRS and raw.count("/") <= 1:
            return self.names.pair(_KINDS_OF_FACTS.get(kind, kind), raw)
        match kind:
            case "share":
                return self.names.share(raw)
            case "server" | "host":
                return self.names.name("host", raw)
            case "file" | "directory" | "mount":
                return self.names.places.path(raw) if "/" in raw else self.names.text(raw, is_foreign=True)
            case "process" | "cluster":
                return self.names.text(raw, is_foreign=True)
        return self.names.name(_KINDS_OF_FACTS.get(kind, kind), raw)

    def _facts(self, facts: Mapping[str, V]) -> dict[str, V]:
        return {name: self._fact(name, value) for name, value in facts.items()}

    def _fact(self, fact: str, value: V) -> V:
        told: object
        match value:
            case Text():
                told = self.text(value)
            case Shell():
                told = Shell(self.names.text(value))
            case str():
                told = self._text_fact(fact, value)
            case list() | tuple():
                told = [self._fact(fact, each) for each in value]
            case bool() | int() | float() | None:
                told = value
            case Mapping():
                told = {self.names.value(str(key)): self._fact(fact, each) for key, each in value.items()}
            case _ if is_dataclass(value):
                told = {camel(each.name): self._fact(each.name, getattr(value, each.name)) for each in fields(value)}
            case _:
                told = self.names.value(str(value))
        return told  # type: ignore[return-value]

    def _text_fact(self, fact: str, raw: str) -> str:
        kind, _, part = fact.rpartition("_")
        if part == "namespace" or fact == "namespace":
            return self.names.name("namespace", raw)
        if part == "name" and kind == "server":
            return self.names.name("host", raw)
        if part == "name" and kind in KINDS:
            return self.names.name(kind, raw)
        if fact in KINDS or fact in _KINDS_OF_FACTS or fact == "account":
            return self._named(fact, raw)
        if fact in _PATHS and "/" in raw and ":" not in raw:
            return self.names.places.path(raw)
        return self.names.value(raw)

    def _unseen(self, unseen: Unseen) -> Unseen:
        about = self._subject(unseen.about) if unseen.about is not None else None
        return replace(unseen, what=self.text(unseen.what), reason=self.text(unseen.reason), about=about)
