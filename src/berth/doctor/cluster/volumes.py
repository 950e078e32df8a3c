"""PVs and claims at their end: Released, Failed or Terminating, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.reasons import known_failures
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.known import find
from berth.findings.finding import Finding, Subject
from berth.objects import kinds, runtime
from berth.objects.translation import location_of, provisioned_by
from berth.texts.text import Text

PATIENCE = 60.0
"""Seconds that an end may take."""
_GROUPED = 3
"""Released PVs for one reason that are told one by one."""
_SUBJECTS = 20
_NAMED = 50
_KEPT = Text("its policy is Retain", "其策略为 Retain")


def judge_ends(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[Finding]:
    """Released and Failed PVs of NFS."""
    released: defaultdict[Text, list[kinds.VolumeObject]] = defaultdict(list)
    for volume in snapshot.volumes:
        if location_of(volume) is None or volume.metadata.deletionTimestamp:
            continue
        if volume.status.phase == "Failed":
            yield from failed(snapshot, volume)
        elif volume.status.phase == "Released":
            warning = _deletion_failed(snapshot, volume)
            if warning is not None:
                yield from failed(snapshot, volume)
                continue
            reason = why_released(snapshot, provisioners, volume)
            if reason is not None:
                released[reason].append(volume)
    for reason, volumes in released.items():
        yield from _released(reason, volumes)


def why_released(snapshot: Snapshot, provisioners: Provisioners, volume: kinds.VolumeObject) -> Text | None:
    """Why nobody will end it; None where somebody is about to."""
    if volume.spec.persistentVolumeReclaimPolicy != "Delete":
        return _KEPT
    name = provisioned_by(volume)
    if not name or not snapshot.sees("pods", "leases") or name in provisioners.names:
        return None
    return Text(f"its provisioner {name} does not run", f"其供应器 {name} 没有运行")


def _released(reason: Text, volumes: list[kinds.VolumeObject]) -> Iterator[Finding]:
    if len(volumes) > _GROUPED:
        names = [each.name for each in volumes]
        about = [Subject("volume", name) for name in names[:_SUBJECTS]]
        told = names[:_NAMED]
        yield find("volume-released", *about, variant="several", reason=reason, number=len(names), volumes=told)
        return
    for volume in volumes:
        claim = volume.spec.claimRef
        about = [Subject("volume", volume.name)]
        if claim is not None:
            about.append(Subject("claim", f"{claim.namespace}/{claim.name}"))
        which = "volume" if claim is None else "claim"
        yield find("volume-released", *about, variant=which, reason=reason)


def _deletion_failed(snapshot: Snapshot, volume: kinds.VolumeObject) -> runtime.Event | None:
    return next(
        (each for each in snapshot.warnings("PersistentVolume", volume) if each.reason == "VolumeFailedDelete"), None
    )


def failed(snapshot: Snapshot, volume: kinds.VolumeObject) -> Iterator[Finding]:
    """Why a PV can't be deleted."""
    about = Subject("volume", volume.name)
    name = provisioned_by(volume)
    warning = _deletion_failed(snapshot, volume)
    if not name and volume.status.phase == "Failed":
        evidence = [volume.status.message] if volume.status.message else []
        yield find("volume-no-deleter", about, evidence=evidence)
        return
    known = list(known_failures(warning, snapshot.version, volume=volume.name)) if warning is not None else []
    yield from known
    if not known:
        said = warning.text if warning is not None else volume.status.message
        evidence = [said] if said else []
        yield find("volume-failed", about, variant={"reason": said}, reason=said, evidence=evidence)


def judge_terminating(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[Finding]:
    """Claims and PVs that are being deleted for more than a minute."""
    for claim in snapshot.claims:
        since = snapshot.age(claim.metadata.deletionTimestamp)
        if claim.metadata.deletionTimestamp and since > PATIENCE and claim.metadata.finalizers:
            pods = snapshot.users.get(claim.key, [])
            about = [Subject("claim", claim.key), *(Subject("pod", pod.key) for pod in pods[:_SUBJECTS])]
            which, finalizers = "pod" if pods else "claim", claim.metadata.finalizers
            yield find("terminating-forever", *about, variant=which, since=_moment(claim), finalizers=finalizers)
    for volume in snapshot.volumes:
        since = snapshot.age(volume.metadata.deletionTimestamp)
        if not volume.metadata.deletionTimestamp or since <= PATIENCE or location_of(volume) is None:
            continue
        bound = volume.spec.claimRef
        owner = snapshot.claim_of.get(f"{bound.namespace}/{bound.name}") if bound is not None else None
        if owner is not None and owner.metadata.deletionTimestamp:
            continue  # told of the claim
        about = [Subject("volume", volume.name)]
        finalizers = volume.metadata.finalizers or ["-"]
        yield find("terminating-forever", *about, variant="volume", since=_moment(volume), finalizers=finalizers)


def _moment(obj: kinds.Object) -> str:
    return (obj.metadata.deletionTimestamp or "").replace("T", " ").replace("Z", " UTC")
