"""PVs that a backup brought back: where their directories are by now is found out in few calls, and nothing changes."""

from __future__ import annotations

import pytest

from berth.aio.slices import in_slices
from berth.volumes.naming import record_path, trash_path
from berth.volumes.plan import Plan
from berth.volumes.request import Claim
from berth.volumes.share import Entry
from berth.volumes.whereabouts import Displaced, Placed
from tests.volumes.bench import Bench
from tests.volumes.builders import Life, born, plan, release_plan, uid_of
from tests.volumes.memory import MemoryShare

BY_NAME = "${.PVC.namespace}/${.PVC.name}"


def placed(*plans: Plan, by_berth: bool = True) -> list[Placed]:
    return [Placed(one.pv, one.claim, one.path, by_berth) for one in plans]


async def ended(share: Bench, made: Plan, end: str) -> None:
    life = Life("cluster-1")
    await life.release(release_plan(made, on_delete=end), share)
    if end == "delete":
        await life.purge(made.pv, share)


async def look(share: Bench, *plans: Plan, by_berth: bool = True) -> dict[str, Displaced]:
    """What a cluster with just these PVs finds out."""
    life = Life("cluster-1")
    life.has_pv = {one.pv for one in plans}.__contains__
    before = share.tree()
    found = await life.displaced(in_slices(placed(*plans, by_berth=by_berth)), share)
    assert share.tree() == before
    return {one.placed.pv: one for one in found}


@pytest.mark.parametrize("path", ["", BY_NAME, "one/place/for/all"])
async def test_what_is_in_its_place_is_not_told(share: Bench, path: str) -> None:
    made = await born(share, path=path, content=b"x")
    assert await look(share, made) == {}
    share.take_away(record_path(made.pv))
    assert await look(share, made) == {}  # its record was lost, and whose the directory is nobody else says


@pytest.mark.parametrize("path", ["", BY_NAME])
async def test_each_end_that_a_backup_knows_nothing_of_is_told_apart(share: Bench, path: str) -> None:
    trashed, archived, gone, stays = [await born(share, name, path, b"x") for name in ("a", "b", "c", "d")]
    await Life("cluster-1").release(release_plan(trashed, on_delete="delete"), share)
    await ended(share, archived, "archive")
    await ended(share, gone, "delete")
    found = await look(share, trashed, archived, gone, stays)
    assert {pv: (one.state, one.where, one.is_occupied) for pv, one in found.items()} == {
        trashed.pv: ("trashed", trash_path(trashed.pv), False),
        archived.pv: ("archived", "archived-" + archived.path.replace("/", "-"), False),
        gone.pv: ("gone", "", False),
    }


@pytest.mark.parametrize(("end", "state"), [("delete", "taken"), ("archive", "archived"), ("trash", "trashed")])
async def test_a_newer_volume_in_its_place_is_named(share: Bench, end: str, state: str) -> None:
    older = await born(share, path=BY_NAME, content=b"older")
    await ended(share, older, end) if end != "trash" else await Life("cluster-1").release(
        release_plan(older, on_delete="delete"), share
    )
    newer = plan(parameters={"pathPattern": BY_NAME}, claim=Claim("team", "data", uid_of("newer")))
    await Life("cluster-1").create(newer, share)
    (found,) = (await look(share, older)).values()
    assert found.state == state
    assert found.is_occupied
    assert found.by is not None
    assert found.by.pv == newer.pv


async def test_a_reference_provisioners_volume_without_a_record_is_in_its_place_where_its_directory_is(
    share: Bench,
) -> None:
    by_hand = plan("old", parameters={"pathPattern": "old"})
    await born(share)
    await share.make_directory("old", mode=0o777)
    assert await look(share, by_hand, by_berth=False) == {}
    share.take_away("old")
    assert [one.state for one in (await look(share, by_hand, by_berth=False)).values()] == ["gone"]


async def test_a_share_without_anything_of_berths_lacks_them_all(share: Bench) -> None:
    assert [one.state for one in (await look(share, plan("a"), plan("b"))).values()] == ["gone", "gone"]


async def test_what_is_no_directory_is_not_in_its_place(share: Bench) -> None:
    made = await born(share, path=BY_NAME)
    share.take_away(made.path)
    await share.write_file(made.path, b"")
    assert [one.state for one in (await look(share, made)).values()] == ["gone"]


async def test_many_volumes_cost_a_list_of_each_directory_they_lie_in() -> None:
    class Counting(MemoryShare):
        calls = 0

        async def list(self, path: str, most: int | None = None) -> list[Entry]:
            self.calls += 1
            return await super().list(path, most)

        async def stat(self, path: str) -> Entry:
            self.calls += 1
            return await super().stat(path)

        async def read_file(self, path: str) -> bytes:
            self.calls += 1
            return await super().read_file(path)

    share = Counting(plan().share)
    volumes = [await born(share, str(number), f"team-{number % 7}/${{.PVC.name}}") for number in range(70)]
    share.calls = 0
    assert await look(share, *volumes) == {}
    assert share.calls == 2 + 7


@pytest.mark.parametrize("what", ["PV", "claim"])
@pytest.mark.parametrize("is_fresh", [True, False], ids=["a new process", "the one that moved it"])
async def test_trash_is_not_purged_while_its_pv_or_claim_is_there_again(
    share: Bench, what: str, is_fresh: bool
) -> None:
    made = await born(share, content=b"precious")
    life = Life("cluster-1")
    await life.release(release_plan(made, on_delete="delete"), share)
    life = Life("cluster-1") if is_fresh else life
    assert await life.waiting_trash(share) == [made.pv]  # it was queued before
    if what == "PV":
        life.has_pv = lambda pv: pv == made.pv
    else:
        life.has_claim = lambda claim: claim == made.claim
    assert (await life.purge(made.pv, share)).entries == 0
    assert await share.read_file(f"{trash_path(made.pv)}/content") == b"precious"
    assert record_path(made.pv) in share.tree()
    life.has_pv, life.has_claim = lambda pv: False, lambda claim: False
    assert (await life.purge(made.pv, share)).entries > 0
    assert record_path(made.pv) not in share.tree()
