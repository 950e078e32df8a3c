"""A volume's birth on its share: record first, then the directory; harmless to repeat, and never in another's place."""

from __future__ import annotations

import pytest

from berth.volumes.errors import Refused, Unavailable
from berth.volumes.naming import record_path
from berth.volumes.records import decode, encode, record_of
from berth.volumes.share import ShareAddress
from tests.volumes.bench import Bench
from tests.volumes.builders import Life, plan, release_plan
from tests.volumes.memory import MemoryShare

BY_NAME = {"pathPattern": "${.PVC.namespace}/${.PVC.name}"}
BY_LABEL = {"pathPattern": "${.PVC.labels.dir}"}


async def test_the_directory_gets_its_mode_and_owner_and_a_record(share: Bench, lifecycle: Life) -> None:
    wanted = plan(parameters={"directoryMode": "2750", "uid": "1000", "gid": "100"})
    await lifecycle.create(wanted, share)
    assert share.tree()[wanted.path] == "directory 2750 1000:100 "
    record = decode(await share.read_file(record_path(wanted.pv)), "x")
    assert (record.cluster, record.pv, record.path, record.owner) == (
        "cluster-1",
        wanted.pv,
        wanted.path,
        wanted.claim,
    )
    assert record.on_delete == wanted.on_delete


async def test_parents_are_made_for_everybody_to_pass_through(share: Bench, lifecycle: Life) -> None:
    await lifecycle.create(plan(parameters=BY_NAME), share)
    assert share.tree()["team"].startswith("directory 0755")


@pytest.mark.parametrize("parameters", [{}, BY_NAME], ids=["its own path", "a path by name"])
async def test_repeating_it_changes_nothing_but_the_moment(
    share: Bench, lifecycle: Life, parameters: dict[str, str]
) -> None:
    wanted = plan(parameters=parameters)
    await lifecycle.create(wanted, share)
    await share.write_file(f"{wanted.path}/content", b"data")
    before = share.tree()
    late = Life("cluster-1")
    late.has_pv = lambda pv: pv == wanted.pv  # an attempt whose answer got lost made it, and pods have written
    assert not (await late.create(wanted, share)).is_adopted
    after = share.tree()
    assert after.keys() == before.keys()
    assert {path for path in after if after[path] != before[path]} <= {record_path(wanted.pv)}


async def test_a_directory_that_was_kept_is_taken_over_as_it_is(share: Bench, lifecycle: Life) -> None:
    await share.make_directory("team/data", mode=0o700, uid=7)
    await lifecycle.create(plan(parameters=BY_NAME), share)
    assert share.tree()["team/data"].startswith("directory 0700 7:0")


@pytest.mark.parametrize("parameters", [{}, BY_NAME], ids=["its own path", "a path by name"])
async def test_the_mode_is_set_if_an_earlier_attempt_was_killed_before_it_could(
    share: Bench, lifecycle: Life, parameters: dict[str, str]
) -> None:
    wanted = plan(parameters=parameters)
    await lifecycle.create(wanted, share)
    await share.make_directory(wanted.path, mode=0o755, adopt=True)
    await Life("cluster-1").create(wanted, share)
    assert share.tree()[wanted.path].startswith("directory 0777")


@pytest.mark.parametrize(
    ("parameters", "content"),
    [
        pytest.param({**BY_NAME, "sharedPaths": "allow"}, {}, id="it may be shared"),
        pytest.param(BY_NAME, {"team/data/content": b"data"}, id="it holds data"),
    ],
)
async def test_the_mode_of_a_directory_that_may_be_anothers_is_left_alone(
    share: Bench, lifecycle: Life, parameters: dict[str, str], content: dict[str, bytes]
) -> None:
    wanted = plan(parameters=parameters)
    await lifecycle.create(wanted, share)
    await share.make_directory("team/data", mode=0o700, adopt=True)
    for path, data in content.items():
        await share.write_file(path, data)
    await Life("cluster-1").create(wanted, share)
    assert share.tree()["team/data"].startswith("directory 0700")


@pytest.mark.parametrize(
    "parameters",
    [{"pathPattern": "x/${.PV.name}"}, {"pathPattern": "${.PV.name}/y"}, BY_LABEL],
    ids=["PV's name", "PV's name first", "label"],
)
@pytest.mark.parametrize("obstacle", ["a link above it", "a link", "a file"])
async def test_what_stands_in_its_place_is_refused_and_nothing_is_left(
    share: Bench, lifecycle: Life, parameters: dict[str, str], obstacle: str
) -> None:
    wanted = plan(parameters=parameters, labels={"dir": "x/y"})
    above = wanted.path.split("/")[0]
    await share.make_directory(above, mode=0o755)
    if obstacle == "a link above it":
        share.take_away(above)
        share.plant_link(above)
    elif obstacle == "a link":
        share.plant_link(wanted.path)
    else:
        await share.write_file(wanted.path, b"")
    before = share.tree()
    with pytest.raises(Refused):
        await lifecycle.create(wanted, share)
    assert {path: what for path, what in share.tree().items() if not path.startswith(".berth")} == before
    assert record_path(wanted.pv) not in share.tree()


@pytest.mark.parametrize("removed", [".berth", ".berth/volumes", ".berth/clusters"])
@pytest.mark.parametrize("parameters", [{}, BY_NAME], ids=["its own path", "a path by name"])
async def test_berths_own_directory_is_made_again_when_somebody_removed_it(
    share: Bench, lifecycle: Life, removed: str, parameters: dict[str, str]
) -> None:
    await lifecycle.create(plan("first", parameters=parameters), share)
    share.take_away(removed)
    wanted = plan("second", parameters=parameters)
    await lifecycle.create(wanted, share)
    assert wanted.path in share.tree()
    assert record_path(wanted.pv) in share.tree()


@pytest.mark.parametrize("removed", [".berth/clusters", ".berth/clusters/cluster-1.json"])
async def test_a_cluster_whose_entry_somebody_removed_enters_itself_again(
    share: Bench, lifecycle: Life, other_cluster: Life, removed: str
) -> None:
    await lifecycle.create(plan("first"), share)
    share.take_away(removed)
    await lifecycle.create(plan("second", parameters={"pathPattern": "x"}), share)
    with pytest.raises(Refused, match="cluster-1"):
        await other_cluster.create(plan("third", parameters={"pathPattern": "x"}), share)


async def test_a_label_that_changed_between_two_attempts_leaves_no_directory_behind(
    share: Bench, lifecycle: Life
) -> None:
    await lifecycle.create(plan(parameters=BY_LABEL, labels={"dir": "before"}), share)
    wanted = plan(parameters=BY_LABEL, labels={"dir": "after"})
    await Life("cluster-1").create(wanted, share)
    tree = share.tree()
    assert "before" not in tree
    assert "after" in tree
    assert decode(await share.read_file(record_path(wanted.pv)), "x").path == "after"


async def test_a_label_that_changed_between_two_attempts_leaves_data_alone(share: Bench, lifecycle: Life) -> None:
    await lifecycle.create(plan(parameters=BY_LABEL, labels={"dir": "before"}), share)
    await share.write_file("before/content", b"data")
    await Life("cluster-1").create(plan(parameters=BY_LABEL, labels={"dir": "after"}), share)
    assert "before/content" in share.tree()
    assert "after" in share.tree()


async def test_a_record_of_the_same_pv_in_another_cluster_is_not_overwritten(
    share: Bench, lifecycle: Life, other_cluster: Life
) -> None:
    await other_cluster.create(plan(parameters=BY_NAME), share)
    before = await share.read_file(record_path(plan().pv))
    with pytest.raises(Refused, match="cluster-2"):
        await lifecycle.create(plan(parameters=BY_NAME), share)
    assert await share.read_file(record_path(plan().pv)) == before


async def test_a_volume_that_waits_to_be_purged_is_not_made_again_before(share: Bench, lifecycle: Life) -> None:
    wanted = plan(parameters=BY_NAME)
    await lifecycle.create(wanted, share)
    await lifecycle.release(release_plan(wanted, on_delete="delete"), share)
    with pytest.raises(Unavailable, match="waits to be purged"):
        await lifecycle.create(wanted, share)
    assert wanted.path not in share.tree()
    await lifecycle.purge(wanted.pv, share)
    await lifecycle.create(wanted, share)
    assert wanted.path in share.tree()


async def test_the_identity_of_a_share_is_known_once_it_was_used(share: Bench, lifecycle: Life) -> None:
    other = MemoryShare(ShareAddress("elsewhere", "/srv"))
    await lifecycle.create(plan(), share)
    assert lifecycle.share_id(share.address)
    assert lifecycle.share_id(other.address) == ""
    lifecycle.forget(share.address)
    assert lifecycle.share_id(share.address) == ""


async def test_a_record_that_can_not_be_read_keeps_nobody_from_a_new_directory(
    share: Bench, lifecycle: Life, other_cluster: Life
) -> None:
    await other_cluster.create(plan("theirs"), share)
    await share.write_file(record_path("pvc-x"), b"nonsense")
    for wanted in (plan(), plan("by name", parameters=BY_NAME)):
        await lifecycle.create(wanted, share)
        assert {wanted.path, record_path(wanted.pv)} <= share.tree().keys()


async def test_a_repetition_that_is_refused_leaves_the_record_of_the_directory_that_is_there(
    share: Bench, lifecycle: Life, other_cluster: Life
) -> None:
    wanted = plan(parameters=BY_NAME)
    await other_cluster.create(plan("theirs"), share)
    await lifecycle.create(wanted, share)
    foreign = record_of(plan("foreign", parameters={"pathPattern": "team"}), "cluster-2", "")
    await share.write_file(record_path(foreign.pv), encode(foreign))
    with pytest.raises(Refused, match="cluster-2"):
        await lifecycle.create(wanted, share)
    assert {wanted.path, record_path(wanted.pv)} <= share.tree().keys()
