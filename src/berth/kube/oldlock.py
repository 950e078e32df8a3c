"""The lock of old releases: a record in an annotation of an Endpoints object.

Provisioners built on the library up to version 8 (nfs-subdir-external-provisioner 4.0 among them) hold that one and
know nothing of Leases. While its holder renews it, an old pod is at work on the same claims.

Roles that were written for them let their pods use Endpoints and no Leases: where Berth runs with such a role, it holds
this lock itself, as they do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import structlog
from lightkube.core.resource import NamespacedResourceG
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import Endpoints

from berth.kube.answers import UNREADABLE
from berth.kube.client import Api
from berth.kube.errors import Forbidden, KubeError, NotFound
from berth.kube.lease import LEADERS, LeaseObject, LeaseSpec
from berth.kube.outcome import Note, Reference
from berth.kube.permissions import Permission

log = structlog.get_logger()

ENDPOINTS = (Permission("", "endpoints", ("get", "create", "patch"), own_namespace=True),)
"""What holding this lock takes. To see whether it is held, `get` is enough."""
ANNOTATION = "control-plane.alpha.kubernetes.io/leader"

_NO_CLOCK_IS_SO_WRONG = 3600.0
"""Seconds. An older record is of an installation of the past; without this, every start would wait for it to expire."""


class _Meta(msgspec.Struct, omit_defaults=True):
    name: str | None = None
    namespace: str | None = None
    uid: str | None = None
    resourceVersion: str | None = None  # noqa: N815
    annotations: dict[str, str] | None = None


class _OldLock(msgspec.Struct, NamespacedResourceG):
    """An Endpoints object, as far as it serves as a lock."""

    _api_info = Endpoints._api_info

    metadata: _Meta

    @property
    def record(self) -> str:
        """The record as its holder wrote it; empty if there is none."""
        return (self.metadata.annotations or {}).get(ANNOTATION, "")

    @property
    def reference(self) -> Reference:
        """The Endpoints object, to post Events about."""
        meta = self.metadata
        return Reference(
            "v1", "Endpoints", meta.name or "", meta.uid or "", meta.namespace or "", meta.resourceVersion or ""
        )


class LeaderElectionRecord(msgspec.Struct):
    """What the annotation says; a Lease's spec says the same by the same names."""

    holderIdentity: str = ""  # noqa: N815
    leaseDurationSeconds: float = 15.0  # noqa: N815
    acquireTime: str | None = None  # noqa: N815
    renewTime: str | None = None  # noqa: N815
    leaderTransitions: int = 0  # noqa: N815

    @property
    def is_of_long_ago(self) -> bool:
        """Whether it is no process's any more, whatever the clocks say."""
        try:
            age = datetime.now(UTC) - datetime.fromisoformat(self.renewTime or "")
        except (ValueError, TypeError):
            return False
        return abs(age.total_seconds()) > _NO_CLOCK_IS_SO_WRONG


class EndpointsLock:
    """The lock of old releases, held as they hold it, so that they and we see each other."""

    def __init__(self, api: Api, name: str, namespace: str) -> None:
        self._api = api
        self._name = name
        self._namespace = namespace

    async def read(self) -> LeaseObject:
        """See lease.Lock."""
        return _as_lease(await self._api.get(_OldLock, self._name, namespace=self._namespace))

    async def write(self, record: LeaseObject) -> LeaseObject:
        """See lease.Lock."""
        spec, version = record.spec, record.metadata.resourceVersion
        content = LeaderElectionRecord(
            holderIdentity=spec.holderIdentity or "",
            leaseDurationSeconds=spec.leaseDurationSeconds or 0,
            acquireTime=spec.acquireTime,
            renewTime=spec.renewTime,
            leaderTransitions=spec.leaseTransitions or 0,
        )
        annotations = {ANNOTATION: msgspec.json.encode(content).decode()}
        if LEADERS in (record.metadata.annotations or {}):
            annotations[LEADERS] = (record.metadata.annotations or {})[LEADERS]
        if not version:
            meta = _Meta(name=self._name, namespace=self._namespace, annotations=annotations)
            return _as_lease(await self._api.create(_OldLock(metadata=meta)))
        # A patch, so that whatever else is in the object stays; with its version, so that nobody is overwritten.
        patch = {"metadata": {"resourceVersion": version, "annotations": annotations}}
        return _as_lease(await self._api.patch(_OldLock, self._name, patch, namespace=self._namespace))

    def reference(self, record: LeaseObject) -> Reference:
        """See lease.Lock."""
        meta = record.metadata
        return Reference("v1", "Endpoints", self._name, meta.uid or "", self._namespace, meta.resourceVersion or "")


def _as_lease(lock: _OldLock) -> LeaseObject:
    meta = lock.metadata
    try:
        record = msgspec.json.decode(lock.record, type=LeaderElectionRecord) if lock.record else LeaderElectionRecord()
    except UNREADABLE:
        record = LeaderElectionRecord()
    return LeaseObject(
        metadata=ObjectMeta(
            name=meta.name,
            namespace=meta.namespace,
            uid=meta.uid,
            resourceVersion=meta.resourceVersion,
            annotations=meta.annotations,
        ),
        spec=LeaseSpec(
            holderIdentity=record.holderIdentity,
            leaseDurationSeconds=round(record.leaseDurationSeconds),
            acquireTime=record.acquireTime,
            renewTime=record.renewTime,
            leaseTransitions=record.leaderTransitions,
        ),
    )


def read_record(text: str) -> LeaderElectionRecord | None:
    """What an Endpoints object's annotation says of who holds the lock; None: given back, or no record at all."""
    try:
        record = msgspec.json.decode(text, type=LeaderElectionRecord)
    except UNREADABLE:
        return None
    return record if record.holderIdentity else None


async def wait_until_old_lock_is_free(
    api: Api, *, name: str, namespace: str, identity: str, post: Callable[[Note], None], retry_period: float
) -> None:
    """Returns once no old release is at work: there is no record, or nobody has renewed it for as long as it lasts.

    Measured by our own clock from the moment when the record was seen to change. While waiting, a log line and an Event
    on the Endpoints object say for whom. Without the right to read Endpoints, it says so and does not wait.
    """
    clock = asyncio.get_running_loop().time
    notes = log.bind(lock=f"{namespace}/{name}", identity=identity)
    seen, since, told = "", 0.0, ""
    while True:
        try:
            lock = await api.get(_OldLock, name, namespace=namespace)
        except NotFound:
            return
        except Forbidden as error:
            notes.warning("can't see whether an old release is still running, going on", why=str(error))
            return
        except KubeError as error:
            if str(error) != told:
                told = str(error)
                notes.warning("can't reach the lock, trying again", why=told)
        else:
            record = read_record(lock.record)
            if record is None or record.is_of_long_ago:
                return
            if lock.record != seen:
                seen, since = lock.record, clock()
            elif clock() >= since + record.leaseDurationSeconds:
                notes.info("the old release's lock is no longer renewed, going on", holder=record.holderIdentity)
                return
            why = f"{record.holderIdentity} holds the lock of an older provisioner on Endpoints {namespace}/{name}"
            if why != told:
                told = why
                notes.warning("waiting for an old release to end", why=why)
                post(Note(lock.reference, "Warning", "LeaderElection", f"{identity} waits: {why}"))
        await asyncio.sleep(retry_period)
