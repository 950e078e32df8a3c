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

LEADERS = "berth.io/leaders"
"""Annotation of a lock: who held it last, comma separated, the latest at the end."""
RULED_OUT = "berth.io/ruled-out"
"""Annotation of a lock, written by administrators: identities, comma separated, of controllers in another cluster that
must not be minded any more on the shares that both use."""
REMEMBERED = 8
"""How many leaders the annotation names."""

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


def write_now(moment: float | None = None) -> str:
    """A moment, in seconds since 1970, as a Lease spells it; now without one."""
    when = datetime.now(UTC) if moment is None else datetime.fromtimestamp(moment, UTC)
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def listed(lease: LeaseObject, annotation: str) -> frozenset[str]:
    """The names in an annotation that lists some."""
    return frozenset(_split(lease, annotation))


def leaders_of(lease: LeaseObject) -> tuple[str, ...]:
    """Who held the lock last, the latest at the end: as the annotation says, and whose name is in it."""
    known = [name for name in _split(lease, LEADERS) if name != lease.spec.holderIdentity]
    return tuple(known + ([lease.spec.holderIdentity] if lease.spec.holderIdentity else []))


def entered(lease: LeaseObject, identity: str) -> LeaseObject:
    """The lease with this name as the latest among its leaders; what else is annotated stays."""
    others = [name for name in leaders_of(lease) if name != identity]
    annotations = dict(lease.metadata.annotations or {})
    annotations[LEADERS] = ",".join([*others[1 - REMEMBERED :], identity])
    return LeaseObject(metadata=msgspec.structs.replace(lease.metadata, annotations=annotations), spec=lease.spec)


def version_of(lease: LeaseObject) -> int:
    """The lock's resourceVersion as a number that grows; 0 where an API server makes no numbers of them."""
    version = lease.metadata.resourceVersion or ""
    return int(version) if version.isascii() and version.isdigit() else 0


def _split(lease: LeaseObject, annotation: str) -> list[str]:
    given = (lease.metadata.annotations or {}).get(annotation, "")
    return [name for part in given.split(",") if (name := part.strip())]
