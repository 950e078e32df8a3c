"""The plan of a take-over: who is there, what is wrong, what would be done. Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from berth.kube.manifest import ManifestApi, place
from berth.operations.errors import Stopped
from berth.operations.takeover.clashes import judge_cluster, judge_provisioners, serves_already
from berth.operations.takeover.classes import class_name, judge_classes
from berth.operations.takeover.condition import judge_share
from berth.operations.takeover.inventory import Group, make_groups, read_cluster
from berth.operations.takeover.old import Berth, Found, OldProvisioner, find
from berth.operations.takeover.remark import Remark, by_weight
from berth.operations.takeover.share import Seen, look
from berth.operations.takeover.volumes import judge_volumes
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
        """Whether this was taken over, and whoever took over runs."""
        return self.by.ready > 0 and all(one.replicas == 0 and one.taken_by for one in self.group.old)

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
        remarks = [*judge_provisioners(group, found, by), *judge_classes(group), *judge_volumes(group)]
        if wanted.with_share:
            remarks += judge_share(group, seen)
        running = serves_already(group, found)
        installing = wanted.is_installing and (running is None or running.key == by.key)
        plans.append(GroupPlan(group, seen, by, installing, by_weight(remarks)))
    return TakeoverPlan(
        kubernetes, tuple(plans), by_weight(judge_cluster(kubernetes, found, cluster, only=wanted.only))
    )


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
        nobody = Berth(namespace, name, group.provisioners, group.share.server, group.share.export, 0, 0)
        taken.append(known.get(key, nobody))
    return taken
