"""A volume is brought back from the trash or its archive, by one rename, over nothing, and killed anywhere."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import count

import pytest

from berth.volumes.errors import Refused, Unavailable
from berth.volumes.naming import metadata_path, record_path, trash_path
from berth.volumes.plan import Plan
from berth.volumes.records import Record, decode
from berth.volumes.request import Claim
from berth.volumes.restoring import Restoring
from berth.volumes.share import Share
from tests.volumes.bench import Bench
from tests.volumes.builders import Life, born, plan, release_plan, uid_of, without_metadata_dir
from tests.volumes.faults import HOWS, Failing, How, Killed
from tests.volumes.memory import MemoryShare

BY_NAME = "${.PVC.namespace}/${.PVC.name}"
PATHS = ["", BY_NAME]


async def ended(share: Share, end: str, path: str = "") -> Plan:
    made = await born(share, path=path, content=b"precious")
    await Life("cluster-1").release(release_plan(made, on_delete=end), share)
    return made


async def bring_back(pv: str, share: Share) -> Record:
    restoring = Restoring("cluster-1")
    found = await restoring.find(pv, share)
    assert found is not None
    await restoring.bring_back(found, share)
    return found.record


async def record_of(made: Plan, share: Share) -> Record:
    return decode(await share.read_file(record_path(made.pv)), "x")


@pytest.mark.parametrize("end", ["delete", "archive"])
@pytest.mark.parametrize("path", PATHS)
async def test_it_is_as_it_was_before_and_can_end_again(share: Bench, end: str, path: str) -> None:
    made = await ended(share, end, path)
    await bring_back(made.pv, share)
    assert await share.read_file(f"{made.path}/content") == b"precious"
    record = await record_of(made, share)
    assert (record.path, record.archived, record.released) == (made.path, "", "")
    assert not [each for each in share.tree() if each.startswith(("archived-", ".berth/trash/", ".berth/archives/"))]
    before = share.tree()
    await bring_back(made.pv, share)
    assert share.tree() == before
    assert await Life("cluster-1").release(release_plan(made, on_delete="delete"), share) == trash_path(made.pv)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("end", ["delete", "archive"])
async def test_killed_anywhere_it_ends_well_when_repeated(end: str, how: How) -> None:
    for at in count(1):
        share = MemoryShare(plan().share)
        made = await ended(share, end, BY_NAME)
        share.take_away("team")  # parents of volumes are made again
        failing = Failing(share, at, how)
        with suppress(Killed, Unavailable):
            await bring_back(made.pv, failing)
        tree = share.tree()
        assert sum(each.endswith("/content") for each in tree) == 1
        life = Life("cluster-1")
        life.has_pv = lambda pv: True
        for pv in await life.waiting_trash(share):
            assert (await life.purge(pv, share)).entries == 0
        await life.sweep(share)
        await bring_back(made.pv, share)
        tree = share.tree()
        assert tree[f"{made.path}/content"].endswith("precious")
        assert record_path(made.pv) in tree
        assert not [each for each in tree if each.startswith(("archived-", ".berth/trash/", ".berth/archives/"))]
        if not failing.has_failed:
            assert at > 8
            return


async def test_a_purge_that_was_queued_before_leaves_alone_what_is_back_without_a_pv(share: Bench) -> None:
    made = await born(share, content=b"precious")
    life = Life("cluster-1")
    await life.release(release_plan(made, on_delete="delete"), share)
    await bring_back(made.pv, share)
    life.has_pv = lambda pv: pv == made.pv
    await life.purge(made.pv, share)
    assert await share.read_file(f"{made.path}/content") == b"precious"
    assert record_path(made.pv) in share.tree()


@pytest.mark.parametrize("end", ["delete", "archive"])
@pytest.mark.parametrize("place", ["the same", "around it", "in it", "somebody's"])
async def test_what_is_in_its_place_is_left_alone(share: Bench, end: str, place: str) -> None:
    made = await ended(share, end, BY_NAME)
    patterns = {"the same": BY_NAME, "around it": "team", "in it": "team/data/below"}
    if place == "somebody's":
        await share.make_directory(made.path, mode=0o755)
    else:
        share.take_away("team")
        claim = Claim("team", "data", uid_of("newer"))
        await Life("cluster-1").create(plan(parameters={"pathPattern": patterns[place]}, claim=claim), share)
    before = without_metadata_dir(share.tree())
    with pytest.raises(Refused, match="something is there" if place == "somebody's" else "of claim team/data|is taken"):
        await bring_back(made.pv, share)
    assert without_metadata_dir(share.tree()) == before


async def test_what_is_nowhere_or_another_clusters_is_not_brought_back(share: Bench) -> None:
    made = await ended(share, "delete")
    assert await Restoring("cluster-1").find("pvc-unknown", share) is None
    with pytest.raises(Refused, match="is cluster cluster-1's"):
        await Restoring("cluster-2").find(made.pv, share)
    known = replace(await record_of(made, share), path="elsewhere")
    with pytest.raises(Refused, match="points to 'elsewhere'"):
        await Restoring("cluster-1").find(made.pv, share, known)
    await Life("cluster-1").purge(made.pv, share)
    assert await Restoring("cluster-1").find(made.pv, share) is None


async def test_an_archive_whose_name_was_taken_comes_back_too(share: Bench) -> None:
    first = await ended(share, "archive", BY_NAME)
    second = plan(parameters={"pathPattern": BY_NAME}, claim=Claim("team", "data", uid_of("second")))
    await Life("cluster-1").create(second, share)
    await share.write_file(f"{second.path}/content", b"second")
    await Life("cluster-1").release(release_plan(second, on_delete="archive"), share)
    await bring_back(second.pv, share)
    assert await share.read_file(f"{second.path}/content") == b"second"
    assert not [each for each in share.tree() if each.startswith(".berth/archives/") and second.pv in each]
    found = await Restoring("cluster-1").find(first.pv, share)
    assert found is not None
    assert found.where == "archived-team-data"


async def test_of_an_archive_that_is_gone_only_the_metadata_is_left_and_nothing_comes_of_it(share: Bench) -> None:
    made = await ended(share, "archive")
    name = next(each for each in share.tree() if each.startswith("archived-") and "/" not in each)
    share.take_away(name)
    assert metadata_path(name) in share.tree()
    assert await Restoring("cluster-1").find(made.pv, share) is None


async def test_the_end_of_an_adopted_volume_is_changed_by_this_alone(share: Bench) -> None:
    await share.make_directory("team/data", mode=0o755)
    await share.write_file("team/data/photo", b"x")
    made = plan(parameters={"pathPattern": BY_NAME})
    assert (await Life("cluster-1").create(made, share)).is_adopted
    known = await record_of(made, share)
    assert await Life("cluster-1").release(release_plan(made, on_delete="delete"), share) == made.path
    with pytest.raises(Refused, match="come to its end"):
        await Restoring("cluster-1").set_end(made.pv, "delete", share, known)
    await Life("cluster-1").create(made, share)
    assert (await Restoring("cluster-1").set_end(made.pv, "delete", share, known)).adopted
    record = await record_of(made, share)
    assert (record.adopted, record.on_delete) == ("", "delete")
    assert await Life("cluster-1").release(release_plan(made, on_delete="delete"), share) == trash_path(made.pv)
