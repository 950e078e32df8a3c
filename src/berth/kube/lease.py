"""A Lease as an election reads and writes it, and the lock that it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

import msgspec
from lightkube.core.resource import NamespacedResourceG
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.coordination_v1 import Lease

from berth.kube.client import Api
from berth.kube.outcome import Reference
from berth.kube.permissions import Permission

LEASES = (Permission("coordination.k8s.io", "leases", ("get", "create", "update"), own_namespace=True),)


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


class Lock(Protocol):
    """Where the record of who leads is kept. Whatever keeps it, an election sees it as a Lease."""

    async def read(self) -> LeaseObject:
        """The record. NotFound when there is none yet."""

    async def write(self, record: LeaseObject) -> LeaseObject:
        """Creates the record, or replaces what was read. AlreadyExists, or Conflict: somebody was quicker."""

    def reference(self, record: LeaseObject) -> Reference:
        """The object, to post Events about."""


class LeaseLock:
    """A Lease: one small object that nobody else watches."""

    def __init__(self, api: Api, name: str, namespace: str) -> None:
        self._api = api
        self._name = name
        self._namespace = namespace

    async def read(self) -> LeaseObject:
        """See Lock."""
        return await self._api.get(LeaseObject, self._name, namespace=self._namespace)

    async def write(self, record: LeaseObject) -> LeaseObject:
        """See Lock."""
        wanted = LeaseObject(metadata=msgspec.structs.replace(record.metadata, managedFields=None), spec=record.spec)
        return await (self._api.replace if record.metadata.resourceVersion else self._api.create)(wanted)

    def reference(self, record: LeaseObject) -> Reference:
        """See Lock."""
        meta = record.metadata
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
