"""Sweep: what a crash left behind is tidied away, data stays, and nobody else's directory goes."""

from __future__ import annotations

import pytest

from berth.volumes.errors import Unavailable
from berth.volumes.naming import record_path
from berth.volumes.records import encode, record_of
from berth.volumes.request import Claim
from tests.volumes.bench import Bench
from tests.volumes.builders import Life, born, plan, release_plan, sweep
from tests.volumes.memory import MemoryShare


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
    life = Life("cluster-1")
    life.has_claim = lambda claim: claim == again
    await life.sweep(share)
    assert made.path not in share.tree()


async def test_what_was_kept_deleted_or_archived_is_not_swept(share: Bench, lifecycle: Life) -> None:
    for end in ("retain", "delete", "archive"):
        await lifecycle.release(release_plan(await born(share, end), on_delete=end), share)
    before = share.tree()
    assert await sweep(share) == []
    assert share.tree() == before


async def test_another_clusters_records_are_not_swept(share: Bench, other_cluster: Life) -> None:
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
    live = await born(share, "live", path="x", is_shared=True)
    await born(share, "gone", path="x/y", is_shared=True)
    assert await sweep(share, live) == []
    assert "x/y" in share.tree()
    assert record_path(plan("gone").pv) not in share.tree()


async def test_a_directory_that_holds_another_volume_stays_and_is_told(share: Bench) -> None:
    await born(share, "gone", path="x", is_shared=True)
    live = await born(share, "live", path="x/y", is_shared=True)
    (left,) = await sweep(share, live)
    assert "holds 'x/y' of team/live" in left.why
    assert "x/y" in share.tree()


async def test_a_directory_that_another_cluster_uses_stays(share: Bench, other_cluster: Life) -> None:
    gone = await born(share, "gone", path="same")
    await share.write_file(
        record_path("pvc-foreign"),
        encode(record_of(plan("foreign", pv="pvc-foreign", parameters={"pathPattern": "same"}), "cluster-2", "")),
    )
    assert await sweep(share) == []
    assert "same" in share.tree()
    assert record_path(gone.pv) not in share.tree()


async def test_two_orphans_of_one_directory_go_with_it(share: Bench) -> None:
    await born(share, "one", path="same", is_shared=True)
    await born(share, "two", path="same", is_shared=True)
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


async def test_a_copy_of_a_live_volumes_record_does_no_harm(share: Bench) -> None:
    live = await born(share)
    await share.write_file(record_path("pvc-copy"), await share.read_file(record_path(live.pv)))
    before = share.tree()
    assert await sweep(share, live) == []
    assert share.tree() == before
