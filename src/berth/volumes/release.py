"""The decision about a volume whose claim is gone: which directory, and what becomes of it. Pure, and the place where
"data is never deleted on a guess" is decided; lifecycle.release looks again at the share before it acts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import get_args

from berth.volumes.errors import Refused
from berth.volumes.naming import names_pv, volume_path
from berth.volumes.parameters import parse_export, parse_parameters, parse_server, share_address
from berth.volumes.patterns import DEFAULT_PATTERN
from berth.volumes.plan import DefaultShare, Lookalike, Occupied, covers_share, lookalikes_of
from berth.volumes.request import Claim, End, Neighbour, Neighbours, ReleaseRequest
from berth.volumes.reserved import owner_of
from berth.volumes.share import ShareAddress


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """What will be done with one released volume."""

    pv: str
    claim: Claim
    class_name: str
    share: ShareAddress
    path: str
    end: End
    by_berth: bool
    """Berth made it, so the share has Berth's own directory; its absence means that the wrong thing is mounted."""
    is_expected_path: bool
    """The path is what the class's pattern (or the default one) makes of this claim's and PV's names, and of nothing
    else. Stands in for a missing record.
    """
    agreed: frozenset[str] = frozenset()
    """PVs over the same directory that are leaving too: what becomes of it is theirs as well."""
    lookalikes: tuple[Lookalike, ...] = ()
    """Live volumes that are in the way if the server takes the two spellings for one."""
    why: str = ""
    """Why the end is not what one would expect, for the event; empty when it is."""

    @property
    def is_unique(self) -> bool:
        """No other PV's directory, in any cluster, can overlap this one: the path's first part names the PV."""
        return names_pv(self.path, self.pv)


def make_release_plan(request: ReleaseRequest, default: DefaultShare, neighbours: Neighbours) -> ReleasePlan:
    """What to do with a released volume. Refused when that is not sure; Occupied while others use the place."""
    share = share_of(request, default)
    path = path_of(request, share)
    end, why = _end(request)
    plan = ReleasePlan(
        pv=request.pv,
        claim=request.claim,
        class_name=request.class_name,
        share=share,
        path=path,
        end=end,
        by_berth=bool(request.share),
        is_expected_path=_is_expected(request, path),
        why=why,
    )
    if end == "retain":
        return plan
    name, whose = owner_of(path)
    if name:
        raise Refused("spec.nfs.path", f"{path!r} contains {name!r}, which belongs to the server ({whose}); it is kept")
    near = list(neighbours(share.server, request.absolute_path, request.pv))
    if not near:  # nearly always
        return plan
    certain = [neighbour for neighbour in near if neighbour.is_certain]
    _check_neighbours(plan, certain)
    leaving = frozenset(neighbour.pv for neighbour in certain if neighbour.leaving in _harmless(plan))
    return replace(plan, agreed=leaving, lookalikes=lookalikes_of(near, share))


def end_of(request: ReleaseRequest) -> End:
    """What becomes of the volume: as its PV says, else its class, else retain (I8). Refused if it makes no sense."""
    return _end(request)[0]


def share_of(request: ReleaseRequest, default: DefaultShare) -> ShareAddress:
    """The share: as the PV's annotation says (I8), else the class or the default. Refused when nothing says it."""
    on_pv = parse_server(request.server, "spec.nfs.server")
    if request.share:
        return _share_said(request.share, on_pv, request.mount_options)
    export = default.export
    if request.parameters is not None:
        parameters = parse_parameters(request.parameters, server=default.server, export=default.export)
        export = parameters.export
    if not export:
        raise Refused(
            "spec.nfs.path",
            f"it is not known which share {request.absolute_path!r} lies in; set NFS_PATH to the share's exported path",
        )
    return share_address(on_pv, export, request.mount_options)


@lru_cache(maxsize=1024)
def _share_said(said: str, on_pv: str, mount_options: tuple[str, ...]) -> ShareAddress:
    """Looked up for each PV at each sweep, and the same for thousands."""
    server, separator, rest = said.partition(":/")  # an IPv6 address has colons too, but no `:/`
    if not separator:
        raise Refused("annotation berth.io/share", f"{said!r} is not of the form server:/export")
    server = parse_server(server, "annotation berth.io/share")
    export = parse_export("/" + rest, "annotation berth.io/share")
    if server.lower() != on_pv.lower():
        raise Refused(
            "annotation berth.io/share",
            f"names server {server!r}, but spec.nfs.server of the PV is {on_pv!r}; make them the same",
        )
    return share_address(server, export, mount_options)


def path_of(request: ReleaseRequest, share: ShareAddress) -> str:
    """Where on its share the volume is. Refused for what is not below the share's root, or no place for a volume."""
    root = share.export.rstrip("/") + "/"
    if not request.absolute_path.startswith(root):
        raise Refused(
            "spec.nfs.path", f"{request.absolute_path!r} does not lie below the share's root {share.export!r}"
        )
    return volume_path(request.absolute_path.removeprefix(root), field="spec.nfs.path")


def _end(request: ReleaseRequest) -> tuple[End, str]:
    if request.on_delete:
        for known in get_args(End):
            if request.on_delete == known:
                return known, ""
        raise Refused("annotation berth.io/on-delete", f"{request.on_delete!r} is not one of delete, retain, archive")
    if request.parameters is None:
        return "retain", (
            f"class {request.class_name!r} is gone and the PV does not say what should become of its data, so the "
            f"directory is kept"
        )
    return parse_parameters(request.parameters).on_delete, ""


def _is_expected(request: ReleaseRequest, path: str) -> bool:
    if not request.claim.uid or request.pv != f"pvc-{request.claim.uid}":
        return False
    try:
        pattern = DEFAULT_PATTERN if request.parameters is None else parse_parameters(request.parameters).pattern
    except Refused:  # a class that was spoilt later must not strand a volume whose PV says all that is needed (I8)
        return False
    return pattern.proves(path, request.claim, request.pv)


def _harmless(plan: ReleasePlan) -> tuple[End, ...]:
    return ("delete", "archive") if plan.end == "archive" else ("delete",)


def _check_neighbours(plan: ReleasePlan, neighbours: Iterable[Neighbour]) -> None:
    """I2. A neighbour that is leaving too does not stand in the way: the first one takes the directory for both. Only a
    deletion waits for an archive, so that what was to be kept is kept.
    """
    in_the_way = [
        neighbour
        for neighbour in neighbours
        if neighbour.leaving not in _harmless(plan) and not covers_share(neighbour, plan.share)
    ]
    if in_the_way:
        first = in_the_way[0]
        whose = f" (claim {first.claim})" if first.claim else ""
        more = f" and {len(in_the_way) - 1} more use" if len(in_the_way) > 1 else " uses"
        raise Occupied(
            "spec.nfs.path",
            f"the directory {plan.path!r} is kept as long as PV {first.pv}{whose}{more} it or a part of it",
            blockers=tuple(neighbour.pv for neighbour in in_the_way),
        )
