"""The rights that Berth asks for, made from the tables that its code declares: no more, and none forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from berth.kube.permissions import Permission

Manifest = dict[str, Any]


def rules(permissions: Iterable[Permission], *, own_namespace: bool) -> list[Manifest]:
    """The rules of a ClusterRole (own_namespace False) or of the Role beside it, one for each resource and names."""
    verbs: dict[tuple[str, str, tuple[str, ...]], set[str]] = {}
    for permission in permissions:
        if permission.own_namespace == own_namespace:
            key = (permission.group, permission.resource, permission.names)
            verbs.setdefault(key, set()).update(permission.verbs)
    return [
        {
            "apiGroups": [group],
            "resources": [resource],
            **({"resourceNames": list(names)} if names else {}),
            "verbs": sorted(said),
        }
        for (group, resource, names), said in sorted(verbs.items())
    ]


def rbac_manifests(permissions: Iterable[Permission], *, name: str, namespace: str) -> list[Manifest]:
    """ServiceAccount, ClusterRole and Role, and the bindings between them, all called name."""
    permissions = tuple(permissions)
    rbac = "rbac.authorization.k8s.io"
    subjects = [{"kind": "ServiceAccount", "name": name, "namespace": namespace}]
    here = {"name": name, "namespace": namespace}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": here},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": rules(permissions, own_namespace=False),
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": name},
            "subjects": subjects,
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "Role",
            "metadata": here,
            "rules": rules(permissions, own_namespace=True),
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": here,
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": name},
            "subjects": subjects,
        },
    ]
