"""Berth's own directory on a share: made once, mended, recognised, and never made where it should have been."""

from __future__ import annotations

import asyncio
import json

import pytest

from berth.volumes.errors import Refused, Unavailable
from berth.volumes.metadata_dir import (
    MetadataDirs,
    clusters_on,
    find_metadata_dir,
    open_metadata_dir,
    require_metadata_dir,
)
from berth.volumes.naming import CLUSTERS, DIRECTORIES, SHARE_FILE
from tests.volumes.bench import Bench


async def test_the_first_use_makes_all_of_it_for_the_owner_alone(share: Bench) -> None:
    metadata = await open_metadata_dir(share, "cluster-1")
    tree = share.tree()
    for directory in DIRECTORIES:
        assert tree[directory].startswith("directory 0700")
    assert json.loads(await share.read_file(SHARE_FILE))["id"] == metadata.share_id
    assert json.loads(await share.read_file(f"{CLUSTERS}/cluster-1.json"))["cluster"] == "cluster-1"
    assert metadata.clusters == {"cluster-1"}


async def test_later_uses_change_nothing(share: Bench) -> None:
    metadata = await open_metadata_dir(share, "cluster-1")
    before = share.tree()
    assert await open_metadata_dir(share, "cluster-1") == metadata
    assert share.tree() == before


async def test_every_cluster_is_entered_and_seen_by_the_next(share: Bench) -> None:
    first = await open_metadata_dir(share, "cluster-1")
    second = await open_metadata_dir(share, "cluster-2")
    assert second.share_id == first.share_id
    assert second.clusters == {"cluster-1", "cluster-2"}
    assert await clusters_on(share) == {"cluster-1", "cluster-2"}


async def test_controllers_that_come_at_the_same_time_agree_on_one_identity(share: Bench) -> None:
    metadata = await asyncio.gather(*(open_metadata_dir(share, f"cluster-{number % 3}") for number in range(12)))
    assert len({metadata.share_id for metadata in metadata}) == 1
    assert await clusters_on(share) == {"cluster-0", "cluster-1", "cluster-2"}


@pytest.mark.parametrize("directory", [directory for directory in DIRECTORIES if "/" in directory])
async def test_a_directory_that_somebody_removed_is_made_again(share: Bench, directory: str) -> None:
    metadata = await open_metadata_dir(share, "cluster-1")
    share.take_away(directory)
    again = await open_metadata_dir(share, "cluster-1")
    assert again.share_id == metadata.share_id
    assert share.tree()[directory].startswith("directory 0700")
    assert "cluster-1" in again.clusters


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(b'{"format": 2, "id": "x"}', "newer Berth", id="of a later format"),
        pytest.param(b'{"format": 1}', "has no id", id="without an identity"),
        pytest.param(b'{"format": 1, "id": 5}', "has no id", id="with a number for an identity"),
        pytest.param(b"", "not valid JSON", id="empty"),
    ],
)
async def test_a_share_file_that_makes_no_sense_is_refused_and_left_alone(
    share: Bench, content: bytes, why: str
) -> None:
    await share.make_directory(".berth", mode=0o700)
    await share.write_file(SHARE_FILE, content)
    before = share.tree()
    with pytest.raises(Refused, match=rf"^\.berth/share\.json: .*{why}"):
        await open_metadata_dir(share, "cluster-1")
    assert share.tree() == before


async def test_a_link_in_its_place_is_not_followed(share: Bench) -> None:
    share.plant_link(".berth")
    with pytest.raises(Refused):
        await open_metadata_dir(share, "cluster-1")


async def test_looking_for_it_makes_nothing(share: Bench) -> None:
    assert await find_metadata_dir(share) is None
    assert share.tree() == {}


async def test_one_that_is_required_and_there_is_fine(share: Bench) -> None:
    await open_metadata_dir(share, "cluster-1")
    await require_metadata_dir(share, frozenset({"cluster-1"}))


@pytest.mark.parametrize(
    "others", [pytest.param([], id="an empty directory"), pytest.param(["x"], id="another's share")]
)
async def test_one_that_is_required_and_missing_means_that_something_else_is_mounted(
    share: Bench, others: list[str]
) -> None:
    for cluster in others:
        await open_metadata_dir(share, cluster)
    before = share.tree()
    with pytest.raises(Unavailable, match="is the right directory exported and mounted") as error:
        await require_metadata_dir(share, frozenset({"cluster-1"}))
    assert error.value.stage == "mount"
    assert share.tree() == before


async def test_a_share_that_is_not_what_it_was_is_doubted_and_looked_at_afresh(share: Bench) -> None:
    metadata = MetadataDirs("cluster-1")
    assert "is missing" in await metadata.doubt(share)
    assert share.tree() == {}
    first = await metadata.open(share)
    assert await metadata.doubt(share) == ""
    share.take_away(f"{CLUSTERS}/cluster-1.json")
    assert "knows nothing of this cluster" in await metadata.doubt(share)
    await metadata.reopen(share)
    content = await share.read_file(SHARE_FILE)
    for torn in (b"", content[:20], b'{"format": 9, "id": "x"}'):
        await share.write_file(SHARE_FILE, torn)
        assert SHARE_FILE in await metadata.doubt(share)
        assert await metadata.open(share) == first  # what is known still serves
    await share.write_file(SHARE_FILE, content.replace(first.share_id.encode(), b"another"))
    assert f"this is share another, and it was {first.share_id} before" in await metadata.doubt(share)
    assert metadata.known(share.address) is None
    assert await metadata.doubt(share) == ""  # told once
    assert (await metadata.open(share)).share_id == "another"


async def test_a_home_that_was_removed_and_made_anew_meanwhile_is_doubted_too(share: Bench) -> None:
    metadata = MetadataDirs("cluster-1")
    before = await metadata.open(share)
    share.take_away(".berth")
    after = await metadata.reopen(share)  # for the next claim
    assert f"{after.share_id}, and it was {before.share_id} before" in await metadata.doubt(share)
    assert await metadata.doubt(share) == ""
