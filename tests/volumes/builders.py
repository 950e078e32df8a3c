"""Requests, plans and neighbours that are fine as they are; a test says only what it is about."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

from berth.volumes.errors import Refused
from berth.volumes.lifecycle import Lifecycle
from berth.volumes.naming import overlaps, record_path
from berth.volumes.orphans import Left
from berth.volumes.plan import DefaultShare, Plan, make_plan
from berth.volumes.records import encode, record_of
from berth.volumes.release import ReleasePlan, make_release_plan
from berth.volumes.request import Claim, Neighbour, Neighbours, ReleaseRequest, VolumeRequest
from berth.volumes.share import Share, ShareAddress
from berth.volumes.standing import ALONE, Standing

T = TypeVar("T")

SERVER = "nfs.example"
EXPORT = "/srv/nfs"
DEFAULT = DefaultShare(SERVER, EXPORT)
GIB = 1024**3


class Life(Lifecycle):
    """The doings of a cluster whose PVs and claims a test decides on: none, unless it says otherwise."""

    def __init__(self, cluster: str, *, former: frozenset[str] = frozenset(), standing: Standing = ALONE) -> None:
        self.has_pv: Callable[[str], bool] = lambda pv: False
        self.has_claim: Callable[[Claim], bool] = lambda claim: False
        self.path_on: Callable[[ShareAddress, str], str] = lambda share, pv: ""
        super().__init__(cluster, living=_Living(self), former=former, standing=standing)


class _Living:
    def __init__(self, life: Life) -> None:
        self._life = life

    def has_pv(self, pv: str) -> bool:
        return self._life.has_pv(pv)

    def has_claim(self, claim: Claim) -> bool:
        return self._life.has_claim(claim)

    def path_on(self, share: ShareAddress, pv: str) -> str:
        return self._life.path_on(share, pv)


def uid_of(seed: str) -> str:
    """A UUID that is the same for the same seed."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, seed))


def answer_of(action: Callable[[], T]) -> T | Refused:
    """What action answers, be it a refusal; anything else that it raises is a bug."""
    try:
        return action()
    except Refused as refusal:
        return refusal


def claim(name: str = "data", namespace: str = "team") -> Claim:
    """A claim; another name is another claim."""
    return Claim(namespace, name, uid_of(f"{namespace}/{name}"))


def request(name: str = "data", *, parameters: dict[str, str] | None = None, **changes: Any) -> VolumeRequest:
    """A claim's request for a volume of class `nfs`."""
    wanted = changes.pop("claim", None) or claim(name)
    fine = VolumeRequest(
        claim=wanted,
        pv=f"pvc-{wanted.uid}",
        class_name="nfs",
        provisioner="nfs.berth.io",
        parameters=parameters or {},
        size_bytes=GIB,
    )
    return replace(fine, **changes)


def nobody(server: str, path: str, without: str) -> Iterable[Neighbour]:
    """Neighbours of a directory that has none."""
    return ()


def among(*known: Neighbour, overlap: bool = True) -> Neighbours:
    """Neighbours as a cluster with these PVs would answer; without overlap, all of them, wherever they are."""

    def answer(server: str, path: str, without: str) -> list[Neighbour]:
        return [
            one for one in known if one.pv != without and (not overlap or overlaps(one.path.rstrip("/") or "/", path))
        ]

    return answer


def neighbour(path: str, **changes: Any) -> Neighbour:
    """A live PV of Berth's at an absolute path."""
    fine = Neighbour(pv="pvc-other", claim="team/other", namespace="team", path=path, sharing="deny")
    return replace(fine, **changes)


def plan(
    name: str = "data",
    *,
    parameters: dict[str, str] | None = None,
    neighbours: Neighbours = nobody,
    **changes: Any,
) -> Plan:
    """The plan for a claim on the default share."""
    return make_plan(request(name, parameters=parameters, **changes), DEFAULT, neighbours)


def release_request(of: Plan, *, parameters: dict[str, str] | None = None, **changes: Any) -> ReleaseRequest:
    """What the PV of a plan says once its claim is gone."""
    fine = ReleaseRequest(
        pv=of.pv,
        claim=of.claim,
        class_name=of.class_name,
        server=of.share.server,
        absolute_path=of.absolute_path,
        share=str(of.share),
        on_delete=of.on_delete,
        parameters=parameters or {},
    )
    return replace(fine, **changes)


def release_plan(
    of: Plan, *, parameters: dict[str, str] | None = None, neighbours: Neighbours = nobody, **changes: Any
) -> ReleasePlan:
    """The plan for a volume whose claim is gone."""
    return make_release_plan(release_request(of, parameters=parameters, **changes), DEFAULT, neighbours)


async def born(
    share: Share, name: str = "data", path: str = "", content: bytes = b"", *, is_shared: bool = False
) -> Plan:
    """A volume of cluster-1 on a share: at its own path unless another is given, empty without content.

    is_shared: its class lets others have the directory too.
    """
    parameters = {"pathPattern": path} if path else {}
    made = plan(name, parameters={**parameters, "sharedPaths": "allow"} if is_shared else parameters)
    await Life("cluster-1").create(made, share)
    if content:
        await share.write_file(f"{made.path}/content", content)
    return made


async def born_with_data(
    share: Share, name: str = "data", parameters: dict[str, str] | None = None, *, by_force: bool = False
) -> Plan:
    """A volume of cluster-1 on a share, with its claim's name for content.

    by_force: in whosever directory, as nothing but a mistake or an older Berth could make it.
    """
    made = plan(name, parameters=parameters)
    if by_force:
        await share.make_directory(made.path, mode=0o777)
        await share.write_file(record_path(made.pv), encode(record_of(made, "cluster-1", "")))
    else:
        await Life("cluster-1").create(made, share)
    await share.write_file(f"{made.path}/content", name.encode())
    return made


async def sweep(share: Share, *live: Plan, claims: tuple[Plan, ...] = (), by: Life | None = None) -> list[Left]:
    """Sweeps, with these live PVs and these claims that wait for theirs."""
    pvs = {one.pv for one in live}
    waiting = {one.claim for one in claims}
    life = by or Life("cluster-1")
    life.has_pv, life.has_claim = pvs.__contains__, waiting.__contains__
    return await life.sweep(share)


def without_metadata_dir(tree: dict[str, str]) -> dict[str, str]:
    """What is on a share but for Berth's own directory."""
    return {path: what for path, what in tree.items() if not path.startswith(".berth")}
