"""A cluster in memory, where an old provisioner works: pods come and go as their Deployments say, and who is at work
renews its lock. Each request to the API server is a moment in which all that goes on. A test says what does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any, cast

from berth.kube.access import read_cluster_uid
from berth.kube.exchange import Request
from berth.kube.leader import lock_name
from berth.kube.oldlock import ANNOTATION
from berth.manifests.workload import ONE_BY_ONE
from berth.operations.takeover.apply import TakenOver, take_over
from berth.operations.takeover.names import names_of
from berth.operations.takeover.old import OldProvisioner
from berth.operations.takeover.plan import GroupPlan, TakeoverPlan, Wanted, make_plan
from berth.operations.takeover.revert import Reverted, revert
from berth.operations.takeover.run import Run
from berth.operations.takeover.step import Step
from berth.programs.controller import WORKLOAD
from berth.settings.install import InstallSettings
from berth.shares.choose import Shares
from berth.volumes.share import ShareAddress
from tests.fake_api.api import FakeApi
from tests.fake_api.server import FakeApiServer
from tests.fake_api.store import Json, Location
from tests.operations.takeover.things import EXPORT, NAME, SERVER, default_path, deployment, of_class, volume
from tests.reconcilers.rig import MemoryShares, json_of
from tests.volumes.memory import MemoryShare, Node

OLD, BERTH = "kube-system/nfs", "berth-system/berth"
IMAGE = "registry.example/berth:1"
RBAC = "rbac.authorization.k8s.io/v1"
BOUND = {"phase": "Bound"}
SETTINGS = InstallSettings(image=IMAGE, classes=())
_READY = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
_OWNED = [{"kind": "ReplicaSet", "name": "any", "uid": "any", "apiVersion": "apps/v1", "controller": True}]
_STARTS = {"phase": "Pending", "containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff"}}}]}


class Town(FakeApiServer):
    """The cluster, its share, and how to do in it what a take-over does."""

    def __init__(self, *, lock: str = "Lease", volumes: int = 2) -> None:
        """lock: of which kind the old provisioner's is."""
        super().__init__()
        self.api = FakeApi(self)
        self.shares = MemoryShares()
        self.address = ShareAddress(SERVER, EXPORT)
        self.share = MemoryShare(self.address)
        self.shares.known[self.address] = self.share
        self.steps: list[Step] = []
        self.broken: set[str] = set()
        """Deployments whose pods do not get ready."""
        self.stuck: set[str] = set()
        """Deployments whose pods do not end."""
        self.silent: set[str] = set()
        """Deployments whose pods never lead."""
        self.writes: list[str] = []
        """All requests that changed something, or were to."""
        self.on_write: Callable[[int], object] = nothing
        self.on_written: Callable[[int], object] = nothing
        """Told which change comes, and which is made, counted from 1: to raise what is answered instead."""
        self.overlaps: list[str] = []
        """Names to which pods of two Deployments answered at the same moment."""
        self._lock = lock
        self._numbers = count(1)
        self._settled: tuple[object, ...] = ()
        self._held: list[tuple[str, str, str, str]] = []
        self.put(_role("nfs"))
        self.put(binding("kube-system"))
        self.put(json_of(of_class({})))
        for number in range(1, volumes + 1):
            self.add_volume(number)
        self.add_old()
        self._live()

    def answer(self, request: Request) -> Json:
        """The API server's, and the cluster has gone on. on_write and on_written are told of each change."""
        self._live()
        if request.method == "GET" or request.resource.endswith("reviews"):
            return super().answer(request)
        self.writes.append(str(request))
        number = len(self.writes)
        self.on_write(number)
        answer = super().answer(request)
        self.on_written(number)
        return answer

    def add_old(self, name: str = "nfs", **changes: Any) -> None:
        """A Deployment of an old provisioner."""
        made = deployment(name, **changes)
        made["spec"]["template"]["metadata"] = {"labels": {"app": name}}
        self.put({"apiVersion": "apps/v1", "kind": "Deployment", **made})

    def add_volume(self, number: int, **changes: Any) -> str:
        """A volume of the old provisioner, with its directory; answers the PV's name."""
        pv = json_of(volume(number, default_path(number), **changes))
        self.put({**pv, "status": BOUND})
        self.share.root.children[default_path(number).removeprefix(f"{EXPORT}/")] = Node("directory", 0o777)
        return str(pv["metadata"]["name"])

    def of(self, key: str) -> Json:
        """A Deployment."""
        namespace, _, name = key.partition("/")
        found = self.find("Deployment", name, namespace)
        assert found is not None, key
        return found

    def replicas(self, key: str) -> int:
        """How many pods a Deployment is to have."""
        return int(self.of(key)["spec"]["replicas"])

    def names(self, key: str = BERTH) -> tuple[str, ...]:
        """What a Deployment answers to."""
        return names_of(self.of(key)["spec"]["template"]["spec"])

    def pods(self, key: str) -> list[Json]:
        """The pods of a Deployment."""
        namespace, _, name = key.partition("/")
        found = self.store.all_in(Location("v1", "pods", namespace))
        return [one for one in found if one["metadata"]["labels"].get("of") == name]

    def annotations(self, key: str = OLD) -> dict[str, str]:
        """Of a Deployment, those of a take-over."""
        found = self.of(key)["metadata"].get("annotations") or {}
        return {name: value for name, value in found.items() if name.startswith("berth.io/")}

    def records(self) -> list[str]:
        """PVs that have a record on the share."""
        found = [path for path in self.share.tree() if path.startswith(".berth/volumes/") and path.endswith(".json")]
        return [path.removeprefix(".berth/volumes/").removesuffix(".json") for path in found]

    @property
    def told(self) -> list[str]:
        """All steps, in English."""
        return [step.text.en for step in self.steps]

    @property
    def is_as_before(self) -> bool:
        """Whether the old provisioner works, alone, and nothing on it says that it ever did not."""
        return self.replicas(OLD) == 1 and not self.annotations() and NAME not in self.names_of_berth

    @property
    def is_taken_over(self) -> bool:
        """Whether Berth works, alone, and the way back is written down."""
        return (
            self.replicas(OLD) == 0
            and self.annotations().get("berth.io/taken-over-by") == BERTH
            and NAME in self.names_of_berth
        )

    @property
    def is_settled(self) -> bool:
        """Whether Berth's pods are replaced as in any installation, and no longer as in a hand-over."""
        return bool(self.of(BERTH)["spec"]["strategy"] == ONE_BY_ONE)

    async def plan(self, wanted: Wanted | None = None) -> TakeoverPlan:
        """What would be done."""
        return await make_plan(self.api, cast("Shares", self.shares), wanted or Wanted())

    async def begin(self, wanted: Wanted | None = None, *, patience: float = 60) -> tuple[Run, GroupPlan]:
        """What the steps need: the run, and the plan of the one share that there is."""
        wanted = wanted or Wanted()
        (group,) = (await self.plan(wanted)).groups
        uid = await read_cluster_uid(self.api)
        shares = cast("Shares", self.shares)
        return Run(self.api, shares, wanted, SETTINGS, WORKLOAD, patience, self.steps.append, uid), group

    async def take_over(self, wanted: Wanted | None = None, *, patience: float = 60) -> list[TakenOver]:
        """The whole of it."""
        shares = cast("Shares", self.shares)
        return await take_over(
            self.api, shares, wanted or Wanted(), SETTINGS, WORKLOAD, patience=patience, told=self.steps.append
        )

    async def revert(self, *only: str, patience: float = 60, with_share: bool = True) -> list[Reverted]:
        """The way back."""
        shares = cast("Shares", self.shares)
        return await revert(
            self.api, shares, only=only, with_share=with_share, patience=patience, told=self.steps.append
        )

    async def old(self) -> OldProvisioner:
        """The old provisioner as it is found now."""
        return (await self.begin())[1].group.old[0]

    @property
    def names_of_berth(self) -> tuple[str, ...]:
        """What Berth answers to; nothing while it is not installed."""
        return self.names() if self.find("Deployment", "berth", "berth-system") else ()

    def pvs(self) -> list[Json]:
        """All PVs."""
        return self.store.all_in(Location("v1", "persistentvolumes"))

    def _live(self) -> None:
        if self._now() != self._settled:
            self._held = self._run_all()
        for held in self._held:
            self.renew(*held)
        self._settled = self._now()

    def _now(self) -> tuple[object, ...]:
        return self.store.version, *map(frozenset, (self.broken, self.stuck, self.silent))

    def _run_all(self) -> list[tuple[str, str, str, str]]:
        """The pods as the Deployments say; the locks that these hold: name, namespace, holder and kind."""
        found = {
            f"{one['metadata']['namespace']}/{one['metadata']['name']}": one
            for one in self.store.all_in(Location("apps/v1", "deployments"))
        }
        for key, one in found.items():
            self._run_pods(key, one)
        pods = {key: self.pods(key) for key in found}
        answering = Counter(
            name for each in pods.values() for name in {name for one in each for name in names_of(one["spec"])}
        )
        self.overlaps += [name for name, how_many in answering.items() if how_many > 1]
        return [
            (name, key.partition("/")[0], f"{each[0]['metadata']['name']}_1", self._lock if key == OLD else "Lease")
            for key, each in pods.items()
            if each and key not in self.silent | self.broken
            for name in names_of(each[0]["spec"])
        ]

    def _run_pods(self, key: str, one: Json) -> None:
        """What controller and kubelet do at once, here."""
        meta, spec = one["metadata"], one["spec"]
        wanted, template = spec.get("replicas", 1), spec["template"]
        current = 0
        for pod in self.pods(key):
            is_current = pod["spec"] == template["spec"] and current < wanted
            if is_current:
                current += 1
            elif key not in self.stuck:
                self._end(pod)
        is_ready = key not in self.broken
        for _ in range(current, wanted):
            labels = {**template["metadata"]["labels"], "of": meta["name"]}
            name = f"{meta['name']}-{next(self._numbers)}"
            place = {"name": name, "namespace": meta["namespace"], "labels": labels, "ownerReferences": _OWNED}
            self.put({"apiVersion": "v1", "kind": "Pod", "metadata": place, "spec": template["spec"]})
        for pod in self.pods(key):
            self.put({**pod, "status": _READY if is_ready else _STARTS})
        ready = wanted if is_ready else 0
        status = {"observedGeneration": meta["generation"], "replicas": wanted, "updatedReplicas": wanted}
        status |= {"readyReplicas": ready, "availableReplicas": ready}
        self.change("Deployment", meta["name"], {"status": status}, meta["namespace"])

    def _end(self, pod: Json) -> None:
        """A pod of Berth gives its locks back; an old one's are left."""
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        if pod["metadata"]["labels"]["of"] != "nfs":
            for one in names_of(pod["spec"]):
                lease = self.find("Lease", lock_name(one), namespace)
                if lease is not None and lease["spec"].get("holderIdentity", "").startswith(f"{name}_"):
                    self.put({**lease, "spec": {"holderIdentity": ""}})
        self.drop("Pod", name, namespace)

    def renew(self, name: str, namespace: str, holder: str, kind: str = "Lease") -> None:
        """Somebody holds the lock of a provisioner."""
        spec = {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": datetime.now(UTC).isoformat()}
        meta: Json = {"name": lock_name(name), "namespace": namespace}
        if kind == "Lease":
            self.put({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": spec})
        else:
            written = str(spec).replace("'", '"')
            self.put(
                {"apiVersion": "v1", "kind": "Endpoints", "metadata": {**meta, "annotations": {ANNOTATION: written}}}
            )


def nothing(_: int) -> None:
    """What happens at most changes."""


def _role(name: str) -> Json:
    rules = [
        {"apiGroups": [""], "resources": ["persistentvolumes"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["persistentvolumeclaims"], "verbs": ["*"]},
    ]
    return {"apiVersion": RBAC, "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules}


def binding(namespace: str) -> Json:
    """An administrator lets the account `nfs` of a namespace provision."""
    return {
        "apiVersion": RBAC,
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"nfs-{namespace}"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "nfs"},
        "subjects": [{"kind": "ServiceAccount", "name": "nfs", "namespace": namespace}],
    }
