"""Purge and sweep: what was deleted goes for good, what a crash left behind is tidied away, data stays."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from berth.volumes.errors import Refused, Unavailable
from berth.volumes.lifecycle import Lifecycle
from berth.volumes.naming import record_path, trash_path
from berth.volumes.orphans import Left
from berth.volumes.plan import Plan
from berth.volumes.records import encode, record_of
from berth.volumes.request import Claim
from berth.volumes.share import Share
from tests.volumes.bench import Bench
from tests.volumes.builders import plan, release_plan
from tests.volumes.memory import MemoryShare

BY_NAME = {"pathPattern": "${.PVC.namespace}/${.PVC.name}"}


async def sweep(share: Share, *live: Plan, claims: tuple[Plan, ...] = (), by: Lifecycle | None = None) -> list[Left]:
    """Sweeps, with these live PVs and these claims that wait for theirs."""
    pvs = {one.pv for one in live}
    waiting = {one.claim for one in claims}
    return await (by or Lifecycle("cluster-1")).sweep(
        share, has_pv=lambda pv: pv in pvs, has_claim=lambda claim: claim in waiting
    )


async def born(share: Bench, name: str = "data", path: str = "", content: bytes = b"") -> Plan:
    made = plan(name, parameters={"pathPattern": path} if path else {})
    await Lifecycle("cluster-1").create(made, share)
    if content:
        await share.write_file(f"{made.path}/content", content)
    return made


async def test_a_purge_removes_the_volume_with_its_record_and_counts(share: Bench, lifecycle: Lifecycle) -> None:
    made = await born(share, content=b"x")
    share.plant_link(f"{made.path}/link")
    await lifecycle.release(release_plan(made, on_delete="delete"), share)
    assert await lifecycle.purge(made.pv, share) == 3
    assert not [path for path in share.tree() if made.pv in path]
    assert await lifecycle.purge(made.pv, share) == 0


async def test_trash_waits_until_it_is_purged(share: Bench, lifecycle: Lifecycle) -> None:
    made = await born(share)
    assert await lifecycle.waiting_trash(share) == []
    await lifecycle.release(release_plan(made, on_delete="delete"), share)
    assert await Lifecycle("cluster-1").waiting_trash(share) == [made.pv]
    await lifecycle.purge(made.pv, share)
    assert await lifecycle.waiting_trash(share) == []


async def test_a_share_that_berth_never_used_has_no_trash_and_gets_none(share: Bench, lifecycle: Lifecycle) -> None:
    assert await lifecycle.waiting_trash(share) == []
    assert await sweep(share) == []
    assert share.tree() == {}


async def test_an_empty_directory_without_claim_and_pv_goes_with_its_record(share: Bench) -> None:
    made = await born(share)
    assert await sweep(share) == []
    assert made.path not in share.tree()
    assert record_path(made.pv) not in share.tree()


async def test_a_record_without_a_directory_goes(share: Bench) -> None:
    made = await born(share)
    share.take_away(made.path)
    assert await sweep(share) == []
    assert record_path(made.pv) not in share.tree()


async def test_a_directory_with_data_stays_and_is_told(share: Bench) -> None:
    made = await born(share, content=b"data")
    (left,) = await sweep(share)
    assert left.record.pv == made.pv
    assert "holds data" in left.why
    assert f"{made.path}/content" in share.tree()
    assert record_path(made.pv) in share.tree()


@pytest.mark.parametrize("path", ["", "team/data"], ids=["its own path", "a path by name"])
async def test_volumes_that_have_a_pv_or_a_claim_stay(share: Bench, path: str) -> None:
    live, waiting = await born(share, "live", path and f"{path}-1"), await born(share, "waiting", path and f"{path}-2")
    before = share.tree()
    assert await sweep(share, live, claims=(waiting,)) == []
    assert share.tree() == before


async def test_a_claim_of_the_same_name_with_another_uid_is_another_claim(share: Bench) -> None:
    made = await born(share)
    again = Claim(made.claim.namespace, made.claim.name, "another")
    await Lifecycle("cluster-1").sweep(share, has_pv=lambda pv: False, has_claim=lambda claim: claim == again)
    assert made.path not in share.tree()


async def test_what_was_kept_deleted_or_archived_is_not_swept(share: Bench, lifecycle: Lifecycle) -> None:
    for end in ("retain", "delete", "archive"):
        await lifecycle.release(release_plan(await born(share, end), on_delete=end), share)
    before = share.tree()
    assert await sweep(share) == []
    assert share.tree() == before


async def test_another_clusters_records_are_not_swept(share: Bench, other_cluster: Lifecycle) -> None:
    await born(share)
    before = share.tree()
    assert await sweep(share, by=other_cluster) == []
    assert share.tree() == before


async def test_a_directory_that_another_volume_got_since_stays(share: Bench) -> None:
    await born(share, "gone", path="same")
    live = await born(share, "live", path="same")
    assert await sweep(share, live) == []
    tree = share.tree()
    assert "same" in tree
    assert record_path(live.pv) in tree
    assert record_path(plan("gone").pv) not in tree


async def test_a_directory_in_another_volume_stays(share: Bench) -> None:
    live = await born(share, "live", path="x")
    await born(share, "gone", path="x/y")
    assert await sweep(share, live) == []
    assert "x/y" in share.tree()
    assert record_path(plan("gone").pv) not in share.tree()


async def test_a_directory_that_holds_another_volume_stays_and_is_told(share: Bench) -> None:
    await born(share, "gone", path="x")
    live = await born(share, "live", path="x/y")
    (left,) = await sweep(share, live)
    assert "holds 'x/y' of team/live" in left.why
    assert "x/y" in share.tree()


async def test_a_directory_that_another_cluster_uses_stays(share: Bench, other_cluster: Lifecycle) -> None:
    gone = await born(share, "gone", path="same")
    await share.write_file(
        record_path("pvc-foreign"),
        encode(record_of(plan("foreign", pv="pvc-foreign", parameters={"pathPattern": "same"}), "cluster-2", "")),
    )
    assert await sweep(share) == []
    assert "same" in share.tree()
    assert record_path(gone.pv) not in share.tree()


async def test_two_orphans_of_one_directory_go_with_it(share: Bench) -> None:
    await born(share, "one", path="same")
    await born(share, "two", path="same")
    await sweep(share)
    await sweep(share)
    assert "same" not in share.tree()
    assert not [path for path in share.tree() if "pvc-" in path]


@pytest.mark.parametrize("path", ["", "x/y"], ids=["its own path", "a path by name"])
async def test_one_that_can_not_be_tidied_away_does_not_keep_the_others(share: Bench, path: str) -> None:
    bad, good = await born(share, "bad", path), await born(share, "good")
    share.take_away(bad.path)
    share.plant_link(bad.path)
    (left,) = await sweep(share)
    assert "link" in left.why
    assert good.path not in share.tree()
    assert bad.path in share.tree()


async def test_a_record_that_makes_no_sense_is_left_alone(share: Bench) -> None:
    good = await born(share)
    await share.write_file(record_path("pvc-x"), b"{}")
    await share.write_file(record_path("pvc-y"), await share.read_file(record_path(good.pv)))
    assert await sweep(share) == []
    assert good.path not in share.tree()
    assert {record_path("pvc-x"), record_path("pvc-y")} <= share.tree().keys()


async def test_a_forged_record_does_not_lead_a_sweep_to_anothers_directory(share: Bench) -> None:
    live = await born(share, "live", path="live")
    forged = record_of(plan("forged", parameters={"pathPattern": "live"}), "cluster-1", "")
    await share.write_file(record_path(forged.pv), encode(forged))
    await share.make_directory("empty", mode=0o755)
    text = encode(forged).decode().replace('"live"', '"../empty"')
    await share.write_file(record_path("pvc-x"), text.replace(forged.pv, "pvc-x").encode())
    await sweep(share, live)
    assert {"live", "empty"} <= share.tree().keys()


async def test_a_volume_that_is_moved_while_the_sweep_goes_on_keeps_its_record(
    share: Bench, lifecycle: Lifecycle
) -> None:
    made = await born(share, content=b"x")
    is_there = True

    def has_pv(pv: str) -> bool:
        return is_there

    async def release() -> None:
        nonlocal is_there
        await lifecycle.release(release_plan(made, on_delete="delete"), share)
        is_there = False

    for turns in range(12):
        is_there = True
        sweeping = asyncio.ensure_future(lifecycle.sweep(share, has_pv=has_pv, has_claim=lambda claim: False))
        for _ in range(turns):
            await asyncio.sleep(0)
        await release()
        assert await sweeping == []
        assert await lifecycle.waiting_trash(share) == [made.pv]
        await lifecycle.purge(made.pv, share)
        await lifecycle.create(made, share)
        await share.write_file(f"{made.path}/content", b"x")


class Slow(MemoryShare):
    """A share that takes its time to write a record, and to remove a directory."""

    async def write_file(self, path: str, content: bytes, *, exclusive: bool = False) -> None:
        for _ in range(10):
            await asyncio.sleep(0)
        await super().write_file(path, content, exclusive=exclusive)

    async def remove_directory(self, path: str) -> bool:
        for _ in range(10):
            await asyncio.sleep(0)
        return await super().remove_directory(path)


@pytest.mark.parametrize("turns", range(-12, 24))
@pytest.mark.parametrize("path", ["x/same", "x/same/below"])
async def test_a_volume_that_is_made_while_its_place_is_removed_keeps_its_directory(
    lifecycle: Lifecycle, turns: int, path: str
) -> None:
    slow = Slow(plan().share)
    await lifecycle.create(plan("gone", parameters={"pathPattern": "x/same"}), slow)
    made = plan("new", parameters={"pathPattern": path})

    async def after(wait: int, work: Awaitable[object]) -> None:
        for _ in range(wait):
            await asyncio.sleep(0)
        await work

    await asyncio.gather(
        after(-turns, sweep(slow, by=lifecycle, claims=(made,))), after(turns, lifecycle.create(made, slow))
    )
    assert path in slow.tree()
    assert record_path(made.pv) in slow.tree()


async def test_the_process_that_made_an_orphan_tidies_it_away_too(share: Bench, lifecycle: Lifecycle) -> None:
    for path in ("", "x/y"):
        made = plan("gone", parameters={"pathPattern": path} if path else {})
        await lifecycle.create(made, share)
        assert await sweep(share, by=lifecycle) == []
        assert made.path not in share.tree()


@pytest.mark.parametrize("turns", range(14))
async def test_a_volume_that_is_made_while_an_orphan_of_its_path_is_swept_keeps_its_directory(
    share: Bench, lifecycle: Lifecycle, turns: int
) -> None:
    gone = await born(share, "gone", path="x/same")
    for path in ("x/same", "x/same/below"):
        made = plan("new", parameters={"pathPattern": path})
        sweeping = asyncio.ensure_future(sweep(share, by=lifecycle, claims=(made,)))
        for _ in range(turns):
            await asyncio.sleep(0)
        await lifecycle.create(made, share)
        await sweeping
        assert path in share.tree()
        assert record_path(made.pv) in share.tree()
        share.take_away("x")
        share.take_away(record_path(made.pv))
        await lifecycle.create(gone, share)


@pytest.mark.parametrize("turns", range(14))
async def test_a_claim_that_goes_while_its_volume_is_made_leaves_no_directory_without_a_record(
    share: Bench, lifecycle: Lifecycle, turns: int
) -> None:
    made = plan()
    creating = asyncio.ensure_future(lifecycle.create(made, share))
    for _ in range(turns):
        await asyncio.sleep(0)
    await sweep(share, by=lifecycle)
    await creating
    assert (made.path in share.tree()) is (record_path(made.pv) in share.tree())


class Forbidding(MemoryShare):
    """A share where one directory can't be removed, as where root is squashed and the parent is somebody else's."""

    stage = "permission"

    async def remove_directory(self, path: str) -> bool:
        if "team-bad" in path:
            raise Unavailable(str(self.address), self.stage, "not allowed", path=path)  # type: ignore[arg-type]
        return await super().remove_directory(path)


async def test_one_that_may_not_be_removed_is_told_and_does_not_keep_the_others(share: Bench) -> None:
    forbidding = Forbidding(share.address)
    await born(forbidding, "bad")
    good = await born(forbidding, "good")
    (left,) = await sweep(forbidding)
    assert "not allowed" in left.why
    assert good.path not in forbidding.tree()


async def test_an_outage_ends_the_sweep(share: Bench) -> None:
    forbidding = Forbidding(share.address)
    forbidding.stage = "timeout"
    await born(forbidding, "bad")
    with pytest.raises(Unavailable):
        await sweep(forbidding)


async def test_another_clusters_trash_is_not_purged(share: Bench, other_cluster: Lifecycle) -> None:
    made = await born(share, content=b"x")
    await Lifecycle("cluster-1").release(release_plan(made, on_delete="delete"), share)
    assert await other_cluster.waiting_trash(share) == []
    with pytest.raises(Refused, match="for that cluster to purge"):
        await other_cluster.purge(made.pv, share)
    assert f"{trash_path(made.pv)}/content" in share.tree()
