"""When and how the trash is emptied: one turn for each volume, as often as it takes, and never what is not trash."""

from __future__ import annotations

import asyncio

import pytest

from berth.kube.errors import Unreachable
from berth.kube.outcome import Done, RetryAfter
from berth.reconcilers.purge import PATIENCE, Purge, patience
from berth.volumes.errors import Unavailable
from berth.volumes.naming import record_path, trash_path
from berth.volumes.share import Budget
from tests.objects.objects_of import storage_class
from tests.reconcilers.rig import ADDRESS, PATH, PV, Rig


@pytest.mark.parametrize(("in_line", "seconds"), [(0, 0.0), (1, PATIENCE), (10_000, PATIENCE)])
def test_releases_come_first_and_trash_never_waits_for_long(in_line: int, seconds: float) -> None:
    assert patience(in_line) == seconds
    assert PATIENCE < 10


async def deleted(rig: Rig, files: int = 0) -> str:
    """A volume in the trash, its PV gone; its key."""
    rig.put(storage_class(parameters={"onDelete": "delete"}))
    await rig.let_go()
    for number in range(files):
        await rig.share.write_file(f"{PATH}/{number}", b"x")
    await rig.reclaim(PV)
    rig.look()
    return rig.purge.key_for(ADDRESS, PV)


async def test_a_deleted_volume_goes_with_its_record(rig: Rig) -> None:
    key = await deleted(rig, files=3)
    assert rig.purge.lane_of(key) == str(ADDRESS)
    outcome = await rig.purge(key)
    assert isinstance(outcome, Done)
    assert outcome.did == "purged 4 entries"
    assert not {trash_path(PV), record_path(PV)} & set(rig.share.tree())
    assert rig.figure("berth_purged_entries_total") == 4
    assert isinstance(await rig.purge(key), Done)  # nothing waits any more


async def test_what_is_large_gives_way_to_others_after_each_turn(rig: Rig) -> None:
    key = await deleted(rig, files=5)
    short = Purge(
        shares=rig.purge._shares,
        lifecycle=rig.lifecycle,
        metrics=rig.metrics,
        stuck=rig.stuck,
        turn=Budget(seconds=10, entries=2),
    )
    key = short.key_for(ADDRESS, PV)
    turns = 0
    while not isinstance(outcome := await short(key), Done):
        assert outcome == RetryAfter("there is more than one turn takes", seconds=0.0)
        turns += 1
    assert turns == 2
    assert outcome.did == "purged 6 entries"


async def test_a_purge_that_was_cut_short_goes_on(rig: Rig) -> None:
    key = await deleted(rig, files=20)
    working = asyncio.create_task(rig.purge(key))
    for _ in range(15):  # each operation of a share in memory gives way once
        await asyncio.sleep(0)
    working.cancel()
    await asyncio.wait({working})
    left = [path for path in rig.share.tree() if path.startswith(trash_path(PV))]
    assert 1 < len(left) < 21
    assert isinstance(await rig.purge(key), Done)
    assert trash_path(PV) not in rig.share.tree()


async def test_while_the_pv_is_there_nothing_is_purged(rig: Rig) -> None:
    rig.put(storage_class(parameters={"onDelete": "delete"}))
    await rig.let_go()
    rig.api.be_down("patch persistentvolumes")
    with pytest.raises(Unreachable):
        await rig.reclaim(PV)
    before = rig.share.tree()
    assert trash_path(PV) in before
    assert await rig.purge(rig.purge.key_for(ADDRESS, PV)) == Done()
    assert rig.share.tree() == before


async def test_an_outage_is_told_nobody_and_tried_again(rig: Rig) -> None:
    key = await deleted(rig)
    rig.shares.down.add(ADDRESS)
    with pytest.raises(Unavailable) as caught:
        await rig.purge(key)
    assert rig.purge.blame(key, caught.value) == ()
    rig.shares.down.clear()
    assert isinstance(await rig.purge(key), Done)


async def test_a_key_that_nobody_queued_does_nothing(rig: Rig) -> None:
    assert await rig.purge(f"{PV}@{ADDRESS}") == Done()
    assert rig.share.tree() == {}
