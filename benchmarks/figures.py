"""What is measured: the key in bench.json, the words in the table, the target, and what the reference does.

The reference is nfs-subdir-external-provisioner 4.0.18 (Go), as released (its client allows itself 5 requests/s) and
with that limit patched away, measured in the same way on the same kind of machine.
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
    """With the sizes of the bench as {placeholders}."""
    unit: str
    digits: int = 0
    """Decimals shown."""
    at_least: float | None = None
    at_most: float | None = None
    judged_by: Literal["median", "max"] = "median"
    """Which of the samples counts, in the table, in bench.json and against the target. A peak is its highest."""
    reference: str = ""

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


FIGURES = (
    Figure("raw_pv_creates_per_s", "PV creates, the client library alone", "/s"),
    Figure("provision.claims_per_s", "claims that waited, served", "/s", at_least=200, reference="1.9; patched 110"),
    Figure("provision.share_of_raw", "  of the raw rate", "%", at_least=25),
    Figure("provision.bound_per_s", "  until they were Bound", "/s"),
    Figure("provision.live_claims_per_s", "claims served while they are filed", "/s"),
    Figure("provision.live_bound_per_s", "  until they were Bound", "/s"),
    Figure("provision.p50_s", "  claim to PV, median", "s", 3),
    Figure("provision.p99_s", "  claim to PV, 99 %", "s", 3),
    Figure("provision.asked_p50_s", "  from being asked to PV, median", "s", 3),
    Figure("provision.asked_p99_s", "  from being asked to PV, 99 %", "s", 3),
    Figure("provision.requests_per_claim", "  API requests per claim", "", 2, at_most=3),
    Figure("provision.cpu_ms_per_claim", "  controller's CPU per claim", "ms", 2),
    Figure("release.claims_per_s", "released PVs that waited, ended", "/s", at_least=150, reference="1.8; patched 57"),
    Figure("release.live_claims_per_s", "PVs ended while claims are deleted", "/s"),
    Figure("release.p50_s", "  claim's end to PV's end, median", "s", 3),
    Figure("release.p99_s", "  claim's end to PV's end, 99 %", "s", 3),
    Figure("release.requests_per_claim", "  API requests per deletion", "", 2),
    Figure("release.cpu_ms_per_claim", "  controller's CPU per deletion", "ms", 2),
    Figure("provision.peak_rss_mb", "peak memory in all that", "MB", at_most=90, judged_by="max", reference="51"),
    Figure("start.ready_s", "start with {volumes:,} volumes, to leading", "s", 2, at_most=5),
    Figure("start.settled_s", "start with {volumes:,} volumes, to rest", "s", 2),
    Figure("start.rss_mb", "peak memory with {volumes:,} volumes", "MB", at_most=150, judged_by="max"),
    Figure("start.idle_cpu_percent", "idle, of one core", "%", 2, at_most=1),
    Figure("purge.speedup", "purge of {files:,} files over NFSv4, against one by one", "x", 1, at_least=5),
    Figure("purge.seconds", "  seconds for it", "s", 1),
    Figure("purge.speedup_v3", "the same over NFSv3", "x", 1, at_least=5),
    Figure("purge.seconds_v3", "  seconds for it", "s", 1),
)
"""In the order of the table."""
