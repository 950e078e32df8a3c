"""Removing trees: all of it, nothing else, through no link, and on from where it was stopped."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

import pytest

from berth.volumes.errors import Refused, Unavailable
from tests.conformance.places import Place, walk

TREE = ".berth/trash/pv"


async def test_a_tree_goes_with_all_that_is_in_it_and_is_counted(place: Place) -> None:
    for number in range(5):
        place.plant_file(f"{TREE}/d{number}/e/file")
    place.plant_file(f"{TREE}/file")
    place.plant_file(".berth/trash/other/file")
    assert (await place.share.remove_tree(TREE)).entries == 5 * 3 + 1 + 1
    assert place.names(".berth/trash") == {"other"}
    assert place.names(".berth/trash/other") == {"file"}


async def test_an_empty_tree_and_one_that_is_gone(place: Place) -> None:
    place.plant_directory(TREE)
    assert (await place.share.remove_tree(TREE)).entries == 1
    assert (await place.share.remove_tree(TREE)).entries == 0
    assert (await place.share.remove_tree(".berth/trash/gone/below")).entries == 0


@pytest.mark.parametrize(
    "path", ["volume", ".berth", ".berth/trash", ".berth/volumes", ".berth/trash2/x", "x/.berth/trash/y"]
)
async def test_trees_are_removed_from_the_trash_only(place: Place, path: str) -> None:
    place.plant_file(f"{path}/file" if path != ".berth" else ".berth/file")
    with pytest.raises(Refused, match=r"not below \.berth/trash"):
        await place.share.remove_tree(path)
    assert "file" in place.names(path)


async def test_links_are_removed_and_not_followed(place: Place, elsewhere: Path) -> None:
    place.plant_directory(TREE)
    place.plant_link(f"{TREE}/to-a-directory", elsewhere)
    place.plant_link(f"{TREE}/to-a-file", elsewhere / "precious")
    place.plant_link(f"{TREE}/up", "../../..")
    place.plant_link(f"{TREE}/nowhere", "gone")
    assert (await place.share.remove_tree(TREE)).entries == 5
    assert (elsewhere / "precious").read_text() == "content"
    assert place.names() == {".berth"}


async def test_a_link_in_the_place_of_the_tree_is_refused(place: Place, elsewhere: Path) -> None:
    place.plant_directory(".berth/trash")
    place.plant_link(TREE, elsewhere)
    with pytest.raises(Refused, match="symbolic link"):
        await place.share.remove_tree(TREE)
    assert (elsewhere / "precious").exists()


@pytest.mark.on_disk
async def test_a_deep_tree(place: Place) -> None:
    at = os.open(str(place.plant_directory(TREE)), os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=at)
        inner = os.open("d", os.O_RDONLY, dir_fd=at)
        os.fchown(inner, place.owner, -1)
        os.close(at)
        at = inner
    os.close(at)
    assert (await place.share.remove_tree(TREE)).entries == 1501
    assert place.names(".berth/trash") == set()


async def test_a_wide_tree(place: Place) -> None:
    directory = place.plant_directory(TREE)
    for number in range(2500):
        (directory / f"a file with a name of some length, number {number}").touch()
    assert (await place.share.remove_tree(TREE)).entries == 2501
    assert place.names(".berth/trash") == set()


async def test_names_of_all_kinds(place: Place) -> None:
    directory = place.plant_directory(TREE)
    for name in ("ü 名", "line\nbreak", "-rf", "*", "x" * 255, os.fsdecode(b"\xff\xfe")):
        (directory / name).mkdir()
        place.give(directory / name, place.owner)
        (directory / name / name).touch()
    assert (await place.share.remove_tree(TREE)).entries == 13


async def test_things_that_are_neither_files_nor_directories(place: Place) -> None:
    place.plant_directory(TREE)
    place.plant_pipe(f"{TREE}/pipe")
    assert (await place.share.remove_tree(TREE)).entries == 2


async def test_directories_of_others_that_nobody_else_may_enter(place: Place) -> None:
    for owner in (2000, 3000):
        place.plant_directory(f"{TREE}/of-{owner}", owner=owner)
        place.plant_file(f"{TREE}/of-{owner}/d/file", owner=owner)
        place.give(place.directory / TREE / f"of-{owner}/d", owner, owner)
        (place.directory / TREE / f"of-{owner}/d").chmod(0o500)
        (place.directory / TREE / f"of-{owner}").chmod(0o000)
    place.give(place.directory / TREE, place.owner)
    assert (await place.share.remove_tree(TREE)).entries == 7
    assert place.names(".berth/trash") == set()


async def test_many_files_in_a_directory_that_its_owner_may_not_write_to(place: Place) -> None:
    directory = place.plant_directory(f"{TREE}/fixed", owner=2000)
    for number in range(200):
        (directory / str(number)).touch()
    directory.chmod(0o500)
    place.give(place.directory / TREE, place.owner)
    assert (await place.share.remove_tree(TREE)).entries == 202


async def test_stopped_in_the_middle_it_goes_on_later(place: Place) -> None:
    for number in range(60):
        place.plant_file(f"{TREE}/d{number}/file")
        for more in range(20):
            (place.directory / f"{TREE}/d{number}/{more}").touch()
    before = len(list(walk(place.directory / TREE)))
    removing = asyncio.create_task(place.share.remove_tree(TREE))
    while len(list(walk(place.directory / TREE))) == before:  # noqa: ASYNC110 - the file system sets no event
        await asyncio.sleep(0)
    removing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await removing
    await place.share.remove_tree(TREE)
    assert place.names(".berth/trash") == set()


async def test_a_tree_that_others_still_write_into_goes_when_they_stop(place: Place) -> None:
    directory = place.plant_directory(TREE)
    for number in range(200):
        (directory / str(number)).touch()
    removing = asyncio.create_task(place.share.remove_tree(TREE))
    with suppress(FileNotFoundError):  # it is gone before the last one comes
        for number in range(200):
            (directory / f"late-{number}").touch()
            await asyncio.sleep(0)
    with suppress(Unavailable):  # too much was written while it was removed
        await removing
    await place.share.remove_tree(TREE)
    assert place.names(".berth/trash") == set()
