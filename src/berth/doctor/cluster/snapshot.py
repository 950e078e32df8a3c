"""All that was read of the cluster at one moment, and its indexes. What could not be read is in `unseen`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from berth.doctor.cluster import admission, kinds
from berth.findings.versions import Version
from berth.kube.permissions import Right
from berth.objects.containers import Known
from berth.reconcilers.quantity import to_bytes

_PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
_CLASS_KEY = "volume.beta.kubernetes.io/storage-class"
_DEFAULT_KEYS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")
_NODE_KEYS = ("volume.kubernetes.io/selected-node", "volume.alpha.kubernetes.io/selected-node")
_CSI_NFS = "nfs.csi.k8s.io"


@dataclass(frozen=True)
class Snapshot:
    """The cluster at the moment `now`, as the cluster's own clock has it."""

    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    version: Version | None = None
    uid: str = ""
    """Of the namespace kube-system, which stands for the cluster."""
    claims: Sequence[kinds.Claim] = ()
    volumes: Sequence[kinds.Volume] = ()
    classes: Sequence[kinds.Class] = ()
    pods: Sequence[kinds.Pod] = ()
    workloads: Sequence[kinds.Workload] = ()
    events: Sequence[kinds.Event] = ()
    """Warnings only."""
    leases: Sequence[kinds.Lease] = ()
    quotas: Sequence[kinds.Quota] = ()
    webhooks: Sequence[admission.WebhookConfiguration] = ()
    accessors: Sequence[admission.Accessor] = ()
    drivers: Sequence[kinds.Driver] = ()
    namespaces: Sequence[kinds.Namespace] = ()
    services: Sequence[kinds.Service] = ()
    unserved: frozenset[str] = frozenset()
    """Services of webhooks and of NFS servers, `namespace/name`, that nobody stands behind."""
    locks: Mapping[str, kinds.Endpoints] = field(default_factory=dict)
    """Old provisioners' locks by `namespace/name`."""
    settings: Known = field(default_factory=dict)
    """What is in the ConfigMaps and Secrets that provisioners may be told their names by, as far as it was read."""
    lacking: Mapping[str, Sequence[Right]] = field(default_factory=dict)
    """Of each service account of a Berth, `namespace/name`, the rights that it needs and has not."""
    proven: frozenset[str] | None = None
    """Service accounts, `namespace/name`, that are provisioners' by more than their own word: see trust. None: nobody
    knows."""
    named: frozenset[str] = frozenset()
    """Those that the administrator says are."""
    unseen: frozenset[str] = frozenset()
    """Plurals of the kinds that could not be read."""

    def sees(self, *plurals: str) -> bool:
        """Whether all of these kinds were read, so that what is not there is really missing."""
        return not self.unseen.intersection(plurals)

    def trusts(self, account: str) -> bool:
        """Whether more than its own word speaks for a service account, `namespace/name`."""
        return account in self.named or (self.proven is not None and account in self.proven)

    def distrusts(self, account: str) -> bool:
        """Whether it is known that nothing does."""
        return self.proven is not None and not self.trusts(account)

    def age(self, moment: str | None) -> float:
        """Seconds since a moment as Kubernetes writes it; infinite where nothing is said."""
        then = parse_moment(moment)
        return float("inf") if then is None else (self.now - then).total_seconds()

    @cached_property
    def claim_of(self) -> dict[str, kinds.Claim]:
        """Claims by `namespace/name`."""
        return {each.key: each for each in self.claims}

    @cached_property
    def volume_of(self) -> dict[str, kinds.Volume]:
        return {each.name: each for each in self.volumes}

    @cached_property
    def class_of(self) -> dict[str, kinds.Class]:
        return {each.name: each for each in self.classes}

    @cached_property
    def pod_of(self) -> dict[str, kinds.Pod]:
        return {each.key: each for each in self.pods}

    @cached_property
    def workload_of(self) -> dict[tuple[str, str], kinds.Workload]:
        """Workloads by kind and `namespace/name`."""
        return {(type(each).__name__, each.key): each for each in self.workloads}

    @cached_property
    def users(self) -> dict[str, list[kinds.Pod]]:
        """Pods that use a claim and have not ended, by the claim's `namespace/name`."""
        found: defaultdict[str, list[kinds.Pod]] = defaultdict(list)
        for pod in self.pods:
            if pod.status.phase not in ("Succeeded", "Failed"):
                for claim in pod.claims:
                    found[claim].append(pod)
        return dict(found)

    @cached_property
    def events_about(self) -> dict[tuple[str, str], list[kinds.Event]]:
        """Warnings by kind and `namespace/name` of what they are about, the newest first."""
        found: defaultdict[tuple[str, str], list[kinds.Event]] = defaultdict(list)
        for event in sorted(self.events, key=lambda each: each.moment, reverse=True):
            about = event.involvedObject
            name = f"{about.namespace}/{about.name}" if about.namespace else about.name
            found[about.kind, name].append(event)
        return dict(found)

    def warnings(self, kind: str, obj: kinds.Object) -> list[kinds.Event]:
        """The warnings about this very object (not about a namesake of before), the newest first."""
        found = self.events_about.get((kind, obj.key), [])
        return [each for each in found if not each.involvedObject.uid or each.involvedObject.uid == obj.metadata.uid]

    @cached_property
    def defaults(self) -> list[kinds.Class]:
        """The default classes, the newest first."""
        found = [each for each in self.classes if any(each.annotations.get(key) == "true" for key in _DEFAULT_KEYS)]
        return sorted(found, key=lambda each: (each.metadata.creationTimestamp or "", each.name), reverse=True)

    def workload_behind(self, pod: kinds.Pod) -> tuple[str, str]:
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


def class_name_of(claim: kinds.Claim) -> str | None:
    """The claim's class; None where it leaves that open; empty where it wants none."""
    return claim.annotations.get(_CLASS_KEY) or claim.spec.storageClassName


def provisioned_by(volume: kinds.Volume) -> str:
    """The provisioner that made a PV; empty for one made by hand."""
    return volume.annotations.get(_PROVISIONED_BY, "")


def has_node(claim: kinds.Claim) -> bool:
    """Whether the scheduler has chosen a node for a claim that waits for that."""
    return any(claim.annotations.get(key) for key in _NODE_KEYS)


def place_of(volume: kinds.Volume) -> tuple[str, str] | None:
    """Server and absolute path of an NFS volume, made by whomever; None for other storage."""
    if volume.spec.nfs is not None:
        return volume.spec.nfs.server, volume.spec.nfs.path
    csi = volume.spec.csi
    if csi is not None and csi.driver == _CSI_NFS:
        said = {key.lower(): value for key, value in (csi.volumeAttributes or {}).items()}
        if said.get("share"):
            return said.get("server", ""), f"{said['share'].rstrip('/')}/{said.get('subdir', '')}".rstrip("/")
    return None


def size(quantities: Mapping[str, str] | None) -> str:
    """The storage among quantities as written; empty if there is none."""
    return (quantities or {}).get("storage", "")


def in_bytes(quantity: str) -> int:
    """A quantity in bytes; 0 for nonsense."""
    try:
        return to_bytes(quantity)
    except ValueError:
        return 0
