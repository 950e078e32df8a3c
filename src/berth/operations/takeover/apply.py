"""The take-over itself, share by share: the old provisioner down, its lock free, records, Berth up, all checked.

Every step looks at what is there and can be repeated: interrupted anywhere, the next run goes on. Records are written
while nobody provisions, so that Berth finds them when it starts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace

from lightkube.resources.core_v1 import Namespace

from berth.kube.manifest import ManifestApi
from berth.kube.permissions import Permission
from berth.manifests.install import install_manifests
from berth.operations.apply import Applied, apply_all
from berth.operations.errors import Stopped
from berth.operations.install import Rollout, look_at_rollout
from berth.operations.takeover.inventory import OldVolume, make_groups, read_cluster
from berth.operations.takeover.locks import Held, places_of_leases, wait_free, wait_led
from berth.operations.takeover.old import Berth
from berth.operations.takeover.plan import GroupPlan, TakeoverPlan, Wanted, find_all, make_plan, serves_already
from berth.operations.takeover.preflight import check_rights
from berth.operations.takeover.records import Recorded, write_records
from berth.operations.takeover.remark import several
from berth.operations.takeover.share import check_directories
from berth.operations.takeover.step import Stage, Step, Told
from berth.operations.takeover.workloads import scale_down, wait_pods_gone
from berth.settings.install import InstallSettings
from berth.shares.choose import Shares
from berth.texts.text import Text
from berth.volumes.errors import VolumeError
from berth.volumes.home import Homes


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one share."""

    share: str
    provisioners: tuple[str, ...]
    old: tuple[str, ...]
    by: str
    leader: str
    """The pod that serves."""
    seconds: float
    """For how long nobody provisioned, as far as this run knows; 0 when it found Berth at work."""
    volumes: int
    checked: int
    """Whose directories were seen over NFS after the change."""
    lost: tuple[str, ...]
    """PVs whose directory was there before and is not now, though they are in use. Never seen so far."""
    missing: tuple[str, ...]
    """PVs whose directory was missing before already."""
    recorded: Recorded
    unrecorded: tuple[str, ...]
    """PVs without a record: nothing shows that the directory is their own."""


@dataclass(slots=True)
class _Run:
    """What all steps need."""

    api: ManifestApi
    shares: Shares
    wanted: Wanted
    settings: InstallSettings
    permissions: tuple[Permission, ...]
    patience: float
    told: Told
    uid: str
    stage: Stage = "nothing"

    def tell(self, en: str, zh: str) -> None:
        self.told(Step(self.stage, Text(en, zh)))


async def take_over(
    api: ManifestApi,
    shares: Shares,
    wanted: Wanted,
    settings: InstallSettings,
    permissions: Iterable[Permission],
    *,
    patience: float,
    told: Told,
) -> list[Taken]:
    """Does what the plan says, for each share. Stopped says what is in the way; KubeError. Repeatable.

    settings: of each installation; names, share and provisioners are filled in. patience: seconds for each wait.
    """
    uid = await _cluster_uid(api)
    run = _Run(api, shares, wanted, settings, tuple(permissions), patience, told, uid)
    plan = await make_plan(api, shares, wanted)
    if plan.stops:
        first = plan.stops[0]
        raise Stopped(
            Text(f"{first.about}: {first.seen.en}; {first.do.en}", f"{first.about}：{first.seen.zh}；{first.do.zh}")
        )
    if any(old.taken_by for one in plan.groups for old in one.group.old):
        run.stage = "between"  # an earlier run came so far
    done: list[Taken] = []
    for one in plan.groups:
        done.append(await _take_share(run, one, plan))
    return done


async def _take_share(run: _Run, plan: GroupPlan, whole: TakeoverPlan) -> Taken:
    group, clock = plan.group, asyncio.get_running_loop().time
    settings = _settings(run, plan, whole)
    names = ", ".join(group.provisioners)
    seen = Text(
        f": {several(len(plan.seen.present), 'directory')} of {several(len(group.volumes), 'volume')} seen over NFS",
        f"：通过 NFS 看到 {len(group.volumes)} 个卷中 {len(plan.seen.present)} 个的目录",
    )
    if not run.wanted.with_share:
        seen = Text("", "")
    run.tell(f"{group.share}{seen.en}; taking over {names}", f"{group.share}{seen.zh}；开始接管 {names}")
    if not plan.is_done:
        await check_rights(run.api, plan, settings, run.permissions)
    if run.wanted.with_share:
        await _open_homes(run, plan)
    begin = clock()
    await _stop_old(run, plan)
    # Only now: what the old provisioner did until its end is seen.
    volumes = await _volumes_now(run, plan)
    recorded = await _record(run, plan, volumes)
    leader, by = await _start(run, plan, settings)
    seconds = 0.0 if plan.is_done else clock() - begin
    checked, lost = await _check(run, plan, volumes)
    return Taken(
        share=str(group.share),
        provisioners=group.provisioners,
        old=tuple(one.key for one in group.old),
        by=by,
        leader=leader,
        seconds=round(seconds, 1),
        volumes=len(volumes),
        checked=checked,
        lost=lost,
        missing=tuple(one.pv for one in plan.seen.missing),
        recorded=recorded,
        unrecorded=tuple(one.pv for one in volumes if not one.is_proven and not one.by_berth),
    )


async def _open_homes(run: _Run, plan: GroupPlan) -> None:
    """`.berth/` can be made on the share: before anything else is done, since without it nothing could be recorded."""
    homes = Homes(run.uid)
    try:
        for address in dict.fromkeys(one.plan.share for one in plan.group.volumes if one.plan is not None):
            await homes.open(await run.shares.get(address))
    except VolumeError as error:
        raise Stopped(
            Text(
                f"Berth's own directory .berth can't be made on {plan.group.share}: {error}",
                f"无法在 {plan.group.share} 上创建 Berth 自己的目录 .berth：{error}",
            )
        ) from error


def _settings(run: _Run, plan: GroupPlan, whole: TakeoverPlan) -> InstallSettings:
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


async def _stop_old(run: _Run, plan: GroupPlan) -> None:
    """The old provisioners' pods are gone, and nobody holds their locks."""
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
        raise Stopped(
            Text(
                f"{', '.join(left)} did not end within {run.patience:g} s; see what holds it with `kubectl -n "
                f"{left[0].partition('/')[0]} describe pod {left[0].partition('/')[2]}` (a node that is down? a share "
                f"that can't be unmounted?)",
                f"{'、'.join(left)} 在 {run.patience:g} 秒内没有结束；用 `kubectl -n {left[0].partition('/')[0]} "
                f"describe pod {left[0].partition('/')[2]}` 查看原因（节点失联？共享目录无法卸载？）",
            )
        )

    def held(lock: Held) -> None:
        run.tell(
            f"waiting until {lock.where}, held by {lock.holder}, is not renewed for {lock.lasts:g} s",
            f"等待 {lock.where}（持有者 {lock.holder}）停止续约满 {lock.lasts:g} 秒",
        )

    if plan.is_done:
        return  # their locks were free before Berth started
    locks = [(name, one.namespace) for one in plan.group.old for name in one.provisioners]
    own = f"{plan.by.name}-" if any(one.namespace == plan.by.namespace for one in plan.group.old) else ""
    lock = await wait_free(run.api, locks, but=own, patience=run.patience, progress=held)
    if lock is not None:
        raise Stopped(
            Text(
                f"{lock.holder} goes on renewing {lock.where}: another process of the old provisioner runs somewhere "
                f"(in another Deployment, or outside the cluster); end it",
                f"{lock.holder} 仍在续约 {lock.where}：旧供应器还有别的进程在运行"
                f"（在其他 Deployment 或集群外），请结束它",
            )
        )


async def _volumes_now(run: _Run, plan: GroupPlan) -> list[OldVolume]:
    _, found = await find_all(run.api)
    mine = {one.key for one in plan.group.old}
    groups = make_groups([one for one in found.old if one.key in mine], await read_cluster(run.api))
    return [volume for group in groups for volume in group.volumes]


async def _record(run: _Run, plan: GroupPlan, volumes: list[OldVolume]) -> Recorded:
    if not run.wanted.with_share:
        return Recorded(0, 0, ())
    try:
        there, _, _ = await check_directories(run.shares, volumes)
        present = set(there)
        proven = [one for one in volumes if one.is_proven and one.pv in present]
        run.tell(
            f"writing records of {several(len(proven), 'volume')} below {plan.group.share}/.berth",
            f"正在 {plan.group.share}/.berth 下为 {len(proven)} 个卷写记录",
        )
        return await write_records(run.shares, proven, run.uid)
    except VolumeError as error:
        raise Stopped(Text(f"the records could not be written: {error}", f"无法写记录：{error}")) from error


async def _start(run: _Run, plan: GroupPlan, settings: InstallSettings) -> tuple[str, str]:
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
            if rollout not in seen[-1:]:
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


def _why_not_led(run: _Run, plan: GroupPlan, seen: list[Rollout]) -> Text:
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


async def _running(run: _Run, plan: GroupPlan) -> Berth | None:
    _, found = await find_all(run.api)
    return serves_already(plan.group, found)


async def _write_down(run: _Run, plan: GroupPlan, leader: Held) -> str:
    """Where the Berth runs that we didn't install, on the old Deployments, for the way back; and answers it."""
    running = await _running(run, plan)
    by = running.key if running is not None else f"{leader.namespace}/{plan.by.name}"
    _, found = await find_all(run.api)
    mine = {one.key for one in plan.group.old}
    for one in found.old:
        if one.key in mine and one.taken_by != by:
            await scale_down(run.api, one, by)
    return by


def _tell_applied(run: _Run, one: Applied) -> None:
    if one.what != "unchanged":
        words = {"created": "已创建", "changed": "已更新", "removed": "已删除"}
        run.tell(f"{one.kind} {one.key} {one.what}", f"{one.kind} {one.key} {words.get(one.what, one.what)}")


async def _check(run: _Run, plan: GroupPlan, volumes: list[OldVolume]) -> tuple[int, tuple[str, ...]]:
    """Looks at every directory again, now that Berth works: how many are there, and PVs in use that lost theirs."""
    if not run.wanted.with_share:
        return 0, ()
    present, missing, _ = await check_directories(run.shares, volumes)
    gone = {one.pv for one in missing if one.pv in plan.seen.present and one.phase == "Bound"}
    if gone:  # deleted by Berth in the meantime, as their claims were: then the PVs go, too
        in_use = {one.pv for one in await _volumes_now(run, plan) if one.phase == "Bound" and not one.is_leaving}
        gone &= in_use
    return len(present), tuple(sorted(gone))


async def _cluster_uid(api: ManifestApi) -> str:
    namespace = await api.get(Namespace, "kube-system")
    return (namespace.metadata.uid if namespace.metadata else None) or ""
