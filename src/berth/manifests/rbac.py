"""The rights that Berth asks for, made from the tables that its code declares: no more, and none forgotten."""

from __future__ import annotations

from collections.abc import Iterable

from berth.kube.manifest import Manifest
from berth.kube.permissions import Permission, Right, rights
from berth.objects.roles import role_manifests, rules_of


def rules(permissions: Iterable[Permission], *, own_namespace: bool) -> list[Manifest]:
    """The rules of a ClusterRole (own_namespace False) or of the Role beside it, whatever the order of the tables."""
    return rules_of(_in_order(permissions), own_namespace=own_namespace)


def rbac_manifests(permissions: Iterable[Permission], *, name: str, namespace: str) -> list[Manifest]:
    """ServiceAccount, ClusterRole and Role, and the bindings between them, all called name, whatever the rights: who
    uninstalls looks for all of them.
    """
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}
    given = _in_order(permissions)
    who = f"{namespace}/{name}"
    return [account, *role_manifests(given, name=name, namespace=namespace, account=who, with_empty=True)]


def _in_order(permissions: Iterable[Permission]) -> list[Right]:
    return sorted(rights(permissions), key=lambda each: (each.group, each.resource, each.name, each.verb))
