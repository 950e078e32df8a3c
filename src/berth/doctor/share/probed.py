"""What a probe says: what was seen, and the finding where something is wrong. The words are data: of what is wrong in
findings.yaml, of all else in seen.yaml.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

from berth.findings.catalogue import Catalogue
from berth.findings.entry import Value
from berth.findings.finding import Finding, Severity
from berth.texts.data import as_data, camel
from berth.texts.phrases import bilingual
from berth.texts.sentences import Sentences
from berth.texts.text import Text
from berth.texts.visible import FACT

T = TypeVar("T")

CATALOGUE = Catalogue("berth.doctor.share", "findings.yaml")
SENTENCES = Sentences("berth.doctor.share", "seen.yaml")

ProbeOutcome = Literal["passed", "skipped", "warning", "failed"]
"""skipped: it could not be tried, or says nothing about this share; neither good nor bad."""
OUTCOMES: tuple[ProbeOutcome, ...] = ("passed", "skipped", "warning", "failed")
"""From the best to the worst."""
_KINDS = {"file": Text("file", "文件"), "link": Text("link", "符号链接"), "other": Text("special file", "特殊文件")}
"""What stands where a directory should."""
_OUTCOME: dict[Severity, ProbeOutcome] = {"failure": "failed", "warning": "warning", "note": "skipped"}


@dataclass(frozen=True, slots=True)
class Probed:
    """What one probe found."""

    id: str
    """Stable: `dns`, `write`."""
    outcome: ProbeOutcome
    seen: Text
    finding: Finding | None = None
    """What is wrong; None also where the finding of an earlier probe says it."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """The values in the sentences."""
    is_barred: bool = False
    """Not tried for the sake of an earlier failure."""

    @property
    def title(self) -> Text:
        """For lists."""
        return title(self.id)

    def as_harmless(self) -> Probed:
        """The same where nobody is in need of it: it is as if it had not been tried."""
        return replace(self, outcome="skipped", finding=None)

    def as_dict(self) -> dict[str, object]:
        """For `-o json`, both languages in it."""
        told = {"title": self.title.as_dict(), "seen": self.seen.as_dict()}
        wrong = _what_to_do(self.finding) if self.finding is not None else {}
        facts = {camel(name): as_data(value) for name, value in self.facts.items()}
        return {"id": self.id, "outcome": self.outcome, **told, **wrong, "facts": facts}


@dataclass(frozen=True, slots=True)
class ShareReport:
    """All that was found about one share."""

    share: str
    probes: tuple[Probed, ...]

    @property
    def outcome(self) -> ProbeOutcome:
        """The worst of them, passed, warning or failed; what was skipped counts as passed."""
        found: ProbeOutcome = max((probe.outcome for probe in self.probes), key=OUTCOMES.index, default="passed")
        return "passed" if found == "skipped" else found

    @property
    def culprit(self) -> Probed | None:
        """What to mend first: the first failure on the way from the name to the data, else the first warning."""
        for outcome in ("failed", "warning"):
            for probe in self.probes:
                if probe.outcome == outcome:
                    return probe
        return None

    def as_dict(self) -> dict[str, object]:
        """For `-o json`."""
        culprit = self.culprit
        return {
            "share": self.share,
            "outcome": self.outcome,
            "culprit": culprit.id if culprit else None,
            "probes": [probe.as_dict() for probe in self.probes],
        }


def _say(probe: str, case: str, facts: Mapping[str, object]) -> Text:
    return SENTENCES.say(f"{probe}.{case}", **_told(facts))


def _told(facts: Mapping[str, T]) -> dict[str, T | str | Text]:
    """The facts for sentences. What our own code says in English, as reasons of errors, is said in both languages."""
    return {name: _both(name, each) if isinstance(each, str) else each for name, each in facts.items()}


def _both(name: str, said: str) -> str | Text:
    match name:
        case "why":
            return bilingual(said)
        case "kind":
            return _KINDS.get(said, said)
    return said


def _what_to_do(finding: Finding) -> dict[str, object]:
    whole = finding.as_dict()
    return {key: whole[key] for key in ("severity", "why", "do", "commands")}


def passed(probe: str, case: str, /, **facts: object) -> Probed:
    """It is as it should be."""
    return Probed(probe, "passed", _say(probe, case, facts), None, facts)


def skipped(probe: str, case: str, /, **facts: object) -> Probed:
    """It could not be tried, or says nothing about this share."""
    return Probed(probe, "skipped", _say(probe, case, facts), None, facts)


def barred(probe: str, by: Probed) -> Probed:
    """It was not tried, because of what another one found."""
    facts = {"because": by.title}
    return Probed(probe, "skipped", SENTENCES.say("not-tried", because=by.title), None, facts, is_barred=True)


def wrong(probe: str, variant: str, severity: Severity | None = None, /, **facts: Value) -> Probed:
    """That variant of the probe's finding. severity: instead of the one there. CatalogueError as Catalogue.find."""
    finding = CATALOGUE.entry(probe).variant(variant).finding((), _told(facts), shown=FACT)
    return of_finding(probe, replace(finding, severity=severity or finding.severity), facts)


def echoed(probe: str, case: str, severity: Severity, /, **facts: object) -> Probed:
    """It fails, too; the finding of another probe says why."""
    return Probed(probe, _OUTCOME[severity], _say(probe, case, facts), None, facts)


def of_finding(probe: str, finding: Finding, facts: Mapping[str, object]) -> Probed:
    """What is wrong, as the result of that probe."""
    return Probed(probe, _OUTCOME[finding.severity], finding.seen, finding, facts)


def probes() -> Iterator[str]:
    """The ids of all."""
    return (key.removesuffix(".title") for key in SENTENCES.templates if key.endswith(".title"))


def title(probe: str) -> Text:
    """The title of the probe of that id."""
    return SENTENCES.say(f"{probe}.title")


def titles(probes: Iterable[Probed]) -> Text:
    """Their titles as one list."""
    known = tuple(probes)
    return Text(", ".join(probe.title.en for probe in known), "、".join(probe.title.zh for probe in known))
