"""Trees that don't go as a whole: what stays is counted and named, the rest goes; and trees that take several turns."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from berth.volumes.errors import LeftBehind
from berth.volumes.share import Budget
from tests.conformance.places import Place, Spot, walk

TREE = ".berth/trash/pv"


@contextmanager
def immutable(*files: Spot) -> Iterator[None]:
    """While these can't be removed by anybody, as `chattr +i` has it."""
    lacks = subprocess.run(["chattr", "+i", *map(str, files)], check=False, capture_output=True).returncode
    try:
        if lacks:
            pytest.skip("this file system knows no immutable files, or we are not root")
        yield
    finally:
        subprocess.run(
            ["chattr", "-i", *[str(each) for each in files if each.exists()]], check=False, capture_output=True
        )


def left(place: Place) -> set[str]:
    """The files that are still in the tree."""
    top = place.directory / TREE
    return {str(each).removeprefix(f"{top}/") for each in walk(top) if not each.is_dir()}


@pytest.mark.on_disk
async def test_the_rest_goes_and_what_stays_is_counted_and_named(place: Place) -> None:
    stays = [place.plant_file(f"{TREE}/.snapshot/hourly.0/{name}") for name in ("f", "g")]
    for number in range(20):
        place.plant_file(f"{TREE}/.snapshot/hourly.1/{number}")
        place.plant_file(f"{TREE}/z/{number}/file")
    with immutable(*stays):
        with pytest.raises(LeftBehind) as caught:
            await place.share.remove_tree(TREE)
        told = caught.value
        assert (told.count, told.first, told.path) == (2, ".snapshot/hourly.0/f", TREE)
        assert told.status.endswith("PERM")
        assert told.removed == 20 + 1 + 3 * 20 - 20 + 1
        assert "2 entries could not be removed, such as 'pv/.snapshot/hourly.0/f'" in str(told)
        assert left(place) == {".snapshot/hourly.0/f", ".snapshot/hourly.0/g"}
        with pytest.raises(LeftBehind):  # and again, with nothing new
            await place.share.remove_tree(TREE)
    assert (await place.share.remove_tree(TREE)).entries == 2 + 3
    assert place.names(".berth/trash") == set()


@pytest.mark.on_disk
async def test_a_thousand_levels_with_one_entry_that_stays(place: Place) -> None:
    at = os.open(str(place.plant_directory(TREE)), os.O_RDONLY)
    for _ in range(1000):
        os.mkdir("directory", dir_fd=at)
        os.chown("directory", place.owner, -1, dir_fd=at)
        inner = os.open("directory", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(os.open("stays", os.O_CREAT, 0o600, dir_fd=at))
    with immutable(Path(f"/proc/{os.getpid()}/fd/{at}/stays")):
        with pytest.raises(LeftBehind) as caught:
            await place.share.remove_tree(TREE)
        assert caught.value.count == 1
        assert len(str(caught.value)) < 600
        assert os.listdir(at) == ["stays"]
    os.close(at)
    await place.share.remove_tree(TREE)
    assert place.names(".berth/trash") == set()


@pytest.mark.on_disk
@pytest.mark.parametrize("budget", [Budget(60, 20), Budget(60, 1), Budget(0, 1000)], ids=str)
async def test_with_a_budget_it_takes_turns_and_tries_what_stays_once_in_a_round(place: Place, budget: Budget) -> None:
    for number in range(30):
        place.plant_file(f"{TREE}/d{number % 4}/{number}")
    stays = place.plant_file(f"{TREE}/d0/a-stays")
    with immutable(stays):
        removed, turns, told = 0, 0, None
        while told is None:
            try:
                turn = await place.share.remove_tree(TREE, budget=budget)
            except LeftBehind as left:
                told = left
            else:
                assert not turn.is_through
                removed, turns = removed + turn.entries, turns + 1
                assert turns < 300
        assert turns > 1
        assert told.count == 1
        assert removed + told.removed == 30 + 3
    last = await place.share.remove_tree(TREE, budget=Budget(60, 1000))
    assert (last.entries, last.is_through) == (3, True)


async def test_what_was_brought_back_between_two_turns_is_not_touched(place: Place) -> None:
    for number in range(40):
        place.plant_file(f"{TREE}/d/{number}")
    assert not (await place.share.remove_tree(TREE, budget=Budget(60, 3))).is_through
    await place.share.rename(TREE, "brought-back")
    there = len(list(walk(place.directory / "brought-back")))
    assert there > 10
    assert (await place.share.remove_tree(TREE, budget=Budget(60, 1000))).entries == 0
    place.plant_file(f"{TREE}/another")
    assert (await place.share.remove_tree(TREE, budget=Budget(60, 1000))).entries == 2
    assert len(list(walk(place.directory / "brought-back"))) == there
