"""Looking at a share: stat, list, read_file, space."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from berth.volumes import listing
from berth.volumes.errors import Missing, Refused
from berth.volumes.share import Entry
from tests.conformance.places import Place


async def test_the_root_is_a_directory_without_a_name(place: Place) -> None:
    assert await place.share.stat("") == Entry("", "directory", 0o755, place.owner, place.owner)


async def test_a_new_owner_of_the_root_is_seen_at_once(place: Place) -> None:
    await place.share.stat("")
    place.give(place.directory, 4321, 4321)
    assert (await place.share.stat("")).uid == 4321


async def test_stat_tells_kind_mode_and_owner(place: Place) -> None:
    place.give(place.plant_file("a/file", mode=0o640), 12, 34)
    place.plant_directory("a/directory", mode=0o3771)
    assert await place.share.stat("a/file") == Entry("file", "file", 0o640, 12, 34)
    found = await place.share.stat("a/directory")
    assert (found.name, found.kind, found.mode, found.uid) == ("directory", "directory", 0o3771, place.owner)


async def test_stat_shows_a_link_itself(place: Place, elsewhere: Path) -> None:
    place.plant_link("link", elsewhere)
    found = await place.share.stat("link")
    assert (found.name, found.kind) == ("link", "link")


async def test_what_is_neither_file_nor_directory_nor_link_is_other(place: Place) -> None:
    place.plant_pipe("pipe")
    assert (await place.share.stat("pipe")).kind == "other"
    with pytest.raises(Refused):
        await place.share.read_file("pipe")


@pytest.mark.parametrize(
    ("path", "missing"),
    [("gone", "gone"), ("gone/a/b/c", "gone"), ("here/gone", "here/gone"), ("here/gone/a", "here/gone")],
)
async def test_what_is_not_there_is_missing_and_told_from_where_on(place: Place, path: str, missing: str) -> None:
    place.plant_directory("here")
    for look in (place.share.stat, place.share.list, place.share.read_file):
        with pytest.raises(Missing) as caught:
            await look(path)
        assert str(place.share.address) in str(caught.value)
        assert caught.value.path == missing


async def test_list_shows_everything_once_and_no_dots(place: Place, elsewhere: Path) -> None:
    place.plant_file("d/file", mode=0o600)
    place.plant_directory("d/directory")
    place.plant_link("d/link", elsewhere)
    place.plant_file("d/.hidden")
    found = await place.share.list("d")
    assert {(entry.name, entry.kind) for entry in found} == {
        ("file", "file"),
        ("directory", "directory"),
        ("link", "link"),
        (".hidden", "file"),
    }
    assert len(found) == 4
    assert {entry.mode for entry in found if entry.name == "file"} == {0o600}


async def test_list_of_the_root_and_of_an_empty_directory(place: Place) -> None:
    assert await place.share.list("") == []
    place.plant_directory("d")
    assert [entry.name for entry in await place.share.list("")] == ["d"]
    assert await place.share.list("d") == []


async def test_a_long_directory_is_listed_whole(place: Place) -> None:
    directory = place.plant_directory("long")
    names = {f"a name that is long enough to fill a reply soon, number {number}" for number in range(3000)}
    for name in names:
        (directory / name).touch()
    found = await place.share.list("long")
    assert len(found) == len(names)
    assert {entry.name for entry in found} == names
    assert set(await place.share.names("long")) == names


async def test_names_are_those_of_all_entries_or_of_one_kind(place: Place) -> None:
    place.plant_directory("d/below")
    place.plant_file("d/file")
    assert sorted(await place.share.names("d")) == ["below", "file"]
    assert await place.share.names("d", "directory") == ["below"]
    assert await place.share.names("d/below") == []
    with pytest.raises(Missing):
        await place.share.names("not-there")
    with pytest.raises(Refused):
        await place.share.names("d/file")


async def test_no_more_is_read_of_a_long_directory_than_is_asked_for(place: Place) -> None:
    directory = place.plant_directory("long")
    names = {f"a name that is long enough to fill a reply soon, number {number}" for number in range(1200)}
    for name in names:
        (directory / name).touch()
    for most in (0, 1, 1000):
        found = await place.share.list("long", most)
        assert len(found) == most + 1
        assert {entry.name for entry in found} <= names
    assert len(await place.share.list("long", 1200)) == 1200
    place.plant_directory("empty")
    assert await place.share.list("empty", 0) == []


@pytest.mark.parametrize(("bound", "value"), [("MOST_ENTRIES", 1100), ("MOST_BYTES", 50_000)])
async def test_of_a_directory_that_holds_more_than_anybody_needs_not_all_is_kept(
    place: Place, monkeypatch: pytest.MonkeyPatch, bound: str, value: int
) -> None:
    directory = place.plant_directory("long")
    for number in range(1200):
        (directory / f"a name that is long enough to fill a reply soon, number {number}").touch()
    monkeypatch.setattr(listing, bound, value)
    with pytest.raises(Refused, match=r"long: has more entries than Berth reads of one directory"):
        await place.share.list("long")
    with pytest.raises(Refused, match=r"long: has more entries than Berth reads of one directory"):
        await place.share.names("long")
    assert len(await place.share.list("long", 10)) == 11


async def test_an_object_keeps_its_identity_and_shares_it_with_no_other(place: Place) -> None:
    made = [(await place.share.make_directory(name, mode=0o755)).entry for name in ("one", "other")]
    place.plant_file("file")
    seen = {entry.name: entry for entry in await place.share.list("")}
    for entry in (*made, seen["file"]):
        again = await place.share.stat(entry.name)
        assert again.identity == seen[entry.name].identity == entry.identity != b""
        assert again.device == seen[entry.name].device == entry.device != 0
    assert len({entry.identity for entry in seen.values()}) == 3
    assert len({entry.device for entry in seen.values()}) == 1
    place.plant_file("one/file").chmod(0o600)
    await place.share.rename("one", "renamed")
    assert (await place.share.stat("renamed")).identity == made[0].identity


async def test_what_takes_the_place_of_another_has_an_identity_of_its_own(place: Place) -> None:
    """File systems give the number of what was removed to what is made next."""
    identities = []
    for _ in range(5):
        identities.append((await place.share.make_directory("d", mode=0o755)).entry.identity)
        assert await place.share.remove_directory("d")
    assert len(set(identities)) == 5


async def test_names_come_back_as_they_are(place: Place) -> None:
    directory = place.plant_directory("odd")
    names = {"ü 名 \U0001f600", "line\nbreak", "back\\slash", "-rf", "x" * 255, os.fsdecode(b"not utf-8 \xff\xfe")}
    for name in names:
        (directory / name).touch()
    assert {entry.name for entry in await place.share.list("odd")} == names


@pytest.mark.parametrize("path", ["file", "file/below"])
async def test_a_file_is_no_directory(place: Place, path: str) -> None:
    place.plant_file("file")
    with pytest.raises(Refused, match="file"):
        await place.share.list(path)


async def test_a_directory_is_no_file(place: Place) -> None:
    place.plant_directory("directory")
    with pytest.raises(Refused, match="directory"):
        await place.share.read_file("directory")


@pytest.mark.parametrize("size", [0, 1, 4096, 65536, 65537, 1 << 20])
async def test_a_file_is_read_whole(place: Place, size: int) -> None:
    content = os.urandom(size)
    place.plant_file("file", content, mode=0o600)
    assert await place.share.read_file("file") == content


async def test_a_file_above_one_mebibyte_is_refused(place: Place) -> None:
    place.plant_file("file", bytes((1 << 20) + 1))
    with pytest.raises(Refused, match="larger than 1 MiB"):
        await place.share.read_file("file")


async def test_a_file_that_only_its_owner_may_read_is_read(place: Place) -> None:
    place.give(place.plant_file("file", b"content", mode=0o400), 2345, 2345)
    assert await place.share.read_file("file") == b"content"


@pytest.mark.on_disk
async def test_space_is_that_of_the_file_system(place: Place) -> None:
    space = await place.share.space()
    real = os.statvfs(str(place.directory))
    assert space.total_bytes == real.f_blocks * real.f_frsize
    assert space.total_inodes == real.f_files
    assert 0 < space.free_bytes < space.total_bytes
    assert 0 < space.free_inodes < space.total_inodes
