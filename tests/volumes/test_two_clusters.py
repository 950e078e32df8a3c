"""Several clusters on one share: none touches another's, whatever they do at the same time."""

from __future__ import annotations

import asyncio
from itertools import permutations

import pytest

from berth.volumes.errors import Refused
from berth.volumes.naming import record_path
from berth.volumes.plan import Plan
from berth.volumes.records import decode
from berth.volumes.request import Claim
from berth.volumes.share import Share
from tests.volumes.bench import Bench
from tests.volumes.builders import Life, plan, release_plan, uid_of


def claim_beside(name: str) -> Claim:
    """The claim of this name in a cluster beside the one that the builders' claims are in."""
    return Claim("team", name, uid_of(f"beside {name}"))


def at(path: str, name: str = "data", **parameters: str) -> Plan:
    return plan(name, parameters={"pathPattern": path, **parameters})


@pytest.mark.parametrize(
    "theirs", [pytest.param("x/y", id="the same"), pytest.param("x", id="around it"), pytest.param("x/y/z", id="in it")]
)
async def test_a_path_that_overlaps_another_clusters_volume_is_refused(
    share: Bench, lifecycle: Life, other_cluster: Life, theirs: str
) -> None:
    there = at(theirs, "theirs")
    await other_cluster.create(there, share)
    before = {path: what for path, what in share.tree().items() if "clusters" not in path}
    with pytest.raises(Refused, match=f"volume {there.pv} of cluster cluster-2 .claim team/theirs., which is in use"):
        await lifecycle.create(at("x/y", "ours"), share)
    assert {path: what for path, what in share.tree().items() if "clusters" not in path} == before


async def test_a_cluster_that_came_later_is_seen_at_once(share: Bench, lifecycle: Life, other_cluster: Life) -> None:
    await lifecycle.create(at("a", "first"), share)
    await other_cluster.create(at("b", "theirs"), share)
    with pytest.raises(Refused, match="cluster-2"):
        await lifecycle.create(at("b", "ours"), share)


async def test_paths_side_by_side_are_fine(share: Bench, lifecycle: Life, other_cluster: Life) -> None:
    await other_cluster.create(at("x/y", "theirs"), share)
    await lifecycle.create(at("x/y2", "ours"), share)
    await lifecycle.create(plan(), share)


@pytest.mark.parametrize("name", ["ours", "theirs"], ids=["another claim", "a claim of the same name"])
async def test_what_another_cluster_kept_is_nobody_elses(
    share: Bench, lifecycle: Life, other_cluster: Life, name: str
) -> None:
    theirs = at("x", "theirs")
    await other_cluster.create(theirs, share)
    await share.write_file("x/content", b"theirs")
    await other_cluster.release(release_plan(theirs, on_delete="retain"), share)
    before = {path: what for path, what in share.tree().items() if "clusters" not in path}
    with pytest.raises(Refused, match=r"cluster-2 .* kept after its claim was gone"):
        await lifecycle.create(plan(name, parameters={"pathPattern": "x"}, claim=claim_beside(name)), share)
    assert {path: what for path, what in share.tree().items() if "clusters" not in path} == before


async def test_a_claim_of_the_same_name_gets_what_another_cluster_kept_where_its_class_says_so(
    share: Bench, lifecycle: Life, other_cluster: Life
) -> None:
    theirs = at("x", "theirs")
    await other_cluster.create(theirs, share)
    await share.write_file("x/content", b"theirs")
    await other_cluster.release(release_plan(theirs, on_delete="retain"), share)
    ours = plan(parameters={"pathPattern": "x", "existingDirectory": "adopt"}, claim=claim_beside("theirs"))
    assert (await lifecycle.create(ours, share)).is_adopted
    assert await lifecycle.release(release_plan(ours, on_delete="delete"), share) == "x"
    assert await share.read_file("x/content") == b"theirs"


@pytest.mark.parametrize("end", ["delete", "archive"])
async def test_a_directory_that_another_cluster_came_to_use_stays(
    share: Bench, lifecycle: Life, other_cluster: Life, end: str
) -> None:
    theirs, ours = at("x", "theirs"), at("x", "ours")
    await lifecycle.create(ours, share)
    record = await share.read_file(record_path(ours.pv))
    share.take_away(record_path(ours.pv))
    await other_cluster.create(theirs, share)
    await share.write_file(record_path(ours.pv), record)
    before = share.tree()
    with pytest.raises(Refused, match=r"cluster-2 .* in use"):
        await lifecycle.release(release_plan(ours, on_delete=end), share)
    assert share.tree() == before


@pytest.mark.parametrize("lead", range(-12, 13))
async def test_of_two_that_want_one_path_at_the_same_time_not_both_get_it(share: Bench, lead: int) -> None:
    ours, theirs = at("x", "ours"), at("x/y", "theirs")

    async def create(cluster: str, wanted: Plan, wait: int) -> None:
        for _ in range(wait):
            await asyncio.sleep(0)
        await Life(cluster).create(wanted, share)

    answers = await asyncio.gather(
        create("cluster-1", ours, max(0, lead)), create("cluster-2", theirs, max(0, -lead)), return_exceptions=True
    )
    assert all(answer is None or isinstance(answer, Refused) for answer in answers)
    served = [wanted for wanted, answer in zip((ours, theirs), answers, strict=True) if answer is None]
    assert len(served) <= 1
    for wanted in (ours, theirs):
        assert (record_path(wanted.pv) in share.tree()) is (wanted in served)
    # Whoever tries again gets it, unless the other has it.
    if not served:
        await Life("cluster-1").create(ours, share)
        with pytest.raises(Refused):
            await Life("cluster-2").create(theirs, share)


async def test_archives_of_one_name_made_at_the_same_time_all_survive(share: Bench) -> None:
    async def live(number: int) -> str:
        made = at(f"a{'/' if number % 2 else '-'}{'b-c' if number < 2 else 'b/c'}", f"volume-{number}")
        lifecycle = Life(f"cluster-{number}")
        await lifecycle.create(made, share)
        await share.write_file(f"{made.path}/content", str(number).encode())
        return await lifecycle.release(release_plan(made, on_delete="archive"), share)

    names = await asyncio.gather(*(live(number) for number in range(4)))
    assert len(set(names)) == 4
    assert sum(name == "archived-a-b-c" for name in names) == 1
    for number, name in enumerate(names):
        assert await share.read_file(f"{name}/content") == str(number).encode()
        assert decode(await share.read_file(f".berth/archives/{name}.json"), "x").cluster == f"cluster-{number}"


@pytest.mark.parametrize("order", list(permutations(["delete", "archive", "retain"])), ids="-".join)
async def test_two_clusters_live_side_by_side_and_only_see_their_own(share: Bench, order: tuple[str, ...]) -> None:
    clusters = {name: Life(name) for name in ("cluster-1", "cluster-2")}
    made = {
        (cluster, end): plan(f"{cluster}-{end}", parameters={"onDelete": end}) for cluster in clusters for end in order
    }

    async def live(cluster: str) -> None:
        for end in order:
            volume = made[cluster, end]
            await clusters[cluster].create(volume, share)
            await share.write_file(f"{volume.path}/content", b"x")
            await clusters[cluster].release(release_plan(volume), share)
            await clusters[cluster].sweep(share)

    await asyncio.gather(*map(live, clusters))
    for name, lifecycle in clusters.items():
        assert await lifecycle.waiting_trash(share) == [made[name, "delete"].pv]
    await clusters["cluster-1"].purge(made["cluster-1", "delete"].pv, share)
    tree = share.tree()
    assert f".berth/trash/{made['cluster-2', 'delete'].pv}/content" in tree
    for name in clusters:
        assert f"{made[name, 'retain'].path}/content" in tree
        assert f"archived-{made[name, 'archive'].path}/content" in tree


async def test_many_volumes_of_many_clusters_at_once(share: Bench) -> None:
    async def live(cluster: int, number: int, work: Life, on: Share) -> None:
        volume = plan(f"v-{cluster}-{number}", parameters={"pathPattern": "${.PVC.namespace}/${.PVC.name}"})
        await work.create(volume, on)
        if number % 2:
            await work.release(release_plan(volume, on_delete="delete"), on)
            await work.purge(volume.pv, on)

    lives = []
    for cluster in range(3):
        work = Life(f"cluster-{cluster}")
        lives += [live(cluster, number, work, share) for number in range(10)]
    await asyncio.gather(*lives)
    assert sorted(path for path in share.tree() if path.startswith("team/")) == sorted(
        f"team/v-{cluster}-{number}" for cluster in range(3) for number in range(0, 10, 2)
    )
