"""The plan of a take-over: who is there, what is wrong, what would be done. Nothing is changed."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from berth.kube.leader import lock_name
from berth.kube.manifest import ManifestApi, place
from berth.operations.errors import Stopped
from berth.operations.install import OLDEST
from berth.operations.takeover.classes import class_name, judge_classes
from berth.operations.takeover.inventory import Cluster, Group, make_groups, read_cluster, unserved
from berth.operations.takeover.old import Berth, Found, OldProvisioner, find
from berth.operations.takeover.remark import Remark, by_weight, several
from berth.operations.takeover.share import Seen, judge_share, look
from berth.operations.takeover.volumes import judge_volumes
from berth.reconcilers.objects import Place
from berth.settings.install import NAME, NAMESPACE
from berth.shares.choose import Shares
from berth.texts.text import Text


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a take-over is about, and who is to serve afterwards."""

    only: tuple[str, ...] = ()
    """Deployments, as `namespace/name`; empty: all."""
    name: str = NAME
    """Of the installation of Berth; a second share gets `<name>-2`, and so on."""
    namespace: str = NAMESPACE
    is_installing: bool = True
    """False: somebody else runs Berth, by Helm or git."""
    with_share: bool = True
    """False: nothing is asked of NFS servers, and no records are written."""


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """What would be done about one share."""

    group: Group
    seen: Seen
    by: Berth
    """The installation that will serve; replicas as they are now."""
    is_installing: bool
    remarks: tuple[Remark, ...]

    @property
    def is_done(self) -> bool:
        """Whether this was taken over, and whoever took over is to run."""
        return self.by.replicas > 0 and all(one.replicas == 0 and one.taken_by for one in self.group.old)

    @property
    def to_record(self) -> int:
        """How many volumes get a record, unless they have one."""
        return sum(one.is_proven and one.pv in self.seen.present for one in self.group.volumes)

    def as_dict(self) -> dict[str, object]:
        """For `-o json`."""
        group, seen = self.group, self.seen
        return {
            "share": str(group.share),
            "provisioners": list(group.provisioners),
            "deployments": [
                {
                    "namespace": one.namespace,
                    "name": one.name,
                    "image": one.image,
                    "serviceAccount": one.account,
                    "replicas": one.replicas,
                    "replicasBefore": one.before,
                    "takenOverBy": one.taken_by,
                }
                for one in group.old
            ],
            "classes": [class_name(one) for one in group.classes],
            "volumes": [
                {"pv": one.pv, "claim": one.claim, "path": one.absolute_path, "class": one.class_name,
                 "end": one.plan.end if one.plan else None, "why": one.why or (one.plan.why if one.plan else ""),
                 "directory": one.pv in seen.present if not seen.why else None}
                for one in group.volumes
            ],
            "waitingClaims": list(group.waiting),
            "directories": {"checked": not seen.why, "present": len(seen.present), "missing": len(seen.missing),
                            "archives": len(seen.archives), "leaked": list(seen.leaked), "kept": list(seen.kept)},
            "berth": {"namespace": self.by.namespace, "name": self.by.name, "installed": self.is_installing},
            "done": self.is_done,
            "remarks": [one.as_dict() for one in self.remarks],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class TakeoverPlan:
    """Everything, share by share."""

    kubernetes: tuple[int, int]
    groups: tuple[GroupPlan, ...]
    remarks: tuple[Remark, ...]
    """About no single share."""

    @property
    def stops(self) -> tuple[Remark, ...]:
        """What must be mended first."""
        every = [*self.remarks, *(remark for one in self.groups for remark in one.remarks)]
        return tuple(one for one in every if one.weight == "stop")

    def as_dict(self) -> dict[str, object]:
        """For `-o json`."""
        return {"shares": [one.as_dict() for one in self.groups], "remarks": [one.as_dict() for one in self.remarks]}


async def make_plan(api: ManifestApi, shares: Shares, wanted: Wanted) -> TakeoverPlan:
    """Looks at everything and changes nothing. KubeError; Stopped when something that was named is not there."""
    kubernetes, found = await find_all(api)
    cluster = await read_cluster(api)
    chosen = choose(found.old, wanted.only)
    groups = make_groups(chosen, cluster)
    taken = _assign(groups, found, wanted)
    plans = []
    for group, by in zip(groups, taken, strict=True):
        seen = await look(shares, group) if wanted.with_share else Seen(why="--without-share")
        remarks = [*_clashes(group, found, by), *judge_classes(group), *judge_volumes(group)]
        if wanted.with_share:
            remarks += judge_share(group, seen)
        running = serves_already(group, found)
        installing = wanted.is_installing and (running is None or running.key == by.key)
        plans.append(GroupPlan(group, seen, by, installing, by_weight(remarks)))
    return TakeoverPlan(kubernetes, tuple(plans), by_weight(_general(kubernetes, found, cluster, wanted)))


async def find_all(api: ManifestApi) -> tuple[tuple[int, int], Found]:
    """The cluster's release, and all that provision in it."""
    kubernetes = await api.version()
    return kubernetes, find((await api.read(place("apps/v1", "Deployment")))["items"], kubernetes)


def choose(old: Sequence[OldProvisioner], only: Iterable[str]) -> list[OldProvisioner]:
    """Those that were named, or all. Stopped for a name that is none's."""
    known, named = {one.key: one for one in old}, list(only)
    for key in named:
        if key not in known:
            others = ", ".join(known)
            raise Stopped(
                Text(
                    f"there is no old provisioner {key}" + (f"; there are {others}" if others else ", nor any other"),
                    f"没有名为 {key} 的旧供应器" + (f"，现有 {others}" if others else "，集群里也没有其他旧供应器"),
                )
            )
    return [one for one in old if not named or one.key in named]


def _assign(groups: Sequence[Group], found: Found, wanted: Wanted) -> list[Berth]:
    """Which installation serves each share: who does so already or was to, else the next name that is free."""
    known = {one.key: one for one in found.berths}
    taken: list[Berth] = []
    for group in groups:
        used = {one.taken_by for one in found.old if one not in group.old} | {one.key for one in taken}
        before = next((one.taken_by for one in group.old if one.taken_by in known), "")
        running = serves_already(group, found)
        key = before or (running.key if running is not None else "")
        number = 1
        while not key:
            name = wanted.name if number == 1 else f"{wanted.name}-{number}"
            candidate = f"{wanted.namespace}/{name}"
            if candidate not in used and candidate not in known:
                key = candidate
            number += 1
        namespace, _, name = key.partition("/")
        nobody = Berth(namespace, name, group.provisioners, group.share.server, group.share.export, 0)
        taken.append(known.get(key, nobody))
    return taken


def serves_already(group: Group, found: Found) -> Berth | None:
    """A Berth that somebody installed for these names."""
    names = set(group.provisioners)
    return next((one for one in found.berths if names <= set(one.provisioners)), None)


def _clashes(group: Group, found: Found, by: Berth) -> list[Remark]:
    remarks = []
    mine = {one.key for one in group.old}
    for other in found.old:
        shared = set(other.provisioners) & set(group.provisioners)
        if other.key not in mine and shared:
            names = ", ".join(sorted(shared))
            remarks.append(
                Remark(
                    "one-name-two-shares",
                    "stop",
                    f"deployment {other.key}",
                    Text(
                        f"it answers to {names}, too, for another share ({other.share}); which of the two serves a "
                        f"claim is chance, today as well",
                        f"它也以 {names} 之名供应另一个共享目录（{other.share}）；现在 PVC 由哪一个供应就已全凭运气",
                    ),
                    Text(
                        "scale down and delete the one that is not wanted, then plan again",
                        "请缩容并删除不需要的那一个，然后重新执行 plan",
                    ),
                    (f"kubectl -n {other.namespace} scale deployment {other.name} --replicas=0",),
                )
            )
    missing = set(group.provisioners) - set(by.provisioners)
    if by.replicas and missing:
        remarks.append(_berth_lacks(by, sorted(missing), group))
    is_other = (by.server.lower(), by.export) != (group.share.server.lower(), group.share.export)
    if by.replicas and not missing and is_other:
        remarks.append(_berth_elsewhere(by, group))
    running = [one.key for one in group.old if one.replicas]
    if by.replicas and running and not any(one.taken_by for one in group.old):
        remarks.append(_both_run(by, running))
    if len(group.old) > 1:
        remarks.append(_several(group))
    return remarks


def _berth_lacks(by: Berth, missing: list[str], group: Group) -> Remark:
    names = ",".join(dict.fromkeys((*by.provisioners, *group.provisioners)))
    return Remark(
        "berth-lacks-name",
        "note",
        f"deployment {by.key}",
        Text(
            f"Berth runs there already and does not answer to {', '.join(missing)} yet",
            f"那里已有 Berth 在运行，但还不响应 {'、'.join(missing)}",
        ),
        Text(
            f"apply adds the name; where Berth is run otherwise, set PROVISIONER_NAME to {names}",
            f"apply 会加上；若 Berth 由别的方式部署，请把 PROVISIONER_NAME 设为 {names}",
        ),
    )


def _berth_elsewhere(by: Berth, group: Group) -> Remark:
    here = f"{by.server}:{by.export}" if by.server else "-"
    return Remark(
        "berth-elsewhere",
        "stop",
        f"deployment {by.key}",
        Text(
            f"Berth answers to these names already, but its default share is {here}, not {group.share}: classes that "
            f"name no share would get the other one",
            f"Berth 已响应这些名字，但它的默认共享目录是 {here} 而不是 {group.share}：没有写明共享目录的存储类会用错",
        ),
        Text(
            f"set NFS_SERVER={group.share.server} and NFS_PATH={group.share.export} there",
            f"请在那里设置 NFS_SERVER={group.share.server} 和 NFS_PATH={group.share.export}",
        ),
    )


def _both_run(by: Berth, running: list[str]) -> Remark:
    return Remark(
        "both-run",
        "warning",
        f"deployment {by.key}",
        Text(
            f"Berth and {', '.join(running)} answer to the same name at the same time",
            f"Berth 和 {'、'.join(running)} 正同时响应同一个名字",
        ),
        Text("apply ends that: the old one is scaled down", "apply 会把旧的缩容，从而结束这种状况"),
    )


def _several(group: Group) -> Remark:
    names = Counter(name for one in group.old for name in one.provisioners)
    twice = sorted(name for name, count in names.items() if count > 1)
    same = Text(f"; of them several answer to {', '.join(twice)}", f"，其中有几个响应 {'、'.join(twice)}")
    return Remark(
        "several-on-one-share",
        "note",
        f"share {group.share}",
        Text(
            f"{several(len(group.old), 'old provisioner')} work on it: {', '.join(one.key for one in group.old)}"
            + (same.en if twice else ""),
            f"有 {len(group.old)} 个旧供应器在用它：{'、'.join(one.key for one in group.old)}"
            + (same.zh if twice else ""),
        ),
        Text("one Berth takes over all of them", "由同一个 Berth 一并接管"),
    )


def _general(kubernetes: tuple[int, int], found: Found, cluster: Cluster, wanted: Wanted) -> list[Remark]:
    remarks = list(found.unclear)
    if kubernetes < OLDEST:
        release, oldest = (".".join(map(str, one)) for one in (kubernetes, OLDEST))
        remarks.append(
            Remark(
                "kubernetes-too-old",
                "stop",
                "cluster",
                Text(f"it runs Kubernetes {release}", f"Kubernetes 版本为 {release}"),
                Text(f"Berth needs {oldest} or newer", f"Berth 需要 {oldest} 或更新的版本"),
            )
        )
    served = [name for old in found.old for name in old.provisioners]
    served += [name for berth in found.berths for name in berth.provisioners]
    if not wanted.only:
        remarks += [_unserved(name, places) for name, places in unserved(cluster, served).items()]
    return remarks


def _unserved(name: str, places: Mapping[str, Place]) -> Remark:
    first = next(iter(places.values()))
    command = (
        f"berth install --server {first.server} --path {posixpath.dirname(first.path)} --no-class "
        f"--name {NAME}-{lock_name(name).replace('.', '-')[:40].lower().strip('-')} --provisioner-name {name} --apply"
    )
    return Remark(
        "provisioner-gone",
        "note",
        f"provisioner {name}",
        Text(
            f"{several(len(places), 'NFS PV')} are its, and no Deployment with that name is there: nobody cleans up "
            f"when their claims go",
            f"有 {len(places)} 个 NFS PV 属于它，但没有任何 Deployment 以此为名：这些 PVC 删除后没有谁来清理",
        ),
        Text(
            "if it provisioned directories as these ones do, Berth can serve them under its name (check the path that "
            "is exported)",
            "如果它也是这样供应目录的，可以让 Berth 以它的名字继续供应（请核对导出的路径）",
        ),
        (command,),
        tuple(places),
    )
