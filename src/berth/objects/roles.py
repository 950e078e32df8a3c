"""Roles: those for the whole cluster and who has them, with only the fields that trust looks at; and roles to apply,
made of the rights that they give.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import msgspec
from lightkube.core.resource import ApiInfo, GlobalResource
from lightkube.resources import rbac_authorization_v1

from berth.kube.manifest import Manifest
from berth.kube.permissions import Right
from berth.objects.kinds import Object, ObjectRef

_RBAC = "rbac.authorization.k8s.io"


class RoleSubject(msgspec.Struct, gc=False):
    """Whom a binding gives its role."""

    kind: str = ""
    name: str = ""
    namespace: str = ""


class ClusterRoleBinding(GlobalResource, Object):
    """A ClusterRoleBinding."""

    _api_info: ClassVar[ApiInfo] = rbac_authorization_v1.ClusterRoleBinding._api_info  # type: ignore[misc]
    roleRef: ObjectRef = msgspec.field(default_factory=ObjectRef)  # noqa: N815
    subjects: list[RoleSubject] | None = None


class Rule(msgspec.Struct, gc=False):
    """A rule of a role."""

    apiGroups: list[str] | None = None  # noqa: N815
    resources: list[str] | None = None
    verbs: list[str] | None = None
    resourceNames: list[str] | None = None  # noqa: N815


class ClusterRole(GlobalResource, Object):
    """A ClusterRole."""

    _api_info: ClassVar[ApiInfo] = rbac_authorization_v1.ClusterRole._api_info  # type: ignore[misc]
    rules: list[Rule] | None = None


def rules_of(rights: Iterable[Right], *, own_namespace: bool) -> list[Manifest]:
    """The rules that give exactly these rights in the whole cluster, or in one's own namespace: one for each resource,
    and for each object that is named, in the order of the rights.
    """
    verbs: defaultdict[tuple[str, str, str], dict[str, None]] = defaultdict(dict)
    for right in rights:
        if right.own_namespace == own_namespace:
            verbs[right.group, right.resource, right.name][right.verb] = None
    return [
        {
            "apiGroups": [group],
            "resources": [resource],
            **({"resourceNames": [name]} if name else {}),
            "verbs": list(given),
        }
        for (group, resource, name), given in verbs.items()
    ]


def role_manifests(
    rights: Sequence[Right], *, name: str, namespace: str, account: str, with_empty: bool = False
) -> list[Manifest]:
    """A ClusterRole, and a Role in the namespace, both called name, that give an account (`namespace/name`) exactly
    these rights, each with its binding. with_empty: also one that gives nothing; else it is left out.
    """
    account_namespace, _, account_name = account.partition("/")
    subjects = [{"kind": "ServiceAccount", "name": account_name, "namespace": account_namespace}]
    manifests: list[Manifest] = []
    for own_namespace, kind in ((False, "ClusterRole"), (True, "Role")):
        rules = rules_of(rights, own_namespace=own_namespace)
        if rules or with_empty:
            metadata: dict[str, Any] = {"name": name, **({"namespace": namespace} if own_namespace else {})}
            manifests.append({"apiVersion": f"{_RBAC}/v1", "kind": kind, "metadata": metadata, "rules": rules})
            binding = {"apiVersion": f"{_RBAC}/v1", "kind": f"{kind}Binding", "metadata": metadata}
            reference = {"apiGroup": _RBAC, "kind": kind, "name": name}
            manifests.append({**binding, "roleRef": reference, "subjects": subjects})
    return manifests
