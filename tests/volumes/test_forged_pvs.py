"""A PV that somebody wrote by hand to have a directory deleted that is not its own: the share stays as it is.

All walls are tried together, as the reclaim goes through them: the plan from what the PV says, then the share.
"""

from __future__ import annotations

from typing import Any

import pytest

from berth.volumes.errors import Refused, Unavailable, VolumeError
from berth.volumes.plan import Plan
from berth.volumes.release import make_release_plan
from berth.volumes.request import Claim, ReleaseRequest
from tests.volumes.bench import Bench
from tests.volumes.builders import DEFAULT, EXPORT, SERVER, Life, among, claim, neighbour, nobody, plan, release_plan
from tests.volumes.memory import MemoryShare

BY_LABEL = {"pathPattern": "${.PVC.labels.dir}"}
VICTIM = plan("victim")
NAMED = plan("named", parameters={"pathPattern": "${.PVC.namespace}/${.PVC.name}"})
KEPT = plan("kept", parameters={"pathPattern": "kept"})
FOREIGN = plan("foreign", parameters={"pathPattern": "foreign/dir"})
FORGER = claim("forger")


async def populate(share: Bench) -> None:
    """Volumes of this cluster and another, kept ones, archives, trash, and directories that are no volumes."""
    ours, theirs = Life("cluster-1"), Life("cluster-2")
    archived, deleted = plan("archived"), plan("deleted")
    for cluster, volume in (
        (ours, VICTIM),
        (ours, NAMED),
        (ours, KEPT),
        (theirs, FOREIGN),
        (ours, archived),
        (ours, deleted),
    ):
        await cluster.create(volume, share)
        await share.write_file(f"{volume.path}/content", b"precious")
    await ours.release(release_plan(KEPT, on_delete="retain"), share)
    await ours.release(release_plan(archived, on_delete="archive"), share)
    await ours.release(release_plan(deleted, on_delete="delete"), share)
    await share.make_directory("photos/2026", mode=0o755)
    await share.write_file("photos/2026/content", b"precious")


def forged(path: str, **changes: Any) -> ReleaseRequest:
    """A PV that looks like one of Berth's, released, and asks for a deletion."""
    values: dict[str, Any] = {
        "pv": f"pvc-{FORGER.uid}",
        "claim": FORGER,
        "class_name": "nfs",
        "server": SERVER,
        "absolute_path": path,
        "share": f"{SERVER}:{EXPORT}",
        "on_delete": "delete",
        "parameters": {},
    }
    return ReleaseRequest(**{**values, **changes})


def as_victim(volume: Plan, **changes: Any) -> ReleaseRequest:
    """A PV that pretends to be a volume's own, down to name and claim."""
    return forged(volume.absolute_path, **{"pv": volume.pv, "claim": volume.claim, **changes})


OF_THE_REFERENCE = {"share": "", "parameters": {"archiveOnDelete": "false"}, "on_delete": ""}

FORGED = [
    pytest.param(forged("/"), id="the root of the server"),
    pytest.param(forged(EXPORT), id="the root of the share"),
    pytest.param(forged(f"{EXPORT}/"), id="the root of the share, with a slash"),
    pytest.param(forged(f"{EXPORT}/.."), id="the parent of the share"),
    pytest.param(forged(f"{EXPORT}/photos/../{VICTIM.path}"), id="a way round"),
    pytest.param(forged(f"{EXPORT}/./{VICTIM.path}"), id="a dot"),
    pytest.param(forged("/etc"), id="another directory of the server"),
    pytest.param(forged(f"{EXPORT}/.berth"), id="Berth's own directory"),
    pytest.param(forged(f"{EXPORT}/.berth/volumes"), id="the records"),
    pytest.param(forged(f"{EXPORT}/.berth/trash/{VICTIM.pv}"), id="a place in the trash"),
    pytest.param(forged(f"{EXPORT}/archived-{plan('archived').path}"), id="an archive"),
    pytest.param(forged(VICTIM.absolute_path), id="another volume"),
    pytest.param(forged(f"{VICTIM.absolute_path}/content"), id="a file in another volume"),
    pytest.param(forged(NAMED.absolute_path), id="another volume, by name"),
    pytest.param(forged(f"{EXPORT}/team"), id="a directory that holds another volume"),
    pytest.param(forged(KEPT.absolute_path), id="a volume that was kept"),
    pytest.param(forged(FOREIGN.absolute_path), id="another cluster's volume"),
    pytest.param(forged(f"{EXPORT}/foreign"), id="a directory that holds another cluster's volume"),
    pytest.param(forged(f"{EXPORT}/photos"), id="a directory that is no volume"),
    pytest.param(forged(f"{EXPORT}/photos/2026"), id="a directory further down that is no volume"),
    pytest.param(forged(VICTIM.absolute_path, parameters=BY_LABEL), id="another volume, of a class that could be"),
    pytest.param(forged(NAMED.absolute_path, parameters=BY_LABEL), id="one by name, of a class that could be"),
    pytest.param(forged(f"{EXPORT}/team", parameters=BY_LABEL), id="what holds one, of a class that could be"),
    pytest.param(forged(KEPT.absolute_path, parameters=BY_LABEL), id="a kept one, of a class that could be"),
    pytest.param(forged(FOREIGN.absolute_path, parameters=BY_LABEL), id="a foreign one, of a class that could be"),
    pytest.param(forged(VICTIM.absolute_path, pv="pvc-", claim=Claim("", "", "")), id="without a UID"),
    pytest.param(forged(VICTIM.absolute_path, pv=VICTIM.pv[:8]), id="with a part of the PV's name"),
    pytest.param(
        as_victim(VICTIM, pv=VICTIM.pv[:12], claim=Claim("team", "victim", VICTIM.pv[4:12]), parameters=BY_LABEL),
        id="with a part of the claim's UID",
    ),
    pytest.param(forged(VICTIM.absolute_path, parameters=None), id="another volume, its class gone"),
    pytest.param(forged(f"{EXPORT}/photos", parameters=None, share=""), id="no volume, its class gone"),
    pytest.param(forged(VICTIM.absolute_path, **OF_THE_REFERENCE), id="another volume, as the reference's"),
    pytest.param(forged(f"{EXPORT}/photos", **OF_THE_REFERENCE), id="no volume, as the reference's"),
    pytest.param(as_victim(FOREIGN), id="another cluster's volume in every respect"),
    pytest.param(as_victim(FOREIGN, parameters=BY_LABEL, share=""), id="the same as the reference's"),
    pytest.param(as_victim(VICTIM, absolute_path=f"{EXPORT}/photos"), id="its own name on another directory"),
    pytest.param(as_victim(NAMED, absolute_path=f"{EXPORT}/team"), id="its own name on what holds it"),
    pytest.param(as_victim(VICTIM, server="other"), id="another server than the annotation's"),
    pytest.param(as_victim(VICTIM, server="fd00::1"), id="an IPv6 server unlike the annotation's"),
    pytest.param(as_victim(VICTIM, server=""), id="no server"),
    pytest.param(as_victim(VICTIM, share="nonsense"), id="an annotation that is no share"),
    pytest.param(as_victim(VICTIM, share=f"{SERVER}:"), id="half an annotation"),
    pytest.param(as_victim(VICTIM, share=f"{SERVER}:{EXPORT}/../.."), id="an annotation that leads out"),
    pytest.param(as_victim(VICTIM, on_delete="Delete"), id="an end that does not exist"),
    pytest.param(as_victim(VICTIM, mount_options=("nfsvers=99",)), id="mount options that make no sense"),
]  # fmt: skip


@pytest.mark.parametrize("request_", FORGED)
async def test_a_forged_pv_moves_nothing_even_if_no_neighbour_is_known(share: Bench, request_: ReleaseRequest) -> None:
    await populate(share)
    before = share.tree()
    with pytest.raises((Refused, Unavailable)) as error:
        await Life("cluster-1").release(make_release_plan(request_, DEFAULT, nobody), share)
    assert share.tree() == before
    assert str(error.value).count("\n") == 0


@pytest.mark.parametrize("share_of_forger", [f"{EXPORT}/photos", VICTIM.absolute_path])
async def test_a_directory_passed_off_as_a_share_gets_nothing_of_berths(share_of_forger: str) -> None:
    inner = MemoryShare(plan(parameters={"share": share_of_forger}).share)
    await inner.make_directory("2026", mode=0o755)
    before = inner.tree()
    request = forged(f"{share_of_forger}/2026", share=f"{SERVER}:{share_of_forger}")
    with pytest.raises(VolumeError):
        await Life("cluster-1").release(make_release_plan(request, DEFAULT, nobody), inner)
    assert {path for path in inner.tree() if not path.startswith(".berth")} == before.keys()


@pytest.mark.parametrize("victim", [VICTIM, NAMED], ids=["its own path", "a path by name"])
async def test_a_live_volume_is_protected_by_its_pv_even_without_any_record(victim: Plan) -> None:
    there = among(neighbour(victim.absolute_path, pv=victim.pv))
    with pytest.raises(Refused, match=f"kept as long as PV {victim.pv} .* uses it"):
        make_release_plan(forged(victim.absolute_path, parameters=BY_LABEL), DEFAULT, there)


async def test_the_real_pv_is_still_released(share: Bench) -> None:
    await populate(share)
    where = await Life("cluster-1").release(make_release_plan(as_victim(VICTIM), DEFAULT, nobody), share)
    assert await share.read_file(f"{where}/content") == b"precious"
