"""Requests, plans and neighbours that are fine as they are; a test says only what it is about."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

from berth.volumes.errors import Refused
from berth.volumes.lifecycle import Lifecycle
from berth.volumes.naming import overlaps
from berth.volumes.orphans import Left
from berth.volumes.plan import DefaultShare, Plan, make_plan
from berth.volumes.release import ReleasePlan, make_release_plan
from berth.volumes.request import Claim, Neighbour, Neighbours, ReleaseRequest, VolumeRequest
from berth.volumes.share import Share

T = TypeVar("T")

SERVER = "nfs.example"
EXPORT = "/srv/nfs"
DEFAULT = DefaultShare(SERVER, EXPORT)
GIB = 1024**3


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


def among(*known: Neighbour) -> Neighbours:
    """Neighbours as a cluster with these PVs would answer."""

    def answer(server: str, path: str, without: str) -> list[Neighbour]:
        return [one for one in known if one.pv != without and overlaps(one.path.rstrip("/") or "/", path)]

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


async def born(share: Share, name: str = "data", path: str = "", content: bytes = b"") -> Plan:
    """A volume of cluster-1 on a share: at its own path unless another is given, empty without content."""
    made = plan(name, parameters={"pathPattern": path} if path else {})
    await Lifecycle("cluster-1").create(made, share)
    if content:
        await share.write_file(f"{made.path}/content", content)
    return made


async def born_with_data(share: Share, name: str = "data", parameters: dict[str, str] | None = None) -> Plan:
    """A volume of cluster-1 on a share, with its claim's name for content."""
    made = plan(name, parameters=parameters)
    await Lifecycle("cluster-1").create(made, share)
    await share.write_file(f"{made.path}/content", name.encode())
    return made


async def sweep(share: Share, *live: Plan, claims: tuple[Plan, ...] = (), by: Lifecycle | None = None) -> list[Left]:
    """Sweeps, with these live PVs and these claims that wait for theirs."""
    pvs = {one.pv for one in live}
    waiting = {one.claim for one in claims}
    return await (by or Lifecycle("cluster-1")).sweep(
        share, has_pv=lambda pv: pv in pvs, has_claim=lambda claim: claim in waiting
    )


def without_home(tree: dict[str, str]) -> dict[str, str]:
    """What is on a share but for Berth's own directory."""
    return {path: what for path, what in tree.items() if not path.startswith(".berth")}
