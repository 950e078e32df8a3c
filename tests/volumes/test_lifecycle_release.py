"""The end of a volume on its share: trash, archive or kept, by one rename, and again with the same answer."""

from __future__ import annotations

import pytest

from berth.volumes.errors import Unavailable
from berth.volumes.naming import metadata_path, record_path, trash_path
from berth.volumes.records import decode
from berth.volumes.share import Entry
from tests.volumes.bench import Bench
from tests.volumes.builders import Life, born_with_data, plan, release_plan, without_metadata_dir
from tests.volumes.memory import MemoryShare

BY_NAME = {"pathPattern": "${.PVC.namespace}/${.PVC.name}"}
ENDS = ["delete", "archive"]


async def test_a_deleted_volume_is_in_the_trash_with_all_that_it_held(share: Bench, lifecycle: Life) -> None:
    made = await born_with_data(share, parameters=BY_NAME)
    assert await lifecycle.release(release_plan(made, on_delete="delete"), share) == trash_path(made.pv)
    tree = share.tree()
    assert made.path not in tree
    assert f"{trash_path(made.pv)}/content" in tree
    assert record_path(made.pv) in tree
    assert "team" in tree  # I7: a parent stays


async def test_a_volume_that_is_kept_stays_and_its_record_says_so(share: Bench, lifecycle: Life) -> None:
    made = await born_with_data(share)
    before = without_metadata_dir(share.tree())
    assert await lifecycle.release(release_plan(made, on_delete="retain"), share) == made.path
    assert without_metadata_dir(share.tree()) == before
    assert decode(await share.read_file(record_path(made.pv)), "x").released


async def test_a_volume_of_the_reference_that_is_kept_gets_a_record(share: Bench, lifecycle: Life) -> None:
    made = plan()
    await share.make_directory(made.path, mode=0o777)
    assert await lifecycle.release(release_plan(made, on_delete="retain", share=""), share) == made.path
    record = decode(await share.read_file(record_path(made.pv)), "x")
    assert record.released
    assert record.owner == made.claim


@pytest.mark.parametrize("end", ["delete", "archive", "retain"])
@pytest.mark.parametrize("parameters", [{}, BY_NAME], ids=["its own path", "a path by name"])
async def test_repeating_it_answers_the_same_and_changes_nothing(
    share: Bench, lifecycle: Life, end: str, parameters: dict[str, str]
) -> None:
    made = await born_with_data(share, parameters=parameters)
    ending = release_plan(made, on_delete=end)
    first = await lifecycle.release(ending, share)
    before = share.tree()
    assert await Life("cluster-1").release(ending, share) == first
    assert share.tree() == before


@pytest.mark.parametrize("end", ENDS)
async def test_a_directory_that_somebody_removed_is_nowhere(share: Bench, lifecycle: Life, end: str) -> None:
    made = await born_with_data(share)
    share.take_away(made.path)
    assert await lifecycle.release(release_plan(made, on_delete=end), share) == ""
    assert record_path(made.pv) not in share.tree()


@pytest.mark.parametrize("end", [*ENDS, "retain"])
@pytest.mark.parametrize("is_known_to", [pytest.param([], id="empty"), pytest.param(["cluster-2"], id="another's")])
async def test_with_the_wrong_directory_mounted_a_volume_is_not_taken_for_gone(
    share: Bench, end: str, is_known_to: list[str]
) -> None:
    for cluster in is_known_to:
        await Life(cluster).create(plan("of another"), share)
    before = share.tree()
    with pytest.raises(Unavailable, match="is the right directory exported and mounted"):
        await Life("cluster-1").release(release_plan(plan(), on_delete=end), share)
    assert share.tree() == before


async def test_with_the_wrong_directory_mounted_in_the_middle_a_volume_is_not_taken_for_gone(
    share: Bench, lifecycle: Life
) -> None:
    made = await born_with_data(share)
    await lifecycle.release(release_plan(await born_with_data(share, "other"), on_delete="delete"), share)
    instead = MemoryShare(share.address)
    with pytest.raises(Unavailable, match="is the right directory exported and mounted"):
        await lifecycle.release(release_plan(made, on_delete="delete"), instead)
    assert instead.tree() == {}


async def test_a_volume_of_the_reference_whose_directory_is_gone_is_nowhere(share: Bench, lifecycle: Life) -> None:
    assert await lifecycle.release(release_plan(plan(), on_delete="delete", share=""), share) == ""
    assert share.tree() == {}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("removed", [".berth/trash", ".berth/archives", ".berth/clusters"])
async def test_it_goes_on_when_somebody_emptied_the_trash_with_its_directory(
    share: Bench, lifecycle: Life, end: str, removed: str
) -> None:
    made, other = await born_with_data(share), await born_with_data(share, "other")
    await lifecycle.release(release_plan(other, on_delete=end), share)
    share.take_away(removed)
    where = await lifecycle.release(release_plan(made, on_delete=end), share)
    assert await share.read_file(f"{where}/content") == b"data"


async def test_what_a_late_repetition_of_its_creation_made_goes_too(share: Bench, lifecycle: Life) -> None:
    made = await born_with_data(share)
    await lifecycle.release(release_plan(made, on_delete="delete"), share)
    await lifecycle.create(made, share)
    assert await lifecycle.release(release_plan(made, on_delete="delete"), share) == trash_path(made.pv)
    assert made.path not in share.tree()


@pytest.mark.parametrize("end", ENDS)
async def test_what_lies_in_its_place_once_it_was_moved_is_anothers(share: Bench, lifecycle: Life, end: str) -> None:
    ending = release_plan(await born_with_data(share, "before", parameters={"pathPattern": "same"}), on_delete=end)
    where = await lifecycle.release(ending, share)
    if end == "archive":  # killed before the record went
        await share.write_file(record_path(ending.pv), await share.read_file(metadata_path(where)))
    after = await born_with_data(share, "after", parameters={"pathPattern": "same"})
    assert await Life("cluster-1").release(ending, share) == where
    assert await share.read_file(f"{after.path}/content") == b"after"
    assert await share.read_file(f"{where}/content") == b"before"


class Vanishing(MemoryShare):
    """A share where somebody removes a directory in the very moment when it is to be moved."""

    is_in_use = False

    async def rename(self, source: str, target: str, only: Entry | None = None) -> None:
        if self.is_in_use:
            self.take_away(source)
        await super().rename(source, target, only)


@pytest.mark.parametrize("end", ENDS)
async def test_a_directory_that_vanishes_in_the_last_moment_is_nowhere(lifecycle: Life, end: str) -> None:
    vanishing = Vanishing(plan().share)
    made = await born_with_data(vanishing)
    vanishing.is_in_use = True
    assert await lifecycle.release(release_plan(made, on_delete=end), vanishing) == ""
    assert not [path for path in vanishing.tree() if made.pv in path]


async def test_the_size_of_a_volume_is_written_into_its_record(share: Bench, lifecycle: Life) -> None:
    made = await born_with_data(share)
    await lifecycle.resize(made.pv, 5, share)
    assert decode(await share.read_file(record_path(made.pv)), "x").capacity == 5


async def test_a_volume_without_a_record_stays_without_when_it_is_resized(share: Bench, lifecycle: Life) -> None:
    await lifecycle.resize(plan().pv, 5, share)
    assert share.tree() == {}


async def test_the_size_in_another_clusters_record_is_left_alone(share: Bench, other_cluster: Life) -> None:
    made = await born_with_data(share)
    before = share.tree()
    await other_cluster.resize(made.pv, 5, share)
    assert share.tree() == before


@pytest.mark.parametrize("end", ["delete", "archive", "retain"])
async def test_what_was_made_under_a_former_name_of_the_cluster_is_its_own(share: Bench, end: str) -> None:
    early = Life("by-its-authority")
    made = plan(parameters=BY_NAME)
    await early.create(made, share)
    now = Life("cluster-1", former=frozenset({"by-its-authority"}))
    assert await now.release(release_plan(made, on_delete=end), share)
    if end == "delete":
        assert await now.waiting_trash(share) == [made.pv]
        await now.purge(made.pv, share)
        assert record_path(made.pv) not in share.tree()
    assert "by-its-authority" not in "".join(path for path in share.tree() if "clusters" in path) or end == "retain"


async def test_a_former_name_is_not_enough_to_tidy_up_by(share: Bench) -> None:
    """Another cluster may be signed by the same authority, and know of a claim that this one does not."""
    made = plan()
    await Life("by-its-authority").create(made, share)
    now = Life("cluster-1", former=frozenset({"by-its-authority"}))
    assert await now.sweep(share) == []
    assert made.path in share.tree()
