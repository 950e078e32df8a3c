"""The default class: none, or several."""

from __future__ import annotations

from collections.abc import Iterator

from berth.doctor.cluster import kinds
from berth.doctor.cluster.served import Served
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.finding import Finding, Subject
from berth.doctor.known import find


def judge_default_class(snapshot: Snapshot, served: Served) -> Iterator[Finding]:
    """None is a note: it may be meant so. Several are a warning."""
    if not snapshot.sees("storageclasses"):
        return
    defaults = snapshot.defaults
    if not defaults:
        best = candidate(snapshot, served)
        yield find("default-class-none", candidate=best.name if best is not None else None)
    elif len(defaults) > 1:
        yield find(
            "default-class-several",
            *(Subject("class", each.name) for each in defaults),
            version=snapshot.version,
            number=len(defaults),
            keep=defaults[0].name,
            others=[each.name for each in defaults[1:]],
        )


def candidate(snapshot: Snapshot, served: Served) -> kinds.Class | None:
    """The class that might best be the default: one that is served, the oldest of them."""
    is_served = [each for each in snapshot.classes if each.provisioner in served.names]
    known = sorted(is_served or snapshot.classes, key=lambda each: (each.metadata.creationTimestamp or "", each.name))
    return known[0] if known else None
