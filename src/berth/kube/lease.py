"""A Lease as an election reads and writes it."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from lightkube.core.resource import NamespacedResourceG
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.coordination_v1 import Lease

from berth.kube.outcome import Reference


class LeaseSpec(msgspec.Struct, omit_defaults=True):
    """Times stay text: the API server accepts them with exactly six decimals only, and others' are written back."""

    holderIdentity: str | None = None  # noqa: N815 - Kubernetes' names
    leaseDurationSeconds: int | None = None  # noqa: N815
    acquireTime: str | None = None  # noqa: N815
    renewTime: str | None = None  # noqa: N815
    leaseTransitions: int | None = None  # noqa: N815
    strategy: str | None = None
    preferredHolder: str | None = None  # noqa: N815


class LeaseObject(msgspec.Struct, NamespacedResourceG, omit_defaults=True):
    """A coordination.k8s.io/v1 Lease."""

    _api_info = Lease._api_info

    metadata: ObjectMeta
    spec: LeaseSpec = msgspec.field(default_factory=LeaseSpec)

    @property
    def reference(self) -> Reference:
        """The Lease, to post Events about."""
        meta = self.metadata
        return Reference(
            "coordination.k8s.io/v1",
            "Lease",
            meta.name or "",
            meta.uid or "",
            meta.namespace or "",
            meta.resourceVersion or "",
        )


def write_now() -> str:
    """This moment as a Lease spells it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
