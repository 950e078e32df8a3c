"""Pods that wait for their NFS volumes, grouped by the cause that kubelet's Events tell; and what refuses claims."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.known import entries
from berth.doctor.messages import matches
from berth.doctor.names_in_text import Names, own_names
from berth.findings.entry import names_of
from berth.findings.finding import Finding, Subject
from berth.objects import runtime
from berth.objects.translation import location_of
from berth.volumes.server_name import on_server

_SUBJECTS = 20
_OUTPUT = re.compile(r"Output: (?P<said>.*)", re.DOTALL)
_MOUNTED = re.compile(r'for volume "(?P<name>[^"]+)"')
MOUNTING = ("FailedMount", "FailedAttachVolume")
"""Reasons of kubelet's Events about volumes."""
_REFUSALS = ("claim-quota", "claim-webhook", "claim-not-found")


@dataclass
class _Group:
    """Events with one cause."""

    names: Names
    event: runtime.Event
    count: int = 0
    pods: dict[str, None] = field(default_factory=dict)
    nodes: dict[str, None] = field(default_factory=dict)


def judge_mounts(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[Finding]:
    """Pods that can't start because of an NFS volume. What became well again is not told."""
    groups: dict[tuple[str, str], _Group] = {}
    for pod in snapshot.pods:
        for event, share in mounts_of(snapshot, pod):
            if not (share and provisioners.outages.around(share)):  # else it is told of the share
                _sort(snapshot, groups, pod, event, share)
    for (failure, _), group in groups.items():
        yield from _told(snapshot, failure, group)


def is_waiting(pod: runtime.Pod) -> bool:
    """Whether the pod has a node and none of its containers has begun: that is when kubelet mounts its volumes."""
    return pod.status.phase == "Pending" and bool(pod.spec.nodeName) and not pod.metadata.deletionTimestamp


def mounts_of(snapshot: Snapshot, pod: runtime.Pod) -> Iterator[tuple[runtime.Event, str]]:
    """The warnings about NFS volumes that a pod waits for, each with the share, as far as that is told."""
    if is_waiting(pod):
        for event in snapshot.warnings("Pod", pod):
            share = _share(snapshot, pod, event) if event.reason in MOUNTING else None
            if share is not None:
                yield event, share


def shares_of_mounts(snapshot: Snapshot, pod: runtime.Pod) -> Iterator[str]:
    """The shares that a pod waits for, of which kubelet says why."""
    return (share for _, share in mounts_of(snapshot, pod) if share)


def _sort(
    snapshot: Snapshot, groups: dict[tuple[str, str], _Group], pod: runtime.Pod, event: runtime.Event, share: str
) -> None:
    names = own_names(event.text)
    names.setdefault("share", share)
    if not names["share"]:
        del names["share"]
    names.setdefault("server", share.partition(":/")[0])
    names["node"] = event.source.host or pod.spec.nodeName
    names["pod"] = pod.key
    found = matches(event.text) or {"mount-failed": {}}
    for failure, said in found.items():
        if failure == "mount-waits" and len(snapshot.warnings("Pod", pod)) > 1:
            continue  # the echo of what the other events say
        group = groups.setdefault((failure, names.get("share", "")), _Group({**names, **said}, event))
        group.count += event.count or 1
        group.pods[pod.key] = None
        group.nodes[names["node"]] = None


def _share(snapshot: Snapshot, pod: runtime.Pod, event: runtime.Event) -> str | None:
    """`server:/path` of the volume that an event is about; empty where that is not told, None where it is no NFS."""
    match = _MOUNTED.search(event.text)
    if match is not None:
        volume = snapshot.volume_of.get(match["name"])
        place = location_of(volume) if volume is not None else None
        inline = next((each.nfs for each in pod.spec.volumes or () if each.name == match["name"]), None)
        if place is not None:
            return on_server(*place)
        if inline is not None:
            return on_server(inline.server, inline.path)
    if "-t nfs" in event.text or "mount.nfs" in event.text:
        return own_names(event.text).get("share", "")
    shares = list(nfs_of(snapshot, pod))
    return shares[0] if match is None and shares else None


def nfs_of(snapshot: Snapshot, pod: runtime.Pod) -> Iterator[str]:
    """The NFS shares that a pod mounts, as `server:/path`."""
    for each in pod.spec.volumes or ():
        if each.nfs is not None:
            yield on_server(each.nfs.server, each.nfs.path)
    for key in pod.claims:
        claim = snapshot.claim_of.get(key)
        volume = snapshot.volume_of.get(claim.spec.volumeName) if claim is not None else None
        place = location_of(volume) if volume is not None else None
        if place is not None:
            yield on_server(*place)


def _told(snapshot: Snapshot, failure: str, group: _Group) -> Iterator[Finding]:
    about = [
        *(Subject(kind, group.names[kind]) for kind in ("share",) if kind in group.names),
        *(Subject("node", node) for node in group.nodes),
        *(Subject("pod", pod) for pod in [*group.pods][:_SUBJECTS]),
    ]
    facts = {name: value for name, value in group.names.items() if name not in ("node", "pod")}
    said = output_of(group.event.text)
    if failure == "mount-failed":
        facts["reason"] = said
    told = entries()[failure].told_by({**names_of(about), **facts}, snapshot.version)
    yield told.finding(about, facts, version=snapshot.version, evidence=[said], count=group.count)


def output_of(message: str) -> str:
    """What mount said, of all that kubelet tells about it, in a line."""
    match = _OUTPUT.search(message)
    return " ".join((match["said"] if match is not None else message).split())


def judge_refusals(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[Finding]:
    """Claims and pods that were refused when a controller filed them: only an Event of the controller's tells."""
    if not snapshot.sees("persistentvolumeclaims", "pods", "statefulsets"):
        return
    for (kind, key), events in snapshot.events_about.items():
        if kind not in ("StatefulSet", "ReplicaSet", "Job", "Pod") or not events:
            continue
        if kind == "StatefulSet" and ("StatefulSet", key) not in snapshot.workload_of:
            continue  # it is gone, and its Events live on for an hour
        if kind == "Pod" and (key not in snapshot.pod_of or snapshot.pod_of[key].spec.nodeName):
            continue
        newest = events[0]
        for failure, said in matches(newest.text).items():
            if failure not in _REFUSALS or _is_there(snapshot, newest, said):
                continue
            subject = Subject("pod", key) if kind == "Pod" else Subject("workload", key)
            told = entries()[failure].told_by({**names_of([subject]), **said}, snapshot.version)
            yield told.finding([subject], said, evidence=[newest.text], count=newest.count or 1)


def _is_there(snapshot: Snapshot, event: runtime.Event, said: Names) -> bool:
    """The claim that an Event says could not be made, or is missing, exists by now."""
    return f"{event.involvedObject.namespace}/{said.get('claim_name', '')}" in snapshot.claim_of
