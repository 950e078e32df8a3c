"""Berth beside the old provisioner: installed, ready with its image, answering to its own names alone."""

from __future__ import annotations

from dataclasses import replace

from berth.kube.errors import NotFound
from berth.manifests.install import install_manifests
from berth.operations.apply import Applied, apply_all
from berth.operations.errors import Stopped
from berth.operations.install import Rollout, look_at_rollout, wait_rolled_out
from berth.operations.looking import describe_pods
from berth.operations.takeover.names import set_names
from berth.operations.takeover.plan import GroupPlan, TakeoverPlan
from berth.operations.takeover.run import Run
from berth.settings.install import InstallSettings
from berth.texts.text import Text


def settings_for(run: Run, plan: GroupPlan, whole: TakeoverPlan) -> InstallSettings:
    """The installation that is to serve one group. What runs already stays as it is, unless told otherwise."""
    group, by = plan.group, plan.by
    own = plan.own if plan.is_installing else by.provisioners
    return replace(
        run.settings,
        name=by.name,
        namespace=by.namespace,
        image=by.image if by.image and "image" not in run.given else run.settings.image,
        replicas=by.replicas if by.replicas and "replicas" not in run.given else run.settings.replicas,
        server=group.share.server,
        export=group.share.export,
        provisioners=tuple(dict.fromkeys((*own, *by.provisioners, *group.provisioners))),
        classes=(),
        kubernetes=whole.kubernetes,
    )


async def is_ready(run: Run, plan: GroupPlan, settings: InstallSettings) -> bool:
    """Whether all pods of the installation are ready, with the image that it is to have."""
    if not plan.by.ready or plan.by.image != settings.image:
        return False
    try:
        return (await look_at_rollout(run.api, settings)).is_complete
    except NotFound:
        return False


async def stand_by(run: Run, plan: GroupPlan, settings: InstallSettings) -> None:
    """Berth stands by for one group, ready. Stopped: why it is not, with the old provisioner as it was."""
    by, apart = plan.by, replace(settings, provisioners=plan.own)
    run.stage = "standing"
    run.tell(
        f"installing Berth as {by.key}; it stands by, as {', '.join(plan.own)}, until it is ready",
        f"正在安装 Berth（{by.key}）；就绪之前它以 {'、'.join(plan.own)} 之名待命",
    )
    await apply_all(run.api, install_manifests(apart, run.workload), lambda one: tell_applied(run, one))

    def progress(rollout: Rollout) -> None:
        run.tell(rollout.text.en, rollout.text.zh)

    rollout = await wait_rolled_out(run.api, apart, patience=run.patience, progress=progress)
    if not rollout.is_complete:
        pods = describe_pods(by.namespace, by.name)
        raise Stopped(
            Text(
                f"Berth is not ready after {run.patience:g} s: {rollout.text.en}; see why with `{pods}`; "
                f"{run.longer.en}",
                f"{run.patience:g} 秒后 Berth 仍未就绪：{rollout.text.zh}；用 `{pods}` 查看原因；{run.longer.zh}",
            )
        )


async def hand_names(run: Run, plan: GroupPlan, settings: InstallSettings) -> None:
    """From now on Berth answers to the old provisioners' names, too."""
    if set(settings.provisioners) <= set(plan.by.provisioners):
        return
    run.tell(
        f"handing {', '.join(plan.group.provisioners)} over to Berth ({plan.by.key})",
        f"正在把 {'、'.join(plan.group.provisioners)} 交给 Berth（{plan.by.key}）",
    )
    await set_names(run.api, settings.namespace, settings.name, settings.provisioners)


def tell_applied(run: Run, one: Applied) -> None:
    """What became of one object of the installation, unless it is as it was."""
    if one.what != "unchanged":
        words = {"created": "已创建", "changed": "已更新", "removed": "已删除"}
        run.tell(f"{one.kind} {one.key} {one.what}", f"{one.kind} {one.key} {words.get(one.what, one.what)}")
