"""Samples of figures, and what is told of them: one value each, its spread, and whether it is good enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

from benchmarks.figures import FIGURES, Figure

Verdict = Literal["ok", "MISSED", "busy", ""]
Parts = Mapping[str, float]
"""What a figure is the sum of."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure and its samples, at least one."""

    figure: Figure
    samples: tuple[float, ...]
    parts: Parts = field(default_factory=dict)
    was_busy: bool = False
    """Whether others were busy on the machine meanwhile."""

    @property
    def value(self) -> float:
        """The sample that counts."""
        return max(self.samples) if self.figure.judged_by == "max" else median(self.samples)

    @property
    def verdict(self) -> Verdict:
        """Whether it meets the target: `ok`, `MISSED`, `busy` where that can't be told, or empty without a target."""
        is_met = self.figure.meets_target(self.value)
        if is_met is None:
            return ""
        if self.was_busy and self.figure.is_timed:
            return "busy"
        return "ok" if is_met else "MISSED"


@dataclass(slots=True)
class Results:
    """All samples of one bench, by the key of their figure."""

    samples: dict[str, list[float]] = field(default_factory=dict)
    parts: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    was_busy: bool = False
    """Whether others were busy on the machine meanwhile."""

    def add(self, samples: Mapping[str, float]) -> None:
        """One sample more for each key given. KeyError for a key that is no figure's."""
        for key, value in samples.items():
            if key not in _KEYS:
                raise KeyError(key)
            self.samples.setdefault(key, []).append(value)

    def add_sum(self, key: str, parts: Parts) -> None:
        """One sample more that is the sum of parts, each of which is told as well."""
        self.add({key: sum(parts.values())})
        known = self.parts.setdefault(key, {})
        for name, value in parts.items():
            known.setdefault(name, []).append(value)

    def measured(self) -> list[Measured]:
        """Every figure that has samples, in the order of the table."""
        return [
            Measured(figure, tuple(self.samples[figure.key]), self._parts_of(figure.key), self.was_busy)
            for figure in FIGURES
            if figure.key in self.samples
        ]

    def judged(self, verdict: Verdict) -> list[str]:
        """The keys of the figures with this verdict."""
        return [measured.figure.key for measured in self.measured() if measured.verdict == verdict]

    def portable(self) -> dict[str, float]:
        """What can be compared with other machines and other days, by key."""
        return {
            each.figure.key: round(each.value, 4)
            for each in self.measured()
            if each.figure.is_portable and not (self.was_busy and each.figure.is_timed)
        }

    def as_json(self, machine: Mapping[str, Any], sizes: Mapping[str, Any]) -> dict[str, Any]:
        """The content of bench.json: values nested by their keys, then spread, parts, what was missed, the machine."""
        content: dict[str, Any] = {}
        for measured in self.measured():
            *above, last = measured.figure.key.split(".")
            place = content
            for part in above:
                place = place.setdefault(part, {})
            place[last] = round(measured.value, 4)
        content["spread"] = {
            measured.figure.key: {
                "min": round(min(measured.samples), 4),
                "median": round(median(measured.samples), 4),
                "max": round(max(measured.samples), 4),
                "samples": len(measured.samples),
            }
            for measured in self.measured()
        }
        content["parts"] = {each.figure.key: dict(each.parts) for each in self.measured() if each.parts}
        content["missed"], content["undecided"] = self.judged("MISSED"), self.judged("busy")
        return {**content, "machine": dict(machine), "sizes": dict(sizes)}

    def _parts_of(self, key: str) -> Parts:
        """The median of each; one that was not there in a sample was 0."""
        count = len(self.samples[key])
        found = {
            name: median([*values, *[0.0] * (count - len(values))]) for name, values in self.parts.get(key, {}).items()
        }
        return {name: round(value, 4) for name, value in sorted(found.items()) if value}


_KEYS = frozenset(figure.key for figure in FIGURES)
