"""What becomes of a PV whose claim is gone, decision by decision: data goes on proof alone, and nothing is stranded."""

from __future__ import annotations

from typing import Any

import pytest

from berth.kube.errors import Forbidden, Invalid, Unreachable
from berth.kube.outcome import Done, GiveUp, RetryAfter
from berth.volumes.errors import Unavailable
from berth.volumes.naming import trash_path
from tests.objects.objects_of import claim, storage_class, uid_of, volume
from tests.reconcilers.rig import ADDRESS, PATH, PV, Rig, told

FINALIZER = "external-provisioner.volume.kubernetes.io/finalizer"


@pytest.fixture
def rig() -> Rig:
    """Its class deletes."""
    made = Rig()
    made.put(storage_class(metadata={"uid": "class-uid"}, parameters={"onDelete": "delete"}))
    return made


def live(rig: Rig) -> list[str]:
    """The directories in their places."""
    return [path for path in rig.share.tree() if "/" not in path and not path.startswith(".")]


async def test_a_released_volume_goes_to_the_trash_and_then_its_pv(rig: Rig) -> None:
    await rig.let_go()
    rig.api.requests.clear()
    outcome = await rig.reclaim(PV)
    assert isinstance(outcome, Done)
    assert outcome.did == f"removed {PV}, {PATH!r} is in the trash, {trash_path(PV)!r}"
    assert rig.pv() is None
    assert live(rig) == []
    assert trash_path(PV) in rig.share.tree()
    assert rig.api.requests == [f"delete persistentvolumes {PV}", f"patch persistentvolumes {PV}"]


PROTECTION = "kubernetes.io/pv-protection"


async def test_the_protection_goes_with_the_finalizer_and_what_is_foreign_stays(rig: Rig) -> None:
    await rig.let_go()
    rig.server.change("PersistentVolume", PV, {"metadata": {"finalizers": [PROTECTION, "other.example/f", FINALIZER]}})
    rig.look()
    assert isinstance(await rig.reclaim(PV), Done)
    pv = rig.pv()
    assert pv is not None
    assert pv["metadata"]["finalizers"] == ["other.example/f"]
    assert pv["metadata"]["deletionTimestamp"]
    rig.look()
    assert isinstance(await rig.reclaim(PV), Done)
    rig.server.change("PersistentVolume", PV, {"metadata": {"finalizers": None}})
    assert rig.pv() is None


@pytest.mark.parametrize(
    "left", [[FINALIZER], [PROTECTION, FINALIZER], []], ids=["taken off", "still there", "all off"]
)
async def test_whoever_takes_the_protection_off_first_the_pv_goes(rig: Rig, left: list[str]) -> None:
    await rig.let_go()
    rig.server.change("PersistentVolume", PV, {"metadata": {"finalizers": [PROTECTION, FINALIZER]}})
    rig.look()
    change = {"metadata": {"finalizers": left or None}}
    rig.api.before("patch persistentvolumes", lambda: rig.server.change("PersistentVolume", PV, change))
    assert isinstance(await rig.reclaim(PV), Done)
    assert rig.pv() is None
    assert live(rig) == []


async def test_a_finalizer_that_the_cache_has_not_seen_yet_does_not_keep_the_pv(rig: Rig) -> None:
    """It was put on while the claim went."""
    await rig.let_go()
    rig.server.change("PersistentVolume", PV, {"metadata": {"finalizers": None}})
    rig.look()
    rig.server.change("PersistentVolume", PV, {"metadata": {"finalizers": [PROTECTION, FINALIZER]}})
    assert isinstance(await rig.reclaim(PV), Done)
    assert rig.pv() is None


async def test_it_is_purged_when_the_cache_has_seen_the_pv_go_and_not_before(rig: Rig) -> None:
    await rig.let_go()
    gone = rig.world.volumes.get(PV)
    assert gone is not None
    await rig.reclaim(PV)
    assert rig.trashed == []
    assert isinstance(await rig.reclaim(PV), Done)  # the cache still shows it: nothing is done twice
    rig.look()
    rig.reclaim.volume_gone(gone)
    assert rig.trashed == [PV]


@pytest.mark.parametrize(("on_delete", "kept"), [("retain", PATH), ("archive", f"archived-{PATH}")])
async def test_other_ends_keep_the_directory_and_take_the_pv(rig: Rig, on_delete: str, kept: str) -> None:
    rig.put(storage_class(parameters={"onDelete": on_delete}))
    await rig.let_go()
    assert isinstance(await rig.reclaim(PV), Done)
    assert live(rig) == [kept]
    assert rig.pv() is None
    assert rig.trashed == []


@pytest.mark.parametrize(
    "changes",
    [
        {"status": {"phase": "Bound"}},
        {"status": {"phase": "Failed"}},
        {"spec": {"persistentVolumeReclaimPolicy": "Retain"}},
        {"metadata": {"annotations": {"pv.kubernetes.io/provisioned-by": "another.example/nfs"}}},
        {"spec": {"claimRef": None}},
    ],
    ids=["bound", "failed", "policy Retain", "another's", "no claim"],
)
async def test_what_is_not_released_keeps_its_directory(rig: Rig, changes: dict[str, Any]) -> None:
    await rig.let_go()
    rig.server.change("PersistentVolume", PV, changes)
    rig.look()
    await rig.reclaim(PV)
    assert rig.pv() is not None
    assert live(rig) == [PATH]


async def test_a_claim_that_is_there_keeps_it_and_another_of_its_name_does_not(rig: Rig) -> None:
    await rig.let_go()
    rig.put(claim())
    await rig.reclaim(PV)
    assert live(rig) == [PATH]
    rig.server.drop("PersistentVolumeClaim", "data", "team")
    rig.put(claim(metadata={"uid": uid_of("another")}))
    await rig.reclaim(PV)
    assert live(rig) == []


async def test_without_an_end_that_is_written_anywhere_everything_stays(rig: Rig) -> None:
    await rig.let_go()
    rig.server.change("PersistentVolume", PV, {"metadata": {"annotations": {"berth.io/on-delete": None}}})
    rig.server.drop("StorageClass", "nfs")
    rig.look()
    outcome = await rig.reclaim(PV)
    assert isinstance(outcome, GiveUp)
    assert told(outcome) == [("VolumeFailedDelete", f"PersistentVolume {PV}")]
    assert live(rig) == [PATH]
    assert rig.figure("berth_released_stuck", **{"class": "nfs"}) == 1


async def test_the_end_is_the_one_of_its_birth_whatever_the_class_says_now(rig: Rig) -> None:
    await rig.let_go()
    rig.put(storage_class(parameters={"onDelete": "retain"}))
    await rig.reclaim(PV)
    assert live(rig) == []


@pytest.mark.parametrize("request_", ["patch persistentvolumes", "delete persistentvolumes"])
@pytest.mark.parametrize("how", ["down", "lost"])
async def test_an_outage_of_the_api_in_the_middle_is_made_good(rig: Rig, request_: str, how: str) -> None:
    await rig.let_go()
    (rig.api.be_down if how == "down" else rig.api.lose_answer)(request_)
    with pytest.raises(Unreachable) as caught:
        await rig.reclaim(PV)
    rig.reclaim.blame(PV, caught.value)
    assert rig.figure("berth_released_stuck", **{"class": "nfs"}) == 1
    rig.look()
    await rig.reclaim(PV)
    assert rig.pv() is None
    assert live(rig) == []


async def test_a_pv_that_somebody_else_has_removed_is_success(rig: Rig) -> None:
    await rig.let_go()
    rig.api.before("patch persistentvolumes", lambda: rig.server.drop("PersistentVolume", PV))
    assert isinstance(await rig.reclaim(PV), Done)
    assert live(rig) == []


async def test_another_pv_of_its_name_is_left_alone(rig: Rig) -> None:
    await rig.let_go()
    old = rig.pv()
    assert old is not None

    def replace() -> None:
        rig.server.drop("PersistentVolume", PV)
        rig.server.put({**old, "metadata": {**old["metadata"], "uid": uid_of("by hand"), "resourceVersion": None}})

    rig.api.before("delete persistentvolumes", replace)
    assert isinstance(await rig.reclaim(PV), Done)
    found = rig.pv()
    assert found is not None
    assert found["metadata"]["uid"] == uid_of("by hand")
    assert FINALIZER in found["metadata"]["finalizers"]


async def test_a_share_that_is_down_keeps_the_pv_and_is_told_on_it(rig: Rig) -> None:
    await rig.let_go()
    rig.shares.down.add(ADDRESS)
    with pytest.raises(Unavailable) as caught:
        await rig.reclaim(PV)
    (note,) = rig.reclaim.blame(PV, caught.value)
    assert (note.reason, note.about.kind) == ("VolumeFailedDelete", "PersistentVolume")
    assert rig.pv() is not None


async def test_who_shares_the_directory_is_waited_for(rig: Rig) -> None:
    rig.put(storage_class(parameters={"pathPattern": "both", "onDelete": "delete", "sharedPaths": "allow"}))
    other = await rig.serve("other")
    await rig.let_go()
    outcome = await rig.reclaim(PV)
    assert isinstance(outcome, GiveUp)
    assert "team/other" in outcome.why
    assert live(rig) == ["both"]
    rig.server.drop("PersistentVolume", other)
    rig.look()
    assert rig.again == [PV]
    outcome = await rig.reclaim(PV)  # the other's record still says whose it is, too
    assert isinstance(outcome, GiveUp)
    assert "which is kept after its claim was gone" in outcome.why
    assert live(rig) == ["both"]


async def test_a_neighbour_that_comes_while_the_share_is_looked_for_saves_the_directory(rig: Rig) -> None:
    rig.put(storage_class(parameters={"pathPattern": "both", "onDelete": "delete", "sharedPaths": "allow"}))
    await rig.let_go()
    rig.shares.takes_time = True
    get = rig.shares.get

    async def get_late(address: Any) -> Any:
        rig.shares.get = get  # type: ignore[method-assign]
        rig.put(volume("other", path="/srv/both", metadata={"annotations": {"berth.io/share": str(ADDRESS)}}))
        return await get(address)

    rig.shares.get = get_late  # type: ignore[method-assign]
    assert isinstance(await rig.reclaim(PV), GiveUp)
    assert live(rig) == ["both"]


@pytest.mark.parametrize(("policy", "has"), [("Retain", False), ("Delete", True)])
async def test_the_finalizer_follows_the_policy(rig: Rig, policy: str, has: bool) -> None:
    await rig.serve()
    finalizers = None if has else [FINALIZER]
    change = {"spec": {"persistentVolumeReclaimPolicy": policy}, "metadata": {"finalizers": finalizers}}
    rig.server.change("PersistentVolume", PV, change)
    rig.look()
    outcome = await rig.reclaim(PV)
    assert isinstance(outcome, Done)
    assert outcome.did == ("put finalizer on" if has else "took finalizer off")
    pv = rig.pv()
    assert pv is not None
    assert (FINALIZER in (pv["metadata"].get("finalizers") or ())) is has


async def test_a_finalizer_that_comes_too_late_is_looked_at_again(rig: Rig) -> None:
    await rig.serve()
    rig.server.change("PersistentVolume", PV, {"metadata": {"finalizers": ["kubernetes.io/pv-protection"]}})
    rig.look()
    marked = {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}
    rig.api.before("patch persistentvolumes", lambda: rig.server.change("PersistentVolume", PV, marked))
    outcome = await rig.reclaim(PV)
    assert isinstance(outcome, RetryAfter)
    assert "no new finalizers can be added" in outcome.why


async def test_a_pv_deleted_by_hand_takes_its_directory_along(rig: Rig) -> None:
    await rig.let_go()
    await rig.api.delete(type(rig.world.volumes.get(PV)), PV)  # type: ignore[type-var]
    rig.look()
    rig.api.requests.clear()
    assert isinstance(await rig.reclaim(PV), Done)
    assert rig.api.requests == [f"patch persistentvolumes {PV}"]
    assert rig.pv() is None
    assert live(rig) == []


async def test_a_right_that_is_missing_strands_nothing(rig: Rig) -> None:
    await rig.let_go()
    rig.server.allows = lambda asked: asked.verb != "delete"
    with pytest.raises(Forbidden):
        await rig.reclaim(PV)
    rig.server.allows = lambda _: True
    rig.look()
    assert isinstance(await rig.reclaim(PV), Done)
    assert rig.pv() is None


async def test_what_the_api_server_refuses_is_no_success(rig: Rig) -> None:
    await rig.let_go()

    def replace() -> None:
        old = rig.pv()
        assert old is not None
        rig.server.drop("PersistentVolume", PV)
        rig.server.put({**old, "metadata": {**old["metadata"], "uid": uid_of("by hand"), "resourceVersion": None}})

    rig.api.before("patch persistentvolumes", replace)
    with pytest.raises(Invalid, match=r"metadata\.uid"):
        await rig.reclaim(PV)
    rig.look()
    found = rig.pv()
    assert found is not None
    assert FINALIZER in found["metadata"]["finalizers"]
