"""The plan of a take-over: who is there, what is wrong, what would be done. Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from berth.findings.finding import Finding, Subject
from berth.kube.errors import KubeError
from berth.kube.manifest import ManifestApi
from berth.objects import translation
from berth.objects.listing import read_proven
from berth.objects.provisioning import OWN
from berth.objects.trust import Trust
from berth.operations.errors import Stopped
from berth.operations.image import look_for_image
from berth.operations.takeover.candidates import read_candidates
from berth.operations.takeover.classes import judge_classes
from berth.operations.takeover.condition import judge_share
from berth.operations.takeover.conflicts import judge_cluster, judge_provisioners, namesakes, serves_already
from berth.operations.takeover.findings import by_severity, find
from berth.operations.takeover.inventory import Group, Inventory, make_groups, read_cluster
from berth.operations.takeover.old import Berth, FoundProvisioners, OldProvisioner, find_provisioners
from berth.operations.takeover.share import SeenShare, look
from berth.operations.takeover.volumes import judge_volumes
from berth.settings.install import IMAGE, NAME, NAMESPACE
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
    is_named: bool = False
    """The administrator said where the installation is: then whatever is there is his word."""
    is_installing: bool = True
    """False: somebody else runs Berth, by Helm or git."""
    with_share: bool = True
    """False: nothing is asked of NFS servers, and no records are written."""
    uses_namespace: bool = False
    """Berth's namespace may be one that it did not make, though nobody named it."""
    image: str = ""
    """Of what is installed; empty: that of the installation that is there, else the default."""
    has_image: bool = False
    """Nodes can have the image, whatever they say of it."""

    @property
    def trusted(self) -> frozenset[str]:
        """The Deployments that were named."""
        return frozenset((*self.only, *([f"{self.namespace}/{self.name}"] if self.is_named else ())))


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """What would be done about one share."""

    group: Group
    seen: SeenShare
    by: Berth
    """The installation that will serve; replicas as they are now."""
    own: tuple[str, ...]
    """The names that it answers to while it stands by: none of the old provisioners'."""
    is_installing: bool
    findings: tuple[Finding, ...]

    @property
    def is_done(self) -> bool:
        """Whether this was taken over, and whoever took over runs."""
        has_names = set(self.group.provisioners) <= set(self.by.provisioners)
        return self.by.ready > 0 and has_names and all(one.is_down for one in self.group.old)

    @property
    def half(self) -> tuple[OldProvisioner, ...]:
        """Old ones that an earlier run scaled down and did not finish with."""
        return () if self.is_done else tuple(one for one in self.group.old if one.is_down)

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
                    "ready": one.ready,
                    "replicasBefore": one.before,
                    "takenOverBy": one.taken_by,
                }
                for one in group.old
            ],
            "classes": [one.name for one in group.classes],
            "volumes": [
                {"pv": one.pv, "claim": one.claim, "path": one.absolute_path, "class": one.class_name,
                 "end": one.end, "made": one.is_proven or one.by_berth,
                 "why": one.why or (one.plan.why if one.plan else ""),
                 "directory": one.pv in seen.present if not seen.why else None}
                for one in group.volumes
            ],
            "waitingClaims": list(group.waiting),
            "directories": {"checked": not seen.why, "present": len(seen.present), "missing": len(seen.missing),
                            "archives": len(seen.archives), "leaked": list(seen.leaked), "kept": list(seen.kept)},
            "berth": {"namespace": self.by.namespace, "name": self.by.name, "installed": self.is_installing,
                      "standsByAs": list(self.own)},
            "done": self.is_done,
            "findings": [one.as_dict() for one in self.findings],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class TakeoverPlan:
    """Everything, share by share."""

    kubernetes: tuple[int, int]
    groups: tuple[GroupPlan, ...]
    findings: tuple[Finding, ...]
    """About no single share."""

    @property
    def stops(self) -> tuple[Finding, ...]:
        """What must be mended first."""
        return tuple(one for one in self.every_finding if one.severity == "failure")

    @property
    def every_finding(self) -> tuple[Finding, ...]:
        """About the cluster and about each share, the gravest first."""
        return by_severity((*self.findings, *(each for one in self.groups for each in one.findings)))

    def as_dict(self) -> dict[str, object]:
        """For `-o json`."""
        return {"shares": [one.as_dict() for one in self.groups], "findings": [one.as_dict() for one in self.findings]}


async def make_plan(api: ManifestApi, shares: Shares, wanted: Wanted) -> TakeoverPlan:
    """Looks at everything and changes nothing. KubeError; Stopped when something that was named is not there."""
    kubernetes, found = await find_all(api, wanted.trusted)
    cluster = await read_cluster(api)
    chosen = choose(found.old, wanted.only)
    left, idle = namesakes(chosen, found) if not wanted.only else (chosen, [])
    groups = make_groups(left, cluster)
    taken = _assign(groups, found, wanted)
    strange = sorted({one.key for one in taken} & found.not_trusted)
    plans: list[GroupPlan] = []
    for group, by in zip(groups, taken, strict=True):
        seen = await look(shares, group) if wanted.with_share else SeenShare(why="--without-share")
        findings = [*judge_provisioners(group, found, by, cluster), *judge_classes(group), *judge_volumes(group)]
        if wanted.with_share:
            findings += judge_share(group, seen)
        running = serves_already(group, found)
        installing = wanted.is_installing and (running is None or running.key == by.key)
        own = tuple(one for one in by.provisioners if one not in group.provisioners)
        own = own or (_own_name(by, {*_names_in_use(found, cluster), *(one for each in plans for one in each.own)}),)
        plans.append(GroupPlan(group, seen, by, own, installing, by_severity(findings)))
    not_ours = [find("berth-not-trusted", Subject("workload", key)) for key in strange]
    findings = [*judge_cluster(kubernetes, found, cluster, only=wanted.only), *idle, *not_ours]
    findings += await _judge_images(api, plans, wanted)
    return TakeoverPlan(kubernetes, tuple(plans), by_severity(findings))


async def _judge_images(api: ManifestApi, plans: Iterable[GroupPlan], wanted: Wanted) -> list[Finding]:
    """What is to be told of the image of each installation, but those that run with theirs; once for each image."""
    asked: dict[str, Subject] = {}
    for one in plans:
        image = wanted.image or one.by.image or IMAGE
        if one.is_installing and not one.is_done and not (one.by.ready and one.by.image == image):
            asked.setdefault(image, Subject("workload", one.by.key))
    if wanted.has_image:
        return []
    found = [await look_for_image(api, image, about) for image, about in asked.items()]
    return [one for one in found if one is not None]


async def find_all(api: ManifestApi, named: Iterable[str]) -> tuple[tuple[int, int], FoundProvisioners]:
    """The cluster's release, and all that provision in it. named: Deployments whose word counts in any case."""
    kubernetes = await api.version()
    candidates = await read_candidates(api)
    try:
        proven = await read_proven(api, "able")
    except KubeError:
        proven = None  # we may not see the bindings: then only what was named is trusted
    return kubernetes, find_provisioners(candidates, kubernetes, Trust(proven, workloads=frozenset(named)))


def _names_in_use(found: FoundProvisioners, cluster: Inventory) -> set[str]:
    provisioners = [*(one.provisioners for one in found.old), *(one.provisioners for one in found.berths)]
    served = {name for names in (*provisioners, *(one.provisioners for one in found.others)) for name in names}
    asked = {one.provisioner for one in cluster.classes}
    return served | asked | {translation.provisioned_by(one) for one in cluster.volumes}


def _own_name(by: Berth, used: set[str]) -> str:
    """A name that nobody answers to, asks for, or has made PVs by."""
    number, name = 1, OWN
    while name in used:
        name = f"{OWN}/{by.name}" if number == 1 else f"{OWN}/{by.name}-{number}"
        number += 1
    return name


def choose(old: Sequence[OldProvisioner], only: Iterable[str]) -> list[OldProvisioner]:
    """Those that were named, or all. Stopped for a name that is none's."""
    known, named = {one.key: one for one in old}, list(only)
    for key in named:
        if key not in known:
            others = ", ".join(known)
            raise Stopped(
                Text(
                    f"there is no old provisioner {key}" + (f"; there are {others}" if others else ", nor any other"),
                    f"没有名为 {key} 的旧制备器" + (f"，现有 {others}" if others else "，集群里也没有其他旧制备器"),
                )
            )
    return [one for one in old if not named or one.key in named]


def _assign(groups: Sequence[Group], found: FoundProvisioners, wanted: Wanted) -> list[Berth]:
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
            if candidate not in used and (candidate not in known or _is_of_share(known[candidate], group)):
                key = candidate
            number += 1
        namespace, _, name = key.partition("/")
        nobody = Berth(namespace, name, (), group.share.server, group.share.export, 0, 0)
        taken.append(known.get(key, nobody))
    return taken


def _is_of_share(one: Berth, group: Group) -> bool:
    """Whether it stands by on that share, as an earlier run or a way back has left it."""
    return (one.server.lower(), one.export) == (group.share.server.lower(), group.share.export)
