"""Making directories: mode and owner exactly as asked for, nothing of others touched, repeatable."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest

from berth.volumes.errors import Refused, Unavailable
from tests.conformance.places import Place


@pytest.fixture(params=[0o022, 0o077], ids=["umask 022", "umask 077"])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize("mode", [0o777, 0o755, 0o700, 0o2770, 0o1777, 0o000])
async def test_the_mode_is_exactly_the_one_asked_for(place: Place, mode: int) -> None:
    assert (await place.share.make_directory("d", mode=mode)).is_new
    assert (place.directory / "d").stat().st_mode & 0o7777 == mode


async def test_a_parent_that_hands_its_group_down_changes_no_mode(place: Place) -> None:
    place.plant_directory("parent", mode=0o2755)
    await place.share.make_directory("parent/d", mode=0o770)
    assert (place.directory / "parent/d").stat().st_mode & 0o7777 == 0o770


async def test_without_an_owner_the_server_chooses(place: Place) -> None:
    await place.share.make_directory("d", mode=0o755)
    assert (place.directory / "d").stat().st_uid == place.owner


@pytest.mark.parametrize(("uid", "gid"), [(2000, 3000), (2000, None), (None, 3000)])
async def test_the_owner_is_the_one_asked_for(place: Place, uid: int | None, gid: int | None) -> None:
    if place.is_squashed:
        place.directory.chmod(0o777)  # so that an owner can make his own directory, where nobody can be given one
    assert (await place.share.make_directory("d", mode=0o2750, uid=uid, gid=gid)).is_new
    found = (place.directory / "d").stat()
    assert found.st_mode & 0o7777 == 0o2750
    assert uid is None or found.st_uid == uid
    assert gid is None or found.st_gid == gid


async def test_what_can_not_be_given_is_told_and_nothing_is_left(place: Place) -> None:
    if not place.is_squashed:
        assert (await place.share.make_directory("d", mode=0o2750, uid=0, gid=0)).is_new
        return
    for _ in range(2):
        with pytest.raises(Unavailable, match="no_root_squash") as caught:
            await place.share.make_directory("d", mode=0o2750, uid=0, gid=0)
        assert caught.value.stage == "permission"
        assert place.names() == set()


async def test_missing_parents_are_made_0755_and_the_mode_is_only_for_the_last(place: Place) -> None:
    assert (await place.share.make_directory("a/b/c", mode=0o777)).is_new
    modes = [(place.directory / path).stat().st_mode & 0o7777 for path in ("a", "a/b", "a/b/c")]
    assert modes == [0o755, 0o755, 0o777]


async def test_parents_that_are_there_are_left_alone(place: Place) -> None:
    place.plant_directory("a", mode=0o711)
    await place.share.make_directory("a/b", mode=0o777)
    assert (place.directory / "a").stat().st_mode & 0o7777 == 0o711


async def test_a_directory_that_is_there_is_left_alone(place: Place) -> None:
    place.plant_file("d/file")
    place.plant_directory("d", mode=0o700)
    assert not (await place.share.make_directory("d", mode=0o777, uid=2000)).is_new
    found = (place.directory / "d").stat()
    assert (found.st_mode & 0o7777, found.st_uid) == (0o700, place.owner)
    assert place.names("d") == {"file"}


async def test_adopting_sets_mode_and_owner_and_keeps_the_content(place: Place) -> None:
    place.plant_file("d/file")
    place.give(place.plant_directory("d", mode=0o700), place.owner, place.owner)
    uid = place.owner if place.is_squashed else 2000
    assert not (await place.share.make_directory("d", mode=0o2775, uid=uid, adopt=True)).is_new
    found = (place.directory / "d").stat()
    assert (found.st_mode & 0o7777, found.st_uid) == (0o2775, uid)
    assert place.names("d") == {"file"}


async def test_a_file_in_the_way_is_refused(place: Place) -> None:
    place.plant_file("file", b"content")
    for path in ("file", "file/below"):
        with pytest.raises(Refused):
            await place.share.make_directory(path, mode=0o777, adopt=True)
    assert (place.directory / "file").read_bytes() == b"content"


async def test_one_of_many_who_make_the_same_directory_made_it(place: Place) -> None:
    made = await asyncio.gather(*(place.share.make_directory("a/b", mode=0o750) for _ in range(32)))
    assert sorted(each.is_new for each in made) == [False] * 31 + [True]
    assert len({each.entry.identity for each in made}) == 1
    assert (place.directory / "a/b").stat().st_mode & 0o7777 == 0o750


async def test_many_at_once_get_each_their_own(place: Place) -> None:
    async def make(number: int) -> bool:
        return (await place.share.make_directory(f"team-{number % 7}/volume-{number}", mode=0o700 | number % 8)).is_new

    assert all(await asyncio.gather(*(make(number) for number in range(256))))
    for number in range(256):
        found = (place.directory / f"team-{number % 7}/volume-{number}").stat()
        assert found.st_mode & 0o7777 == 0o700 | number % 8


async def test_the_answer_tells_what_is_there_now(place: Place) -> None:
    uid = place.owner if place.is_squashed else 2000
    for is_new, mode, told in ((True, 0o2750, 0o2750), (False, 0o700, 0o2750)):
        made = await place.share.make_directory("a/d", mode=mode, uid=uid)
        assert made.is_new == is_new
        assert (made.entry.name, made.entry.kind, made.entry.mode, made.entry.uid) == ("d", "directory", told, uid)
        assert made.entry == await place.share.stat("a/d")
    made = await place.share.make_directory("a/d", mode=0o711, adopt=True)
    assert (made.is_new, made.entry.mode) == (False, 0o711)
    assert made.entry == await place.share.stat("a/d")


@pytest.mark.parametrize("name", ["ü 名 \U0001f600", "x" * 255, "-rf", "back\\slash", " "])
async def test_any_name_that_a_path_may_have(place: Place, name: str) -> None:
    assert (await place.share.make_directory(name, mode=0o755)).is_new
    assert place.names() == {name}
