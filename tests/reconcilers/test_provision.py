"""What a claim gets, decision by decision: whatever happens between two steps, it gets one volume or none."""

from __future__ import annotations

from typing import Any

import pytest

from berth.kube.errors import Forbidden, Unreachable
from berth.kube.outcome import Done, GiveUp
from berth.volumes.errors import Refused, Unavailable
from berth.volumes.naming import record_path
from tests.objects.objects_of import claim, storage_class, uid_of, volume
from tests.reconcilers.rig import ADDRESS, KEY, PATH, PV, PVS, Rig, json_of, told


async def test_a_claim_gets_a_directory_and_a_pv_that_is_its_own(rig: Rig) -> None:
    rig.put(claim())
    outcome = await rig.provision(KEY)
    assert isinstance(outcome, Done)
    assert outcome.did == f"provisioned {PV} at nfs.example:/srv/{PATH}"
    assert told(outcome) == [("ProvisioningSucceeded", "PersistentVolumeClaim data")]
    pv = rig.pv()
    assert pv is not None
    assert pv["spec"]["claimRef"]["uid"] == uid_of(KEY)
    assert pv["spec"]["nfs"] == {"server": "nfs.example", "path": f"/srv/{PATH}"}
    assert PATH in rig.share.tree()
    assert rig.api.requests == [f"create persistentvolumes {PV}"]


@pytest.mark.parametrize("again", ["before the cache knows", "after"])
async def test_it_is_served_once_however_often_it_is_looked_at(rig: Rig, again: str) -> None:
    rig.put(claim())
    await rig.provision(KEY)
    if again == "after":
        rig.look()
    before = rig.share.tree()
    assert isinstance(await rig.provision(KEY), Done)
    assert rig.share.tree() == before
    assert len(rig.server.store.all_in(PVS)) == 1


async def test_an_answer_that_was_lost_is_a_success_at_the_next_attempt(rig: Rig) -> None:
    rig.put(claim())
    rig.api.lose_answer("create persistentvolumes")
    with pytest.raises(Unreachable):
        await rig.provision(KEY)
    # The directory stays held: nobody else can be given it meanwhile.
    assert [one.pv for one in rig.world.cluster.neighbours("nfs.example", f"/srv/{PATH}", "")] == [PV]
    assert isinstance(await rig.provision(KEY), Done)
    assert rig.pv() is not None


async def test_a_pv_of_that_name_for_another_claim_is_a_refusal(rig: Rig) -> None:
    rig.put(claim())
    another = volume(metadata={"name": PV}, spec={"claimRef": {"name": "other", "uid": uid_of("team/other")}})
    rig.api.before("create", lambda: rig.server.put(json_of(another)))
    outcome = await rig.provision(KEY)
    assert isinstance(outcome, GiveUp)
    assert "exists already and is bound to team/other" in outcome.why
    assert told(outcome) == [("ProvisioningFailed", "PersistentVolumeClaim data")]
    assert rig.world.cluster._held == {}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"spec": {"volumeName": "chosen"}}, Done),
        ({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}, Done),
        ({"metadata": {"annotations": {"volume.beta.kubernetes.io/storage-provisioner": "another"}}}, Done),
        ({"spec": {"storageClassName": "unheard"}}, GiveUp),
        ({"spec": {"selector": {"matchLabels": {"a": "b"}}}}, GiveUp),
        ({"spec": {"volumeMode": "Block"}}, GiveUp),
        ({"spec": {"dataSource": {"kind": "PersistentVolumeClaim", "name": "other"}}}, GiveUp),
    ],
    ids=["bound", "deleted", "another's", "no class", "selector", "block", "data source"],
)
async def test_what_is_not_to_be_served_costs_no_request(rig: Rig, changes: dict[str, Any], expected: type) -> None:
    rig.put(claim(**changes))
    assert isinstance(await rig.provision(KEY), expected)
    assert rig.api.requests == []
    assert rig.share.tree() == {}


async def test_a_class_that_changed_hands_serves_nobody(rig: Rig) -> None:
    rig.put(claim(), storage_class(provisioner="another.example/nfs"))
    outcome = await rig.provision(KEY)
    assert isinstance(outcome, GiveUp)
    assert "belongs to" in outcome.why


async def test_a_claim_that_waits_for_its_pod_is_left_until_it_has_a_node(rig: Rig) -> None:
    rig.put(storage_class(volumeBindingMode="WaitForFirstConsumer"), claim())
    await rig.provision(KEY)
    assert rig.pv() is None
    rig.put(claim(metadata={"annotations": {"volume.kubernetes.io/selected-node": "node-1"}}))
    await rig.provision(KEY)
    assert rig.pv() is not None


async def test_a_share_that_is_down_is_an_outage_told_on_the_claim_and_holds_nothing(rig: Rig) -> None:
    rig.put(claim())
    rig.shares.down.add(ADDRESS)
    with pytest.raises(Unavailable) as caught:
        await rig.provision(KEY)
    (note,) = rig.provision.blame(KEY, caught.value)
    assert (note.type, note.reason, note.about.name) == ("Warning", "ProvisioningFailed", "data")
    assert rig.world.cluster._held == {}
    rig.shares.down.clear()
    assert isinstance(await rig.provision(KEY), Done)


async def test_an_api_server_that_is_down_leaves_what_the_next_attempt_finds(rig: Rig) -> None:
    rig.put(claim())
    rig.api.be_down("create persistentvolumes", times=2)
    for _ in range(2):
        with pytest.raises(Unreachable):
            await rig.provision(KEY)
    assert {PATH, record_path(PV)} < set(rig.share.tree())
    assert isinstance(await rig.provision(KEY), Done)


async def test_a_right_that_is_missing_is_told_and_tried_again(rig: Rig) -> None:
    rig.put(claim())
    rig.server.allows = lambda asked: asked.verb != "create"
    with pytest.raises(Forbidden) as caught:
        await rig.provision(KEY)
    assert [note.reason for note in rig.provision.blame(KEY, caught.value)] == ["ProvisioningFailed"]


async def test_a_claim_gone_in_the_middle_leaves_a_share_to_be_looked_through(rig: Rig) -> None:
    rig.put(claim())
    rig.api.be_down("create persistentvolumes")
    with pytest.raises(Unreachable):
        await rig.provision(KEY)
    gone = rig.world.claims.get(KEY)
    assert gone is not None
    rig.server.drop("PersistentVolumeClaim", "data", "team")
    rig.look()
    rig.provision.claim_gone(gone)
    assert rig.again == [KEY]
    assert isinstance(await rig.provision(KEY), Done)
    assert rig.abandoned == [ADDRESS]
    assert rig.world.cluster._held == {}
    assert rig.provision.blame(KEY, Refused("a", "b")) == ()


async def test_a_namesake_of_a_claim_that_went_gets_a_volume_of_its_own(rig: Rig) -> None:
    rig.put(claim())
    rig.api.be_down("create persistentvolumes")
    with pytest.raises(Unreachable):
        await rig.provision(KEY)
    rig.server.drop("PersistentVolumeClaim", "data", "team")
    rig.put(claim(metadata={"uid": uid_of("another")}))
    await rig.provision(KEY)
    assert rig.abandoned == [ADDRESS]
    assert rig.pv() is None
    assert rig.pv(f"pvc-{uid_of('another')}") is not None


async def test_who_wants_anothers_directory_waits_until_it_is_free(rig: Rig) -> None:
    rig.put(storage_class(parameters={"pathPattern": "shared", "onDelete": "retain"}))
    first = await rig.serve("first")
    rig.put(claim("second"))
    outcome = await rig.provision("team/second")
    assert isinstance(outcome, GiveUp)
    assert "team/first" in outcome.why
    rig.server.drop("PersistentVolume", first)
    rig.look()
    assert rig.again == ["team/second"]


async def test_two_claims_at_once_are_not_given_one_directory(rig: Rig) -> None:
    rig.put(storage_class(parameters={"pathPattern": "shared"}), claim("first"), claim("second"))
    rig.api.be_down("create persistentvolumes")
    with pytest.raises(Unreachable):  # whether its PV exists is not known
        await rig.provision("team/first")
    assert isinstance(await rig.provision("team/second"), GiveUp)


async def test_without_the_right_to_take_it_off_no_finalizer_is_put_on() -> None:
    for with_finalizer in (True, False):
        rig = Rig(with_finalizer=with_finalizer)
        rig.put(claim())
        await rig.provision(KEY)
        pv = rig.pv()
        assert pv is not None
        assert bool(pv["metadata"].get("finalizers")) is with_finalizer
