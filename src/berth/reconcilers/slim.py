"""What of an object is kept in the caches: enough for every decision, and no more than strangers may make us keep.

Annotations are free text of up to 256 kB an object. A value that could stand in a path is never touched; a longer one
keeps its beginning and `…`, which is refused as too long just the same. Of more annotations than anybody writes, those
that Kubernetes and Berth go by stay, then the shortest.
"""

from __future__ import annotations

from sys import intern
from typing import TypeVar

from berth.objects.kinds import ClaimObject, VolumeObject
from berth.volumes.naming import MAX_PATH_BYTES

T = TypeVar("T", ClaimObject, VolumeObject)

MOST_BYTES = 16 * 1024
"""Of all annotations of one object, apart from those that are gone by."""
_LONGEST = MAX_PATH_BYTES + 1
_GONE_BY = ("berth.io/", "volume.kubernetes.io/", "volume.beta.kubernetes.io/", "volume.alpha.kubernetes.io/",
            "pv.kubernetes.io/")  # fmt: skip


def slim(obj: T) -> T:
    """obj as it is cached."""
    meta = obj.metadata
    meta.creationTimestamp = meta.ownerReferences = None  # for the doctor only, as the next ones
    if isinstance(obj, VolumeObject):
        obj.spec.accessModes, obj.status.message = None, ""
    if obj.spec.storageClassName:
        obj.spec.storageClassName = intern(obj.spec.storageClassName)  # thousands have the same one
    if meta.annotations:
        meta.annotations = _bounded(meta.annotations)
    return obj


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
