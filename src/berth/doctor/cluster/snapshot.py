"""All that was read of the cluster at one moment, and its indexes. What could not be read is in `unseen`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from berth.findings.versions import Version
from berth.kube.permissions import Right
from berth.objects import admission, kinds, runtime
from berth.objects.containers import Known
from berth.objects.quantity import to_bytes
from berth.objects.trust import Trust

_DEFAULT_KEYS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")


@dataclass(frozen=True)
class Snapshot:
    """The cluster at the moment `now`, as the cluster's own clock has it."""

    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    version: Version | None = None
    uid: str = ""
    """Of the namespace kube-system, which stands for the cluster."""
    claims: Sequence[kinds.ClaimObject] = ()
    volumes: Sequence[kinds.VolumeObject] = ()
    classes: Sequence[kinds.ClassObject] = ()
    pods: Sequence[runtime.Pod] = ()
    workloads: Sequence[runtime.WorkloadObject] = ()
    events: Sequence[runtime.Event] = ()
    """Warnings only."""
    leases: Sequence[runtime.Lease] = ()
    quotas: Sequence[runtime.Quota] = ()
    webhooks: Sequence[admission.WebhookConfiguration] = ()
    accessors: Sequence[admission.Accessor] = ()
    drivers: Sequence[runtime.Driver] = ()
    namespaces: Sequence[runtime.Namespace] = ()
    services: Sequence[runtime.Service] = ()
    unserved: frozenset[str] = frozenset()
    """Services of webhooks and of NFS servers, `namespace/name`, that nobody stands behind."""
    locks: Mapping[str, runtime.Endpoints] = field(default_factory=dict)
    """Old provisioners' locks by `namespace/name`."""
    settings: Known = field(default_factory=dict)
    """What is in the ConfigMaps and Secrets that provisioners may be told their names by, as far as it was read."""
    lacking: Mapping[str, Sequence[Right]] = field(default_factory=dict)
    """Of each service account of a Berth, `namespace/name`, the rights that it needs and has not."""
    trust: Trust = field(default_factory=Trust)
    """Which service accounts are provisioners' by more than their own word."""
    unseen: frozenset[str] = frozenset()
    """Plurals of the kinds that could not be read."""

    def sees(self, *plurals: str) -> bool:
        """Whether all of these kinds were read, so that what is not there is really missing."""
        return not self.unseen.intersection(plurals)

    def age(self, moment: str | None) -> float:
        """Seconds since a moment as Kubernetes writes it; infinite where nothing is said."""
        then = parse_moment(moment)
        return float("inf") if then is None else (self.now - then).total_seconds()

    @cached_property
    def claim_of(self) -> dict[str, kinds.ClaimObject]:
        """Claims by `namespace/name`."""
        return {each.key: each for each in self.claims}

    @cached_property
    def volume_of(self) -> dict[str, kinds.VolumeObject]:
        return {each.name: each for each in self.volumes}

    @cached_property
    def class_of(self) -> dict[str, kinds.ClassObject]:
        return {each.name: each for each in self.classes}

    @cached_property
    def pod_of(self) -> dict[str, runtime.Pod]:
        return {each.key: each for each in self.pods}

    @cached_property
    def workload_of(self) -> dict[tuple[str, str], runtime.WorkloadObject]:
        """Workloads by kind and `namespace/name`."""
        return {(type(each).__name__, each.key): each for each in self.workloads}

    @cached_property
    def users(self) -> dict[str, list[runtime.Pod]]:
        """Pods that use a claim and have not ended, by the claim's `namespace/name`."""
        found: defaultdict[str, list[runtime.Pod]] = defaultdict(list)
        for pod in self.pods:
            if pod.status.phase not in ("Succeeded", "Failed"):
                for claim in pod.claims:
                    found[claim].append(pod)
        return dict(found)

    @cached_property
    def events_about(self) -> dict[tuple[str, str], list[runtime.Event]]:
        """Warnings by kind and `namespace/name` of what they are about, the newest first."""
        found: defaultdict[tuple[str, str], list[runtime.Event]] = defaultdict(list)
        for event in sorted(self.events, key=lambda each: each.moment, reverse=True):
            about = event.involvedObject
            name = f"{about.namespace}/{about.name}" if about.namespace else about.name
            found[about.kind, name].append(event)
        return dict(found)

    def warnings(self, kind: str, obj: kinds.Object) -> list[runtime.Event]:
        """The warnings about this very object (not about a namesake of before), the newest first."""
        found = self.events_about.get((kind, obj.key), [])
        return [each for each in found if not each.involvedObject.uid or each.involvedObject.uid == obj.metadata.uid]

    def newest_of(self, kind: str, obj: kinds.Object, reasons: Sequence[str]) -> list[runtime.Event]:
        """The newest warning about this very object with one of these reasons, or none."""
        return [each for each in self.warnings(kind, obj) if each.reason in reasons][:1]

    @cached_property
    def defaults(self) -> list[kinds.ClassObject]:
        """The default classes, the newest first."""
        found = [each for each in self.classes if any(each.annotations.get(key) == "true" for key in _DEFAULT_KEYS)]
        return sorted(found, key=lambda each: (each.metadata.creationTimestamp or "", each.name), reverse=True)

    def workload_behind(self, pod: runtime.Pod) -> tuple[str, str]:
        """Kind and name of what keeps the pod running; the pod itself where that is nothing known."""
        for owner in pod.metadata.ownerReferences or ():
            if owner.kind == "ReplicaSet":
                name = owner.name.rpartition("-")[0]
                if ("Deployment", f"{pod.namespace}/{name}") in self.workload_of:
                    return "Deployment", name
            if owner.kind in ("StatefulSet", "DaemonSet", "ReplicaSet", "Job"):
                return owner.kind, owner.name
        return "Pod", pod.name


def parse_moment(text: str | None) -> datetime | None:
    """The moment that Kubernetes writes so; None for nothing or nonsense."""
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def in_bytes(quantity: str) -> int:
    """A quantity in bytes; 0 for nonsense."""
    try:
        return to_bytes(quantity)
    except ValueError:
        return 0
