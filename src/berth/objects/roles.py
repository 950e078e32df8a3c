"""Roles for the whole cluster and who has them, with only the fields that trust looks at."""

from __future__ import annotations

from typing import ClassVar

import msgspec
from lightkube.core.resource import ApiInfo, GlobalResource
from lightkube.resources import rbac_authorization_v1

from berth.objects.kinds import Object, ObjectRef


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
