"""What is taken away is taken by who leads at that moment, and finds the record as it expects it (I12)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from berth.volumes.errors import Refused, Unavailable
from berth.volumes.metadata_dir import open_metadata_dir
from berth.volumes.naming import record_path, trash_path
from berth.volumes.plan import Plan
from berth.volumes.records import Record, decode, encode, record_of
from berth.volumes.share import Share
from tests.volumes.bench import Bench
from tests.volumes.builders import Life, born, plan, release_plan
from tests.volumes.standings import Cluster, Leader

UID = "cluster-1"
BY_NAME = {"pathPattern": "${.PVC.namespace}/${.PVC.name}", "onDelete": "delete"}


async def record(share: Share, pv: str) -> Record:
    return decode(await share.read_file(record_path(pv)), record_path(pv))


def life(leader: Leader) -> Life:
    return Life(UID, standing=leader)


async def test_a_record_says_who_wrote_it_and_in_which_term(share: Bench) -> None:
    leader = Cluster().lead()
    made = plan()
    await life(leader).create(made, share)
    written = await record(share, made.pv)
    assert (written.leader, written.term) == (leader.identity, leader.term)
    await Life(UID).resize(made.pv, 7, share)  # without an election the last leader's name stays
    assert (await record(share, made.pv)).leader == leader.identity
    other = plan("other")
    await Life(UID).create(other, share)
    assert not {"leader", "term"} & json.loads(await share.read_file(record_path(other.pv))).keys()


def volumes(share: Bench) -> dict[str, str]:
    """All but who says to lead."""
    return {path: what for path, what in share.tree().items() if not path.endswith(".leader")}


TAKING: dict[str, Callable[[Life, Plan, Share], Awaitable[object]]] = {
    "release": lambda lives, made, share: lives.release(release_plan(made, on_delete="delete"), share),
    "archive": lambda lives, made, share: lives.release(release_plan(made, on_delete="archive"), share),
    "retain": lambda lives, made, share: lives.release(release_plan(made, on_delete="retain"), share),
    "purge": lambda lives, made, share: lives.purge(made.pv, share),
    "resize": lambda lives, made, share: lives.resize(made.pv, 7, share),
    "sweep": lambda lives, made, share: lives.sweep(share),
}


@pytest.mark.parametrize("taking", TAKING)
async def test_an_old_leader_takes_nothing_that_a_later_one_has_written(share: Bench, taking: str) -> None:
    cluster = Cluster()
    old = cluster.lead()
    lives = life(old)
    await lives.sweep(share)  # it is at work already
    new = cluster.lead()
    made = plan(parameters=BY_NAME)
    await life(new).create(made, share)
    if taking == "purge":
        await life(new).release(release_plan(made, on_delete="delete"), share)
    before = share.tree()
    with pytest.raises(Unavailable) as caught:
        await TAKING[taking](lives, made, share)
    assert caught.value.stage == "lease"
    assert new.identity in str(caught.value)
    assert share.tree() == before


async def test_who_comes_next_goes_on_with_what_the_ones_before_have_written(share: Bench) -> None:
    cluster = Cluster()
    made = []
    for number in range(4):
        leader = cluster.lead()
        made.append(plan(f"data-{number}"))
        await life(leader).create(made[-1], share)
    last = cluster.lead()
    lives = life(last)
    lives.has_pv = lambda pv: True
    await lives.sweep(share)
    asked = last.confirmed
    for each in made:
        await lives.release(release_plan(each, on_delete="delete"), share)
    assert last.confirmed == asked  # its lock names them all


async def test_leaders_that_the_lock_does_not_name_cost_one_renewal_each(share: Bench) -> None:
    cluster = Cluster()
    first = cluster.lead()
    made = [plan(f"data-{number}") for number in range(5)]
    for each in made:
        await life(first).create(each, share)
    cluster.remove_lock()  # by hand: the next one's terms begin at 0, and it knows of nobody
    last = cluster.lead()
    lives = life(last)
    lives.has_pv = lambda pv: True
    await lives.sweep(share)
    asked = last.confirmed
    for each in made:
        assert await lives.release(release_plan(each, on_delete="delete"), share) == trash_path(each.pv)
    assert last.confirmed <= asked + 1


async def test_what_was_written_before_there_were_such_names_is_anybody_s(share: Bench) -> None:
    made = await born(share)
    old = await record(share, made.pv)
    assert old.leader == ""
    leader = Cluster().lead()
    await life(leader).release(release_plan(made, on_delete="delete"), share)


@pytest.mark.parametrize("wrong", [{"leader": 5}, {"term": "x"}, {"term": True}])
async def test_a_record_whose_leader_makes_no_sense_is_refused(share: Bench, wrong: dict[str, object]) -> None:
    await open_metadata_dir(share, UID)
    sound = json.loads(encode(replace(record_of(plan(), UID, ""), leader="a", term=1)))
    with pytest.raises(Refused, match=next(iter(wrong))):
        decode(json.dumps({**sound, **wrong}).encode(), "record")


async def test_a_copied_cluster_serves_and_takes_nothing_away(share: Bench) -> None:
    original = Cluster()
    first = life(original.lead())
    mine = plan("mine", parameters=BY_NAME)
    await first.create(mine, share)
    await share.write_file(f"{mine.path}/content", b"data")
    unborn, copied = plan("empty"), original.back_up()
    original.work(100)
    await first.create(unborn, share)  # unknown to the copy, whose sweep would take it for an orphan
    first.has_pv = lambda pv: True
    await first.sweep(share)
    second = life(copied.lead())
    before = volumes(share)
    for taking in ("release", "archive", "retain", "purge", "sweep"):
        with pytest.raises(Unavailable, match="another controller uses this share under the same cluster UID"):
            await TAKING[taking](second, mine, share)
    assert volumes(share) == before
    await second.create(plan("new"), share)
    # Another claim of the same name, filed in the copy: what lies there is not its inheritance.
    again = plan("mine", parameters=BY_NAME, pv=f"pvc-{'0' * 8}-0000-0000-0000-{'0' * 12}")
    with pytest.raises(Unavailable, match="another controller uses this share"):
        await second.create(again, share)
    assert (await record(share, mine.pv)).path == mine.path
    assert second.rivals(share.address) != ""
    await first.release(release_plan(mine, on_delete="delete"), share)  # the original's own to take
