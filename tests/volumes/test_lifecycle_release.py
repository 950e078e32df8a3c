"""The end of a volume on its share: trash, archive or kept, by one rename, and only what is shown to be its own."""

from __future__ import annotations

import json
import re

import pytest

from berth.volumes.errors import Refused, Unavailable
from berth.volumes.lifecycle import Lifecycle
from berth.volumes.naming import SHARE_FILE, archive_name, metadata_path, record_path, trash_path
from berth.volumes.plan import Plan
from berth.volumes.records import decode
from berth.volumes.share import Entry, ShareAddress
from tests.volumes.bench import Bench
from tests.volumes.builders import EXPORT, plan, release_plan
from tests.volumes.memory import MemoryShare

BY_NAME = {"pathPattern": "${.PVC.namespace}/${.PVC.name}"}
ENDS = ["delete", "archive"]


async def born(share: Bench, name: str = "data", parameters: dict[str, str] | None = None) -> Plan:
    """A volume with data in it."""
    made = plan(name, parameters=parameters)
    await Lifecycle("cluster-1").create(made, share)
    await share.write_file(f"{made.path}/content", name.encode())
    return made


def without_home(tree: dict[str, str]) -> dict[str, str]:
    return {path: what for path, what in tree.items() if not path.startswith(".berth")}


async def test_a_deleted_volume_is_in_the_trash_with_all_that_it_held(share: Bench, lifecycle: Lifecycle) -> None:
    made = await born(share, parameters=BY_NAME)
    assert await lifecycle.release(release_plan(made, on_delete="delete"), share) == trash_path(made.pv)
    tree = share.tree()
    assert made.path not in tree
    assert f"{trash_path(made.pv)}/content" in tree
    assert record_path(made.pv) in tree
    assert "team" in tree  # I7: a parent stays


async def test_an_archived_volume_is_in_the_root_with_its_metadata(share: Bench, lifecycle: Lifecycle) -> None:
    made = await born(share, parameters=BY_NAME)
    assert await lifecycle.release(release_plan(made, on_delete="archive"), share) == "archived-team-data"
    tree = share.tree()
    assert "archived-team-data/content" in tree
    assert made.path not in tree
    assert record_path(made.pv) not in tree
    metadata = decode(await share.read_file(metadata_path("archived-team-data")), "x")
    assert (metadata.pv, metadata.path, metadata.owner) == (made.pv, "team/data", made.claim)
    assert metadata.archived


async def test_archives_of_one_name_get_a_time_and_then_a_number(share: Bench, lifecycle: Lifecycle) -> None:
    names = []
    for turn in range(4):
        made = await born(share, f"turn-{turn}", parameters={"pathPattern": "same"})
        names.append(await lifecycle.release(release_plan(made, on_delete="archive"), share))
    assert names[0] == "archived-same"
    for name in names[1:]:
        assert re.fullmatch(r"archived-same-\d{8}T\d{6}Z(-\d)?", name)
    assert len(set(names)) == 4
    for turn, name in enumerate(names):
        assert await share.read_file(f"{name}/content") == f"turn-{turn}".encode()


@pytest.mark.parametrize("letter", ["x", "数"])
async def test_volumes_with_the_longest_of_names_are_archived_too(
    share: Bench, lifecycle: Lifecycle, letter: str
) -> None:
    long = letter * (255 // len(letter.encode()))
    names = []
    for turn in range(3):
        made = await born(share, f"turn-{turn}", parameters={"pathPattern": long})
        names.append(await lifecycle.release(release_plan(made, on_delete="archive"), share))
    assert len(set(names)) == 3
    assert names[0] == archive_name(long)


async def test_a_volume_that_is_kept_stays_and_its_record_says_so(share: Bench, lifecycle: Lifecycle) -> None:
    made = await born(share)
    before = without_home(share.tree())
    assert await lifecycle.release(release_plan(made, on_delete="retain"), share) == made.path
    assert without_home(share.tree()) == before
    assert decode(await share.read_file(record_path(made.pv)), "x").released


async def test_a_volume_of_the_reference_that_is_kept_gets_a_record(share: Bench, lifecycle: Lifecycle) -> None:
    made = plan()
    await share.make_directory(made.path, mode=0o777)
    assert await lifecycle.release(release_plan(made, on_delete="retain", share=""), share) == made.path
    record = decode(await share.read_file(record_path(made.pv)), "x")
    assert record.released
    assert record.owner == made.claim


@pytest.mark.parametrize("end", ["delete", "archive", "retain"])
@pytest.mark.parametrize("parameters", [{}, BY_NAME], ids=["its own path", "a path by name"])
async def test_repeating_it_answers_the_same_and_changes_nothing(
    share: Bench, lifecycle: Lifecycle, end: str, parameters: dict[str, str]
) -> None:
    made = await born(share, parameters=parameters)
    ending = release_plan(made, on_delete=end)
    first = await lifecycle.release(ending, share)
    before = share.tree()
    assert await Lifecycle("cluster-1").release(ending, share) == first
    assert share.tree() == before


@pytest.mark.parametrize("end", ENDS)
async def test_a_volume_of_the_reference_is_released_by_its_expected_path(
    share: Bench, lifecycle: Lifecycle, end: str
) -> None:
    made = plan()
    await share.make_directory(made.path, mode=0o777)
    where = await lifecycle.release(release_plan(made, on_delete=end, share=""), share)
    assert where in share.tree()
    assert made.path not in share.tree()


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(
    "path",
    [
        pytest.param("photos", id="a directory of somebody else"),
        pytest.param("team-victim", id="another claim's directory"),
        pytest.param("team", id="a namespace's parent directory"),
    ],
)
async def test_a_pv_without_a_record_that_points_elsewhere_moves_nothing(
    share: Bench, lifecycle: Lifecycle, end: str, path: str
) -> None:
    await born(share, parameters=BY_NAME)
    for there in ("photos", "team-victim"):
        await share.make_directory(there, mode=0o755)
        await share.write_file(f"{there}/content", b"precious")
    before = share.tree()
    forged = release_plan(plan("forged"), parameters=BY_NAME, on_delete=end, absolute_path=f"{EXPORT}/{path}")
    with pytest.raises(Refused, match="nothing shows that it is this PV's own"):
        await lifecycle.release(forged, share)
    assert share.tree() == before


@pytest.mark.parametrize("end", ENDS)
async def test_a_pv_whose_record_names_another_path_moves_nothing(share: Bench, lifecycle: Lifecycle, end: str) -> None:
    made, victim = await born(share), await born(share, "victim")
    before = share.tree()
    forged = release_plan(made, on_delete=end, absolute_path=victim.absolute_path)
    with pytest.raises(Refused, match="says that the volume is at"):
        await lifecycle.release(forged, share)
    assert share.tree() == before


@pytest.mark.parametrize("end", [*ENDS, "retain"])
async def test_a_pv_whose_record_is_another_clusters_moves_nothing(
    share: Bench, other_cluster: Lifecycle, end: str
) -> None:
    made = await born(share)
    before = share.tree()
    with pytest.raises(Refused, match="cluster cluster-1's, not this one's"):
        await other_cluster.release(release_plan(made, on_delete=end), share)
    assert share.tree() == before


@pytest.mark.parametrize("end", ENDS)
async def test_a_pv_whose_record_makes_no_sense_moves_nothing(share: Bench, lifecycle: Lifecycle, end: str) -> None:
    made = await born(share)
    await share.write_file(record_path(made.pv), b"{}")
    before = share.tree()
    with pytest.raises(Refused, match="has no format version"):
        await lifecycle.release(release_plan(made, on_delete=end), share)
    assert share.tree() == before


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("where", ["in its place", "above it"])
async def test_a_link_is_never_moved_or_followed(share: Bench, lifecycle: Lifecycle, end: str, where: str) -> None:
    made = await born(share, parameters=BY_NAME)
    planted = made.path if where == "in its place" else "team"
    share.take_away(planted)
    share.plant_link(planted)
    before = without_home(share.tree())
    with pytest.raises(Refused, match="link"):
        await lifecycle.release(release_plan(made, on_delete=end), share)
    assert without_home(share.tree()) == before


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("kept", ["x", "x/y", "x/y/z"])
async def test_a_directory_that_was_to_be_kept_is_not_taken_along(
    share: Bench, lifecycle: Lifecycle, end: str, kept: str
) -> None:
    earlier = await born(share, "earlier", parameters={"pathPattern": kept})
    await lifecycle.release(release_plan(earlier, on_delete="retain"), share)
    later = await born(share, "later", parameters={"pathPattern": "x/y"})
    before = share.tree()
    with pytest.raises(Refused, match=f"kept after its claim was gone; .* remove {re.escape(record_path(earlier.pv))}"):
        await lifecycle.release(release_plan(later, on_delete=end), share)
    assert share.tree() == before


async def test_a_kept_directory_that_somebody_removed_with_its_record_is_no_obstacle(
    share: Bench, lifecycle: Lifecycle
) -> None:
    earlier = await born(share, "earlier", parameters={"pathPattern": "x"})
    await lifecycle.release(release_plan(earlier, on_delete="retain"), share)
    later = await born(share, "later", parameters={"pathPattern": "x"})
    with pytest.raises(Refused):
        await lifecycle.release(release_plan(later, on_delete="delete"), share)
    share.take_away(record_path(earlier.pv))
    assert await lifecycle.release(release_plan(later, on_delete="delete"), share)


@pytest.mark.parametrize("end", ENDS)
async def test_a_record_that_can_not_be_read_protects_whatever_it_is_about(
    share: Bench, lifecycle: Lifecycle, end: str
) -> None:
    made = await born(share, parameters=BY_NAME)
    await share.write_file(record_path("pvc-x"), json.dumps({"format": 99}).encode())
    before = share.tree()
    with pytest.raises(Refused, match=r"^\.berth/volumes/pvc-x\.json: .* nobody knows which directory it protects"):
        await lifecycle.release(release_plan(made, on_delete=end), share)
    assert share.tree() == before


@pytest.mark.parametrize("end", ENDS)
async def test_a_directory_that_somebody_removed_is_nowhere(share: Bench, lifecycle: Lifecycle, end: str) -> None:
    made = await born(share)
    share.take_away(made.path)
    assert await lifecycle.release(release_plan(made, on_delete=end), share) == ""
    assert record_path(made.pv) not in share.tree()


@pytest.mark.parametrize("end", [*ENDS, "retain"])
@pytest.mark.parametrize("is_known_to", [pytest.param([], id="empty"), pytest.param(["cluster-2"], id="another's")])
async def test_with_the_wrong_directory_mounted_a_volume_is_not_taken_for_gone(
    share: Bench, end: str, is_known_to: list[str]
) -> None:
    for cluster in is_known_to:
        await Lifecycle(cluster).create(plan("of another"), share)
    before = share.tree()
    with pytest.raises(Unavailable, match="is the right directory exported and mounted"):
        await Lifecycle("cluster-1").release(release_plan(plan(), on_delete=end), share)
    assert share.tree() == before


async def test_with_the_wrong_directory_mounted_in_the_middle_a_volume_is_not_taken_for_gone(
    share: Bench, lifecycle: Lifecycle
) -> None:
    made = await born(share)
    await lifecycle.release(release_plan(await born(share, "other"), on_delete="delete"), share)
    instead = MemoryShare(share.address)
    with pytest.raises(Unavailable, match="is the right directory exported and mounted"):
        await lifecycle.release(release_plan(made, on_delete="delete"), instead)
    assert instead.tree() == {}


async def test_a_volume_of_the_reference_whose_directory_is_gone_is_nowhere(share: Bench, lifecycle: Lifecycle) -> None:
    assert await lifecycle.release(release_plan(plan(), on_delete="delete", share=""), share) == ""
    assert share.tree() == {}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("removed", [".berth/trash", ".berth/archives", ".berth/clusters"])
async def test_it_goes_on_when_somebody_emptied_the_trash_with_its_directory(
    share: Bench, lifecycle: Lifecycle, end: str, removed: str
) -> None:
    made, other = await born(share), await born(share, "other")
    await lifecycle.release(release_plan(other, on_delete=end), share)
    share.take_away(removed)
    where = await lifecycle.release(release_plan(made, on_delete=end), share)
    assert await share.read_file(f"{where}/content") == b"data"


async def test_what_a_late_repetition_of_its_creation_made_goes_too(share: Bench, lifecycle: Lifecycle) -> None:
    made = await born(share)
    await lifecycle.release(release_plan(made, on_delete="delete"), share)
    await lifecycle.create(made, share)
    assert await lifecycle.release(release_plan(made, on_delete="delete"), share) == trash_path(made.pv)
    assert made.path not in share.tree()


@pytest.mark.parametrize("end", ENDS)
async def test_what_lies_in_its_place_once_it_was_moved_is_anothers(
    share: Bench, lifecycle: Lifecycle, end: str
) -> None:
    ending = release_plan(await born(share, "before", parameters={"pathPattern": "same"}), on_delete=end)
    where = await lifecycle.release(ending, share)
    if end == "archive":  # killed before the record went
        await share.write_file(record_path(ending.pv), await share.read_file(metadata_path(where)))
    after = await born(share, "after", parameters={"pathPattern": "same"})
    assert await Lifecycle("cluster-1").release(ending, share) == where
    assert await share.read_file(f"{after.path}/content") == b"after"
    assert await share.read_file(f"{where}/content") == b"before"


async def test_a_name_that_was_reserved_for_a_directory_that_then_went_is_given_back(
    share: Bench, lifecycle: Lifecycle
) -> None:
    made = await born(share)
    ending = release_plan(made, on_delete="archive")
    name = await lifecycle.release(ending, share)
    share.take_away(name)
    assert await lifecycle.release(ending, share) == ""
    assert metadata_path(name) not in share.tree()


async def test_an_archive_leaves_directories_that_look_like_archives_alone(share: Bench, lifecycle: Lifecycle) -> None:
    await share.make_directory("archived-team-data", mode=0o755)
    await share.write_file("archived-team-data/content", b"the reference's")
    name = await lifecycle.release(release_plan(await born(share, parameters=BY_NAME), on_delete="archive"), share)
    assert re.fullmatch(r"archived-team-data-\d{8}T\d{6}Z", name)
    assert await share.read_file("archived-team-data/content") == b"the reference's"
    assert metadata_path("archived-team-data") not in share.tree()


class Squatting(MemoryShare):
    """A share where a reference provisioner makes an archive of the same name in the very same moment."""

    async def rename(self, source: str, target: str) -> None:
        if target == "archived-team-data":
            await self.make_directory(target, mode=0o755)
        await super().rename(source, target)


async def test_a_name_that_is_taken_in_the_last_moment_is_given_up_with_its_metadata(lifecycle: Lifecycle) -> None:
    squatting = Squatting(plan().share)
    made = await born(squatting, parameters=BY_NAME)
    where = await lifecycle.release(release_plan(made, on_delete="archive"), squatting)
    assert re.fullmatch(r"archived-team-data-\d{8}T\d{6}Z", where)
    assert metadata_path("archived-team-data") not in squatting.tree()
    assert metadata_path(where) in squatting.tree()


class Listing(MemoryShare):
    """Notes which directories are listed."""

    def __init__(self, address: ShareAddress) -> None:
        super().__init__(address)
        self.listed: set[str] = set()

    async def list(self, path: str) -> list[Entry]:
        self.listed.add(path)
        return await super().list(path)


async def test_the_first_archive_of_a_name_does_not_look_through_all_archives(lifecycle: Lifecycle) -> None:
    listing = Listing(plan().share)
    made, again = await born(listing), await born(listing, "again", parameters={"pathPattern": plan().path})
    await lifecycle.release(release_plan(made, on_delete="archive"), listing)
    assert ".berth/archives" not in listing.listed
    await born(listing, "again", parameters={"pathPattern": plan().path})
    await lifecycle.release(release_plan(again, on_delete="archive"), listing)
    assert ".berth/archives" in listing.listed


async def test_what_a_late_repetition_of_its_creation_made_is_archived_beside_it(
    share: Bench, lifecycle: Lifecycle
) -> None:
    made = await born(share)
    ending = release_plan(made, on_delete="archive")
    first = await lifecycle.release(ending, share)
    await lifecycle.create(made, share)
    second = await lifecycle.release(ending, share)
    assert second != first
    assert made.path not in share.tree()
    assert await share.read_file(f"{first}/content") == b"data"


async def test_metadata_that_can_not_be_read_is_left_alone_with_its_archive(share: Bench, lifecycle: Lifecycle) -> None:
    names = ["archived-team-data", "archived-team-data-20200101T000000Z"]
    await lifecycle.create(plan("other"), share)
    for name in names:
        await share.write_file(metadata_path(name), b"{}")
    made = await born(share, parameters=BY_NAME)
    where = await lifecycle.release(release_plan(made, on_delete="archive"), share)
    assert where not in names
    assert await share.read_file(f"{where}/content") == b"data"
    assert [await share.read_file(metadata_path(name)) for name in names] == [b"{}", b"{}"]


@pytest.mark.parametrize("end", ENDS)
async def test_a_share_that_a_newer_berth_has_taken_over_is_left_to_it(
    share: Bench, lifecycle: Lifecycle, end: str
) -> None:
    made = await born(share)
    await share.write_file(SHARE_FILE, b'{"format": 2, "id": "x"}')
    before = share.tree()
    with pytest.raises(Refused, match="newer Berth"):
        await lifecycle.release(release_plan(made, on_delete=end), share)
    assert share.tree() == before


@pytest.mark.parametrize("end", ENDS)
async def test_a_path_that_names_its_pv_does_not_depend_on_others_records(
    share: Bench, lifecycle: Lifecycle, end: str
) -> None:
    made = await born(share)
    await share.write_file(record_path("pvc-x"), b"nonsense")
    assert await lifecycle.release(release_plan(made, on_delete=end), share)


class Vanishing(MemoryShare):
    """A share where somebody removes a directory in the very moment when it is to be moved."""

    async def rename(self, source: str, target: str) -> None:
        self.take_away(source)
        await super().rename(source, target)


@pytest.mark.parametrize("end", ENDS)
async def test_a_directory_that_vanishes_in_the_last_moment_is_nowhere(lifecycle: Lifecycle, end: str) -> None:
    vanishing = Vanishing(plan().share)
    made = await born(vanishing)
    assert await lifecycle.release(release_plan(made, on_delete=end), vanishing) == ""
    assert not [path for path in vanishing.tree() if made.pv in path]


async def test_the_size_of_a_volume_is_written_into_its_record(share: Bench, lifecycle: Lifecycle) -> None:
    made = await born(share)
    await lifecycle.resize(made.pv, 5, share)
    assert decode(await share.read_file(record_path(made.pv)), "x").capacity == 5


async def test_a_volume_without_a_record_stays_without_when_it_is_resized(share: Bench, lifecycle: Lifecycle) -> None:
    await lifecycle.resize(plan().pv, 5, share)
    assert share.tree() == {}


async def test_the_size_in_another_clusters_record_is_left_alone(share: Bench, other_cluster: Lifecycle) -> None:
    made = await born(share)
    before = share.tree()
    await other_cluster.resize(made.pv, 5, share)
    assert share.tree() == before
