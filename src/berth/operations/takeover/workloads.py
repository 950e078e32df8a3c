"""Deployments scaled down and up again, with what to go back to written on them; and waiting until pods are gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from berth.kube.manifest import ManifestApi, place
from berth.objects.provisioning import READY_BEFORE, REPLICAS_BEFORE, TAKEN_OVER_BY
from berth.operations.install import why_not_ready
from berth.operations.polling import poll
from berth.operations.takeover.old import OldProvisioner

MANAGER = "berth-takeover"


async def scale_down(api: ManifestApi, old: OldProvisioner, by: str) -> int:
    """Takes its pods away and writes down how many there were, and who serves now: in one request. How many there were.

    Repeated, it leaves what was written the first time, unless somebody scaled it up in between.
    """
    before = old.replicas or old.before or 0
    ready = old.ready if old.replicas or old.ready_before is None else old.ready_before
    annotations = {REPLICAS_BEFORE: str(before), READY_BEFORE: str(ready), TAKEN_OVER_BY: by}
    patch = {"metadata": {"annotations": annotations}, "spec": {"replicas": 0}}
    await api.merge(place("apps/v1", "Deployment", old.name, old.namespace), patch, manager=MANAGER)
    return before


async def scale_back(api: ManifestApi, old: OldProvisioner) -> int:
    """Gives it back the pods that it had, and takes the annotations off: in one request. How many pods those are."""
    before = old.replicas or old.before or 0
    annotations = {REPLICAS_BEFORE: None, READY_BEFORE: None, TAKEN_OVER_BY: None}
    patch = {"metadata": {"annotations": annotations}, "spec": {"replicas": before}}
    await api.merge(place("apps/v1", "Deployment", old.name, old.namespace), patch, manager=MANAGER)
    return before


async def wait_pods_gone(
    api: ManifestApi,
    pods: Sequence[tuple[str, str]],
    *,
    patience: float,
    progress: Callable[[tuple[str, ...]], None],
    counts: Callable[[dict[str, Any]], bool] = lambda _: True,
) -> tuple[str, ...]:
    """Returns once there is no pod with these (namespace, selector); those that are left when patience is over.

    progress: told which are left, whenever that changes. counts: which of them matter.
    """
    seen: tuple[str, ...] = ()

    async def look() -> tuple[str, ...]:
        nonlocal seen
        found = [
            f"{namespace}/{one['metadata']['name']}"
            for namespace, selector in pods
            for one in await _pods(api, namespace, selector)
            if one.get("status", {}).get("phase") not in ("Succeeded", "Failed") and counts(one)
        ]
        left = tuple(found)
        if left and left != seen:
            seen = left
            progress(left)
        return left

    return await poll(look, until=lambda left: not left, patience=patience)


async def wait_pods_ready(
    api: ManifestApi, old: Sequence[OldProvisioner], *, patience: float, progress: Callable[[str], None]
) -> str:
    """Returns once all their pods are ready, with an empty text; with what is in the way when patience is over."""
    seen = ""

    async def look() -> str:
        nonlocal seen
        why = "; ".join([text for one in old if (text := await _why_not_all_ready(api, one))])
        if why and why != seen:
            seen = why
            progress(why)
        return why

    return await poll(look, until=lambda why: not why, patience=patience)


async def _why_not_all_ready(api: ManifestApi, old: OldProvisioner) -> str:
    found = await api.read(place("apps/v1", "Deployment", old.name, old.namespace))
    wanted, status = found["spec"].get("replicas", 1), found.get("status", {})
    is_seen = status.get("observedGeneration", 0) >= found["metadata"]["generation"]
    ready = status.get("readyReplicas", 0)
    if is_seen and ready >= wanted:
        return ""
    reasons = dict.fromkeys(
        reason.en for one in await _pods(api, old.namespace, old.selector) if (reason := why_not_ready(one))
    )
    return f"{old.key}: {', '.join(reasons) or f'READY {ready}/{wanted}'}"


async def _pods(api: ManifestApi, namespace: str, selector: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api.read(place("v1", "Pod", namespace=namespace), labels=selector))["items"]
    return found
