"""What shows that a directory is a volume's own, and what protects the directories of others, before anything moves."""

from __future__ import annotations

import json
import re

import pytest

from berth.volumes.errors import Refused, Unavailable
from berth.volumes.naming import SHARE_FILE, record_path
from tests.volumes.bench import Bench
from tests.volumes.builders import EXPORT, Life, born_with_data, plan, release_plan, without_metadata_dir

BY_NAME = {"pathPattern": "${.PVC.namespace}/${.PVC.name}"}
ENDS = ["delete", "archive"]


@pytest.mark.parametrize("end", ENDS)
async def test_a_volume_of_the_reference_is_released_by_its_expected_path(
    share: Bench, lifecycle: Life, end: str
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
    share: Bench, lifecycle: Life, end: str, path: str
) -> None:
    await born_with_data(share, parameters=BY_NAME)
    for there in ("photos", "team-victim"):
        await share.make_directory(there, mode=0o755)
        await share.write_file(f"{there}/content", b"precious")
    before = share.tree()
    forged = release_plan(plan("forged"), parameters=BY_NAME, on_delete=end, absolute_path=f"{EXPORT}/{path}")
    with pytest.raises(Refused, match="nothing shows that Berth made it for them"):
        await lifecycle.release(forged, share)
    assert share.tree() == before


@pytest.mark.parametrize("end", ENDS)
async def test_a_pv_whose_record_names_another_path_moves_nothing(share: Bench, lifecycle: Life, end: str) -> None:
    made, victim = await born_with_data(share), await born_with_data(share, "victim")
    before = share.tree()
    forged = release_plan(made, on_delete=end, absolute_path=victim.absolute_path)
    with pytest.raises(Refused, match="says that the volume is at"):
        await lifecycle.release(forged, share)
    assert share.tree() == before


@pytest.mark.parametrize("end", [*ENDS, "retain"])
async def test_a_pv_whose_record_is_another_clusters_moves_nothing(share: Bench, other_cluster: Life, end: str) -> None:
    made = await born_with_data(share)
    before = share.tree()
    with pytest.raises(Refused, match="cluster cluster-1's, not this one's"):
        await other_cluster.release(release_plan(made, on_delete=end), share)
    assert share.tree() == before


@pytest.mark.parametrize("end", ENDS)
async def test_a_pv_whose_record_makes_no_sense_moves_nothing(share: Bench, lifecycle: Life, end: str) -> None:
    made = await born_with_data(share)
    await share.write_file(record_path(made.pv), b"{}")
    before = share.tree()
    with pytest.raises(Refused, match="has no format version"):
        await lifecycle.release(release_plan(made, on_delete=end), share)
    assert share.tree() == before


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("where", ["in its place", "above it"])
async def test_a_link_is_never_moved_or_followed(share: Bench, lifecycle: Life, end: str, where: str) -> None:
    made = await born_with_data(share, parameters=BY_NAME)
    planted = made.path if where == "in its place" else "team"
    share.take_away(planted)
    share.plant_link(planted)
    before = without_metadata_dir(share.tree())
    with pytest.raises(Refused, match="link"):
        await lifecycle.release(release_plan(made, on_delete=end), share)
    assert without_metadata_dir(share.tree()) == before


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("kept", ["x", "x/y", "x/y/z"])
async def test_a_directory_that_was_to_be_kept_is_not_taken_along(
    share: Bench, lifecycle: Life, end: str, kept: str
) -> None:
    earlier = await born_with_data(share, "earlier", parameters={"pathPattern": kept})
    await lifecycle.release(release_plan(earlier, on_delete="retain"), share)
    later = await born_with_data(share, "later", parameters={"pathPattern": "x/y"}, by_force=True)
    before = share.tree()
    with pytest.raises(
        Refused,
        match=f"this cluster .* kept after .* remove {re.escape(record_path(earlier.pv))}",
    ):
        await lifecycle.release(release_plan(later, on_delete=end), share)
    assert share.tree() == before


async def test_a_kept_directory_that_somebody_removed_with_its_record_is_no_obstacle(
    share: Bench, lifecycle: Life
) -> None:
    earlier = await born_with_data(share, "earlier", parameters={"pathPattern": "x"})
    await lifecycle.release(release_plan(earlier, on_delete="retain"), share)
    later = await born_with_data(share, "later", parameters={"pathPattern": "x"}, by_force=True)
    with pytest.raises(Refused):
        await lifecycle.release(release_plan(later, on_delete="delete"), share)
    share.take_away(record_path(earlier.pv))
    assert await lifecycle.release(release_plan(later, on_delete="delete"), share)


@pytest.mark.parametrize("end", ENDS)
async def test_a_record_that_can_not_be_read_protects_what_has_no_record(
    share: Bench, lifecycle: Life, end: str
) -> None:
    made = await born_with_data(share, parameters=BY_NAME)
    await share.write_file(record_path("pvc-x"), json.dumps({"format": 99}).encode())
    share.take_away(record_path(made.pv))
    before = share.tree()
    with pytest.raises(Refused, match=r"^\.berth/volumes/pvc-x\.json: .* nobody knows which directory it protects"):
        await lifecycle.release(release_plan(made, parameters=BY_NAME, on_delete=end, share=""), share)
    assert share.tree() == before


@pytest.mark.parametrize("end", ENDS)
async def test_a_share_that_a_newer_berth_has_taken_over_is_left_to_it(share: Bench, lifecycle: Life, end: str) -> None:
    made = await born_with_data(share)
    await share.write_file(SHARE_FILE, b'{"format": 2, "id": "x"}')
    before = share.tree()
    with pytest.raises(Unavailable, match="newer Berth"):
        await lifecycle.release(release_plan(made, on_delete=end), share)
    assert share.tree() == before


@pytest.mark.parametrize("end", ENDS)
async def test_a_path_that_names_its_pv_does_not_depend_on_others_records(
    share: Bench, lifecycle: Life, end: str
) -> None:
    made = await born_with_data(share)
    await share.write_file(record_path("pvc-x"), b"nonsense")
    assert await lifecycle.release(release_plan(made, on_delete=end), share)


@pytest.mark.parametrize("end", ENDS)
async def test_one_record_that_can_not_be_read_does_not_stop_the_ends_of_others(
    share: Bench, lifecycle: Life, end: str
) -> None:
    """What came after this volume has seen its record, and kept off: whatever the broken one says, it is not here."""
    made = await born_with_data(share, parameters=BY_NAME)
    await share.write_file(record_path("pvc-x"), json.dumps({"format": 99}).encode())
    assert await lifecycle.release(release_plan(made, on_delete=end), share) != made.path
