"""The way back: the names taken from Berth, its lock free, what it keeps true taken away, the old provisioner up with
the pods that it had. A Berth that others need goes on for them; one that nobody needs is left without pods.

Claims that Berth served in between have PVs and directories as the old provisioner makes them, so it can delete them:
what would hinder it, Berth's finalizer, is taken off their PVs.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from berth.kube.access import read_cluster_uid
from berth.kube.errors import Conflict, NotFound
from berth.kube.manifest import ManifestApi, place
from berth.objects import translation
from berth.objects.translation import FINALIZER
from berth.operations.errors import Stopped
from berth.operations.looking import describe_pod
from berth.operations.takeover.inventory import Group, OldVolume, is_nested, make_groups, read_cluster
from berth.operations.takeover.locks import Held, places_of_leases, wait_free
from berth.operations.takeover.names import carries, read_names, set_names
from berth.operations.takeover.old import OldProvisioner
from berth.operations.takeover.plan import choose, find_all
from berth.operations.takeover.records import remove_records, waiting_trash
from berth.operations.takeover.step import Stage, Step, Told
from berth.operations.takeover.workloads import MANAGER, scale_back, wait_pods_gone, wait_pods_ready
from berth.shares.choose import Shares
from berth.texts.counting import several
from berth.texts.text import Text
from berth.volumes.errors import VolumeError

_TRIES = 5
"""Against writers that come in between."""


@dataclass(frozen=True, slots=True)
class Reverted:
    """What became of one installation of Berth, and of the old provisioners that serve again."""

    by: str
    is_installed: bool
    """Its Deployment is there still."""
    goes_on_as: tuple[str, ...]
    """The names for which it works on; none: it has no pods."""
    old: tuple[str, ...]
    waits_for: str
    """Why not all their pods are ready that were before; empty when they are."""
    never_ready: tuple[str, ...]
    """Those of them that had no ready pod before the take-over either: nobody waited for them."""
    records_removed: int
    trash: int
    """Deleted volumes that Berth had not purged yet: they lie in .berth/trash."""
    finalizers_removed: int
    held: tuple[str, ...]
    """PVs that wait for Berth, since somebody deleted them by hand: taking the finalizer off would leak their data."""
    born: int
    """Volumes that Berth made in between."""
    not_deletable: tuple[str, ...]
    """Of all volumes, those whose directory release 4.0.2 will not find when their claims go."""
    share_why: str
    """Why nobody could look at the share; empty when somebody did."""


@dataclass(slots=True)
class _Run:
    api: ManifestApi
    shares: Shares
    patience: float
    told: Told
    stage: Stage = "nothing"

    def tell(self, en: str, zh: str) -> None:
        self.told(Step(self.stage, Text(en, zh)))


async def revert(
    api: ManifestApi, shares: Shares, *, only: tuple[str, ...], with_share: bool, patience: float, told: Told
) -> list[Reverted]:
    """Goes back for those that were taken over (or the named ones of them); empty where none was, or all are back.
    Stopped, KubeError. Repeatable.
    """
    run = _Run(api, shares, patience, told)
    _, found = await find_all(api, only)
    by_berth: defaultdict[str, list[OldProvisioner]] = defaultdict(list)
    for one in choose(found.old, only):
        if one.taken_by:
            by_berth[one.taken_by].append(one)
    for by, members in by_berth.items():
        others = [one.key for one in found.old if one.taken_by == by and one not in members]
        if others:
            raise Stopped(
                Text(
                    f"{by} took over {', '.join(others)} as well, and can't stop for some of them only; leave the "
                    f"names out, or give all of them",
                    f"{by} 还接管了 {'、'.join(others)}，无法只为其中一部分停止；请不写名字，或把它们全部写上",
                )
            )
    uid = await read_cluster_uid(api)
    return [await _go_back(run, by, members, with_share, uid) for by, members in by_berth.items()]


async def _go_back(run: _Run, by: str, old: list[OldProvisioner], with_share: bool, uid: str) -> Reverted:
    cluster = await read_cluster(run.api)
    names = {name for one in old for name in one.provisioners}
    used = {one.provisioner for one in cluster.classes} | {translation.provisioned_by(one) for one in cluster.volumes}
    namespace, _, name = by.partition("/")
    answers = await read_names(run.api, namespace, name)
    rest = tuple(one for one in answers if one not in names)
    goes_on_as = rest if used & set(rest) else ()
    is_installed = await _stop_berth(run, by, old, rest or answers, goes_on=bool(goes_on_as))
    groups = make_groups(old, await read_cluster(run.api))
    volumes = [volume for group in groups for volume in group.volumes]
    removed, trash, why = 0, 0, "" if with_share else "--without-share"
    if with_share:
        try:
            removed, trash = await _clear_share(run, groups, volumes, uid)
        except VolumeError as error:  # records that stay do no harm: Berth's next start tidies them
            why = str(error)
    taken_off, held = await _take_finalizers_off(run, volumes)
    for one in old:
        before = one.replicas or one.before or 0
        run.tell(
            f"scaling {one.key} up to {several(before, 'pod')}, as it was", f"正在把 {one.key} 恢复为 {before} 个 Pod"
        )
        await scale_back(run.api, one)
    run.stage = "served"

    def progress(waits: str) -> None:
        run.tell(f"waiting for {waits}", f"等待 {waits}")

    never = [one for one in old if one.ready_before == 0 or not (one.replicas or one.before)]
    awaited = [one for one in old if one not in never]
    waits_for = await wait_pods_ready(run.api, awaited, patience=run.patience, progress=progress)
    return Reverted(
        by=by,
        is_installed=is_installed,
        goes_on_as=goes_on_as if is_installed else (),
        old=tuple(one.key for one in old),
        waits_for=waits_for,
        never_ready=tuple(one.key for one in never),
        records_removed=removed,
        trash=trash,
        finalizers_removed=taken_off,
        held=held,
        born=sum(one.by_berth for one in volumes),
        not_deletable=tuple(one.pv for one in volumes if is_nested(one) or one.plan is None),
        share_why=why,
    )


async def _stop_berth(run: _Run, by: str, old: list[OldProvisioner], rest: tuple[str, ...], *, goes_on: bool) -> bool:
    """Berth answers to the old names no longer, and their locks are free. rest: the names that it keeps; goes_on: with
    its pods. False: it has no Deployment of that name; then it was asked for.
    """
    namespace, _, name = by.partition("/")
    names = [provisioner for one in old for provisioner in one.provisioners]
    run.stage = "between"
    if goes_on:
        run.tell(
            f"taking {', '.join(names)} from Berth ({by}), which goes on as {', '.join(rest)}",
            f"正在从 Berth（{by}）收回 {'、'.join(names)}，它继续以 {'、'.join(rest)} 之名工作",
        )
    else:
        run.tell(f"scaling Berth ({by}) down", f"正在缩容 Berth（{by}）")
    # The old names leave the Deployment, too: whoever scales it up again does not set two to work on one name.
    selector = await set_names(run.api, namespace, name, rest, replicas=None if goes_on else 0)
    if selector is None:
        run.tell(
            f"there is no Deployment {by}: if Berth runs elsewhere, end it now",
            f"没有名为 {by} 的 Deployment：如果 Berth 在别处运行，请现在停止它",
        )
    else:

        def still(left: tuple[str, ...]) -> None:
            run.tell(f"waiting for the end of {', '.join(left)}", f"等待 {'、'.join(left)} 结束")

        left = await wait_pods_gone(
            run.api,
            [(namespace, selector)],
            patience=run.patience,
            progress=still,
            counts=lambda pod: not goes_on or carries(pod, names),
        )
        if left:
            raise Stopped(
                Text(
                    f"{', '.join(left)} did not end within {run.patience:g} s; see why with `{describe_pod(left[0])}`",
                    f"{'、'.join(left)} 在 {run.patience:g} 秒内没有结束；用 `{describe_pod(left[0])}` 查看原因",
                )
            )

    def held(lock: Held) -> None:
        run.tell(
            f"waiting until {lock.where}, held by {lock.holder}, is given back or not renewed for {lock.lasts:g} s",
            f"等待 {lock.where}（持有者 {lock.holder}）被归还，或停止续约满 {lock.lasts:g} 秒",
        )

    locks = list(dict.fromkeys([*((name, namespace) for name in names), *await places_of_leases(run.api, names)]))
    lock = await wait_free(run.api, locks, but="", patience=run.patience, progress=held)
    if lock is not None:
        raise Stopped(
            Text(
                f"{lock.holder} goes on renewing {lock.where}: end that process first, or two would work on the same "
                f"claims",
                f"{lock.holder} 仍在续约 {lock.where}：请先结束该进程，否则会有两个制备器处理相同的 PVC",
            )
        )
    return selector is not None


async def _clear_share(run: _Run, groups: list[Group], volumes: list[OldVolume], uid: str) -> tuple[int, int]:
    run.tell(
        f"removing Berth's records of {several(len(volumes), 'volume')}; no directory is touched",
        f"正在删除 Berth 为 {len(volumes)} 个卷写的记录；不动任何目录",
    )
    removed = await remove_records(run.shares, volumes, uid)
    return removed, await waiting_trash(run.shares, [group.share for group in groups])


async def _take_finalizers_off(run: _Run, volumes: list[OldVolume]) -> tuple[int, tuple[str, ...]]:
    """From PVs that Berth made: the old provisioner would not, and such a PV would never go."""
    count, held = 0, []
    for volume in volumes:
        if FINALIZER not in volume.finalizers:
            continue
        if volume.is_leaving:
            held.append(volume.pv)
        elif await _take_finalizer_off(run.api, volume.pv):
            count += 1
    return count, tuple(held)


async def _take_finalizer_off(api: ManifestApi, pv: str) -> bool:
    where = place("v1", "PersistentVolume", pv)
    for _ in range(_TRIES):
        try:
            metadata = (await api.read(where))["metadata"]
            if metadata.get("deletionTimestamp") or FINALIZER not in (metadata.get("finalizers") or ()):
                return False
            rest = [one for one in metadata["finalizers"] if one != FINALIZER]
            patch = {"metadata": {"finalizers": rest, "resourceVersion": metadata["resourceVersion"]}}
            await api.merge(where, patch, manager=MANAGER)
        except NotFound:
            return False
        except Conflict:
            continue
        return True
    raise Stopped(Text(f"PV {pv} changes all the time; try again", f"PV {pv} 一直在被修改，请重试"))
