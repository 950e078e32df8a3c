"""The default class: none, or several."""

from __future__ import annotations

from collections.abc import Iterator

from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.known import find
from berth.findings.finding import Finding, Subject
from berth.objects import kinds


def judge_default_class(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[Finding]:
    """Tells that no class is the default (a note, since it may be meant so), or that several are (a warning)."""
    if not snapshot.sees("storageclasses"):
        return
    defaults = snapshot.defaults
    if not defaults:
        best = candidate(snapshot, provisioners)
        name = best.name if best is not None else None
        yield find("default-class-none", variant={"candidate": name}, candidate=name)
    elif len(defaults) > 1:
        newest = defaults[0]
        keep = next((each for each in defaults if not _is_unserved(snapshot, provisioners, each)), newest)
        yield find(
            "default-class-several",
            *(Subject("class", each.name) for each in defaults),
            variant={"unserved": keep is not newest},
            version=snapshot.version,
            number=len(defaults),
            newest=newest.name,
            rest=[each.name for each in defaults[1:]],
            keep=keep.name,
            unserved=newest.name if keep is not newest else None,
            others=[each.name for each in defaults if each is not keep],
        )


def _is_unserved(snapshot: Snapshot, provisioners: Provisioners, of_class: kinds.ClassObject) -> bool:
    """Whether it is known that nobody serves it; of other storage than NFS it is not."""
    sees_all = snapshot.sees("pods", "deployments", "leases") and not provisioners.is_outside
    return sees_all and provisioners.is_nfs(of_class) and of_class.provisioner not in provisioners.names


def candidate(snapshot: Snapshot, provisioners: Provisioners) -> kinds.ClassObject | None:
    """The class that might best be the default: one that is served, the oldest of them."""
    is_served = [each for each in snapshot.classes if each.provisioner in provisioners.names]
    known = sorted(is_served or snapshot.classes, key=lambda each: (each.metadata.creationTimestamp or "", each.name))
    return known[0] if known else None
