"""Deployments, classes and PVs as clusters have them, to be judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from berth.objects.kinds import ClaimObject, ClassObject, Meta, NfsSource, ObjectRef, VolumeObject, VolumeSpec
from berth.objects.trust import Trust
from berth.operations.takeover.candidates import Candidate, Candidates, workload
from berth.operations.takeover.inventory import Group, Inventory, make_groups
from berth.operations.takeover.old import FoundProvisioners, find_provisioners

NAME = "cluster.local/nfs-client"
UID = "0d1e0000-0000-0000-0000-00000000000{}"
SERVER, EXPORT = "10.0.0.1", "/srv/nfs"


def deployment(name: str = "nfs", **changes: Any) -> dict[str, Any]:
    """A Deployment of nfs-subdir-external-provisioner in kube-system. changes: of its environment, image, labels ..."""
    environment = {"PROVISIONER_NAME": NAME, "NFS_SERVER": SERVER, "NFS_PATH": EXPORT, **changes.get("environment", {})}
    container = {
        "name": "nfs",
        "image": changes.get("image", "registry.k8s.io/sig-storage/nfs-subdir-external-provisioner:v4.0.2"),
        "env": [
            {"name": key, "valueFrom": {}} if value is None else {"name": key, "value": value}
            for key, value in environment.items()
        ],
    }
    return {
        "metadata": {
            "name": name,
            "namespace": changes.get("namespace", "kube-system"),
            "labels": changes.get("labels", {}),
            "annotations": changes.get("annotations", {}),
        },
        "spec": {
            "replicas": changes.get("replicas", 1),
            "selector": changes.get("selector", {"matchLabels": {"app": name}}),
            "template": {"spec": {"serviceAccountName": "nfs", "containers": [container]}},
        },
        "status": {"readyReplicas": changes.get("ready", 0)},
    }


def found(
    *deployments: dict[str, Any],
    kubernetes: tuple[int, int] = (1, 30),
    trust: Trust | None = None,
    others: Iterable[Candidate] = (),
) -> FoundProvisioners:
    """What is found among these workloads, all of them named by the administrator unless told otherwise."""
    workloads = (*(workload("Deployment", one) for one in deployments), *others)
    named = Trust(workloads=frozenset(one.key for one in workloads))
    return find_provisioners(Candidates(workloads, {}), kubernetes, trust or named)


def of_class(
    parameters: Mapping[str, str], name: str = "nfs", provisioner: str = NAME, mount_options: list[str] | None = None
) -> ClassObject:
    """A class."""
    return ClassObject(
        metadata=Meta(name=name), provisioner=provisioner, parameters=dict(parameters), mountOptions=mount_options
    )


def volume(number: int, path: str, class_name: str = "nfs", **changes: Any) -> VolumeObject:
    """A Bound PV whose claim is `shop/data-<number>`."""
    uid = UID.format(number)
    return VolumeObject(
        metadata=Meta(
            name=f"pvc-{uid}", annotations={"pv.kubernetes.io/provisioned-by": changes.get("provisioner", NAME)}
        ),
        spec=VolumeSpec(
            capacity={"storage": "1Gi"},
            claimRef=ObjectRef(namespace="shop", name=f"data-{number}", uid=uid),
            persistentVolumeReclaimPolicy="Delete",
            storageClassName=class_name,
            mountOptions=changes.get("mount_options"),
            nfs=NfsSource(server=changes.get("server", SERVER), path=path),
        ),
    )


def default_path(number: int) -> str:
    """Where the reference puts it without a pattern."""
    return f"{EXPORT}/shop-data-{number}-pvc-{UID.format(number)}"


def group(classes: list[ClassObject], volumes: list[VolumeObject], claims: list[ClaimObject] | None = None) -> Group:
    """What one provisioner has."""
    old = found(deployment()).old
    (made,) = make_groups(old, Inventory(tuple(classes), tuple(claims or ()), tuple(volumes)))
    return made
