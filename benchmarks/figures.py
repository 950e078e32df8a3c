"""What is measured: the key in bench.json, the words in the table, and the target.

The one table of targets. A figure is portable when it says the same on any machine: a ratio of two rates of one run, a
number of calls, CPU time in standard ms (see calibration), memory. Only these have targets; rates are shown beside what
the machine was busy with. docs/performance.md explains each one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    key: str
    """Place in bench.json, dots for nesting."""
    title: str
    unit: str = ""
    digits: int = 0
    """Decimals shown."""
    at_least: float | None = None
    at_most: float | None = None
    is_portable: bool = True
    is_timed: bool = False
    """Whether it is made of two times that others on the machine stretch unevenly: not judged while they are busy."""
    judged_by: Literal["median", "max"] = "median"
    """Which of the samples counts, in the table, in bench.json and against the target. A peak is its highest."""

    def meets_target(self, value: float) -> bool | None:
        """Whether value is good enough; None without a target."""
        if self.at_least is None and self.at_most is None:
            return None
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)

    @property
    def target(self) -> str:
        """The target as text; empty without one."""
        if self.at_least is not None:
            return f"≥ {self.at_least:g}"
        return "" if self.at_most is None else f"≤ {self.at_most:g}"


def _here(key: str, title: str, unit: str, digits: int = 0) -> Figure:
    """One that says something of this machine at this time only."""
    return Figure(key, title, unit, digits, is_portable=False)


FIGURES = (
    Figure("provision.of_raw", "claims served / raw PV creates", "", 2, at_least=0.3, is_timed=True),
    Figure("provision.bound_of_raw", "claims Bound / raw PV creates", "", 2, is_timed=True),
    Figure("release.of_raw", "PVs ended / raw PV deletes", "", 2, at_least=0.6, is_timed=True),
    Figure("provision.cpu_ms", "Berth's CPU per claim", "ms", 2, at_most=2.5),
    Figure("release.cpu_ms", "Berth's CPU per deletion", "ms", 2, at_most=3),
    Figure("provision.cpu_all_ms", "everybody's CPU per claim", "ms", 1),
    Figure("provision.cost", "  in raw PV creates", "", 1),
    Figure("release.cpu_all_ms", "everybody's CPU per deletion", "ms", 1),
    Figure("release.cost", "  in raw PV deletes", "", 1),
    Figure("provision.requests", "API requests per claim", "", 2, at_most=2.05),
    Figure("release.requests", "API requests per deletion", "", 2, at_most=2.05),
    Figure("provision.nfs_calls", "NFS calls per claim", "", 2, at_most=7),
    Figure("release.nfs_calls", "NFS calls per deletion", "", 2, at_most=12),
    Figure("provision.peak_rss_mb", "peak memory in all that", "MB", at_most=90, judged_by="max"),
    Figure("purge.speedup", "purge / one by one, NFSv4", "x", 1, at_least=20, is_timed=True),
    Figure("purge.speedup_v3", "purge / one by one, NFSv3", "x", 1, at_least=20, is_timed=True),
    Figure("purge.rss_mb", "memory that a large purge takes", "MB", 1, at_most=40, judged_by="max"),
    Figure("start.rss_mb", "peak memory at the start", "MB", at_most=150, judged_by="max"),
    Figure("scale.peak_rss_mb", "peak memory with 100,000 volumes", "MB", at_most=300, judged_by="max"),
    Figure("scale.longest_turn_ms", "longest turn of its loop", "ms", 1, at_most=20, judged_by="max"),
    Figure("scale.idle_cpu_percent", "idle, of one core", "%", 2, at_most=1),
    Figure("shares.descriptors", "descriptors, 1,000 shares", "", 0, at_most=400, judged_by="max"),
    Figure("shares.idle_cpu_percent", "idle there, of one core", "%", 2, at_most=1),
    _here("raw.creates_per_s", "raw PV creates", "/s"),
    _here("raw.deletes_per_s", "raw PV deletes", "/s"),
    _here("provision.per_s", "claims served", "/s"),
    _here("provision.bound_per_s", "claims Bound", "/s"),
    _here("release.per_s", "PVs ended", "/s"),
    _here("purge.files_per_s", "files purged, NFSv4", "/s"),
    _here("purge.files_per_s_v3", "files purged, NFSv3", "/s"),
    _here("live.claims_per_s", "claims served while filed", "/s"),
    _here("live.deletions_per_s", "PVs ended while deleted", "/s"),
    _here("live.claim_p50_s", "  claim to PV, median", "s", 3),
    _here("live.claim_p99_s", "  claim to PV, 99 %", "s", 3),
    _here("live.asked_p50_s", "  asked to PV, median", "s", 3),
    _here("live.asked_p99_s", "  asked to PV, 99 %", "s", 3),
    _here("live.end_p50_s", "  claim's end to PV's, median", "s", 3),
    _here("live.end_p99_s", "  claim's end to PV's, 99 %", "s", 3),
    _here("start.ready_s", "start, to leading", "s", 2),
    _here("start.settled_s", "start, to rest", "s", 2),
    _here("scale.ready_s", "start with 100,000, to leading", "s", 2),
    _here("scale.settled_cpu_s", "CPU until it is at rest", "s", 1),
    _here("shares.bound_s", "1,000 shares, claims to Bound", "s", 1),
    _here("start.idle_cpu_percent", "idle, of one core", "%", 2),
)
"""In the order of the table."""
