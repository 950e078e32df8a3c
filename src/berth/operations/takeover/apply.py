"""The take-over itself, share by share: the old provisioner down, its lock free, records, Berth up, all checked.

Every step looks at what is there and can be repeated: interrupted anywhere, the next run goes on. Records are written
while nobody provisions, so that Berth finds them when it starts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from lightkube.resources.core_v1 import Namespace

from berth.kube.manifest import ManifestApi
from berth.kube.permissions import Permission
from berth.operations.errors import Stopped
from berth.operations.takeover.inventory import OldVolume, make_groups, read_cluster
from berth.operations.takeover.locks import Held, wait_free
from berth.operations.takeover.plan import GroupPlan, TakeoverPlan, Wanted, find_all, make_plan
from berth.operations.takeover.preflight import check_rights
from berth.operations.takeover.records import Recorded, write_records
from berth.operations.takeover.remark import several
from berth.operations.takeover.run import Run
from berth.operations.takeover.share import check_directories
from berth.operations.takeover.start import settings_for, start
from berth.operations.takeover.step import Told
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
    run = Run(api, shares, wanted, settings, tuple(permissions), patience, told, uid)
    plan = await make_plan(api, shares, wanted)
    half = [old.key for one in plan.groups if not one.is_done for old in one.group.old if old.taken_by]
    if half:
        run.stage = "between"
        run.tell(f"going on where an earlier run ended, with {', '.join(half)}", f"从上次中断处继续：{'、'.join(half)}")
    if plan.stops:
        first = plan.stops[0]
        raise Stopped(
            Text(f"{first.about}: {first.seen.en}; {first.do.en}", f"{first.about}：{first.seen.zh}；{first.do.zh}")
        )
    done: list[Taken] = []
    for one in plan.groups:
        done.append(await _take_share(run, one, plan))
    return done


async def _take_share(run: Run, plan: GroupPlan, whole: TakeoverPlan) -> Taken:
    group, clock = plan.group, asyncio.get_running_loop().time
    settings = settings_for(run, plan, whole)
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
    leader, by = await start(run, plan, settings)
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


async def _open_homes(run: Run, plan: GroupPlan) -> None:
    """`.berth/` can be made on the share: before anything else is done, since without it nothing could be recorded."""
    homes = Homes(run.uid)
    to_record = [one.plan for one in plan.group.volumes if one.plan and one.is_proven and one.pv in plan.seen.present]
    try:
        for address in dict.fromkeys(one.share for one in to_record):
            await homes.open(await run.shares.get(address))
    except VolumeError as error:
        raise Stopped(
            Text(
                f"Berth's own directory .berth can't be made on {plan.group.share}: {error}",
                f"无法在 {plan.group.share} 上创建 Berth 自己的目录 .berth：{error}",
            )
        ) from error


async def _stop_old(run: Run, plan: GroupPlan) -> None:
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


async def _volumes_now(run: Run, plan: GroupPlan) -> list[OldVolume]:
    _, found = await find_all(run.api)
    mine = {one.key for one in plan.group.old}
    groups = make_groups([one for one in found.old if one.key in mine], await read_cluster(run.api))
    return [volume for group in groups for volume in group.volumes]


async def _record(run: Run, plan: GroupPlan, volumes: list[OldVolume]) -> Recorded:
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


async def _check(run: Run, plan: GroupPlan, volumes: list[OldVolume]) -> tuple[int, tuple[str, ...]]:
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
