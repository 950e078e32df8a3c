"""Installing: look whether it fits, apply everything in order, wait until the pods serve."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from berth.kube.errors import NotFound
from berth.kube.manifest import ManifestApi, place
from berth.kube.permissions import Permission
from berth.manifests.install import install_manifests
from berth.manifests.labels import selector_labels
from berth.operations.apply import Applied, apply_all
from berth.operations.classes import check_class_fits, other_defaults
from berth.operations.errors import Stopped
from berth.settings.install import InstallSettings
from berth.texts.text import Text

OLDEST = (1, 20)
_LOOK = 0.5
"""Seconds between two looks at the Deployment."""


_NOT_SEEN = "the Deployment's controller has not seen it yet"
_NO_PODS = "no pods yet"
_OLD_ONES = "pods of before still end"
_NO_NODE = "waits for a node"
_STARTS = "starts"
_NOT_READY = "the container runs and does not say that it is ready yet"
_CHINESE = {
    _NOT_SEEN: "Deployment 控制器尚未处理",
    _NO_PODS: "还没有 Pod",
    _OLD_ONES: "之前的 Pod 正在退出",
    _NO_NODE: "等待分配节点",
    _STARTS: "正在启动",
    _NOT_READY: "容器已运行，尚未报告就绪",
}
"""Our own words; what the cluster says stays as it says it, in either language."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """How far the pods are. waits_for: why those that aren't ready are not, as the cluster tells it."""

    ready: int
    wanted: int
    waits_for: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        return self.ready >= self.wanted and not self.waits_for

    @property
    def text(self) -> Text:
        in_chinese = [_CHINESE.get(reason, reason) for reason in self.waits_for]
        return Text(
            f"{self.ready} of {self.wanted} pods ready" + (f": {'; '.join(self.waits_for)}" if self.waits_for else ""),
            f"{self.wanted} 个 Pod 中 {self.ready} 个就绪" + (f"：{'；'.join(in_chinese)}" if in_chinese else ""),
        )


@dataclass(frozen=True, slots=True)
class Installed:
    """What became of each object, and the pods when they were last looked at."""

    applied: tuple[Applied, ...]
    rollout: Rollout
    other_defaults: tuple[str, ...]
    """Further default classes, when the new one is the default: Kubernetes wants just one."""


async def install(
    api: ManifestApi,
    settings: InstallSettings,
    permissions: Iterable[Permission],
    *,
    patience: float,
    told: Callable[[Applied], None],
    progress: Callable[[Rollout], None],
    gives_names_up: bool = False,
) -> Installed:
    """Installs, or brings an installation up to date. Stopped before anything is changed; KubeError at any point.

    patience: seconds to wait for the pods; when they are over, the rollout in the answer is not complete. Cancelled or
    failed in the middle, what was applied stays: the next run goes on from there. gives_names_up: somebody chose the
    provisioner names, so those that the installation answers to until now may go.
    """
    settings = await for_this_cluster(api, settings)
    if not gives_names_up:
        await _check_names_stay(api, settings)
    manifests = install_manifests(settings, permissions)
    for manifest in manifests:
        if manifest["kind"] == "StorageClass":
            await check_class_fits(api, manifest)
    applied = await apply_all(api, manifests, told)
    rollout = await wait_rolled_out(api, settings, patience=patience, progress=progress)
    defaults = {one.name for one in settings.classes if one.default}
    others = await other_defaults(api, defaults) if defaults else []
    return Installed(tuple(applied), rollout, tuple(others))


async def names_answered_to(api: ManifestApi, name: str, namespace: str) -> tuple[str, ...]:
    """The provisioner names of an installation, its own first; none when there is no Deployment."""
    try:
        found = await api.read(place("apps/v1", "Deployment", name, namespace))
    except NotFound:
        return ()
    containers = found["spec"]["template"]["spec"]["containers"]
    values = [
        one.get("value", "")
        for container in containers
        for one in container.get("env") or []
        if one["name"] == "PROVISIONER_NAME"
    ]
    return tuple(dict.fromkeys(name.strip() for value in values for name in value.split(",") if name.strip()))


async def _check_names_stay(api: ManifestApi, settings: InstallSettings) -> None:
    """Stopped when names would be lost that nobody mentioned: a take-over's, on which classes and PVs depend."""
    names = await names_answered_to(api, settings.name, settings.namespace)
    lost = [name for name in names if name not in settings.provisioners]
    if lost:
        where, kept, others = f"{settings.namespace}/{settings.name}", ",".join(names), ",".join(settings.provisioners)
        raise Stopped(
            Text(
                f"{where} answers to {', '.join(lost)}, whose classes and volumes would be left without a provisioner: "
                f"repeat `--provisioner-name {kept}`, or give up what it leaves out with `--provisioner-name {others}`",
                f"{where} 目前还响应 {'、'.join(lost)}，丢掉它，相应的存储类和卷就没有 provisioner 了："
                f"请加上 `--provisioner-name {kept}`；确实要放弃，请明确写出 `--provisioner-name {others}`",
            )
        )


async def for_this_cluster(api: ManifestApi, settings: InstallSettings) -> InstallSettings:
    """The settings with the cluster's own release in them. Stopped when Berth can't run there."""
    version = await api.version()
    if version < OLDEST:
        said = f"{version[0]}.{version[1]}"
        oldest = f"{OLDEST[0]}.{OLDEST[1]}"
        raise Stopped(
            Text(
                f"the cluster runs Kubernetes {said}, Berth needs {oldest} or newer",
                f"集群的 Kubernetes 版本是 {said}，Berth 需要 {oldest} 或更新的版本",
            )
        )
    return settings if settings.kubernetes is not None else replace(settings, kubernetes=version)


async def wait_rolled_out(
    api: ManifestApi, settings: InstallSettings, *, patience: float, progress: Callable[[Rollout], None]
) -> Rollout:
    """Returns once every pod is of the newest revision and ready, or patience is over. progress: told what is news."""
    clock = asyncio.get_running_loop().time
    end = clock() + patience
    told: list[Rollout] = []
    while True:
        rollout = await look_at_rollout(api, settings)
        if is_news(rollout, told):
            told.append(rollout)
            progress(rollout)
        if rollout.is_complete or clock() >= end:
            return rollout
        await asyncio.sleep(_LOOK)


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
        one.get("message", "")
        for one in status.get("conditions", [])
        if one["type"] == "ReplicaFailure" and one["status"] == "True"
    ]
    leaving = (_OLD_ONES,) if status.get("replicas", 0) > updated and not reasons else ()
    return Rollout(min(ready, wanted), wanted, (*failed, *reasons, *leaving) or (_NO_PODS if not pods else _STARTS,))


def why_not_ready(pod: dict[str, Any]) -> str:
    """Why a pod is not ready, in the cluster's own words; empty for one that is."""
    status = pod.get("status", {})
    conditions = {one["type"]: one for one in status.get("conditions") or []}
    if conditions.get("Ready", {}).get("status") == "True":
        return ""
    if status.get("phase") == "Failed":  # a sysctl or a policy that the node does not allow
        return " ".join(part for part in (status.get("reason", ""), status.get("message", "")) if part)
    for container in status.get("containerStatuses") or []:
        state = container.get("state", {})
        if "waiting" in state:
            last = container.get("lastState", {}).get("terminated", {})
            ended = f"last exit code {last['exitCode']}" if last else ""
            told = (state["waiting"].get("reason", ""), state["waiting"].get("message", "") or ended)
            return ": ".join(part for part in told if part)
        if "running" in state:
            return _NOT_READY
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False":
        return f"{scheduled.get('reason', '')}: {scheduled.get('message', '')}"
    return _NO_NODE if "PodScheduled" not in conditions else _STARTS
