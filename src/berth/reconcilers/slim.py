"""What of an object is kept in the caches: enough for every decision, and no more than strangers may make us keep.

Annotations are free text of up to 256 kB an object. A value that could stand in a path is never touched; a longer one
keeps its beginning and `…`, which is refused as too long just the same. Of more annotations than anybody writes, those
that Kubernetes and Berth go by stay, then the shortest.
"""

from __future__ import annotations

from typing import TypeVar

from berth.objects import translation
from berth.objects.kinds import ClaimObject, VolumeObject
from berth.volumes.naming import MAX_PATH_BYTES

T = TypeVar("T", ClaimObject, VolumeObject)

MOST_BYTES = 16 * 1024
"""Of all annotations of one object, apart from those that are gone by."""
_LONGEST = MAX_PATH_BYTES + 1
_GONE_BY = ("berth.io/", "volume.kubernetes.io/", "volume.beta.kubernetes.io/", "volume.alpha.kubernetes.io/",
            "pv.kubernetes.io/")  # fmt: skip

_OF_VOLUMES = ("berth.io/", translation.PROVISIONED_BY)
_OF_BOUND_CLAIMS = ("volume.kubernetes.io/", "volume.beta.kubernetes.io/")


def slim(obj: T) -> T:
    """obj as it is cached."""
    meta = obj.metadata
    meta.creationTimestamp = meta.ownerReferences = None  # for the doctor only, as more of what goes below
    if isinstance(obj, VolumeObject):
        _slim_volume(obj)
    else:
        _slim_claim(obj)
    if meta.annotations:
        meta.annotations = _bounded(meta.annotations)
    return obj


def _slim_volume(volume: VolumeObject) -> None:
    meta, spec = volume.metadata, volume.spec
    meta.labels = None
    meta.finalizers = [translation.FINALIZER] if translation.has_finalizer(volume) else None
    if meta.annotations:
        meta.annotations = {key: value for key, value in meta.annotations.items() if key.startswith(_OF_VOLUMES)}
    spec.accessModes, volume.status.message = None, ""
    if spec.claimRef is not None:
        spec.claimRef.kind, spec.claimRef.apiGroup = "", None


def _slim_claim(claim: ClaimObject) -> None:
    """What only goes into a volume's making, nobody needs of a claim that has one."""
    meta, spec = claim.metadata, claim.spec
    meta.finalizers = None
    if translation.is_bound(claim):
        meta.labels, spec.accessModes = None, None
        if meta.annotations:
            meta.annotations = {
                key: value for key, value in meta.annotations.items() if key.startswith(_OF_BOUND_CLAIMS)
            }


def _bounded(annotations: dict[str, str]) -> dict[str, str]:
    if sum(map(len, annotations)) + sum(map(len, annotations.values())) <= _LONGEST:  # nearly always
        return annotations
    kept: dict[str, str] = {}
    room = MOST_BYTES
    for key, value in sorted(annotations.items(), key=lambda each: (not each[0].startswith(_GONE_BY), len(each[1]))):
        room -= len(key) + min(len(value), _LONGEST)
        if room >= 0:
            kept[key] = value if len(value) <= MAX_PATH_BYTES else f"{value[:MAX_PATH_BYTES]}…"
    return kept
