"""The provisioners of a snapshot: which there are, under which names, and which of them answer now; by pods, workloads,
leases and PVs.

A name counts as served if a pod that carries it is ready, or somebody renews its lock: Berth also runs outside of the
cluster. Who keeps no lock and says its name nowhere (many drivers of other storage) is not judged at all.
"""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from berth.doctor.cluster.outages import Outages
from berth.doctor.cluster.snapshot import Snapshot
from berth.kube.leader import lock_name
from berth.kube.oldlock import ANNOTATION, read_record
from berth.objects import kinds, runtime
from berth.objects.containers import ConfigSource, sources_of
from berth.objects.locations import normal
from berth.objects.provisioners import Provisioner, judge_template, main_of
from berth.objects.provisioning import OWN, TAKEN_OVER_BY, Provisioning, could_be
from berth.objects.translation import is_by_berth, location_of, provisioned_by
from berth.texts.command import Shell, command

_FRESH = 60.0
"""Seconds after which a lock that nobody renews counts as left behind; they are renewed every 2 to 15 s."""
_NFS_NAMES = re.compile(r"nfs|fuseim\.pri/ifs", re.IGNORECASE)
_NFS_PARAMETERS = {"archiveOnDelete", "pathPattern", "onDelete", "subDir", "share", "sharedPaths"}
_BUILT_IN = re.compile(r"kubernetes\.io/[a-z-]+")
_HOLDER = re.compile(r"(?P<pod>(?P<workload>.+)-[0-9a-z]{5,10}-[0-9a-z]{5})_[0-9a-f-]{36}")
"""Who holds a lock, if a Deployment's pod does."""


class Provisioners:
    """Who provisions what, in one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.outages = Outages()
        """Of the shares that they serve, those that don't do their work, as far as that is known."""

    def with_outages(self, outages: Outages) -> Provisioners:
        """The same provisioners, once the shares were asked."""
        other = copy.copy(self)
        other.outages = outages
        return other

    @cached_property
    def known(self) -> tuple[Provisioner, ...]:
        """All whose names are known, running or not."""
        return tuple(each for each in self._all if each.names)

    @cached_property
    def unclear(self) -> tuple[Provisioner, ...]:
        """Those that may provision, and whose names are not known."""
        return tuple(each for each in self._all if not each.names)

    @cached_property
    def _all(self) -> tuple[Provisioner, ...]:
        return tuple(_provisioners_of(self._snapshot))

    @cached_property
    def fresh_locks(self) -> dict[str, str]:
        """Locks that somebody renews: their names, and who holds them."""
        found = {}
        for lease in self._snapshot.leases:
            if lease.spec.holderIdentity and self._snapshot.age(lease.spec.renewTime) < _lifetime(lease):
                found[lease.name] = lease.spec.holderIdentity
        for key, lock in self._snapshot.locks.items():
            record = read_record(lock.annotations.get(ANNOTATION, ""))
            if record is not None and self._snapshot.age(record.renewTime) < _FRESH:
                found.setdefault(key.partition("/")[2], record.holderIdentity)
        return found

    @cached_property
    def held_locks(self) -> dict[str, str]:
        """Fresh locks, but for those of provisioners' pods that are gone: that is known long before such a lock has
        aged.
        """
        return {lock: holder for lock, holder in self.fresh_locks.items() if not self._is_gone(holder)}

    def _is_gone(self, holder: str) -> bool:
        match = _HOLDER.fullmatch(holder)
        if match is None or not self._snapshot.sees("pods") or match["pod"] in self._pod_names:
            return False
        return any(each.kind == "Deployment" and each.name == match["workload"] for each in self.known)

    @cached_property
    def _pod_names(self) -> frozenset[str]:
        return frozenset(pod.name for pod in self._snapshot.pods)

    @cached_property
    def is_outside(self) -> bool:
        """Whether a lock that looks like a provisioner's for NFS is held by somebody who is no pod of the cluster."""
        return any(
            _NFS_NAMES.search(lock) and not any(holder.startswith(name) for name in self._pod_names)
            for lock, holder in self.held_locks.items()
        )

    @cached_property
    def names(self) -> frozenset[str]:
        """The names that are answered now."""
        answered = set(self._answered_by_pods)
        named = {each.provisioner for each in self._snapshot.classes} | {
            name for each in self.known for name in each.names
        }
        locks = self.held_locks
        answered |= {name for name in named if lock_name(name) in locks}
        answered |= {each.name for each in self._snapshot.drivers if not self.of(each.name)}
        if self.is_outside:  # one that runs outside says one of its names only; what it has made tells the others
            answered |= self._made_by_berth
        return frozenset(answered - {""})

    @cached_property
    def _answered_by_pods(self) -> frozenset[str]:
        """What pods answer to that are ready, or hold their provisioner's lock."""
        found: set[str] = set()
        for each in self.known:
            holder = self.held_locks.get(each.lock, "")
            for pod in each.pods:
                if pod.is_ready or holder.startswith(f"{pod.name}_"):
                    found.update(each.pod_names.get(pod.name, ()))
        return frozenset(found)

    def is_berth(self, name: str) -> bool:
        """Whether a Berth carries this name, running or not. Of one outside of the cluster, which has no pods, its PVs
        tell that.
        """
        carriers = self.of(name)
        carriers = [each for each in carriers if not self._snapshot.trust.distrusts(each.account)] or carriers
        if carriers:
            return any(each.flavour == "berth" for each in carriers)
        return name == OWN or (self.is_outside and name in self._made_by_berth)

    @cached_property
    def _made_by_berth(self) -> frozenset[str]:
        volumes = self._snapshot.volumes
        return frozenset(provisioned_by(each) for each in volumes if is_by_berth(each))

    def of(self, name: str) -> list[Provisioner]:
        """The provisioners that carry this name, running or not; running ones first."""
        return sorted((each for each in self.known if name in each.names), key=lambda each: not each.is_running)

    def nearest(self, name: str) -> Provisioner | None:
        """The provisioner whose name is so near to this one that it may be meant by it; None without one that is
        believed (see trust).
        """
        believed = [each for each in self.known if not self._snapshot.trust.distrusts(each.account)]
        names = {known: each for each in believed for known in each.names if known != name}
        near = nearest(name, names)
        return names[near] if near is not None else None

    def log_of(self, name: str) -> Shell | None:
        """The command that prints the log of who answers to a name; None where that runs elsewhere."""
        one = next((each for each in self.of(name) if each.is_running), None)
        if one is None:
            return None
        return command("kubectl -n {namespace} logs {ref} --tail=500", namespace=one.namespace, ref=one.ref)

    def nearest_name(self, name: str) -> str | None:
        """The name that may be meant by this one: of those that are answered now, by pods or by who renews a lock, else
        of those that somebody carries who does not run.
        """
        believed = {known for each in self.known if not self._distrusts(each) for known in each.names}
        carried = {known for each in self.known for known in each.names}
        answered = {each for each in self.names if each in believed or each not in carried}
        named = {lock_name(each) for each in carried | self.names}
        locks = (lock for lock in self.held_locks if _NFS_NAMES.search(lock) and lock not in named)
        return nearest(name, answered | {_spelled_like(name, lock) for lock in locks}) or nearest(name, believed)

    def _distrusts(self, one: Provisioner) -> bool:
        return self._snapshot.trust.distrusts(one.account)

    def share_of(self, of_class: kinds.ClassObject) -> str:
        """`server:/export` of a class: its own parameters', else its provisioner's; empty where that is not known."""
        said = {key.lower(): value for key, value in (of_class.parameters or {}).items()}
        default = next((each for each in self.of(of_class.provisioner) if each.share), None)
        server = said.get("server") or (default.server if default is not None else "")
        export = said.get("share") or (default.export if default is not None else "")
        return f"{server}:{normal(export)}" if server and export and self.is_nfs(of_class) else ""

    def is_nfs(self, of_class: kinds.ClassObject) -> bool:
        """Whether the class is one of NFS, as far as its name, its parameters or its provisioner tell."""
        if _BUILT_IN.fullmatch(of_class.provisioner):
            return False
        return (
            _NFS_NAMES.search(of_class.provisioner) is not None
            or bool(_NFS_PARAMETERS & (of_class.parameters or {}).keys())
            or bool(self.of(of_class.provisioner))
            or self.nearest_name(of_class.provisioner) is not None
        )

    @cached_property
    def nfs_classes(self) -> list[kinds.ClassObject]:
        """All classes of NFS."""
        made = {each.spec.storageClassName for each in self._snapshot.volumes if location_of(each) is not None}
        return [each for each in self._snapshot.classes if self.is_nfs(each) or each.name in made]


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that one may have meant."""
    found = difflib.get_close_matches(name, sorted(set(names) - {name}), n=1, cutoff=0.75)
    return found[0] if found else None


def _spelled_like(name: str, lock: str) -> str:
    """The provisioner's name behind a lock, in which a dash stands for the slash that name has."""
    dashes = [at for at, char in enumerate(lock) if char == "-"]
    if "/" not in name or not dashes:
        return lock
    at = min(dashes, key=lambda each: abs(each - name.index("/")))
    return f"{lock[:at]}/{lock[at + 1 :]}"


def _lifetime(lease: runtime.Lease) -> float:
    return max(_FRESH, 4.0 * (lease.spec.leaseDurationSeconds or 15))


def sources(snapshot: Snapshot) -> set[ConfigSource]:
    """The ConfigMaps and Secrets that may tell a provisioner its names."""
    found: set[ConfigSource] = set()
    templates = [(each.namespace, each.spec.template.spec) for each in snapshot.workloads]
    for namespace, spec in (*templates, *((each.namespace, each.spec) for each in snapshot.pods)):
        for container in (*spec.containers, *(spec.initContainers or ())):
            if could_be(container, spec.nfs_volumes):
                found.update(sources_of(container, namespace))
    return found


def _provisioners_of(snapshot: Snapshot) -> Iterator[Provisioner]:
    """All of them; those whose names are not known have none."""
    behind: dict[tuple[str, str], list[runtime.Pod]] = {}
    for pod in snapshot.pods:
        kind, name = snapshot.workload_behind(pod)
        if pod.status.phase not in ("Succeeded", "Failed") and _speakers(snapshot, kind, pod.namespace, _like(pod)):
            behind.setdefault((kind, f"{pod.namespace}/{name}"), []).append(pod)
    for workload in snapshot.workloads:
        key = (type(workload).__name__, workload.key)
        spec = workload.spec
        yield from _provisioner(snapshot, *key, workload, spec.template, spec.replicas, behind.pop(key, []))
    for key, pods in behind.items():
        yield from _provisioner(snapshot, *key, pods[0], _like(pods[0]), len(pods), pods)


def _like(pod: runtime.Pod) -> runtime.Template:
    return runtime.Template(pod.metadata, pod.spec)


def _speakers(snapshot: Snapshot, kind: str, namespace: str, template: runtime.Template) -> tuple[Provisioning, ...]:
    """The containers that say under which names they provision, or that may."""
    found = judge_template(kind, namespace, template, snapshot.settings)
    return tuple(each for each in found if not each.is_init and (each.names or each.why))


def _provisioner(
    snapshot: Snapshot,
    kind: str,
    key: str,
    about: runtime.WorkloadObject | runtime.Pod,
    template: runtime.Template,
    replicas: int,
    pods: list[runtime.Pod],
) -> Iterator[Provisioner]:
    namespace, _, name = key.partition("/")
    speakers = _speakers(snapshot, kind, namespace, template)
    if speakers:
        yield Provisioner(
            kind=kind,
            namespace=namespace,
            name=name,
            account=f"{namespace}/{template.spec.account}",
            containers=speakers,
            replicas=replicas,
            ready=sum(each.is_ready for each in pods),
            pods=tuple(pods),
            pod_names={each.name: main_of(_speakers(snapshot, kind, namespace, _like(each))).names for each in pods},
            taken_by=about.annotations.get(TAKEN_OVER_BY, ""),
        )
