"""Which share a key of a queue is about, as the caches tell it."""

from __future__ import annotations

from berth.reconcilers.lanes import Lanes
from berth.volumes.plan import DefaultShare
from tests.objects.objects_of import claim, storage_class, uid_of, volume
from tests.reconcilers.caches import World

PV = f"pvc-{uid_of('team/data')}"
DEFAULT = DefaultShare("nfs.default", "/default")


def test_a_claim_goes_by_its_class_or_the_default_share() -> None:
    world = World()
    lanes = Lanes(world.cluster, DEFAULT)
    assert lanes.of_claim("team/data") == ""
    world.claims.put(claim())
    assert lanes.of_claim("team/data") == ""
    world.classes.put(storage_class())
    assert lanes.of_claim("team/data") == "nfs.default:/default"
    world.classes.put(storage_class(parameters={"server": "slow", "share": "/a"}))
    assert lanes.of_claim("team/data") == "slow:/a"


def test_a_pv_goes_by_what_is_written_on_it_or_by_its_server_and_so_does_the_claim_that_grows() -> None:
    world = World()
    lanes = Lanes(world.cluster, DEFAULT)
    world.claims.put(claim(spec={"volumeName": PV}))
    assert lanes.of_volume(PV) == lanes.of_expansion("team/data") == lanes.of_expansion("team/gone") == ""
    world.volumes.put(volume())
    assert lanes.of_volume(PV) == lanes.of_expansion("team/data") == "nfs.example:/srv"
    world.volumes.put(volume(metadata={"annotations": {"berth.io/share": None}}))
    assert lanes.of_volume(PV) == "nfs.example"
    world.volumes.put(volume(metadata={"annotations": {"berth.io/share": "x" * 250_000}}))
    assert len(lanes.of_volume(PV)) < 1000
