"""A claim that asks for more gets it in the order that keeps PV and claim in line, or hears why not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from berth.kube.errors import Forbidden, Unreachable
from berth.kube.outcome import Done, GiveUp
from berth.volumes.errors import Unavailable
from berth.volumes.naming import record_path
from tests.objects.objects_of import storage_class, uid_of
from tests.reconcilers.rig import ADDRESS, KEY, PV, Rig, told


async def asks(rig: Rig, size: str = "2Gi") -> None:
    """The claim has 1Gi and asks for more."""
    await rig.serve()
    ask(rig, size)
    rig.api.requests.clear()


def ask(rig: Rig, size: str) -> None:
    change = {"spec": {"resources": {"requests": {"storage": size}}}}
    rig.server.change("PersistentVolumeClaim", "data", change, "team")
    rig.look()


def conditions(rig: Rig) -> list[str]:
    found = rig.claim()
    assert found is not None
    return [one["type"] for one in found["status"].get("conditions") or ()]


def sizes(rig: Rig) -> tuple[str, str]:
    """Of the PV, and what the claim says it has."""
    pv, found = rig.pv(), rig.claim()
    assert pv is not None
    assert found is not None
    return pv["spec"]["capacity"]["storage"], found["status"]["capacity"]["storage"]


async def record(rig: Rig) -> Any:
    return json.loads(await rig.share.read_file(record_path(PV)))


async def test_record_pv_and_claim_grow_in_this_order(rig: Rig) -> None:
    await asks(rig)
    outcome = await rig.expand(KEY)
    assert isinstance(outcome, Done)
    assert outcome.did == f"expanded {PV} to 2Gi"
    assert [reason for reason, _ in told(outcome)] == ["Resizing", "VolumeResizeSuccessful"]
    assert rig.api.requests == [
        "patch persistentvolumeclaims/status team/data",
        f"patch persistentvolumes {PV}",
        "patch persistentvolumeclaims team/data",
        "patch persistentvolumeclaims/status team/data",
    ]
    assert sizes(rig) == ("2Gi", "2Gi")
    assert conditions(rig) == []
    assert (await record(rig))["capacity"] == 2 * 1024**3


async def test_it_is_done_once_though_the_cache_is_late(rig: Rig) -> None:
    await asks(rig)
    await rig.expand(KEY)
    requests = list(rig.api.requests)
    assert isinstance(await rig.expand(KEY), Done)
    assert rig.api.requests == requests
    ask(rig, "3Gi")
    await rig.expand(KEY)
    assert sizes(rig) == ("3Gi", "3Gi")


@pytest.mark.parametrize("step", range(4))
@pytest.mark.parametrize("how", ["down", "lost"])
async def test_an_outage_at_any_step_is_made_good_by_the_next_attempt(rig: Rig, step: int, how: str) -> None:
    await asks(rig)
    seen = iter(range(4))

    def fail() -> None:
        if next(seen) == step:
            raise Unreachable("patch", "http://api.invalid", "connection refused")

    (rig.api.before if how == "down" else rig.api.after)("patch", fail, times=4)
    with pytest.raises(Unreachable) as caught:
        await rig.expand(KEY)
    assert [note.reason for note in rig.expand.blame(KEY, caught.value)] == ["VolumeResizeFailed"]
    rig.look()
    assert isinstance(await rig.expand(KEY), Done)
    assert sizes(rig) == ("2Gi", "2Gi")
    assert conditions(rig) == []


async def test_what_the_class_forbids_is_refused_on_the_claim(rig: Rig) -> None:
    rig.put(storage_class(parameters={"maxSize": "1"}))
    await asks(rig)
    outcome = await rig.expand(KEY)
    assert isinstance(outcome, GiveUp)
    assert "is above maxSize 1 GiB of class nfs" in outcome.why
    assert told(outcome) == [("VolumeResizeFailed", "PersistentVolumeClaim data")]
    assert conditions(rig) == ["ControllerResizeError"]
    assert sizes(rig) == ("1Gi", "1Gi")
    rig.put(storage_class(parameters={"maxSize": "2"}))
    await rig.expand(KEY)
    assert conditions(rig) == []


async def test_a_right_that_the_role_lacks_is_named_and_nothing_is_begun() -> None:
    rig = Rig(missing=("patch persistentvolumes",))
    await asks(rig)
    outcome = await rig.expand(KEY)
    assert isinstance(outcome, GiveUp)
    assert "lacks patch persistentvolumes" in outcome.why
    assert rig.api.requests == []


async def test_a_right_taken_away_later_is_an_error_to_retry(rig: Rig) -> None:
    await asks(rig)
    rig.server.allows = lambda asked: asked.resource != "persistentvolumeclaims/status"
    with pytest.raises(Forbidden):
        await rig.expand(KEY)


async def test_a_share_that_is_down_grows_nothing(rig: Rig) -> None:
    await asks(rig)
    rig.shares.down.add(ADDRESS)
    with pytest.raises(Unavailable):
        await rig.expand(KEY)
    assert sizes(rig) == ("1Gi", "1Gi")
    assert conditions(rig) == ["Resizing"]


@pytest.mark.parametrize("gone", ["PersistentVolumeClaim", "PersistentVolume"])
async def test_what_goes_in_between_is_nobodys_failure(rig: Rig, gone: str) -> None:
    await asks(rig)
    if gone == "PersistentVolume":
        rig.api.before("patch persistentvolumes", lambda: rig.server.drop(gone, PV))
    else:
        rig.api.before("patch persistentvolumeclaims team", lambda: rig.server.drop(gone, "data", "team"))
    outcome = await rig.expand(KEY)
    assert isinstance(outcome, Done)
    assert outcome.did == ""
    assert outcome.notes == ()


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("PersistentVolumeClaim", {"status": {"phase": "Lost"}}),
        ("PersistentVolumeClaim", {"spec": {"resources": {"requests": {"storage": "1Gi"}}}}),
        ("PersistentVolumeClaim", {"metadata": {"uid": uid_of("another")}}),
        (
            "PersistentVolume",
            {"metadata": {"annotations": {"pv.kubernetes.io/provisioned-by": "another.example/nfs"}}},
        ),
        ("PersistentVolume", {"spec": {"claimRef": {"uid": uid_of("another")}}}),
    ],
    ids=["lost", "asks for no more", "another of its name", "another's PV", "a PV bound to another"],
)
async def test_what_is_not_to_grow_costs_no_request(rig: Rig, kind: str, change: dict[str, Any]) -> None:
    await asks(rig)
    rig.server.change(kind, *(("data", change, "team") if kind == "PersistentVolumeClaim" else (PV, change)))
    rig.look()
    assert isinstance(await rig.expand(KEY), Done)
    assert rig.api.requests == []


async def test_a_volume_of_a_predecessor_grows_without_a_record(rig: Rig) -> None:
    await asks(rig)
    annotations = {"berth.io/share": None, "berth.io/on-delete": None}
    rig.server.change("PersistentVolume", PV, {"metadata": {"annotations": annotations}})
    rig.look()
    rig.shares.down.add(ADDRESS)  # its share is not even asked
    assert isinstance(await rig.expand(KEY), Done)
    assert sizes(rig) == ("2Gi", "2Gi")
