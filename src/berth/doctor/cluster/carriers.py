"""Who carries a provisioner's name: pods and workloads of the snapshot, by what their containers are told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from berth.doctor.cluster.snapshot import Snapshot
from berth.kube.leader import lock_name
from berth.objects import runtime
from berth.objects.containers import ConfigSource, PodFields, sources_of
from berth.objects.provisioning import EXPORT, SERVER, TAKEN_OVER_BY, Flavour, Provisioning, could_be, provisionings

_KIND_WORDS = {"Deployment": "deployment", "StatefulSet": "statefulset", "DaemonSet": "daemonset", "Pod": "pod"}


@dataclass(frozen=True)
class Provisioner:
    """One provisioner: a workload (or a pod by itself) whose container says what names it answers to."""

    names: tuple[str, ...]
    flavour: Flavour
    kind: str
    namespace: str
    name: str
    container: str
    image: str
    account: str
    """`namespace/name`."""
    server: str
    export: str
    elects: bool
    """Whether it takes a lock at all."""
    replicas: int
    pods: tuple[runtime.Pod, ...]
    taken_by: str = ""
    """The Berth, `namespace/name`, that was to take over from it."""
    why: str = ""
    """Where its names come from, when they are not known."""
    pod_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What each of its pods answers to: in the middle of a change, something else than the workload says."""
    is_guess: bool = False
    """All that speaks for its being one is that it mounts a share."""

    @property
    def key(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def ref(self) -> str:
        """As kubectl takes it: `deployment/nfs-client-provisioner`."""
        return f"{_KIND_WORDS.get(self.kind, self.kind.lower())}/{self.name}"

    @property
    def is_ready(self) -> bool:
        return any(pod.is_ready for pod in self.pods)

    @property
    def lock(self) -> str:
        """The name of its lock."""
        return lock_name(self.names[0])

    @property
    def share(self) -> str:
        return f"{self.server}:{self.export}" if self.server and self.export else ""


def provisioners_of(snapshot: Snapshot) -> Iterator[Provisioner]:
    """All of them; those whose names are not known have none."""
    behind: dict[tuple[str, str], list[runtime.Pod]] = {}
    for pod in snapshot.pods:
        if pod.status.phase not in ("Succeeded", "Failed") and _speaker(snapshot, pod, pod.spec) is not None:
            kind, name = snapshot.workload_behind(pod)
            behind.setdefault((kind, f"{pod.namespace}/{name}"), []).append(pod)
    for workload in snapshot.workloads:
        key = (type(workload).__name__, workload.key)
        spec, pods = workload.spec, behind.pop(key, [])
        made = _provisioner(snapshot, *key, workload, spec.template.spec, spec.replicas, pods)
        if made is not None:
            yield made
    for key, pods in behind.items():
        made = _provisioner(snapshot, *key, pods[0], pods[0].spec, len(pods), pods)
        if made is not None and not (made.flavour == "csi" and key[0] == "DaemonSet"):
            yield made  # those on every node are the part of a CSI driver that mounts


def sources(snapshot: Snapshot) -> set[ConfigSource]:
    """The ConfigMaps and Secrets that may tell a provisioner its names."""
    found: set[ConfigSource] = set()
    templates = [(each.namespace, each.spec.template.spec) for each in snapshot.workloads]
    for namespace, spec in (*templates, *((each.namespace, each.spec) for each in snapshot.pods)):
        for container in (*spec.containers, *(spec.initContainers or ())):
            if could_be(container, _nfs_volumes(spec)):
                found.update(sources_of(container, namespace))
    return found


def _nfs_volumes(spec: runtime.PodSpec) -> frozenset[str]:
    return frozenset(each.name for each in spec.volumes or () if each.nfs is not None)


def _speaker(snapshot: Snapshot, about: runtime.Workload | runtime.Pod, spec: runtime.PodSpec) -> Provisioning | None:
    """The container that says under which names it provisions, or else one that may."""
    meta = about.metadata if isinstance(about, runtime.Pod) else about.spec.template.metadata
    fields = PodFields(about.namespace, spec.serviceAccountName, meta.labels or {}, meta.annotations or {})
    inits = spec.initContainers or ()
    found = provisionings(spec.containers, inits, _nfs_volumes(spec), fields, snapshot.settings)
    found = [each for each in found if not each.is_init and (each.names or each.why)]
    return next((each for each in found if each.names), found[0] if found else None)


def _names_of(snapshot: Snapshot, pod: runtime.Pod) -> tuple[str, ...]:
    speaker = _speaker(snapshot, pod, pod.spec)
    return speaker.names if speaker is not None else ()


def _provisioner(
    snapshot: Snapshot,
    kind: str,
    key: str,
    about: runtime.Workload | runtime.Pod,
    spec: runtime.PodSpec,
    replicas: int,
    pods: list[runtime.Pod],
) -> Provisioner | None:
    speaker = _speaker(snapshot, about, spec)
    if speaker is None:
        return None
    namespace, _, name = key.partition("/")
    said = speaker.environment
    return Provisioner(
        names=speaker.names,
        flavour=speaker.flavour,
        kind=kind,
        namespace=namespace,
        name=name,
        container=speaker.container.name,
        image=speaker.container.image,
        account=f"{namespace}/{spec.serviceAccountName}",
        server=said.get(SERVER),
        export=said.get(EXPORT),
        elects=(said.get("ENABLE_LEADER_ELECTION") or "true").lower() not in ("false", "0", "f"),
        replicas=replicas,
        pods=tuple(pods),
        taken_by=about.annotations.get(TAKEN_OVER_BY, ""),
        why=speaker.why,
        pod_names={each.name: _names_of(snapshot, each) for each in pods},
        is_guess=speaker.hint == "mount",
    )
