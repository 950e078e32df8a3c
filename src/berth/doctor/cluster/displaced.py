"""PVs that a restored backup brought back: what Berth's records say of where their directories are by now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from berth.aio.slices import in_slices
from berth.doctor.known import find
from berth.findings.finding import Finding, Subject
from berth.objects import kinds
from berth.objects.translation import is_by_berth
from berth.volumes.errors import VolumeError
from berth.volumes.metadata_dir import MetadataDirs
from berth.volumes.record_store import RecordStore
from berth.volumes.request import Census, Claim
from berth.volumes.share import Share
from berth.volumes.whereabouts import Displaced, Placed, Whereabouts

_FINDINGS = {"trashed": "volume-in-trash", "archived": "volume-archived", "taken": "volume-place-taken"}


async def look_for_displaced(
    share: Share, volumes: Mapping[str, Sequence[kinds.VolumeObject]], uid: str, pvs: frozenset[str]
) -> dict[str, Finding]:
    """The findings by PV, for PVs whose directories are in the trash, in an archive, or another volume's. A directory
    that is nowhere gives none, and neither does a share whose `.berth/` can't be read.

    volumes: by path; pvs: all that are in the cluster.
    """
    placed = [
        Placed(volume.name, _claim_of(volume), path, is_by_berth(volume))
        for path, some in volumes.items()
        for volume in some
        if volume.status.phase == "Bound"
    ]
    records = RecordStore(uid, MetadataDirs(uid))
    try:
        found = await Whereabouts(uid, records, Census(pvs)).displaced(in_slices(placed), share)
    except VolumeError:
        return {}
    return {one.placed.pv: _finding(one, share) for one in found if one.state in _FINDINGS}


def _finding(one: Displaced, share: Share) -> Finding:
    placed = one.placed
    about = [Subject("volume", placed.pv), Subject("share", str(share.address))]
    if placed.claim.name:
        about.append(Subject("claim", str(placed.claim)))
    by = one.by if one.state == "taken" else None
    return find(
        _FINDINGS[one.state],
        *about,
        variant={"claim": placed.claim.name},
        directory=placed.path,
        archive=one.where if one.state == "archived" else None,
        other=by.pv if by is not None else None,
        owner=str(by.owner) if by is not None else None,
    )


def _claim_of(volume: kinds.VolumeObject) -> Claim:
    claim = volume.spec.claimRef
    return Claim(claim.namespace, claim.name, claim.uid) if claim is not None else Claim("", "", "")
