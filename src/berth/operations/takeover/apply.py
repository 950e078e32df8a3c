"""The take-over itself, share by share: Berth stands by, ready; only then the old provisioner down and its lock free,
records, its names handed to Berth, all checked. What goes wrong in between puts the old provisioner back.

Every step looks at what is there and can be repeated: killed anywhere, the next run goes on where Berth is ready, and
puts the old provisioner back first where it is not. Records are written while nobody provisions, so that Berth finds
them when it gets the names.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from berth.kube.access import read_cluster_uid
from berth.kube.manifest import ManifestApi
from berth.manifests.workload import Workload
from berth.operations.errors import Stopped
from berth.operations.takeover.findings import called
from berth.operations.takeover.handover import start, stop_old, wait_locks_free
from berth.operations.takeover.inventory import OldVolume, make_groups, read_cluster
from berth.operations.takeover.names import end_hand_over
from berth.operations.takeover.plan import GroupPlan, TakeoverPlan, Wanted, find_all, make_plan
from berth.operations.takeover.preflight import check_rights
from berth.operations.takeover.putback import put_back
from berth.operations.takeover.records import Recorded, write_records
from berth.operations.takeover.run import Run
from berth.operations.takeover.share import check_directories
from berth.operations.takeover.standby import is_ready, settings_for, stand_by
from berth.operations.takeover.step import Told
from berth.settings.install import InstallSettings
from berth.shares.choose import Shares
from berth.texts.counting import several, some
from berth.texts.text import Text
from berth.volumes.errors import VolumeError
from berth.volumes.metadata_dir import MetadataDirs


@dataclass(frozen=True, slots=True)
class TakenOver:
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
    workload: Workload,
    *,
    patience: float,
    told: Told,
    given: frozenset[str] = frozenset(),
) -> list[TakenOver]:
    """Does what the plan says, for each share. Stopped says what is in the way; KubeError. Repeatable.

    settings: of each installation; names, share and provisioners are filled in. given: those of them that somebody
    chose. patience: seconds for each wait. Cancelled or failed before Berth serves a share, its old provisioner is put
    back before this ends; cancelled once more, it ends at once.
    """
    uid = await read_cluster_uid(api)
    run = Run(api, shares, wanted, settings, workload, patience, told, uid, given)
    plan = await _whole_plan(run)
    done: list[TakenOver] = []
    for one in plan.groups:
        done.append(await _take_share(run, one, plan))
    return done


async def _whole_plan(run: Run) -> TakeoverPlan:
    """The plan, once nothing is in the way. What was left half done, and can't be gone on with, is put back."""
    plan = await make_plan(run.api, run.shares, run.wanted)
    half = [one for one in plan.groups if one.half]
    for one in half:
        run.stage = "between"
        keys = ", ".join(old.key for old in one.half)
        is_good = not plan.stops and (
            not one.is_installing or await is_ready(run, one, settings_for(run, one, plan))
        )  # fmt: skip
        if is_good:
            run.tell(f"going on where an earlier run ended, with {keys}", f"从上次中断处继续：{keys}")
        else:
            run.tell(
                f"an earlier run ended half-way with {keys}, and Berth is not ready to go on",
                f"上次运行在处理 {keys} 时中途结束，而 Berth 尚未就绪，无法继续",
            )
            await put_back(run, one)
    if plan.stops:
        first, about = plan.stops[0], called(plan.stops[0])
        raise Stopped(Text(f"{about}: {first.seen.en}; {first.do.en}", f"{about}：{first.seen.zh}；{first.do.zh}"))
    return await make_plan(run.api, run.shares, run.wanted) if half else plan


async def _take_share(run: Run, plan: GroupPlan, whole: TakeoverPlan) -> TakenOver:
    group, clock = plan.group, asyncio.get_running_loop().time
    settings = settings_for(run, plan, whole)
    names = ", ".join(group.provisioners)
    seen = Text(
        f": {several(len(plan.seen.present), 'directory')} of {several(len(group.volumes), 'volume')} seen over NFS",
        f"：通过 NFS 看到 {len(group.volumes)} 个卷中 {len(plan.seen.present)} 个的目录",
    )
    if not run.wanted.with_share:
        seen = Text("", "")
    if plan.half:
        run.stage = "between"
    run.tell(f"{group.share}{seen.en}; taking over {names}", f"{group.share}{seen.zh}；开始接管 {names}")
    begin = clock()
    try:
        begin = await _get_ready(run, plan, settings)
        # Only now: what the old provisioner did until its end is seen.
        volumes = await _volumes_now(run, plan)
        if plan.is_done:
            recorded, leader, by = await _record(run, plan, volumes), "", plan.by.key
            if plan.is_installing:
                await end_hand_over(run.api, plan.by.namespace, plan.by.name)
        else:
            await wait_locks_free(run, plan)
            recorded = await _record(run, plan, volumes)
            leader, by = await start(run, plan, settings)
        run.stage = "served"
    except BaseException:
        if run.stage == "between":
            await put_back(run, plan)
        raise
    seconds = 0.0 if plan.is_done else clock() - begin
    checked, lost = await _check(run, plan, volumes)
    return TakenOver(
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


async def _get_ready(run: Run, plan: GroupPlan, settings: InstallSettings) -> float:
    """Berth is ready, and the old provisioner's pods are gone; since when nobody provisions."""
    if plan.is_done:
        return asyncio.get_running_loop().time()
    uses = run.wanted.is_named or run.wanted.uses_namespace
    await check_rights(run.api, plan, settings, run.workload, uses_namespace=uses)
    if run.wanted.with_share:
        await _open_homes(run, plan)
    if plan.is_installing and not await is_ready(run, plan, settings):
        await stand_by(run, plan, settings)
    begin = asyncio.get_running_loop().time()
    await stop_old(run, plan)
    return begin


async def _open_homes(run: Run, plan: GroupPlan) -> None:
    """`.berth/` can be made on the share: before anything else is done, since without it nothing could be recorded."""
    metadata = MetadataDirs(run.uid)
    to_record = [one.plan for one in plan.group.volumes if one.plan and one.is_proven and one.pv in plan.seen.present]
    try:
        for address in dict.fromkeys(one.share for one in to_record):
            await metadata.open(await run.shares.get(address))
    except VolumeError as error:
        raise Stopped(
            Text(
                f"Berth's own directory .berth can't be made on {plan.group.share}: {error}",
                f"无法在 {plan.group.share} 上创建 Berth 自己的目录 .berth：{error}",
            )
        ) from error


async def _volumes_now(run: Run, plan: GroupPlan) -> list[OldVolume]:
    _, found = await find_all(run.api, run.wanted.trusted)
    mine = {one.key for one in plan.group.old}
    groups = make_groups([one for one in found.old if one.key in mine], await read_cluster(run.api))
    return [volume for group in groups for volume in group.volumes]


async def _record(run: Run, plan: GroupPlan, volumes: list[OldVolume]) -> Recorded:
    if not run.wanted.with_share:
        return Recorded(0, 0, ())
    try:
        there, _, odd = await check_directories(run.shares, volumes)
        unseen = some(f"{one.pv} ({why})" for one, why in odd if one.pv in plan.seen.present)
        if unseen.en:  # the share went away since, and who serves without records would keep these for ever
            raise Stopped(_not_recorded(unseen))
        present = set(there)
        proven = [one for one in volumes if one.is_proven and one.pv in present]
        run.tell(
            f"writing records of {several(len(proven), 'volume')} below {plan.group.share}/.berth",
            f"正在 {plan.group.share}/.berth 下为 {len(proven)} 个卷写记录",
        )
        return await write_records(run.shares, proven, run.uid)
    except VolumeError as error:
        raise Stopped(_not_recorded(Text(str(error), str(error)))) from error


def _not_recorded(why: Text) -> Text:
    return Text(f"the records could not be written: {why.en}", f"无法写记录：{why.zh}")


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
