"""The decision about a claim before anything is touched: where its directory goes, with which mode, owner and size, and
what happens at its end. Pure: a request in, a Plan or a Refused out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from berth.texts.text import Text
from berth.volumes.errors import ParameterField, Refused
from berth.volumes.mount_options.judge import risks_of
from berth.volumes.parameters import GIB, Parameters, mountable_address, parse_parameters
from berth.volumes.request import Claim, End, Existing, Neighbour, Neighbours, Sharing, VolumeRequest
from berth.volumes.share import ShareAddress


@dataclass(frozen=True, slots=True)
class DefaultShare:
    """The share of classes that name none: NFS_SERVER and NFS_PATH. Empty strings when not set."""

    server: str = ""
    export: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done for one claim."""

    claim: Claim
    pv: str
    class_name: str
    provisioner: str
    share: ShareAddress
    path: str
    """Relative to the share's root."""
    mode: int
    uid: int | None
    gid: int | None
    size_bytes: int
    on_delete: End
    sharing: Sharing
    is_unique: bool
    """No other PV can have a path that overlaps this one, in this cluster or another: see Pattern.is_unique."""
    adopts: bool = False
    """A directory with something in it, that Berth did not make, is served, and kept at the end (I10)."""
    existing: Existing = "auto"
    """What the class says about such a directory."""
    agreed: frozenset[str] = frozenset()
    """PVs with which the directory may be shared, as both sides say."""
    doubts: tuple[Text, ...] = ()
    """What people should know of the class's mount options."""
    lookalikes: tuple[Lookalike, ...] = ()
    """Live volumes that are in the way if the server takes the two spellings for one."""

    @property
    def absolute_path(self) -> str:
        """The directory in absolute terms of the server: what the PV's spec.nfs.path says."""
        return join_export(self.share.export, self.path)


@dataclass(frozen=True, slots=True)
class Lookalike:
    """Another volume whose path differs only in how it is spelled: see naming.fold."""

    pv: str
    claim: str
    """`namespace/name`; empty if it is not known."""
    path: str
    """Relative to the same share's root."""


class Occupied(Refused):
    """Other claims' directories stand in the way, as long as they are there: blockers names their PVs."""

    def __init__(self, field: str, why: str, blockers: tuple[str, ...]) -> None:
        super().__init__(field, why)
        self.blockers = blockers


def join_export(export: str, path: str) -> str:
    """`export` and a relative path as one absolute path."""
    return f"{export.rstrip('/')}/{path}"


def make_plan(request: VolumeRequest, default: DefaultShare, neighbours: Neighbours) -> Plan:
    """The plan for a claim. Refused (Occupied when it is other claims' directories that stand in the way)."""
    _refuse_what_is_not_offered(request)
    parameters = parse_parameters(request.parameters, server=default.server, export=default.export)
    share = _share(request, parameters)
    _check_size(request, parameters)
    path = parameters.pattern.path(request.claim, request.pv, request.labels, request.annotations)
    plan = Plan(
        claim=request.claim,
        pv=request.pv,
        class_name=request.class_name,
        provisioner=request.provisioner,
        share=share,
        path=path,
        mode=parameters.mode,
        uid=parameters.uid,
        gid=parameters.gid,
        size_bytes=request.size_bytes,
        on_delete=parameters.on_delete,
        sharing=parameters.sharing,
        is_unique=parameters.pattern.is_unique,
        adopts=parameters.existing == "adopt" or (parameters.existing == "auto" and parameters.pattern.is_own),
        existing=parameters.existing,
        doubts=risks_of(request.mount_options, server=share.server),
    )
    near = list(neighbours(share.server, plan.absolute_path, request.pv))
    if not near:  # nearly always
        return plan
    certain = [neighbour for neighbour in near if neighbour.is_certain]
    _check_neighbours(plan, parameters, certain)
    agreed = frozenset(neighbour.pv for neighbour in certain if _may_share(plan, neighbour))
    return replace(plan, agreed=agreed, lookalikes=lookalikes_of(near, share))


def lookalikes_of(neighbours: Iterable[Neighbour], share: ShareAddress) -> tuple[Lookalike, ...]:
    """Those of the neighbours that are in the way only where the server does not tell spellings apart."""
    root = f"{share.export.rstrip('/')}/"
    return tuple(
        Lookalike(neighbour.pv, neighbour.claim, neighbour.path.removeprefix(root))
        for neighbour in neighbours
        if not neighbour.is_certain and neighbour.path.startswith(root)
    )


def _refuse_what_is_not_offered(request: VolumeRequest) -> None:
    """I9: what can't be honoured is refused, never ignored."""
    if request.has_selector:
        raise Refused(
            "spec.selector", "a new volume can't be made to match a selector; remove it, or bind a PV made by hand"
        )
    if request.volume_mode != "Filesystem":
        raise Refused("spec.volumeMode", f"{request.volume_mode} is not possible on NFS; use Filesystem")
    if request.data_source:
        raise Refused(
            "spec.dataSource",
            f"{request.data_source} can't be cloned or restored here yet; leave it out for an empty volume",
        )
    if request.reclaim_policy not in ("Delete", "Retain"):
        raise Refused(
            "reclaimPolicy", f"{request.reclaim_policy!r} of class {request.class_name} is not one of Delete, Retain"
        )


def _share(request: VolumeRequest, parameters: Parameters) -> ShareAddress:
    if not parameters.server:
        raise Refused(
            ParameterField("server"),
            f"class {request.class_name} names no NFS server and the controller has no default; "
            f"set server and share in the class, or NFS_SERVER and NFS_PATH for the controller",
        )
    if not parameters.export:
        raise Refused(
            ParameterField("share"),
            f"class {request.class_name} names no exported path and the controller has no default; "
            f"set share in the class, or NFS_PATH for the controller",
        )
    return mountable_address(parameters.server, parameters.export, request.mount_options)


def _check_size(request: VolumeRequest, parameters: Parameters) -> None:
    least, most = parameters.min_bytes, parameters.max_bytes
    field = "spec.resources.requests.storage"
    if least is not None and request.size_bytes < least:
        raise Refused(field, f"{_gib(request.size_bytes)} is below minSize {_gib(least)} of class {request.class_name}")
    if most is not None and request.size_bytes > most:
        raise Refused(field, f"{_gib(request.size_bytes)} is above maxSize {_gib(most)} of class {request.class_name}")


def _gib(size: int) -> str:
    return f"{size / GIB:.10g} GiB"


def _check_neighbours(plan: Plan, parameters: Parameters, neighbours: Iterable[Neighbour]) -> None:
    in_the_way = [
        neighbour
        for neighbour in neighbours
        if not _may_share(plan, neighbour) and not covers_share(neighbour, plan.share)
    ]
    if not in_the_way:
        return
    # One that stays is named first: it is the one that somebody has to do something about.
    first = min(in_the_way, key=lambda neighbour: neighbour.leaving is not None)
    whose = f" (claim {first.claim})" if first.claim else ""
    more = f" and {len(in_the_way) - 1} more" if len(in_the_way) > 1 else ""
    relation = "is" if first.path == plan.absolute_path else "overlaps"
    if first.leaving in ("delete", "archive"):
        advice = f"it is about to be {first.leaving}d, and this claim is served right after that"
    else:
        advice = (
            f"make the pattern unique per claim, for instance with {parameters.pattern.unique_placeholder}, or allow "
            f"it with the parameter sharedPaths in both classes"
        )
    raise Occupied(
        parameters.pattern.parameter,
        f"{plan.path!r} {relation} the directory of PV {first.pv}{whose}{more}; {advice}",
        blockers=tuple(neighbour.pv for neighbour in in_the_way),
    )


def covers_share(neighbour: Neighbour, share: ShareAddress) -> bool:
    """Whether a PV that Berth didn't make is the whole share, or what the share lies in. It is a view of all volumes,
    like the one that a reference provisioner's chart makes for its own mount, and stands in nobody's way.
    """
    return neighbour.sharing is None and f"{share.export}/".startswith(f"{neighbour.path.rstrip('/')}/")


def _may_share(plan: Plan, neighbour: Neighbour) -> bool:
    """Both sides must agree. One that is leaving stands in the way whatever it said: its directory is about to move."""
    if neighbour.leaving in ("delete", "archive"):
        return False
    is_near = neighbour.namespace == plan.claim.namespace
    return agree_to_share(plan.sharing, neighbour.sharing or plan.sharing, is_near)


def agree_to_share(one: str, other: str, is_one_namespace: bool) -> bool:
    """Whether two sides that say so much about sharing (Sharing; empty for deny) may have one directory."""
    return all(said == "allow" or (said == "namespace" and is_one_namespace) for said in (one, other))
