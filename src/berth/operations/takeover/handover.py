"""The hand-over itself: the old provisioner's pods gone, its lock free, then Berth in its place, and seen to lead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from berth.kube.errors import NotFound
from berth.kube.manifest import ManifestApi, place
from berth.manifests.install import install_manifests
from berth.operations.apply import apply_all
from berth.operations.errors import Stopped
from berth.operations.install import Rollout, is_news, look_at_rollout
from berth.operations.looking import describe_pod, describe_pods
from berth.operations.takeover.conflicts import serves_already
from berth.operations.takeover.locks import Held, places_of_leases, wait_free, wait_led
from berth.operations.takeover.names import names_of
from berth.operations.takeover.old import Berth
from berth.operations.takeover.plan import GroupPlan, find_all
from berth.operations.takeover.run import Run
from berth.operations.takeover.standby import hand_names, tell_applied
from berth.operations.takeover.workloads import scale_down, wait_pods_gone
from berth.settings.install import InstallSettings
from berth.texts.counting import several
from berth.texts.text import Text


async def stop_old(run: Run, plan: GroupPlan) -> None:
    """The old provisioners' pods are gone. Stopped when they don't go."""
    for one in plan.group.old:
        run.stage = "between"
        if one.replicas or not one.taken_by:
            run.tell(
                f"scaling down {one.key} (it had {several(one.replicas, 'pod')}; that is written on it)",
                f"正在缩容 {one.key}（原有 {one.replicas} 个 Pod，已记在它上面）",
            )
        await scale_down(run.api, one, plan.by.key)

    def still(left: tuple[str, ...]) -> None:
        run.tell(f"waiting for the end of {', '.join(left)}", f"等待 {'、'.join(left)} 结束")

    pods = [(one.namespace, one.selector) for one in plan.group.old]
    left = await wait_pods_gone(run.api, pods, patience=run.patience, progress=still)
    if left:
        look = describe_pod(left[0])
        raise Stopped(
            Text(
                f"{', '.join(left)} did not end within {run.patience:g} s; see what holds it with `{look}` (a node "
                f"that is down? a share that can't be unmounted?)",
                f"{'、'.join(left)} 在 {run.patience:g} 秒内没有结束；用 `{look}` 查看原因（节点失联？共享无法卸载？）",
            )
        )


async def wait_locks_free(run: Run, plan: GroupPlan) -> None:
    """Nobody holds the old provisioners' locks. Stopped when somebody goes on renewing one."""

    def held(lock: Held) -> None:
        run.tell(
            f"waiting until {lock.where}, held by {lock.holder}, is not renewed for {lock.lasts:g} s",
            f"等待 {lock.where}（持有者 {lock.holder}）停止续约满 {lock.lasts:g} 秒",
        )

    locks = [(name, one.namespace) for one in plan.group.old for name in one.provisioners]
    own = f"{plan.by.name}-" if any(one.namespace == plan.by.namespace for one in plan.group.old) else ""
    lock = await wait_free(run.api, locks, but=own, patience=run.patience, progress=held)
    if lock is not None:
        raise Stopped(
            Text(
                f"{lock.holder} goes on renewing {lock.where}: another process of the old provisioner runs somewhere "
                f"(in another Deployment, or outside the cluster); end it",
                f"{lock.holder} 仍在续约 {lock.where}：旧制备器还有别的进程在运行"
                f"（在其他 Deployment 或集群外），请结束它",
            )
        )


async def start(run: Run, plan: GroupPlan, settings: InstallSettings) -> tuple[str, str]:
    """Berth has the names, and leads: the pod that does, and its Deployment."""
    by, names = plan.by, settings.provisioners
    if plan.is_installing:
        await hand_names(run, plan, settings)
    else:
        run.tell(
            f"start Berth now, if it does not run: with PROVISIONER_NAME={','.join(names)} "
            f"NFS_SERVER={settings.server} NFS_PATH={settings.export}; waiting for it",
            f"如果 Berth 尚未运行，请现在启动：PROVISIONER_NAME={','.join(names)} NFS_SERVER={settings.server} "
            f"NFS_PATH={settings.export}；正在等待",
        )
    seen: list[Rollout] = []

    async def locks() -> list[tuple[str, str]]:
        if plan.is_installing:
            rollout = await look_at_rollout(run.api, settings)
            if is_news(rollout, seen):
                seen.append(rollout)
                run.tell(rollout.text.en, rollout.text.zh)
            return [(name, by.namespace) for name in names]
        running = await _running(run, plan)
        return await places_of_leases(run.api, (*names, *(running.provisioners if running else ())))

    async def counts(lock: Held) -> bool:
        return await _has_names(run.api, lock, plan.group.provisioners, or_is_outside=not plan.is_installing)

    leader = await wait_led(run.api, patience=run.patience, locks=locks, counts=counts)
    if leader is None:
        raise Stopped(_why_not_led(run, plan, seen))
    run.stage = "served"
    served_by = by.key
    if plan.is_installing:
        # As any installation from now on: what was changed for the hand-over alone goes.
        await apply_all(run.api, install_manifests(settings, run.workload), lambda one: tell_applied(run, one))
    else:
        served_by = await _write_down(run, plan, leader)
    run.tell(f"{leader.holder} serves {', '.join(names)}", f"{leader.holder} 已开始为 {'、'.join(names)} 服务")
    return leader.holder, served_by


async def _has_names(api: ManifestApi, lock: Held, names: tuple[str, ...], *, or_is_outside: bool) -> bool:
    """Whether who holds a lock answers to these names: a pod that stood by and is about to end does not.

    or_is_outside: who is no pod may be a Berth outside of the cluster, of which nobody can say more.
    """
    try:
        pod: Mapping[str, Any] = await api.read(place("v1", "Pod", lock.holder.rpartition("_")[0], lock.namespace))
    except NotFound:
        return or_is_outside
    written = names_of(pod["spec"])
    if not written:  # they come from elsewhere
        return or_is_outside
    return not pod["metadata"].get("deletionTimestamp") and set(names) <= set(written)


def _why_not_led(run: Run, plan: GroupPlan, seen: list[Rollout]) -> Text:
    by, patience = plan.by, f"{run.patience:g}"
    if not plan.is_installing:
        return Text(
            f"no Berth was seen to lead for these names within {patience} s (with leader election): see to it that it "
            f"does not get them now; {run.longer.en}",
            f"{patience} 秒内没有看到有 Berth 开始为这些名字工作（并开启选主）：请确保它现在不再使用这些名字；"
            f"{run.longer.zh}",
        )
    pods = describe_pods(by.namespace, by.name)
    because = seen[-1].text if seen else Text("no pods yet", "还没有 Pod")
    return Text(
        f"Berth does not lead after {patience} s: {because.en}; see why with `{pods}`; {run.longer.en}",
        f"{patience} 秒后 Berth 仍未开始工作：{because.zh}；用 `{pods}` 查看原因；{run.longer.zh}",
    )


async def _running(run: Run, plan: GroupPlan) -> Berth | None:
    _, found = await find_all(run.api, run.wanted.trusted)
    return serves_already(plan.group, found)


async def _write_down(run: Run, plan: GroupPlan, leader: Held) -> str:
    """Where the Berth runs that we didn't install, on the old Deployments, for the way back; and answers it."""
    running = await _running(run, plan)
    by = running.key if running is not None else f"{leader.namespace}/{plan.by.name}"
    _, found = await find_all(run.api, run.wanted.trusted)
    mine = {one.key for one in plan.group.old}
    for one in found.old:
        if one.key in mine and one.taken_by != by:
            await scale_down(run.api, one, by)
    return by
