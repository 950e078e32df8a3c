"""Workloads that provision, or could: what each answers to, of which generation it is, where its share and its lock
are, and whether it runs. The doctor and the take-over both go by this one judgement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from berth.objects import runtime
from berth.objects.containers import Known, PodFields
from berth.objects.provisioning import Flavour, Provisioning, provisionings
from berth.volumes.server_name import bare, on_server

_KIND_WORDS = {"Deployment": "deployment", "StatefulSet": "statefulset", "DaemonSet": "daemonset", "Pod": "pod"}


@dataclass(frozen=True)
class Provisioner:
    """A workload, or a pod by itself, of which at least one container provisions, or could."""

    kind: str
    namespace: str
    name: str
    account: str
    """Its service account, `namespace/name`."""
    containers: tuple[Provisioning, ...]
    """Those of its containers that provision, or could. There is at least one."""
    replicas: int
    """How many pods it is to have."""
    ready: int
    """How many of its pods are ready."""
    pods: tuple[runtime.Pod, ...] = ()
    """Those of its pods that have not ended, where pods were read."""
    pod_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What each of its pods answers to: in the middle of a change, something else than the workload says."""
    taken_by: str = ""
    """The Berth, `namespace/name`, that was to take over from it."""

    @property
    def main(self) -> Provisioning:
        """The container whose word counts: see main_of."""
        return main_of(self.containers)

    @property
    def key(self) -> str:
        """As a person types it: `namespace/name`."""
        return f"{self.namespace}/{self.name}"

    @property
    def ref(self) -> str:
        """As kubectl takes it: `deployment/nfs-client-provisioner`."""
        return f"{_KIND_WORDS.get(self.kind, self.kind.lower())}/{self.name}"

    @property
    def names(self) -> tuple[str, ...]:
        """What it answers to; empty where that is not known."""
        return self.main.names

    @property
    def why(self) -> str:
        """Where its names come from, when they are not known."""
        return self.main.why

    @property
    def flavour(self) -> Flavour:
        """Its generation, as far as its image tells."""
        return self.main.flavour

    @property
    def container(self) -> str:
        return self.main.container.name

    @property
    def image(self) -> str:
        return self.main.container.image

    @property
    def server(self) -> str:
        return bare(self.main.server)

    @property
    def export(self) -> str:
        return self.main.export

    @property
    def share(self) -> str:
        """`server:export`; empty where one of them is not known."""
        return on_server(self.server, self.export) if self.server and self.export else ""

    @property
    def lock(self) -> str:
        """The name of the lock that its pods hold one after the other; empty where its names are not known."""
        return self.main.lock

    @property
    def elects(self) -> bool:
        """Whether it takes a lock at all."""
        return self.main.elects

    @property
    def is_running(self) -> bool:
        """Whether at least one of its pods is ready."""
        return self.ready > 0

    @property
    def is_stopped(self) -> bool:
        """Whether it is to have no pods, and none is left."""
        return self.replicas == 0 and not self.ready and not self.pods


def main_of(containers: Iterable[Provisioning]) -> Provisioning:
    """The one of several containers whose word counts: one that goes on running, rather one whose names are known."""
    return min(containers, key=lambda each: (each.is_init, not each.names, not each.why))


def judge_template(kind: str, namespace: str, template: runtime.Template, settings: Known) -> tuple[Provisioning, ...]:
    """The containers that provision, or could, of pods that are made so by a workload of this kind. settings: what is
    in the ConfigMaps and Secrets that they may be told things by.
    """
    spec, meta = template.spec, template.metadata
    fields = PodFields(namespace, spec.account, meta.labels or {}, meta.annotations or {})
    found = provisionings(spec.containers, spec.initContainers or (), spec.nfs_volumes, fields, settings)
    # The part of a CSI driver that mounts is on every node, and provisions nothing.
    return tuple(each for each in found if not (each.kind == "csi" and kind in ("DaemonSet", "Pod")))
