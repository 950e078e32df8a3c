"""Provisioners that are at work under one name side by side, that lead no longer, or whose share is contested."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from berth.doctor.cluster.durations import duration
from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.reasons import known_failures
from berth.doctor.cluster.running import STARTING
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.known import find
from berth.findings.finding import Finding, Subject
from berth.objects.provisioners import Provisioner
from berth.texts.text import Text, same

_AGE = {"berth": 0, "csi": 1, "other": 1, "subdir": 2, "selflink": 3}


def judge_twice(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[Finding]:
    """Two provisioners at work under one name whose locks don't exclude each other."""
    running = [each for each in provisioners.known if each.is_running]
    for one, other in combinations(running, 2):
        for name in set(one.names) & set(other.names):
            shares_lock = one.lock == other.lock and one.namespace == other.namespace and one.flavour == other.flavour
            if shares_lock:
                continue
            new, old = sorted((one, other), key=lambda each: _standing(snapshot, each))
            yield find(
                "provisioner-twice",
                Subject("workload", old.key),
                Subject("workload", new.key),
                Subject("provisioner", name),
                old=f"{old.ref} ({old.namespace})",
                new=f"{new.ref} ({new.namespace})",
                old_namespace=old.namespace,
                old_ref=old.ref,
            )


def _standing(snapshot: Snapshot, provisioner: Provisioner) -> tuple[bool, int, str]:
    """Which of two is to stay: the lesser one. None is stopped for the sake of one that nothing speaks for."""
    return snapshot.trust.distrusts(provisioner.account), _AGE[provisioner.flavour], provisioner.key


def judge_leases(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[Finding]:
    """Leases of provisioners with ready pods that nobody renews, and those under which a share is contested."""
    yield from _contested(snapshot)
    for each in provisioners.known:
        lease = next((one for one in snapshot.leases if one.key == f"{each.namespace}/{each.lock}"), None)
        if lease is None or not each.is_running or each.lock in provisioners.fresh_locks or not lease.spec.renewTime:
            continue
        begun = min(snapshot.age(pod.metadata.creationTimestamp) for pod in each.pods if pod.is_ready)
        if begun < STARTING:
            continue  # it is about to take the lease over
        yield find(
            "lease-stale",
            Subject("lease", lease.key),
            Subject("workload", each.key),
            since=duration(snapshot.age(lease.spec.renewTime)),
            holder=same(lease.spec.holderIdentity) if lease.spec.holderIdentity else Text("nobody", "无"),
            account=each.account.replace("/", ":"),
            ref=each.ref,
        )


_CONTESTED = 3600.0
"""Seconds since a controller said so last. While it lasts, it says so every five minutes."""


def _contested(snapshot: Snapshot) -> Iterator[Finding]:
    for (kind, key), events in snapshot.events_about.items():
        if kind not in ("Lease", "Endpoints"):
            continue
        told: set[str] = set()
        for event in events:
            for finding in known_failures(event, snapshot.version, lease=key):
                place = str(finding.facts.get("share", ""))
                if finding.id == "share-contested" and place not in told and snapshot.age(event.moment) < _CONTESTED:
                    told.add(place)
                    yield finding
