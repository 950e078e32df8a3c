"""What follows from the caches: whose a directory is, what is held for whom, and who is woken when it is free."""

from __future__ import annotations

from typing import Any

import pytest

from berth.objects import translation
from berth.objects.kinds import VolumeObject
from berth.volumes.plan import DefaultShare, Plan, make_plan
from berth.volumes.request import Neighbour
from tests.objects.objects_of import claim, storage_class, uid_of, volume
from tests.reconcilers.caches import World

SERVER, ROOT = "nfs.example", "/srv"


def plan_for(name: str, pattern: str, *, sharing: str = "deny") -> Plan:
    """A plan for claim team/name below /srv, by a class with this pattern."""
    parameters = {"pathPattern": pattern, "sharedPaths": sharing}
    request = translation.request_of(claim(name), storage_class(parameters=parameters))
    return make_plan(request, DefaultShare(SERVER, ROOT), lambda *_: ())


def pv_named(name: str) -> str:
    return f"pvc-{uid_of(f'team/{name}')}"


def around(world: World, path: str, without: str = "") -> dict[str, Neighbour]:
    """The neighbours of a path, by the claim they serve."""
    return {one.claim: one for one in world.cluster.neighbours(SERVER, path, without)}


def test_a_planned_directory_is_taken_before_its_pv_is_there() -> None:
    world = World()
    assert around(world, "/srv/shared") == {}
    world.cluster.hold(plan_for("first", "shared", sharing="namespace"))
    assert around(world, "/srv/shared") == {
        "team/first": Neighbour(
            pv=pv_named("first"), claim="team/first", namespace="team", path="/srv/shared", sharing="namespace"
        )
    }
    assert set(around(world, "/srv/shared/below")) == {"team/first"}
    assert around(world, "/srv/shared", without=pv_named("first")) == {}
    assert around(world, "/srv/sharedness") == {}


def test_the_pv_takes_the_plans_place() -> None:
    world = World()
    world.cluster.hold(plan_for("first", "shared"))
    made = volume("first", path="/srv/shared")
    world.volumes.put(made)
    world.cluster.let_go(pv_named("first"))  # the claim was deleted: that does not free a PV's directory
    assert set(around(world, "/srv/shared")) == {"team/first"}
    world.volumes.drop(made)
    assert around(world, "/srv/shared") == {}


def test_a_plan_that_failed_frees_its_directory() -> None:
    world = World()
    world.cluster.hold(plan_for("first", "shared"))
    world.cluster.let_go(pv_named("first"))
    world.cluster.let_go(pv_named("first"))
    assert around(world, "/srv/shared") == {}


def test_a_pv_that_moves_is_found_where_it_is_now() -> None:
    world = World()
    world.volumes.put(volume("first", path="/srv/one"))
    world.volumes.put(volume("first", path="//srv/./two/"))
    assert around(world, "/srv/one") == {}
    assert set(around(world, "/srv/two")) == {"team/first"}


def test_spellings_of_one_server_are_one_server_and_other_servers_are_others() -> None:
    world = World(same_server=lambda one, other: one.split(".")[0] == other.split(".")[0])
    world.volumes.put(volume("short", path="/srv/x", spec={"nfs": {"server": "nfs"}}))
    world.volumes.put(volume("other", path="/srv/x", spec={"nfs": {"server": "elsewhere"}}))
    assert set(around(world, "/srv/x")) == {"team/short"}


@pytest.mark.parametrize("end", ["delete", "archive", "retain"])
def test_a_neighbour_that_is_leaving_says_how(end: str) -> None:
    world = World()
    world.volumes.put(
        volume("gone", path="/srv/x", phase="Released", metadata={"annotations": {"berth.io/on-delete": end}})
    )
    assert around(world, "/srv/x")["team/gone"].leaving == end


@pytest.mark.parametrize(
    ("changes", "released"),
    [
        pytest.param({}, True, id="as it should be"),
        pytest.param({"phase": "Bound"}, False, id="bound"),
        pytest.param({"phase": "Failed"}, False, id="failed"),
        pytest.param({"phase": "Available"}, False, id="never bound"),
        pytest.param({"spec": {"persistentVolumeReclaimPolicy": "Retain"}}, False, id="policy Retain"),
        pytest.param({"spec": {"persistentVolumeReclaimPolicy": "Recycle"}}, False, id="policy Recycle"),
        pytest.param({"spec": {"claimRef": None}}, False, id="no claim"),
        pytest.param(
            {"metadata": {"annotations": {"pv.kubernetes.io/provisioned-by": "disk.example"}}}, False, id="not ours"
        ),
        pytest.param({"metadata": {"annotations": None}}, False, id="made by hand"),
        pytest.param(
            {"metadata": {"annotations": {"pv.kubernetes.io/provisioned-by": "cluster.local/nfs-client"}}},
            True,
            id="made by a predecessor whose name Berth answers to",
        ),
    ],
)
def test_which_pvs_are_berths_to_release(changes: dict[str, Any], released: bool) -> None:
    gone = volume(**{"phase": "Released", **changes})
    assert World().cluster.is_released(gone) is released


def test_a_pv_is_not_released_while_its_claim_exists() -> None:
    world, gone = World(), volume(phase="Released")
    world.claims.put(claim())
    assert not world.cluster.is_released(gone)
    world.claims.put(claim(metadata={"uid": uid_of("another claim of the same name")}))
    assert world.cluster.is_released(gone)


def test_a_volume_that_nothing_tells_the_end_of_still_stands_in_the_way() -> None:
    world = World()
    world.volumes.put(
        volume("odd", path="/srv/x", phase="Released", metadata={"annotations": {"berth.io/on-delete": "burn"}})
    )
    assert around(world, "/srv/x")["team/odd"].leaving is None


class Woken(list[str]):
    """Writes down who was woken."""

    def wake(self, key: str) -> Any:
        return lambda: self.append(key)


def test_whoever_waits_is_woken_once_when_a_blocker_goes() -> None:
    world, woken = World(), Woken()
    blocker = volume("blocker", path="/srv/x")
    world.volumes.put(blocker)
    world.cluster.wait_for((pv_named("blocker"),), "provision team/one", woken.wake("team/one"))
    world.cluster.wait_for((pv_named("blocker"),), "provision team/two", woken.wake("team/two"))
    world.cluster.wait_for((pv_named("blocker"),), "provision team/one", woken.wake("team/one"))
    world.volumes.resync()
    assert woken == []
    world.volumes.drop(blocker)
    assert sorted(woken) == ["team/one", "team/two"]


def test_whoever_waits_finds_the_place_free_when_woken() -> None:
    world = World()
    seen: list[dict[str, Neighbour]] = []
    blocker = volume("blocker", path="/srv/x")
    world.volumes.put(blocker)
    world.cluster.wait_for((pv_named("blocker"),), "key", lambda: seen.append(around(world, "/srv/x")))
    world.volumes.drop(blocker)
    assert seen == [{}]


def test_a_change_of_the_blocker_wakes_too() -> None:
    world, woken = World(), Woken()
    world.volumes.put(volume("blocker", path="/srv/x"))
    world.cluster.wait_for((pv_named("blocker"),), "key", woken.wake("waiting"))
    world.volumes.put(volume("blocker", path="/srv/x", metadata={"annotations": {"berth.io/shared-paths": "allow"}}))
    assert woken == ["waiting"]


def test_a_plan_that_failed_wakes_too() -> None:
    world, woken = World(), Woken()
    world.cluster.hold(plan_for("first", "shared"))
    world.cluster.wait_for((pv_named("first"),), "key", woken.wake("waiting"))
    world.cluster.let_go(pv_named("first"))
    assert woken == ["waiting"]


def test_a_claim_is_known_by_its_uid() -> None:
    world, present = World(), claim()
    world.claims.put(present)
    assert world.cluster.has_claim(translation.claim_of(present))
    assert not world.cluster.has_claim(translation.claim_of(claim(metadata={"uid": uid_of("yesterday's")})))
    assert not world.cluster.has_claim(translation.claim_of(claim("other")))


def test_a_class_is_found_for_claims_and_for_pvs() -> None:
    world, known = World(), storage_class()
    world.classes.put(known)
    assert world.cluster.class_of(claim()) is known
    assert world.cluster.class_of_volume(volume()) is known
    assert world.cluster.class_of(claim(spec={"storageClassName": "other"})) is None
    assert world.cluster.class_of_volume(volume(spec={"storageClassName": None})) is None
    assert world.cluster.class_of_volume(VolumeObject()) is None


def test_a_class_that_another_provisioner_has_by_now_says_nothing_about_a_pv() -> None:
    world = World()
    world.classes.put(storage_class(provisioner="nfs.csi.k8s.io"))
    assert world.cluster.class_of_volume(volume()) is None
