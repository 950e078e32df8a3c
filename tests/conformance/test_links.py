"""Symbolic links that somebody planted, at every level of every path: none is followed, and each is named."""

from __future__ import annotations

import asyncio
import ctypes
import itertools
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from berth.volumes.errors import Refused, Taken, VolumeError
from berth.volumes.share import Share
from tests.conformance.places import Place, Spot, walk

PATH = ".berth/trash/a/b"
Call = Callable[[Share, str], Awaitable[object]]

CALLS: dict[str, Call] = {
    "list": lambda share, path: share.list(path),
    "read_file": lambda share, path: share.read_file(path),
    "make_directory": lambda share, path: share.make_directory(path, mode=0o777),
    "make_directory, adopting": lambda share, path: share.make_directory(path, mode=0o777, uid=1, adopt=True),
    "write_file": lambda share, path: share.write_file(path, b"content"),
    "rename from there": lambda share, path: share.rename(path, "free"),
    "rename to there": lambda share, path: share.rename("source", path),
    "remove_file": lambda share, path: share.remove_file(path),
    "remove_directory": lambda share, path: share.remove_directory(path),
    "remove_tree": lambda share, path: share.remove_tree(path),
}


@pytest.mark.parametrize("target", ["outside", "inside", "nowhere"])
@pytest.mark.parametrize("depth", range(1, 5))
@pytest.mark.parametrize("name", CALLS)
async def test_no_link_is_followed(place: Place, elsewhere: Path, name: str, depth: int, target: str) -> None:
    parts = PATH.split("/")
    link = "/".join(parts[:depth])
    place.plant_directory("source")
    inside = place.plant_directory("inside")
    for directory in (elsewhere, inside):  # what would be found if the link were followed
        below = directory.joinpath(*parts[depth:])
        below.mkdir(parents=True, exist_ok=True)
        (below / "kept").touch()
    if depth > 1:
        place.plant_directory("/".join(parts[: depth - 1]))
    place.plant_link(link, {"outside": elsewhere, "inside": inside, "nowhere": Path("gone")}[target])
    before = _look(elsewhere), _look(inside)
    if name == "rename to there" and link == PATH:
        with pytest.raises(Taken):
            await CALLS[name](place.share, PATH)
    else:
        with pytest.raises(Refused, match="symbolic link") as caught:
            await CALLS[name](place.share, PATH)
        assert caught.value.field == link
    assert (_look(elsewhere), _look(inside)) == before
    assert (place.directory / link).is_symlink()
    assert place.names() == {".berth", "source", "inside"}


@pytest.mark.on_disk
async def test_a_link_that_is_there_for_a_moment_only_leads_nowhere(place: Place, elsewhere: Path) -> None:
    """A tenant who swaps a directory for a link, again and again, while Berth works below it."""
    place.plant_directory("shared", mode=0o777)
    (elsewhere / "b").mkdir()
    before = _look(elsewhere)
    directory, link = place.plant_directory("shared/a", mode=0o777), place.plant_link("shared/link", elsewhere)
    done = asyncio.Event()

    async def swap() -> None:
        while not done.is_set():
            _exchange(directory, link)
            await asyncio.sleep(0)

    swapping = asyncio.create_task(swap())
    loop, outcomes = asyncio.get_running_loop(), set()
    until = loop.time() + 3
    for number in itertools.count():
        path = f"shared/a/{number}" if number % 2 else "shared/a/b"
        for call in (CALLS["make_directory"], CALLS["remove_directory"], CALLS["write_file"]):
            try:
                await call(place.share, path)
            except VolumeError as error:  # any will do, as long as nothing elsewhere changes
                outcomes.add(type(error))
        if loop.time() > until or number > 300:
            break
    done.set()
    await swapping
    assert _look(elsewhere) == before
    assert Refused in outcomes


def _exchange(one: Spot, other: Spot) -> None:
    """Two names change places in one step."""
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    assert ctypes.CDLL(None).renameat2(here, os.fsencode(str(one)), here, os.fsencode(str(other)), exchange) == 0


def _look(directory: Spot) -> list[tuple[str, int]]:
    return sorted((str(path).removeprefix(str(directory)), path.lstat().st_mode) for path in walk(directory))
