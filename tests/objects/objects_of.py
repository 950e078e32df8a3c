"""Claims, classes and PVs as the API server tells them, read the way the caches read them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from berth.objects.kinds import ClaimObject, ClassObject, VolumeObject

PROVISIONER = "nfs.berth.io"


def uid_of(seed: str) -> str:
    """A UUID that is the same for the same seed."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, seed))


def merged(fine: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """fine with changes, by RFC 7396: None removes."""
    result = dict(fine)
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            result[key] = merged(result.get(key) or {}, value)
        else:
            result[key] = value
    return result


def claim(name: str = "data", *, namespace: str = "team", **changes: Any) -> ClaimObject:
    """A claim of class `nfs` that waits for its volume. changes: metadata, spec and status, merged in."""
    fine = {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": uid_of(f"{namespace}/{name}"),
            "resourceVersion": "7",
            "annotations": {"volume.beta.kubernetes.io/storage-provisioner": PROVISIONER},
        },
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "resources": {"requests": {"storage": "1Gi"}},
            "storageClassName": "nfs",
            "volumeMode": "Filesystem",
        },
        "status": {"phase": "Pending"},
    }
    return msgspec.json.decode(json.dumps(merged(fine, changes)), type=ClaimObject)


def storage_class(name: str = "nfs", **changes: Any) -> ClassObject:
    """A class of Berth's."""
    fine = {"metadata": {"name": name}, "provisioner": PROVISIONER, "reclaimPolicy": "Delete"}
    return msgspec.json.decode(json.dumps(merged(fine, changes)), type=ClassObject)


def volume(
    name: str = "data", *, namespace: str = "team", path: str = "", phase: str = "Bound", **changes: Any
) -> VolumeObject:
    """The PV that Berth made for claim(name)."""
    uid = uid_of(f"{namespace}/{name}")
    fine = {
        "metadata": {
            "name": f"pvc-{uid}",
            "uid": uid_of(f"pv {namespace}/{name}"),
            "resourceVersion": "9",
            "annotations": {
                "pv.kubernetes.io/provisioned-by": PROVISIONER,
                "berth.io/on-delete": "delete",
                "berth.io/share": "nfs.example:/srv",
            },
            "finalizers": ["kubernetes.io/pv-protection", "external-provisioner.volume.kubernetes.io/finalizer"],
        },
        "spec": {
            "capacity": {"storage": "1Gi"},
            "claimRef": {"kind": "PersistentVolumeClaim", "namespace": namespace, "name": name, "uid": uid},
            "nfs": {"server": "nfs.example", "path": path or f"/srv/{namespace}-{name}-pvc-{uid}"},
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": "nfs",
        },
        "status": {"phase": phase},
    }
    return msgspec.json.decode(json.dumps(merged(fine, changes)), type=VolumeObject)
