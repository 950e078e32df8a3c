"""What runs in a cluster, and on what: pods, workloads, nodes, leases, events, with only the fields that are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
from lightkube.core.resource import ApiInfo, GlobalResource, NamespacedResourceG
from lightkube.resources import apps_v1, coordination_v1, core_v1, storage_v1

from berth.objects.containers import Container
from berth.objects.kinds import Meta, NfsSource, Object, ObjectRef


class ClaimSource(msgspec.Struct, gc=False):
    """A claim that a pod uses."""

    claimName: str = ""  # noqa: N815


class PodVolume(msgspec.Struct, gc=False):
    """A volume of a pod."""

    name: str = ""
    persistentVolumeClaim: ClaimSource | None = None  # noqa: N815
    nfs: NfsSource | None = None


class PodSpec(msgspec.Struct, gc=False):
    """spec of a pod, or of a workload's template."""

    nodeName: str = ""  # noqa: N815
    serviceAccountName: str = "default"  # noqa: N815
    containers: list[Container] = msgspec.field(default_factory=list)
    initContainers: list[Container] | None = None  # noqa: N815
    volumes: list[PodVolume] | None = None

    @property
    def account(self) -> str:
        """The name of its service account."""
        return self.serviceAccountName or "default"

    @property
    def nfs_volumes(self) -> frozenset[str]:
        """Names of its volumes that are NFS."""
        return frozenset(each.name for each in self.volumes or () if each.nfs is not None)


class Reason(msgspec.Struct, gc=False):
    """Why a container waits or has ended."""

    reason: str = ""
    message: str = ""


class ContainerState(msgspec.Struct, gc=False):
    """What a container does."""

    waiting: Reason | None = None
    terminated: Reason | None = None


class ContainerStatus(msgspec.Struct, gc=False):
    """Status of a container."""

    image: str = ""
    ready: bool = False
    restartCount: int = 0  # noqa: N815
    state: ContainerState = msgspec.field(default_factory=ContainerState)


class Condition(msgspec.Struct, gc=False):
    """A condition of a pod."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


class PodStatus(msgspec.Struct, gc=False):
    """status of a pod."""

    phase: str = ""
    conditions: list[Condition] | None = None
    containerStatuses: list[ContainerStatus] | None = None  # noqa: N815


class Pod(NamespacedResourceG, Object):
    """A Pod."""

    _api_info: ClassVar[ApiInfo] = core_v1.Pod._api_info  # type: ignore[misc]
    spec: PodSpec = msgspec.field(default_factory=PodSpec)
    status: PodStatus = msgspec.field(default_factory=PodStatus)

    @property
    def is_ready(self) -> bool:
        return any(each.type == "Ready" and each.status == "True" for each in self.status.conditions or ())

    @property
    def claims(self) -> list[str]:
        """The claims that it uses, as `namespace/name`."""
        used = (each.persistentVolumeClaim for each in self.spec.volumes or ())
        return [f"{self.namespace}/{each.claimName}" for each in used if each is not None]


class Template(msgspec.Struct, gc=False):
    """What a workload's pods are like."""

    metadata: Meta = msgspec.field(default_factory=Meta)
    spec: PodSpec = msgspec.field(default_factory=PodSpec)


class WorkloadSpec(msgspec.Struct, gc=False):
    """spec of a Deployment, StatefulSet or DaemonSet."""

    replicas: int = 1
    template: Template = msgspec.field(default_factory=Template)


class Deployment(NamespacedResourceG, Object):
    """A Deployment."""

    _api_info: ClassVar[ApiInfo] = apps_v1.Deployment._api_info  # type: ignore[misc]
    spec: WorkloadSpec = msgspec.field(default_factory=WorkloadSpec)


class StatefulSet(NamespacedResourceG, Object):
    """A StatefulSet."""

    _api_info: ClassVar[ApiInfo] = apps_v1.StatefulSet._api_info  # type: ignore[misc]
    spec: WorkloadSpec = msgspec.field(default_factory=WorkloadSpec)


WorkloadObject = Deployment | StatefulSet


def template_of(kind: str, manifest: Mapping[str, Any]) -> Template:
    """What the pods of a workload are like, of which the API server's JSON is given; of a pod, what it is itself."""
    said: Mapping[str, Any] = manifest
    if kind == "CronJob":
        said = manifest["spec"]["jobTemplate"]["spec"]["template"]
    elif kind != "Pod":
        said = manifest["spec"]["template"]
    return msgspec.convert(said, Template)


class EventSource(msgspec.Struct, gc=False):
    """Who tells an event."""

    component: str = ""
    host: str = ""


class Event(NamespacedResourceG, Object):
    """An Event."""

    _api_info: ClassVar[ApiInfo] = core_v1.Event._api_info  # type: ignore[misc]
    involvedObject: ObjectRef = msgspec.field(default_factory=ObjectRef)  # noqa: N815
    reason: str = ""
    message: str | None = None
    count: int | None = 1
    source: EventSource = msgspec.field(default_factory=EventSource)
    lastTimestamp: str | None = None  # noqa: N815
    eventTime: str | None = None  # noqa: N815

    @property
    def moment(self) -> str:
        """When it was seen last; sorts by time."""
        return self.lastTimestamp or self.eventTime or self.metadata.creationTimestamp or ""

    @property
    def text(self) -> str:
        return (self.message or "").strip()


class LeaseHolding(msgspec.Struct, gc=False):
    """spec of a Lease."""

    holderIdentity: str | None = None  # noqa: N815
    leaseDurationSeconds: int | None = None  # noqa: N815
    renewTime: str | None = None  # noqa: N815


class Lease(NamespacedResourceG, Object):
    """A Lease."""

    _api_info: ClassVar[ApiInfo] = coordination_v1.Lease._api_info  # type: ignore[misc]
    spec: LeaseHolding = msgspec.field(default_factory=LeaseHolding)


class Endpoints(NamespacedResourceG, Object):
    """An Endpoints object: an old lock, or who stands behind a Service."""

    _api_info: ClassVar[ApiInfo] = core_v1.Endpoints._api_info  # type: ignore[misc]
    subsets: list[Subset] | None = None


class Subset(msgspec.Struct, gc=False):
    """Addresses behind a Service."""

    addresses: list[dict[str, object]] | None = None


class ServiceSpec(msgspec.Struct, gc=False):
    """spec of a Service."""

    clusterIP: str = ""  # noqa: N815


class Service(NamespacedResourceG, Object):
    """A Service."""

    _api_info: ClassVar[ApiInfo] = core_v1.Service._api_info  # type: ignore[misc]
    spec: ServiceSpec = msgspec.field(default_factory=ServiceSpec)


class QuotaStatus(msgspec.Struct, gc=False):
    """status of a ResourceQuota."""

    hard: dict[str, str] | None = None
    used: dict[str, str] | None = None


class Quota(NamespacedResourceG, Object):
    """A ResourceQuota."""

    _api_info: ClassVar[ApiInfo] = core_v1.ResourceQuota._api_info  # type: ignore[misc]
    status: QuotaStatus = msgspec.field(default_factory=QuotaStatus)


class Driver(GlobalResource, Object):
    """A CSIDriver."""

    _api_info: ClassVar[ApiInfo] = storage_v1.CSIDriver._api_info  # type: ignore[misc]


class Namespace(GlobalResource, Object):
    """A Namespace."""

    _api_info: ClassVar[ApiInfo] = core_v1.Namespace._api_info  # type: ignore[misc]


class Taint(msgspec.Struct, gc=False):
    """What keeps pods off a node."""

    effect: str = ""


class NodeSpec(msgspec.Struct, gc=False):
    """spec of a node."""

    unschedulable: bool = False
    taints: list[Taint] | None = None


class NodeStatus(msgspec.Struct, gc=False):
    """status of a node."""

    conditions: list[Condition] | None = None


class Node(GlobalResource, Object):
    """A Node."""

    _api_info: ClassVar[ApiInfo] = core_v1.Node._api_info  # type: ignore[misc]
    spec: NodeSpec = msgspec.field(default_factory=NodeSpec)
    status: NodeStatus = msgspec.field(default_factory=NodeStatus)

    @property
    def takes_pods(self) -> bool:
        is_ready = any(each.type == "Ready" and each.status == "True" for each in self.status.conditions or ())
        return is_ready and not self.spec.unschedulable

    @property
    def keeps_pods_off(self) -> bool:
        """Whether pods that tolerate nothing are not put there."""
        return any(each.effect in ("NoSchedule", "NoExecute") for each in self.spec.taints or ())
