"""Installing: apply what the plan says, in its order, and wait until the pods serve."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from berth.findings.finding import Finding, Subject
from berth.kube.errors import AlreadyExists
from berth.kube.manifest import Manifest, ManifestApi, place
from berth.manifests.labels import selector_labels
from berth.operations.apply import Applied, apply_all, remove_one
from berth.operations.changes import FieldChange
from berth.operations.classes import DefaultClass, set_default_class
from berth.operations.errors import Stopped
from berth.operations.findings import find
from berth.operations.install_plan import InstallPlan
from berth.operations.polling import poll
from berth.settings.install import InstallSettings
from berth.texts.data import as_data
from berth.texts.text import Text, joined

OF_IMAGES = frozenset({"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"})
"""What kubelets call it when a container has no image."""
_NOT_SEEN = Text("the Deployment's controller has not seen it yet", "Deployment 控制器尚未处理")
_NO_PODS = Text("no pods yet", "还没有 Pod")
_OLD_ONES = Text("pods of before still end", "之前的 Pod 正在退出")
_NO_NODE = Text("waits for a node", "等待分配节点")
_STARTS = Text("starts", "正在启动")
_NOT_READY = Text("the container runs and does not say that it is ready yet", "容器已运行，尚未报告就绪")


@dataclass(frozen=True, slots=True)
class Rollout:
    """How far the pods are. waits_for: why those that aren't ready are not, in its words where the cluster tells."""

    ready: int
    wanted: int
    waits_for: tuple[Text, ...] = ()

    @property
    def is_complete(self) -> bool:
        return self.ready >= self.wanted and not self.waits_for

    @property
    def lacks_image(self) -> bool:
        """Whether a pod waits for its image, as the kubelet's word for it says."""
        return any(one.en.partition(":")[0] in OF_IMAGES for one in self.waits_for)

    @property
    def text(self) -> Text:
        said = Text(f"{self.ready} of {self.wanted} pods ready", f"{self.wanted} 个 Pod 中 {self.ready} 个就绪")
        if not self.waits_for:
            return said
        reasons = joined(self.waits_for)
        return Text(f"{said.en}: {reasons.en}", f"{said.zh}：{reasons.zh}")

    def as_dict(self) -> dict[str, object]:
        """For `-o json` and `-o yaml`."""
        return {"ready": self.ready, "wanted": self.wanted, "waitsFor": list(self.waits_for)}


@dataclass(frozen=True, slots=True)
class Installed:
    """What became of each object, and the pods when they were last looked at."""

    applied: tuple[Applied, ...]
    changes: tuple[FieldChange, ...]
    """To what was there already, field by field."""
    default: DefaultClass | None
    """The class that was made the only default; None where that was not asked for."""
    rollout: Rollout
    other_defaults: tuple[str, ...]
    """Further default classes beside the installation's own: Kubernetes wants just one."""
    foreseen: tuple[Finding, ...] = ()
    """What the plan has told already."""

    def as_dict(self, settings: InstallSettings, patience: float) -> dict[str, object]:
        """For `-o json` and `-o yaml`."""
        return {
            "applied": as_data(self.applied),
            "changes": as_data(self.changes),
            "default": as_data(self.default),
            "rollout": as_data(self.rollout),
            "otherDefaults": list(self.other_defaults),
            "ready": self.rollout.is_complete,
            "findings": [finding.as_dict() for finding in self.findings(settings, patience)],
        }

    def findings(self, settings: InstallSettings, patience: float) -> Iterator[Finding]:
        """What is left to put right, the pods first, after patience was over."""
        if not self.rollout.is_complete:
            where = Subject("workload", f"{settings.namespace}/{settings.name}")
            yield find(
                "pods-not-ready",
                where,
                variant={"image": self.rollout.lacks_image},
                image=settings.image,
                seconds=f"{patience:g}",
            )
        yield from self.foreseen
        yield from (find("default-class-beside", Subject("class", one)) for one in self.other_defaults)


async def install(
    api: ManifestApi,
    plan: InstallPlan,
    *,
    patience: float,
    told: Callable[[Applied], None],
    progress: Callable[[Rollout], None],
) -> Installed:
    """Does what the plan says. KubeError at any point; Stopped when somebody took the namespace meanwhile.

    patience: seconds to wait for the pods; when they are over, the rollout in the answer is not complete. Cancelled or
    failed in the middle, what was applied stays: the next run goes on from there.
    """
    applied = []
    for manifest in plan.removed:
        if (done := await remove_one(api, manifest)).what == "removed":
            applied.append(done)
            told(done)
    manifests = plan.manifests
    if plan.makes_namespace and manifests[0]["kind"] == "Namespace":
        applied.append(await _make_namespace(api, manifests[0]))
        told(applied[-1])
        manifests = manifests[1:]
    applied += await apply_all(api, manifests, told)
    for name in plan.left_alone:
        applied.append(Applied("StorageClass", name, "kept"))
        told(applied[-1])
    # The annotation is set and taken away by the same hand in every command.
    default = await set_default_class(api, plan.default) if plan.default else None
    if default is not None:
        told(Applied("StorageClass", default.name, "default"))
        for name in default.unset:
            told(Applied("StorageClass", name, "no default"))
    rollout = await wait_rolled_out(api, plan.settings, patience=patience, progress=progress)
    others = () if default else plan.other_defaults
    return Installed(tuple(applied), plan.changes, default, rollout, others, plan.findings)


async def _make_namespace(api: ManifestApi, manifest: Manifest) -> Applied:
    """Made, not applied: a namespace that somebody else makes in this very moment is his."""
    metadata = manifest["metadata"]
    try:
        await api.make(manifest)
    except AlreadyExists as error:
        raise Stopped(find("namespace-made-meanwhile", Subject("namespace", metadata["name"]))) from error
    return Applied("Namespace", metadata["name"], "created")


async def wait_rolled_out(
    api: ManifestApi, settings: InstallSettings, *, patience: float, progress: Callable[[Rollout], None]
) -> Rollout:
    """Returns once every pod is of the newest revision and ready, or patience is over. progress: told what is news."""
    told: list[Rollout] = []

    async def look() -> Rollout:
        rollout = await look_at_rollout(api, settings)
        if is_news(rollout, told):
            told.append(rollout)
            progress(rollout)
        return rollout

    return await poll(look, until=lambda rollout: rollout.is_complete, patience=patience)


def is_news(rollout: Rollout, told: Sequence[Rollout]) -> bool:
    """Whether more or fewer pods are ready than was told last, or for a reason that was not told yet.

    Reasons that take turns are not: those of an image that can't be pulled do so for ever.
    """
    known = {reason for one in told for reason in one.waits_for}
    return not told or rollout.ready != told[-1].ready or rollout.is_complete or not known.issuperset(rollout.waits_for)


async def look_at_rollout(api: ManifestApi, settings: InstallSettings) -> Rollout:
    """How far the pods are now."""
    found = await api.read(place("apps/v1", "Deployment", settings.name, settings.namespace))
    status, wanted = found.get("status", {}), found["spec"]["replicas"]
    if status.get("observedGeneration", 0) < found["metadata"]["generation"]:
        return Rollout(0, wanted, (_NOT_SEEN,))
    updated, ready = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    if updated >= wanted and ready >= wanted and status.get("replicas", 0) == updated:
        return Rollout(wanted, wanted)
    selector = ",".join(f"{key}={value}" for key, value in selector_labels(settings).items())
    pods = (await api.read(place("v1", "Pod", namespace=settings.namespace), labels=selector))["items"]
    reasons = dict.fromkeys(reason for pod in pods if (reason := why_not_ready(pod)))
    failed = [
        said
        for one in status.get("conditions", [])
        if one["type"] == "ReplicaFailure"
        and one["status"] == "True"
        and (said := _cluster_says(one.get("message", "")))
    ]
    leaving = (_OLD_ONES,) if status.get("replicas", 0) > updated and not reasons else ()
    return Rollout(min(ready, wanted), wanted, (*failed, *reasons, *leaving) or (_NO_PODS if not pods else _STARTS,))


def why_not_ready(pod: dict[str, Any]) -> Text | None:
    """Why a pod is not ready, in the cluster's own words where it has some; None for one that is."""
    status = pod.get("status", {})
    conditions = {one["type"]: one for one in status.get("conditions") or []}
    if conditions.get("Ready", {}).get("status") == "True":
        return None
    if status.get("phase") == "Failed":  # a sysctl or a policy that the node does not allow
        return _cluster_says(status.get("reason", ""), status.get("message", ""), between=" ")
    for container in status.get("containerStatuses") or []:
        state = container.get("state", {})
        if "waiting" in state:
            last = container.get("lastState", {}).get("terminated", {})
            ended = f"last exit code {last['exitCode']}" if last else ""
            return _cluster_says(state["waiting"].get("reason", ""), state["waiting"].get("message", "") or ended)
        if "running" in state:
            return _NOT_READY
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False":
        return _cluster_says(scheduled.get("reason", ""), scheduled.get("message", ""))
    return _NO_NODE if "PodScheduled" not in conditions else _STARTS


def _cluster_says(*parts: str, between: str = ": ") -> Text | None:
    said = between.join(part for part in parts if part)
    return Text(said, said) if said else None
