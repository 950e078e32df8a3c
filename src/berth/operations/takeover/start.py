"""Berth started in the place of an old provisioner, and waited for: installed here, or run by somebody else."""

from __future__ import annotations

from dataclasses import replace

from berth.manifests.install import install_manifests
from berth.operations.apply import Applied, apply_all
from berth.operations.errors import Stopped
from berth.operations.install import Rollout, is_news, look_at_rollout
from berth.operations.takeover.clashes import serves_already
from berth.operations.takeover.locks import Held, places_of_leases, wait_led
from berth.operations.takeover.old import Berth
from berth.operations.takeover.plan import GroupPlan, TakeoverPlan, find_all
from berth.operations.takeover.run import Run
from berth.operations.takeover.workloads import scale_down
from berth.settings.install import InstallSettings
from berth.texts.text import Text


def settings_for(run: Run, plan: GroupPlan, whole: TakeoverPlan) -> InstallSettings:
    """The installation that is to serve one group."""
    group, by = plan.group, plan.by
    return replace(
        run.settings,
        name=by.name,
        namespace=by.namespace,
        server=group.share.server,
        export=group.share.export,
        provisioners=tuple(dict.fromkeys((*by.provisioners, *group.provisioners))),
        classes=(),
        kubernetes=whole.kubernetes,
    )


async def start(run: Run, plan: GroupPlan, settings: InstallSettings) -> tuple[str, str]:
    """Berth runs and leads: the pod that does, and its Deployment."""
    by, names = plan.by, settings.provisioners
    if plan.is_installing:
        await apply_all(run.api, install_manifests(settings, run.permissions), lambda one: _tell_applied(run, one))
    else:
        run.tell(
            f"start Berth now, if it does not run: with PROVISIONER_NAME={','.join(names)} "
            f"NFS_SERVER={settings.server} NFS_PATH={settings.export}; waiting for it",
            f"如果 Berth 尚未运行，请现在启动：PROVISIONER_NAME={','.join(names)} NFS_SERVER={settings.server} "
            f"NFS_PATH={settings.export}；正在等待",
        )
    seen: list[Rollout] = []

    async def look() -> list[tuple[str, str]]:
        if plan.is_installing:
            rollout = await look_at_rollout(run.api, settings)
            if is_news(rollout, seen):
                seen.append(rollout)
                run.tell(rollout.text.en, rollout.text.zh)
            return [(name, by.namespace) for name in names]
        running = await _running(run, plan)
        return await places_of_leases(run.api, (*names, *(running.provisioners if running else ())))

    leader = await wait_led(run.api, patience=run.patience, look=look)
    if leader is None:
        raise Stopped(_why_not_led(run, plan, seen))
    run.stage = "served"
    served_by = by.key if plan.is_installing else await _write_down(run, plan, leader)
    run.tell(f"{leader.holder} serves {', '.join(names)}", f"{leader.holder} 已开始为 {'、'.join(names)} 供应")
    return leader.holder, served_by


def _why_not_led(run: Run, plan: GroupPlan, seen: list[Rollout]) -> Text:
    by, patience = plan.by, f"{run.patience:g}"
    if not plan.is_installing:
        return Text(
            f"no Berth was seen to lead for these names within {patience} s; start it (with leader election)",
            f"{patience} 秒内没有看到有 Berth 开始为这些名字工作；请启动它（并开启选主）",
        )
    pods = f"kubectl -n {by.namespace} describe pod -l app.kubernetes.io/instance={by.name}"
    because = seen[-1].text if seen else Text("no pods yet", "还没有 Pod")
    return Text(
        f"Berth does not lead after {patience} s: {because.en}; see why with `{pods}`",
        f"{patience} 秒后 Berth 仍未开始工作：{because.zh}；用 `{pods}` 查看原因",
    )


async def _running(run: Run, plan: GroupPlan) -> Berth | None:
    _, found = await find_all(run.api)
    return serves_already(plan.group, found)


async def _write_down(run: Run, plan: GroupPlan, leader: Held) -> str:
    """Where the Berth runs that we didn't install, on the old Deployments, for the way back; and answers it."""
    running = await _running(run, plan)
    by = running.key if running is not None else f"{leader.namespace}/{plan.by.name}"
    _, found = await find_all(run.api)
    mine = {one.key for one in plan.group.old}
    for one in found.old:
        if one.key in mine and one.taken_by != by:
            await scale_down(run.api, one, by)
    return by


def _tell_applied(run: Run, one: Applied) -> None:
    if one.what != "unchanged":
        words = {"created": "已创建", "changed": "已更新", "removed": "已删除"}
        run.tell(f"{one.kind} {one.key} {one.what}", f"{one.kind} {one.key} {words.get(one.what, one.what)}")
