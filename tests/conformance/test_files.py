"""Files, which are Berth's own records: whole or not at all, private, and made by one only where that is asked for."""

from __future__ import annotations

import asyncio
import os
import stat

import pytest

from berth.volumes.errors import Missing, Refused, Taken
from tests.conformance.places import Place

SIZES = [0, 1, 600, 2047, 2048, 2049, 4096, 65537, 300_000]


@pytest.mark.parametrize("is_exclusive", [False, True], ids=["", "exclusive"])
@pytest.mark.parametrize("size", SIZES)
async def test_what_is_written_is_read(place: Place, size: int, is_exclusive: bool) -> None:
    content = os.urandom(size)
    await place.share.write_file("file", content, exclusive=is_exclusive)
    assert (place.directory / "file").read_bytes() == content
    assert await place.share.read_file("file") == content
    assert place.names() == {"file"}


@pytest.mark.parametrize("is_exclusive", [False, True], ids=["", "exclusive"])
async def test_only_the_owner_may_read_it(place: Place, is_exclusive: bool) -> None:
    before = os.umask(0o777)
    try:
        await place.share.write_file("file", b"content", exclusive=is_exclusive)
    finally:
        os.umask(before)
    found = (place.directory / "file").stat()
    assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_nlink) == (0o600, place.owner, 1)


async def test_a_file_is_replaced_whole(place: Place) -> None:
    await place.share.write_file("file", b"long " * 1000)
    await place.share.write_file("file", b"short")
    assert (place.directory / "file").read_bytes() == b"short"
    assert place.names() == {"file"}


async def test_a_reader_of_the_server_s_disk_never_sees_a_part(place: Place) -> None:
    contents = [bytes([letter]) * size for letter, size in ((65, 30_000), (66, 10), (67, 70_000))]
    await place.share.write_file("file", contents[0])
    file, seen = place.directory / "file", set()

    async def write() -> None:
        for number in range(30):
            await place.share.write_file("file", contents[number % 3])

    writing = asyncio.create_task(write())
    while not writing.done():
        seen.add(file.read_bytes())
        await asyncio.sleep(0)
    await writing
    assert seen <= set(contents)
    assert len(seen) > 1


async def test_a_file_that_is_replaced_while_it_is_read_is_read_whole_all_the_same(place: Place) -> None:
    contents = [bytes([letter]) * size for letter, size in ((65, 30_000), (66, 10), (67, 70_000))]
    await place.share.write_file("file", contents[0])

    async def write() -> None:
        for number in range(60):
            await place.share.write_file("file", contents[number % 3])

    async def read(seen: set[bytes]) -> None:
        while not writing.done():
            seen.add(await place.share.read_file("file"))

    seen: set[bytes] = set()
    writing = asyncio.create_task(write())
    await asyncio.gather(writing, *(read(seen) for _ in range(8)))
    assert seen <= set(contents)


async def test_exclusive_is_taken_by_whatever_is_there(place: Place) -> None:
    place.plant_file("file", b"before")
    place.plant_directory("directory")
    for path in ("file", "directory"):
        with pytest.raises(Taken, match=path):
            await place.share.write_file(path, b"after", exclusive=True)
    assert (place.directory / "file").read_bytes() == b"before"
    assert place.names() == {"file", "directory"}


async def test_of_many_exclusive_writers_one_wins_and_its_content_stays(place: Place) -> None:
    async def write(number: int) -> int | None:
        try:
            await place.share.write_file("file", b"%d" % number * 1000, exclusive=True)
        except Taken:
            return None
        return number

    winners = [number for number in await asyncio.gather(*map(write, range(24))) if number is not None]
    assert len(winners) == 1
    assert (place.directory / "file").read_bytes() == b"%d" % winners[0] * 1000
    assert place.names() == {"file"}


async def test_many_writers_of_many_files(place: Place) -> None:
    place.plant_directory("d")
    await asyncio.gather(*(place.share.write_file(f"d/{number}", b"%d" % number) for number in range(200)))
    assert {name: (place.directory / "d" / name).read_text() for name in place.names("d")} == {
        str(number): str(number) for number in range(200)
    }


@pytest.mark.parametrize("is_exclusive", [False, True], ids=["", "exclusive"])
async def test_the_parent_must_exist(place: Place, is_exclusive: bool) -> None:
    with pytest.raises(Missing, match="'gone'"):
        await place.share.write_file("gone/file", b"", exclusive=is_exclusive)
    assert place.names() == set()


async def test_a_directory_in_the_way_is_refused(place: Place) -> None:
    place.plant_directory("directory")
    with pytest.raises(Refused, match="directory"):
        await place.share.write_file("directory", b"content")
    assert place.names() == {"directory"}
    assert place.names("directory") == set()


async def test_single_files_are_removed_below_berths_own_directory_only(place: Place) -> None:
    place.plant_file("volume/file")
    place.plant_file("file")
    for path in ("volume/file", "file", ".berth", "volume/.berth/file", ".berth2/file"):
        with pytest.raises(Refused, match=r"not below \.berth"):
            await place.share.remove_file(path)
    assert place.names() == {"volume", "file"}
    assert place.names("volume") == {"file"}


async def test_removing_a_file_can_be_repeated(place: Place) -> None:
    place.plant_file(".berth/volumes/a.json", mode=0o600)
    await place.share.remove_file(".berth/volumes/a.json")
    assert place.names(".berth/volumes") == set()
    await place.share.remove_file(".berth/volumes/a.json")
    await place.share.remove_file(".berth/gone/a.json")


async def test_a_directory_is_not_removed_as_a_file(place: Place) -> None:
    place.plant_directory(".berth/volumes")
    with pytest.raises(Refused, match="regular file"):
        await place.share.remove_file(".berth/volumes")
    assert place.names(".berth") == {"volumes"}
