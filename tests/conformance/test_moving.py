"""Moving directories, and removing empty ones: nothing is ever replaced, nothing with content removed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from berth.volumes.errors import Missing, Refused, Taken
from tests.conformance.places import Place


async def test_a_directory_moves_with_its_content(place: Place) -> None:
    place.plant_file("a/b/file", b"content")
    place.plant_directory(".berth/trash")
    await place.share.rename("a/b", ".berth/trash/pv")
    assert (place.directory / ".berth/trash/pv/file").read_bytes() == b"content"
    assert place.names("a") == set()


async def test_mode_and_owner_move_along(place: Place) -> None:
    place.give(place.plant_directory("volume", mode=0o2750), 2000, 3000)
    (place.directory / "volume").chmod(0o2750)
    place.plant_directory(".berth/trash", mode=0o700)
    await place.share.rename("volume", ".berth/trash/pv")
    found = (place.directory / ".berth/trash/pv").stat()
    assert (found.st_mode & 0o7777, found.st_uid, found.st_gid) == (0o2750, 2000, 3000)


async def test_a_directory_is_renamed_in_place(place: Place) -> None:
    place.give(place.plant_directory("volume", mode=0o700), 2000, 3000)
    await place.share.rename("volume", "archived-volume")
    assert place.names() == {"archived-volume"}


@pytest.mark.parametrize("kind", ["file", "empty directory", "full directory", "link"])
async def test_what_is_at_the_target_is_never_replaced(place: Place, kind: str, elsewhere: Path) -> None:
    place.plant_file("source/file", b"source")
    match kind:
        case "file":
            place.plant_file("target", b"before")
        case "empty directory":
            place.plant_directory("target")
        case "full directory":
            place.plant_file("target/other")
        case _:
            place.plant_link("target", elsewhere)
    before = (place.directory / "target").lstat().st_ino
    with pytest.raises(Taken, match="target"):
        await place.share.rename("source", "target")
    assert (place.directory / "target").lstat().st_ino == before
    assert place.names("source") == {"file"}


async def test_of_many_who_move_to_one_target_one_succeeds(place: Place) -> None:
    for number in range(16):
        place.plant_file(f"source-{number}/{number}")

    async def move(number: int) -> bool:
        try:
            await place.share.rename(f"source-{number}", "target")
        except Taken:
            return False
        return True

    assert sum(await asyncio.gather(*map(move, range(16)))) == 1
    assert len(place.names()) == 16
    assert len(place.names("target")) == 1


async def test_a_missing_source_or_parent_is_missing(place: Place) -> None:
    place.plant_directory("a")
    for source, target, missing in (("gone", "b", "gone"), ("gone/x", "b", "gone"), ("a", "nowhere/b", "nowhere")):
        with pytest.raises(Missing) as caught:
            await place.share.rename(source, target)
        assert caught.value.path.startswith(missing)
    assert place.names() == {"a"}


async def test_only_the_directory_that_is_meant_is_moved(place: Place) -> None:
    meant = (await place.share.make_directory("d", mode=0o755)).entry
    place.move("d", "elsewhere")
    place.plant_file("d/file")
    with pytest.raises(Missing) as caught:
        await place.share.rename("d", "target", meant)
    assert caught.value.path == "d"
    assert place.names() == {"d", "elsewhere"}
    await place.share.rename("elsewhere", "target", meant)
    assert place.names() == {"d", "target"}


async def test_only_directories_are_moved(place: Place, elsewhere: Path) -> None:
    place.plant_file("file")
    place.plant_link("link", elsewhere)
    for source in ("file", "link"):
        with pytest.raises(Refused, match=source):
            await place.share.rename(source, "target")
    assert place.names() == {"file", "link"}


async def test_a_directory_can_not_move_into_itself(place: Place) -> None:
    place.plant_directory("a")
    with pytest.raises(Refused):
        await place.share.rename("a", "a/b")
    assert place.names("a") == set()


async def test_an_empty_directory_is_removed_and_that_can_be_repeated(place: Place) -> None:
    place.plant_directory("a/b", mode=0o700)
    assert await place.share.remove_directory("a/b")
    assert await place.share.remove_directory("a/b")
    assert await place.share.remove_directory("gone/b")
    assert place.names("a") == set()


async def test_a_directory_that_holds_something_stays(place: Place) -> None:
    place.plant_file("a/file")
    assert not await place.share.remove_directory("a")
    assert place.names("a") == {"file"}


async def test_nothing_else_is_removed_as_a_directory(place: Place, elsewhere: Path) -> None:
    place.plant_file("file")
    place.plant_link("link", elsewhere)
    for path in ("file", "link"):
        with pytest.raises(Refused, match=path):
            await place.share.remove_directory(path)
    assert place.names() == {"file", "link"}
