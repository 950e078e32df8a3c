"""The default class: none, or several."""

from __future__ import annotations

from collections.abc import Iterator

from berth.doctor.cluster.classes import refusal
from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.known import find
from berth.findings.finding import Finding, Subject
from berth.findings.versions import Version
from berth.objects import kinds
from berth.objects.translation import class_name_of


def judge_default_class(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[Finding]:
    """Tells that no class is the default (a note, since it may be meant so), or that several are (a warning)."""
    if not snapshot.sees("storageclasses"):
        return
    defaults = snapshot.defaults
    if not defaults:
        best = candidate(snapshot, provisioners)
        name = best.name if best is not None else None
        known = [each.name for each in snapshot.classes]
        which = {"none-works": known and name is None, "candidate": name}
        yield find("default-class-none", variant=which, candidate=name, known=known or None)
    elif len(defaults) > 1:
        newest = defaults[0]
        keep = next((each for each in defaults if not _is_unserved(snapshot, provisioners, each)), newest)
        yield find(
            "default-class-several",
            *(Subject("class", each.name) for each in defaults),
            variant={"refused": refuses_claims(snapshot), "newest": True, "keep": True, "unserved": keep is not newest},
            version=snapshot.version,
            number=len(defaults),
            newest=newest.name,
            rest=[each.name for each in defaults[1:]],
            keep=keep.name,
            unserved=newest.name if keep is not newest else None,
        )


def refuses_claims(snapshot: Snapshot) -> bool:
    """Whether this release's API server refuses claims without a class while there are several defaults: until 1.25 its
    admission plugin DefaultStorageClass did; since 1.26 it takes the newest (kubernetes/kubernetes#110559).
    """
    return snapshot.version is not None and snapshot.version < Version(1, 26)


def _is_unserved(snapshot: Snapshot, provisioners: Provisioners, of_class: kinds.ClassObject) -> bool:
    """Whether it is known that its claims get nothing; of other storage than NFS it is not."""
    sees_all = snapshot.sees("pods", "deployments", "leases") and not provisioners.is_outside
    is_silent = provisioners.is_nfs(of_class) and of_class.provisioner not in provisioners.names
    return (sees_all and is_silent) or refusal(provisioners, of_class) is not None


def candidate(
    snapshot: Snapshot, provisioners: Provisioners, *, preferred: kinds.ClassObject | None = None
) -> kinds.ClassObject | None:
    """The class to propose, for a claim or as the default: one that works, as far as the cluster shows it. None where
    none does.

    Somebody answers to its provisioner, Berth takes what it says, its share works and none of its claims waits with a
    warning. Of several the one that is preferred, else one that has given a volume before, the oldest of them.
    """
    warned = {
        class_name_of(each)
        for each in snapshot.claims
        if each.status.phase == "Pending" and snapshot.warnings("PersistentVolumeClaim", each)
    }
    used = {each.spec.storageClassName for each in snapshot.volumes if each.status.phase == "Bound"}
    works = [
        each
        for each in snapshot.classes
        if each.provisioner in provisioners.names
        and refusal(provisioners, each) is None
        and each.name not in warned
        and provisioners.outages.around(provisioners.share_of(each)) is None
    ]
    return min(
        works,
        key=lambda each: (
            each is not preferred,
            each.name not in used,
            each.metadata.creationTimestamp or "",
            each.name,
        ),
        default=None,
    )
