"""PVs and claims at their end: Released, Failed or Terminating, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from berth.doctor.cluster.outages import outage_in
from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.reasons import known_failures
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.known import find
from berth.findings.finding import Finding, Subject
from berth.objects import kinds, runtime
from berth.objects.translation import location_of, provisioned_by

PATIENCE = 60.0
"""Seconds that an end may take."""
_GROUPED = 3
"""Released PVs for one reason that are told one by one."""
_SUBJECTS = 20
_NAMED = 50


def judge_ends(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[Finding]:
    """Released and Failed PVs of NFS."""
    released: defaultdict[str | None, list[kinds.VolumeObject]] = defaultdict(list)
    for volume in snapshot.volumes:
        if location_of(volume) is None or volume.metadata.deletionTimestamp:
            continue
        if volume.status.phase == "Failed":
            yield from failed(snapshot, provisioners, volume)
        elif volume.status.phase == "Released":
            warning = _deletion_failed(snapshot, volume)
            if warning is not None:
                said = outage_in(warning.text)
                if said is None or said.share not in provisioners.outages.known:
                    yield from failed(snapshot, provisioners, volume)
                continue  # else it is told of the share
            name = provisioned_by(volume)
            if volume.spec.persistentVolumeReclaimPolicy != "Delete":
                released[None].append(volume)
            elif name and snapshot.sees("pods", "leases") and name not in provisioners.names:
                released[name].append(volume)
    for provisioner, volumes in released.items():
        yield from _released(provisioner, volumes)


def _released(provisioner: str | None, volumes: list[kinds.VolumeObject]) -> Iterator[Finding]:
    """PVs that nobody will end, because that provisioner does not run, or, for None, because their policy is Retain."""
    if len(volumes) > _GROUPED:
        names = [each.name for each in volumes]
        about = [Subject("volume", name) for name in names[:_SUBJECTS]]
        told = names[:_NAMED]
        yield find(
            "volume-released", *about, variant="several", provisioner=provisioner, number=len(names), volumes=told
        )
        return
    for volume in volumes:
        claim = volume.spec.claimRef
        about = [Subject("volume", volume.name)]
        if claim is not None:
            about.append(Subject("claim", f"{claim.namespace}/{claim.name}"))
        which = "volume" if claim is None else "claim"
        yield find("volume-released", *about, variant=which, provisioner=provisioner)


def _deletion_failed(snapshot: Snapshot, volume: kinds.VolumeObject) -> runtime.Event | None:
    return next(
        (each for each in snapshot.warnings("PersistentVolume", volume) if each.reason == "VolumeFailedDelete"), None
    )


def failed(snapshot: Snapshot, provisioners: Provisioners, volume: kinds.VolumeObject) -> Iterator[Finding]:
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
        log = provisioners.log_of(name)
        which = {"reason": said, "log": log is not None}
        yield find("volume-failed", about, variant=which, reason=said, evidence=evidence, log=log)


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
