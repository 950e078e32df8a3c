"""Provisioners that don't run, or that need selfLink."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from berth.doctor.cluster.mounting import MOUNTING, mounts_of
from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.reasons import known_failures
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.known import find
from berth.findings.finding import Finding, Subject
from berth.findings.versions import Version
from berth.objects import kinds, runtime
from berth.objects.provisioners import Provisioner
from berth.objects.translation import class_name_of, provisioned_by

_SUBJECTS = 20
_WITHOUT_SELFLINK = Version(1, 20)
_GATE = re.compile(r"RemoveSelfLink=false", re.IGNORECASE)
_ROLLED_OUT = ("Deployment", "StatefulSet", "DaemonSet")
"""What `kubectl rollout status` knows."""
STARTING = 60.0
"""Seconds that a new pod has to become ready before that is worth a word."""


def judge_selflink(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[Finding]:
    """Provisioners of the generation that needs metadata.selfLink, on releases that no longer fill it in."""
    gate = _gate(snapshot)
    if gate is not None:
        yield find("selflink-gate", Subject("pod", gate.key), evidence=["--feature-gates=RemoveSelfLink=false"])
    if snapshot.version is not None and snapshot.version < _WITHOUT_SELFLINK:
        return
    for each in provisioners.known:
        if each.flavour != "selflink" or gate is not None or _has_made(snapshot, each):
            continue
        if each.is_stopped:
            continue  # an old one that was stopped for good
        waiting = waiting_claims(snapshot, each)
        yield find(
            "selflink-empty",
            *(Subject("claim", claim.key) for claim in waiting[:_SUBJECTS]),
            Subject("workload", each.key),
            variant={"claim": waiting},
            version=snapshot.version,
            ref=each.ref if each.kind in _ROLLED_OUT else None,
            evidence=[f"image: {each.image}"],
        )


def _has_made(snapshot: Snapshot, provisioner: Provisioner) -> bool:
    """It has made a PV since its pods run: whatever its image is called, it works."""
    begun = min((pod.metadata.creationTimestamp or "" for pod in provisioner.pods), default="")
    return bool(begun) and any(
        provisioned_by(each) in provisioner.names and (each.metadata.creationTimestamp or "") > begun
        for each in snapshot.volumes
    )


def _gate(snapshot: Snapshot) -> runtime.Pod | None:
    for pod in snapshot.pods:
        if pod.namespace == "kube-system" and pod.name.startswith("kube-apiserver"):
            for container in pod.spec.containers:
                if any(_GATE.search(word) for word in [*(container.command or ()), *(container.args or ())]):
                    return pod
    return None


def waiting_claims(snapshot: Snapshot, provisioner: Provisioner) -> list[kinds.ClaimObject]:
    """Pending claims of this provisioner's classes."""
    classes = {each.name for each in snapshot.classes if each.provisioner in provisioner.names}
    return [
        claim
        for claim in snapshot.claims
        if claim.status.phase == "Pending" and class_name_of(claim) in classes and not claim.spec.volumeName
    ]


def judge_running(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[Finding]:
    """Provisioners none of whose pods is ready, while no other answers to their names."""
    if not snapshot.sees("pods", "leases", "deployments"):
        return
    used = {each.provisioner for each in snapshot.classes} | {provisioned_by(each) for each in snapshot.volumes}
    for each in provisioners.known:
        names = [name for name in each.names if name in used and name not in provisioners.names]
        if each.is_running or _is_starting(snapshot, each) or snapshot.trust.distrusts(each.account):
            continue  # of those that nothing speaks for trust tells, and nobody is told to start one
        if not names:
            yield from _idle(snapshot, provisioners, each, used)
        elif each.taken_by and each.replicas == 0:
            yield from _half_taken(snapshot, provisioners, each, names)
        elif each.replicas or not _is_left_to_others(provisioners, each, names):
            yield from _not_running(snapshot, each, names)


def _is_left_to_others(provisioners: Provisioners, stopped: Provisioner, names: list[str]) -> bool:
    """Whether others are meant to answer to the names of one without pods: then it is they that are ill. To start both
    would set two to work on one name.
    """
    return all(
        any(each is not stopped and (each.replicas or each.taken_by) for each in provisioners.of(name))
        for name in names
    )


def _half_taken(
    snapshot: Snapshot, provisioners: Provisioners, old: Provisioner, names: list[str]
) -> Iterator[Finding]:
    """An old provisioner that a take-over has scaled down, while no Berth answers to its names."""
    waiting = waiting_claims(snapshot, old)
    berth = next((each for each in provisioners.known if each.key == old.taken_by), None)
    if berth is not None and _is_starting(snapshot, berth) and set(names) <= set(berth.names):
        return  # it is about to answer
    namespace, _, name = old.taken_by.partition("/")
    yield find(
        "takeover-unfinished",
        Subject("workload", old.key),
        *(Subject("claim", claim.key) for claim in waiting[:_SUBJECTS]),
        names=names,
        berth=old.taken_by,
        old=old.key,
        berth_namespace=namespace,
        berth_name=name,
    )


def _idle(snapshot: Snapshot, provisioners: Provisioners, berth: Provisioner, used: set[str]) -> Iterator[Finding]:
    """A Berth that does not get ready, while nobody needs it yet: it stands by for a take-over, or has no class yet."""
    if berth.flavour != "berth" or not berth.replicas or used & set(berth.names):
        return
    pod = next((each for each in berth.pods if not each.metadata.deletionTimestamp), None)
    reason, evidence = _reason(snapshot, berth, pod)
    yield find(
        "berth-stands-by-not-ready",
        Subject("workload", berth.key),
        *((Subject("pod", pod.key),) if pod is not None else ()),
        variant={"pod": pod is not None and _waits_for_image(pod)},
        names=berth.names,
        **reason,
        ref=berth.ref,
        berth_image=berth.image,
        evidence=[evidence] if evidence else [],
    )


def _is_starting(snapshot: Snapshot, provisioner: Provisioner) -> bool:
    """Its pods are new, and nothing has gone wrong so far."""
    return bool(provisioner.pods) and all(
        snapshot.age(pod.metadata.creationTimestamp) < STARTING
        and not snapshot.warnings("Pod", pod)
        and not any(each.state.waiting and "BackOff" in each.state.waiting.reason for each in _statuses(pod))
        for pod in provisioner.pods
    )


def _not_running(snapshot: Snapshot, provisioner: Provisioner, names: list[str]) -> Iterator[Finding]:
    waiting = waiting_claims(snapshot, provisioner)
    # What pods say while they go is no reason.
    pod = next((each for each in provisioner.pods if not each.metadata.deletionTimestamp), None)
    reason, evidence = _reason(snapshot, provisioner, pod)
    cause = list(_cause(snapshot, provisioner, pod))
    yield from cause
    if any(each.harm == "everyone" for each in cause) or (pod is not None and list(mounts_of(snapshot, pod))):
        return
    yield find(
        "provisioner-not-running",
        Subject("workload", provisioner.key),
        *((Subject("pod", pod.key),) if pod is not None else ()),
        *(Subject("claim", claim.key) for claim in waiting[:_SUBJECTS]),
        variant={"pod": pod is not None, "scaled-down": provisioner.replicas == 0},
        names=names,
        **reason,
        ref=provisioner.ref,
        wanted="1",
        container=provisioner.container if pod is not None and _has_crashed(pod) else None,
        evidence=[evidence] if evidence else [],
    )


def _cause(snapshot: Snapshot, provisioner: Provisioner, pod: runtime.Pod | None) -> Iterator[Finding]:
    """What the catalogue knows of the pod's newest warnings."""
    if pod is None:
        return
    told: set[str] = set()
    facts = {
        "pod": pod.key,
        **({"share": provisioner.share, "server": provisioner.server} if provisioner.share else {}),
    }
    if _waits_for_image(pod):
        told.add("provisioner-image-missing")
        is_berth = provisioner.flavour == "berth"
        yield find(
            "provisioner-image-missing",
            Subject("pod", pod.key),
            variant="berth" if is_berth else "pod",
            image=provisioner.image,
            berth_image=provisioner.image,
        )
    for event in snapshot.warnings("Pod", pod):
        if event.reason in MOUNTING:
            continue  # told with all pods that can't mount
        if event.source.host:
            facts["node"] = event.source.host
        for finding in known_failures(event, snapshot.version, **facts):
            if finding.id not in told:
                told.add(finding.id)
                yield finding


def _waits_for_image(pod: runtime.Pod) -> bool:
    waits = {each.state.waiting.reason for each in _statuses(pod) if each.state.waiting is not None}
    return bool(waits & {"ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName"})


def _reason(snapshot: Snapshot, provisioner: Provisioner, pod: runtime.Pod | None) -> tuple[dict[str, Any], str]:
    """Why it does not run, as the facts by which the catalogue tells it, and what shows it."""
    if pod is None:
        if provisioner.replicas == 0:
            return {"replicas": "0"}, "replicas: 0"
        newest = next(iter(snapshot.events_about.get((provisioner.kind, provisioner.key), ())), None)
        return {}, newest.text if newest is not None else ""
    scheduled = next((each for each in pod.status.conditions or () if each.type == "PodScheduled"), None)
    if scheduled is not None and scheduled.status == "False":
        return {"unscheduled": pod.name}, scheduled.message
    for status in _statuses(pod):
        state = status.state.waiting or status.state.terminated
        if state is not None and state.reason not in ("ContainerCreating", "PodInitializing"):
            return {"state": state.reason}, state.message
    warning = next(iter(snapshot.warnings("Pod", pod)), None)
    if warning is not None:
        return {"warning": warning.reason}, warning.text
    return ({"waits": pod.name} if not pod.spec.nodeName else {}), ""


def _statuses(pod: runtime.Pod) -> list[runtime.ContainerStatus]:
    return pod.status.containerStatuses or []


def _has_crashed(pod: runtime.Pod) -> bool:
    return any(each.restartCount for each in _statuses(pod))
