"""Samples of figures, and what is told of them: one value each, its spread, and whether it is good enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks.figures import FIGURES, Figure


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure and its samples, at least one."""

    figure: Figure
    samples: tuple[float, ...]

    @property
    def value(self) -> float:
        """The sample that counts."""
        return max(self.samples) if self.figure.judged_by == "max" else median(self.samples)

    @property
    def is_good(self) -> bool | None:
        """Whether it meets the target; None without one."""
        return self.figure.meets_target(self.value)


@dataclass(slots=True)
class Results:
    """All samples of one bench, by the key of their figure, and remarks on how they came about."""

    samples: dict[str, list[float]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def add(self, samples: Mapping[str, float]) -> None:
        """One sample more for each key given. KeyError for a key that is no figure's."""
        known = {figure.key for figure in FIGURES}
        for key, value in samples.items():
            if key not in known:
                raise KeyError(key)
            self.samples.setdefault(key, []).append(value)

    def derive(self) -> None:
        """Adds the figures that are made of two others, sample by sample."""
        for raw, served in zip(
            self.samples.get("raw_pv_creates_per_s", ()), self.samples.get("provision.claims_per_s", ()), strict=False
        ):
            self.add({"provision.share_of_raw": served / raw * 100})

    def measured(self) -> list[Measured]:
        """Every figure that has samples, in the order of the table."""
        return [Measured(figure, tuple(self.samples[figure.key])) for figure in FIGURES if figure.key in self.samples]

    def missed(self) -> list[Measured]:
        """The figures that miss their targets."""
        return [measured for measured in self.measured() if measured.is_good is False]

    def as_json(self, machine: Mapping[str, Any], sizes: Mapping[str, Any]) -> dict[str, Any]:
        """The content of bench.json: values nested by their keys, then spread, machine, sizes and remarks."""
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
        content["missed"] = [measured.figure.key for measured in self.missed()]
        return {**content, "machine": dict(machine), "sizes": dict(sizes), "remarks": self.remarks}
