"""Which provisioners there are, under which names, and which of them answer: from pods, workloads, leases and PVs.

A name counts as served if a pod that carries it is ready, or somebody renews its lock: Berth also runs outside of the
cluster. Who keeps no lock and says its name nowhere (many drivers of other storage) is not judged at all.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from berth.doctor.cluster import kinds
from berth.doctor.cluster.snapshot import Snapshot, place_of, provisioned_by

Flavour = Literal["berth", "subdir", "selflink", "other"]
"""selflink: of the generation that needs metadata.selfLink; subdir: nfs-subdir-external-provisioner 4."""

LOCK_ANNOTATION = "control-plane.alpha.kubernetes.io/leader"
SHARE_ON_PV = "berth.io/share"
_FRESH = 60.0
"""Seconds after which a lock that nobody renews counts as left behind; they are renewed every 2 to 15 s."""
_NFS_NAMES = re.compile(r"nfs|fuseim\.pri/ifs", re.IGNORECASE)
_NFS_PARAMETERS = {"archiveOnDelete", "pathPattern", "onDelete", "subDir", "share", "sharedPaths"}
_BUILT_IN = re.compile(r"kubernetes\.io/[a-z-]+")
_IMAGE = re.compile(r"(?P<path>.*?)(?::(?P<tag>[^/:@]+))?(?:@.*)?$")
_HOLDER = re.compile(r"(?P<pod>(?P<workload>.+)-[0-9a-z]{5,10}-[0-9a-z]{5})_[0-9a-f-]{36}")
"""Who holds a lock, if a Deployment's pod does."""
_OWN = "nfs.berth.io"
_CSI_PLUGIN = re.compile(r"nfsplugin\b")
_CSI_NFS = "nfs.csi.k8s.io"
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
    pods: tuple[kinds.Pod, ...]

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
        return self.names[0].replace("/", "-")

    @property
    def share(self) -> str:
        return f"{self.server}:{self.export}" if self.server and self.export else ""


class Served:
    """Who serves what, in one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    @cached_property
    def provisioners(self) -> tuple[Provisioner, ...]:
        """All that are known, running or not."""
        return tuple(_provisioners(self._snapshot))

    @cached_property
    def fresh_locks(self) -> dict[str, str]:
        """Locks that somebody renews: their names, and who holds them."""
        found = {}
        for lease in self._snapshot.leases:
            if lease.spec.holderIdentity and self._snapshot.age(lease.spec.renewTime) < _lifetime(lease):
                found[lease.name] = lease.spec.holderIdentity
        for key, lock in self._snapshot.locks.items():
            holder, renewed = old_record(lock)
            if holder and self._snapshot.age(renewed) < _FRESH:
                found.setdefault(key.partition("/")[2], holder)
        return found

    @cached_property
    def held_locks(self) -> dict[str, str]:
        """Fresh locks but those of a provisioner's pod that is gone, which is known before its lock has aged."""
        return {lock: holder for lock, holder in self.fresh_locks.items() if not self._is_gone(holder)}

    def _is_gone(self, holder: str) -> bool:
        match = _HOLDER.fullmatch(holder)
        if match is None or not self._snapshot.sees("pods") or match["pod"] in self._pod_names:
            return False
        return any(each.kind == "Deployment" and each.name == match["workload"] for each in self.provisioners)

    @cached_property
    def _pod_names(self) -> frozenset[str]:
        return frozenset(pod.name for pod in self._snapshot.pods)

    @cached_property
    def is_outside(self) -> bool:
        """Somebody who is no pod of the cluster holds a lock that looks like a provisioner's for NFS."""
        return any(
            _NFS_NAMES.search(lock) and not any(holder.startswith(name) for name in self._pod_names)
            for lock, holder in self.held_locks.items()
        )

    @cached_property
    def names(self) -> frozenset[str]:
        """The names that are answered now."""
        answered = {name for each in self.provisioners if each.is_ready for name in each.names}
        known = {each.provisioner for each in self._snapshot.classes} | {
            name for each in self.provisioners for name in each.names
        }
        locks = self.held_locks
        answered |= {name for name in known if name.replace("/", "-") in locks}
        answered |= {each.name for each in self._snapshot.drivers if not self.of(each.name)}
        if self.is_outside:  # one that runs outside says one of its names only; what it has made tells the others
            answered |= self._made_by_berth
        return frozenset(answered - {""})

    def is_berth(self, name: str) -> bool:
        """Whether it is a Berth that answers to this name, or would: one that runs outside has no pod to tell."""
        carriers = self.of(name)
        if carriers:
            return any(each.flavour == "berth" for each in carriers)
        return name == _OWN or (self.is_outside and name in self._made_by_berth)

    @cached_property
    def _made_by_berth(self) -> frozenset[str]:
        volumes = self._snapshot.volumes
        return frozenset(provisioned_by(each) for each in volumes if SHARE_ON_PV in each.annotations)

    def of(self, name: str) -> list[Provisioner]:
        """The provisioners that carry this name, running or not; running ones first."""
        return sorted((each for each in self.provisioners if name in each.names), key=lambda each: not each.is_ready)

    def nearest(self, name: str) -> Provisioner | None:
        """The provisioner whose name differs from this one by a typo."""
        names = {known: each for each in self.provisioners for known in each.names if known != name}
        near = nearest(name, names)
        return names[near] if near is not None else None

    def is_nfs(self, of_class: kinds.Class) -> bool:
        """Whether the class is one of NFS, as far as its name, its parameters or its provisioner tell."""
        if _BUILT_IN.fullmatch(of_class.provisioner):
            return False
        return (
            _NFS_NAMES.search(of_class.provisioner) is not None
            or bool(_NFS_PARAMETERS & (of_class.parameters or {}).keys())
            or bool(self.of(of_class.provisioner))
            or self.nearest(of_class.provisioner) is not None
        )

    @cached_property
    def nfs_classes(self) -> list[kinds.Class]:
        """All classes of NFS."""
        made = {each.spec.storageClassName for each in self._snapshot.volumes if place_of(each) is not None}
        return [each for each in self._snapshot.classes if self.is_nfs(each) or each.name in made]


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that one may have meant."""
    found = difflib.get_close_matches(name, sorted(set(names) - {name}), n=1, cutoff=0.75)
    return found[0] if found else None


def old_record(lock: kinds.Endpoints) -> tuple[str, str]:
    """Holder and last renewal of an old lock; empty where it holds none."""
    try:
        record = json.loads(lock.annotations.get(LOCK_ANNOTATION, "{}"))
        return str(record.get("holderIdentity", "")), str(record.get("renewTime", ""))
    except (ValueError, AttributeError):
        return "", ""


def needs_selflink(image: str) -> bool:
    """Whether the image is of the generation that needs metadata.selfLink."""
    match = _IMAGE.match(image)
    path, tag = (match["path"], match["tag"] or "latest") if match else (image, "latest")
    base = path.rpartition("/")[2]
    if "external_storage/" in path or "kubernetes_incubator/nfs-provisioner" in path:
        return not re.match(r"v?4\.", tag)
    if base in ("nfs-client-provisioner", "nfs-client-provisioner-arm"):
        return re.match(r"v?[23]\b", tag) is not None or (tag == "latest" and "gmoney23" not in path)
    return False


def _lifetime(lease: kinds.Lease) -> float:
    return max(_FRESH, 4.0 * (lease.spec.leaseDurationSeconds or 15))


def _provisioners(snapshot: Snapshot) -> Iterator[Provisioner]:
    behind: dict[tuple[str, str], list[kinds.Pod]] = {}
    for pod in snapshot.pods:
        if _names(pod.spec) and pod.status.phase not in ("Succeeded", "Failed"):
            kind, name = snapshot.workload_behind(pod)
            if kind == "DaemonSet":
                continue  # the part of a CSI driver that mounts
            behind.setdefault((kind, f"{pod.namespace}/{name}"), []).append(pod)
    for workload in snapshot.workloads:
        key = (type(workload).__name__, workload.key)
        made = _provisioner(*key, workload.spec.template.spec, workload.spec.replicas, behind.pop(key, []))
        if made is not None:
            yield made
    for key, pods in behind.items():
        made = _provisioner(*key, pods[0].spec, len(pods), pods)
        if made is not None:
            yield made


def _names(spec: kinds.PodSpec) -> tuple[str, ...]:
    return next((names for each in spec.containers if (names := _names_of(each))), ())


def _names_of(container: kinds.Container) -> tuple[str, ...]:
    said = {each.name: each.value for each in container.env or ()}.get("PROVISIONER_NAME", "")
    words = [*(container.command or ()), *(container.args or ())]
    if not said and _CSI_PLUGIN.match(container.image.rpartition("/")[2]):
        named = next((word.partition("=")[2] for word in words if re.match(r"--?drivername=", word)), "")
        said = named if named and "$" not in named else _CSI_NFS
    if not said:
        said = next((word.partition("=")[2] for word in words if re.match(r"--?provisioner(-name)?=", word)), "")
    return tuple(name.strip() for name in said.split(",") if name.strip())


def _provisioner(kind: str, key: str, spec: kinds.PodSpec, replicas: int, pods: list[kinds.Pod]) -> Provisioner | None:
    namespace, _, name = key.partition("/")
    for container in spec.containers:
        names = _names_of(container)
        if not names:
            continue
        said = {each.name: each.value for each in container.env or ()}
        return Provisioner(
            names=names,
            flavour=_flavour(container, said),
            kind=kind,
            namespace=namespace,
            name=name,
            container=container.name,
            image=container.image,
            account=f"{namespace}/{spec.serviceAccountName}",
            server=said.get("NFS_SERVER", ""),
            export=said.get("NFS_PATH", ""),
            elects=said.get("ENABLE_LEADER_ELECTION", "true").lower() not in ("false", "0", "f"),
            replicas=replicas,
            pods=tuple(pods),
        )
    return None


def _flavour(container: kinds.Container, said: dict[str, str]) -> Flavour:
    base = container.image.rpartition("/")[2]
    if base.startswith("berth") or any(name.startswith("BERTH_") for name in said):
        return "berth"
    if needs_selflink(container.image):
        return "selflink"
    if "nfs-subdir-external-provisioner" in base or "nfs-client-provisioner" in base:
        return "subdir"
    return "other"
