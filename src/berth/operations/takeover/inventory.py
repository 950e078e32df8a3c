"""Whose volumes lie where: the PVs, classes and waiting claims of each old provisioner, grouped by share.

One installation of Berth takes over all provisioners of one share: classes that name no share get its default one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from berth.kube.client import Api
from berth.objects import translation
from berth.objects.kinds import ClaimObject, ClassObject, VolumeObject
from berth.objects.listing import read_all
from berth.objects.locations import Locations
from berth.objects.quantity import to_bytes
from berth.objects.translation import Location
from berth.operations.takeover.old import OldProvisioner
from berth.volumes.errors import Refused
from berth.volumes.parameters import parse_parameters
from berth.volumes.plan import DefaultShare
from berth.volumes.records import Record
from berth.volumes.release import ReleasePlan, make_release_plan
from berth.volumes.request import End
from berth.volumes.share import ShareAddress


@dataclass(frozen=True, slots=True)
class OldVolume:
    """One PV of an old provisioner, and what Berth makes of it."""

    pv: str
    claim: str
    """`namespace/name`; empty when it never had one."""
    class_name: str
    absolute_path: str
    provisioner: str
    capacity: int
    phase: str
    policy: str
    by_berth: bool
    finalizers: tuple[str, ...]
    is_leaving: bool
    """Its deletion was asked for already."""
    plan: ReleasePlan | None
    """None: Berth could not say what to do with it."""
    why: str
    """Why not; empty otherwise."""
    is_class_refused: bool = False
    """It is a parameter of its class that Berth refuses."""
    is_of_claim: bool = False
    """Its class's pattern leads to its path by its claim's labels and annotations as they are now."""

    @property
    def is_proven(self) -> bool:
        """Whether its path shows that the directory was made for it: only then is it ever deleted or archived."""
        return self.plan is not None and (self.plan.is_expected_path or self.plan.is_unique or self.is_of_claim)

    @property
    def end(self) -> End:
        """What becomes of its directory when its claim goes. One that is not shown to be made for it is retained."""
        return self.plan.end if self.plan is not None and (self.is_proven or self.by_berth) else "retain"

    def record(self, cluster: str) -> Record:
        """What is written on the share about it. AssertionError without a plan."""
        assert self.plan is not None, self.pv
        return Record(
            cluster=cluster,
            pv=self.pv,
            namespace=self.plan.claim.namespace,
            claim=self.plan.claim.name,
            claim_uid=self.plan.claim.uid,
            class_name=self.class_name,
            path=self.plan.path,
            capacity=self.capacity,
            mode="",
            on_delete=self.plan.end,
            provisioner=self.provisioner,
            created="",
        )


@dataclass(frozen=True, slots=True)
class Group:
    """One share with all that provision on it, their classes and their volumes."""

    share: ShareAddress
    """With what its classes' mount options say of how to speak to it."""
    old: tuple[OldProvisioner, ...]
    classes: tuple[ClassObject, ...]
    volumes: tuple[OldVolume, ...]
    waiting: tuple[str, ...]
    """Claims without a volume."""
    beside: tuple[tuple[OldVolume, str], ...]
    """Volumes that overlap another PV's directory, and that PV."""
    others: tuple[tuple[str, str], ...] = ()
    """Every other PV of the cluster, and its path below the share; empty when it has none there. Whatever server it
    names: the same one may have two names."""

    @property
    def provisioners(self) -> tuple[str, ...]:
        """All names, each once."""
        return tuple(dict.fromkeys(name for one in self.old for name in one.provisioners))


@dataclass(frozen=True, slots=True)
class Inventory:
    """What is read of the cluster at one moment."""

    classes: tuple[ClassObject, ...]
    claims: tuple[ClaimObject, ...]
    volumes: tuple[VolumeObject, ...]


async def read_cluster(api: Api) -> Inventory:
    """Everything that is looked at. KubeError."""
    return Inventory(
        tuple(await read_all(api, ClassObject)),
        tuple(await read_all(api, ClaimObject)),
        tuple(await read_all(api, VolumeObject)),
    )


def make_groups(old: Iterable[OldProvisioner], cluster: Inventory) -> list[Group]:
    """The old provisioners by share, in the order of their names."""
    by_share: defaultdict[tuple[str, str], list[OldProvisioner]] = defaultdict(list)
    for one in old:
        by_share[one.share.server.lower(), one.share.export].append(one)
    places = _locations(cluster.volumes)
    return [_group(members, cluster, places) for members in by_share.values()]


def _group(members: list[OldProvisioner], cluster: Inventory, places: Locations) -> Group:
    names = {name for one in members for name in one.provisioners}
    share = members[0].share
    classes = [one for one in cluster.classes if one.provisioner in names]
    by_name = {one.name: one for one in classes}
    claims = {str(translation.claim_of(one)): one for one in cluster.claims}
    volumes = [
        _volume(one, by_name.get((one.spec.storageClassName if one.spec else None) or ""), share, claims)
        for one in cluster.volumes
        if translation.provisioned_by(one) in names
    ]
    spoken = [one.plan.share for one in volumes if one.plan is not None and str(one.plan.share) == str(share)]
    waiting = [
        str(translation.claim_of(claim))
        for claim in cluster.claims
        if translation.class_name_of(claim) in by_name and not translation.is_bound(claim)
    ]
    beside = []
    for volume in volumes:
        for other, place in places.overlapping(volume.absolute_path):
            is_view = f"{share.export}/".startswith(f"{place.path.rstrip('/')}/")  # as plan.covers_share has it
            if other != volume.pv and place.server.lower() == share.server.lower() and not is_view:
                beside.append((volume, other))
                break
    return Group(
        share=max(set(spoken), key=spoken.count) if spoken else share,
        old=tuple(members),
        classes=tuple(sorted(classes, key=lambda one: one.name)),
        volumes=tuple(volumes),
        waiting=tuple(waiting),
        beside=tuple(beside),
        others=tuple(_others(cluster, names, share)),
    )


def _others(cluster: Inventory, names: set[str], share: ShareAddress) -> Iterable[tuple[str, str]]:
    above = f"{share.export.rstrip('/')}/"
    for one in cluster.volumes:
        if translation.provisioned_by(one) not in names:
            place = translation.location_of(one)
            is_below = place is not None and place.path.startswith(above)
            yield (
                one.name,
                place.path.removeprefix(above).strip("/") if place and is_below else "",
            )


def _locations(volumes: Iterable[VolumeObject]) -> Locations:
    places = Locations()
    for volume in volumes:
        place = translation.location_of(volume)
        if place is not None:
            places.put(volume.name, place)
    return places


def _volume(
    volume: VolumeObject, of_class: ClassObject | None, share: ShareAddress, claims: Mapping[str, ClaimObject]
) -> OldVolume:
    plan, why, is_class_refused = None, "", False
    try:
        request = translation.release_request_of(volume, of_class)
        plan = make_release_plan(request, DefaultShare(share.server, share.export), lambda *_: ())
    except Refused as refusal:
        why, is_class_refused = str(refusal), refusal.parameter is not None
    meta, place, claim = volume.metadata, translation.location_of(volume), translation.former_claim(volume)
    return OldVolume(
        pv=meta.name or "",
        claim=str(claim) if claim else "",
        class_name=(volume.spec.storageClassName if volume.spec else None) or "",
        absolute_path=place.path if place else "",
        provisioner=translation.provisioned_by(volume),
        capacity=_bytes(translation.capacity_of(volume)),
        phase=translation.phase_of(volume),
        policy=translation.policy_of(volume),
        by_berth=translation.is_by_berth(volume),
        finalizers=tuple(meta.finalizers or ()),
        is_leaving=bool(meta.deletionTimestamp),
        plan=plan,
        why=why,
        is_class_refused=is_class_refused,
        is_of_claim=plan is not None and of_class is not None and _leads_there(of_class, claims.get(str(claim)), plan),
    )


def _leads_there(of_class: ClassObject, claim: ClaimObject | None, plan: ReleasePlan) -> bool:
    """Whether the pattern makes exactly this path of a claim that is there. One that names neither the PV, nor both
    namespace and claim, leads many claims to one directory, and so shows nothing.
    """
    if claim is None or translation.claim_of(claim) != plan.claim or plan.pv != f"pvc-{plan.claim.uid}":
        return False
    meta = claim.metadata
    try:
        pattern = parse_parameters(of_class.parameters or {}).pattern
        path = pattern.path(plan.claim, plan.pv, meta.labels or {}, meta.annotations or {})
    except Refused:
        return False
    sources = {piece.source for piece in pattern.pieces}
    return path == plan.path and ("pv" in sources or {"namespace", "name"} <= sources)


def _bytes(size: str) -> int:
    try:
        return to_bytes(size) if size else 0
    except ValueError:
        return 0


def is_nested(volume: OldVolume) -> bool:
    """Whether it lies deeper than the share's root, which release 4.0.2 of the reference never looks below."""
    return volume.plan is not None and "/" in volume.plan.path


def unserved(cluster: Inventory, served: Iterable[str]) -> Mapping[str, dict[str, Location]]:
    """In-tree NFS PVs of provisioners that nobody runs: the name, and its PVs with their places."""
    known = set(served)
    found: defaultdict[str, dict[str, Location]] = defaultdict(dict)
    for volume in cluster.volumes:
        name, place = translation.provisioned_by(volume), translation.location_of(volume)
        if name and name not in known and place is not None and volume.spec is not None and volume.spec.nfs is not None:
            found[name][volume.name] = place
    return found
