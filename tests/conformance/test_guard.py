"""Who has lost the leave to act takes nothing back: what was asked for stays undone, and that is said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from berth.volumes.errors import Unavailable
from berth.volumes.share import Share
from tests.conformance.places import Place, walk

WHY = "another one leads"
DIRECTORIES, FILES_TOGETHER = 4, 5
IRREVERSIBLE: dict[str, Callable[[Share], Awaitable[object]]] = {
    "rename": lambda share: share.rename("volume", ".berth/trash/pv-2"),
    "remove_file": lambda share: share.remove_file(".berth/volumes/pv.json"),
    "remove_directory": lambda share: share.remove_directory("empty"),
    "remove_tree": lambda share: share.remove_tree(".berth/trash/pv"),
    "a file replaced": lambda share: share.write_file(".berth/volumes/pv.json", b"new"),
}


def plant(place: Place) -> list[str]:
    """Something for each of these calls to take away. All paths there are then."""
    place.plant_file("volume/file")
    place.plant_directory("empty")
    place.plant_file(".berth/volumes/pv.json", b"old")
    for number in range(DIRECTORIES * FILES_TOGETHER):
        place.plant_file(f".berth/trash/pv/d{number % DIRECTORIES}/{number}")
    return tree(place)


def tree(place: Place) -> list[str]:
    return sorted(str(path) for path in walk(place.directory))


@pytest.mark.parametrize("name", IRREVERSIBLE)
async def test_without_leave_nothing_is_taken_back(place: Place, name: str) -> None:
    before = plant(place)
    place.leave.take(WHY)
    with pytest.raises(Unavailable, match=f"is left alone.*{WHY}") as caught:
        await IRREVERSIBLE[name](place.share)
    assert (caught.value.stage, caught.value.why) == ("lease", WHY)
    assert tree(place) == before
    assert (place.directory / ".berth/volumes/pv.json").read_bytes() == b"old"


async def test_looking_and_making_need_no_leave(place: Place) -> None:
    plant(place)
    place.leave.take(WHY)
    await place.share.list("")
    await place.share.make_directory("a/b", mode=0o2777, adopt=True)
    await place.share.write_file("a/new", b"content", exclusive=True)
    assert place.leave.asked == 0
    assert place.names("a") == {"b", "new"}


@pytest.mark.parametrize("steps", [1, 3, 8])
async def test_a_tree_of_which_some_is_removed_stays_as_it_is_when_the_leave_ends(place: Place, steps: int) -> None:
    before = len(plant(place))
    place.leave.take(WHY, after=steps)
    with pytest.raises(Unavailable) as caught:
        await place.share.remove_tree(".berth/trash/pv")
    assert caught.value.stage == "lease"
    # Files of one directory may go in one step, and an attempt that is denied, as root is, was one too.
    assert before - steps * FILES_TOGETHER <= len(tree(place)) <= before
    place.leave.take("")
    await place.share.remove_tree(".berth/trash/pv")
    assert place.names(".berth/trash") == set()


async def test_leave_is_asked_once_for_each_step(place: Place) -> None:
    plant(place)
    for name, count in (
        ("rename", 1),
        ("remove_file", 1),
        ("remove_directory", 1),
        ("remove_tree", 2 * DIRECTORIES + 1),
    ):
        place.leave.take("")
        await IRREVERSIBLE[name](place.share)
        assert place.leave.asked >= count, name
