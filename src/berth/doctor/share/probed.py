"""What a probe says: one result, in two languages. The sentences are data (probes.yaml)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from berth.texts.text import Text, fill
from berth.texts.yaml_in import read_yaml

Outcome = Literal["passed", "skipped", "warning", "failed"]
"""skipped: it could not be tried, or says nothing about this share; neither good nor bad."""
OUTCOMES: tuple[Outcome, ...] = ("passed", "skipped", "warning", "failed")
"""From the best to the worst."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What one probe found."""

    id: str
    """Stable: `dns`, `write`."""
    outcome: Outcome
    title: Text
    seen: Text
    cause: Text | None = None
    """Why it is so, where something is wrong."""
    cure: Text | None = None
    """What to do about it."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """The values in the sentences."""

    def as_dict(self) -> dict[str, object]:
        """For `-o json`, both languages in it."""
        texts = {"title": self.title, "seen": self.seen, "cause": self.cause, "cure": self.cure}
        told = {name: text.as_dict() for name, text in texts.items() if text is not None}
        return {"id": self.id, "outcome": self.outcome, **told, "facts": dict(self.facts)}


@dataclass(frozen=True, slots=True)
class ShareReport:
    """All that was found about one share."""

    share: str
    probes: tuple[Probed, ...]

    @property
    def outcome(self) -> Outcome:
        """The worst of them: passed, warning or failed."""
        return worst(self.probes)

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


def worst(probes: Iterable[Probed]) -> Outcome:
    """The worst outcome; what was skipped counts as passed."""
    found: Outcome = max((probe.outcome for probe in probes), key=OUTCOMES.index, default="passed")
    return "passed" if found == "skipped" else found


def told(probe: str, case: str, outcome: Outcome | None = None, /, **facts: object) -> Probed:
    """The result of probes.yaml under probe and case, with the facts put in. outcome: instead of the one there."""
    entry = catalogue()[probe]
    said = catalogue()["skipped"] if case == "skipped" else entry[case]
    cause, cure = (fill(said[part], facts) if part in said else None for part in ("cause", "cure"))
    seen = fill(said["seen"], facts)
    return Probed(probe, outcome or said["outcome"], Text(**entry["title"]), seen, cause, cure, facts)


@cache
def catalogue() -> Mapping[str, Mapping[str, Any]]:
    """Probe -> title, and case -> outcome and sentences; `skipped` stands for all probes. Read once."""
    found: dict[str, dict[str, Any]] = read_yaml(files(__package__).joinpath("probes.yaml").read_text("utf-8"))
    return found


def titles(probes: Iterable[Probed]) -> Text:
    """Their titles as one list."""
    known = tuple(probes)
    return Text(", ".join(probe.title.en for probe in known), "、".join(probe.title.zh for probe in known))
