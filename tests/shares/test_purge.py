"""Purges of trees that no server of ours can be made to show: endless ones, and snapshot directories that are virtual.

And a mount within a tree, which a server in a mount namespace of its own would not see.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from berth.nfs import Attributes, DirectoryEntry, Identity, NfsError, NfsNode, Position, Status
from berth.shares.direct import purge
from berth.shares.direct.purge import DirectPurge
from berth.shares.direct.tree import Rights, Tree
from berth.shares.mounted.share import MountedShare
from berth.volumes.errors import LeftBehind
from berth.volumes.share import Budget, ShareAddress
from tests.aio.virtual_time import run_virtual

T = TypeVar("T")
TREE = ".berth/trash/pv"
CALL = 0.01
"""Seconds that a call takes, by the clock of the event loop."""
PAGE = 50
"""Entries that are read in one call."""
_handles = itertools.count()


@dataclass
class Thing:
    """A file or directory of the server."""

    inside: dict[str, Thing] | None = None
    """None: a file."""
    device: int = 1
    status: Status | None = None
    """What its removal is answered with."""
    is_virtual: bool = False
    """It shows, and is no obstacle to the removal of its directory."""
    is_endless: bool = False
    """It has always more entries, each of which can be removed."""
    is_bottomless: bool = False
    """It holds a directory, which holds a directory, and so on."""
    has_ghosts: bool = False
    """It lists a file that is not there."""
    handle: bytes = field(default_factory=lambda: b"%d" % next(_handles))


class Server:
    """As much of nfs3.Session and nfs4.Session as a purge makes use of."""

    def __init__(self) -> None:
        self._known: dict[bytes, Thing] = {}
        self._invented = itertools.count()
        self.removals: list[str] = []

    def node(self, thing: Thing) -> NfsNode:
        self._known[thing.handle] = thing
        kind: Any = "file" if thing.inside is None else "directory"
        return NfsNode(thing.handle, Attributes(kind, 0o755, 0, 0, 0, thing.device))

    async def walk(self, start: bytes, parts: Sequence[str], who: Identity) -> tuple[list[NfsNode], NfsError | None]:
        await asyncio.sleep(CALL)
        thing = (self._known[start].inside or {}).get(parts[0])
        return ([], NfsError(Status.NOENT, "NOENT")) if thing is None else ([self.node(thing)], None)

    async def read_directory(
        self, handle: bytes, position: Position, who: Identity
    ) -> tuple[list[DirectoryEntry], Position | None]:
        await asyncio.sleep(CALL)
        thing = self._known[handle]
        assert thing.inside is not None
        if thing.is_endless:
            invented = [f"invented-{next(self._invented)}" for _ in range(PAGE)]
            thing.inside.update({name: Thing() for name in invented})
            return [DirectoryEntry(name, self.node(thing.inside[name])) for name in invented], Position(1, 0)
        if thing.is_bottomless and not thing.inside:
            thing.inside["d"] = Thing({}, is_bottomless=True)
        if thing.has_ghosts:
            return [DirectoryEntry("ghost", None)], None
        # What was read before may be gone by now: a cookie counts names in their order, as real ones do.
        names = sorted(thing.inside)
        rest = [name for name in names if int.from_bytes(name.encode(), "big") > position.cookie][:PAGE]
        last = int.from_bytes(rest[-1].encode(), "big") if rest else 0
        return [DirectoryEntry(name, self.node(thing.inside[name])) for name in rest], (
            Position(last, 0) if rest and rest[-1] != names[-1] else None
        )

    async def remove(self, directory: bytes, name: str, *, is_directory: bool, who: Identity) -> None:
        await asyncio.sleep(CALL)
        self.removals.append(name)
        inside = self._known[directory].inside
        assert inside is not None
        thing = inside.get(name)
        if thing is None:
            raise NfsError(Status.NOENT, "NOENT")
        if thing.status is not None:
            raise NfsError(thing.status, f"NFS3ERR_{thing.status.name}")
        if thing.inside and not all(each.is_virtual for each in thing.inside.values()):
            raise NfsError(Status.NOTEMPTY, "NFS3ERR_NOTEMPTY")
        if thing.has_ghosts:
            raise NfsError(Status.NOTEMPTY, "NFS3ERR_NOTEMPTY")
        del inside[name]


async def _step(call: Callable[[], Awaitable[T]], /) -> T:
    return await call()


class Rig:
    """A tree called `pv` in a directory of a server, and its purge."""

    def __init__(self, top: Thing) -> None:
        self.server = Server()
        self.trash = Thing({"pv": top})
        self.purge = DirectPurge(self.server.node(self.trash), "pv", self.server.node(top), concurrency=8)
        server: Any = self.server
        self._tree = Tree(server, Rights(), "share")

    async def run(self, budget: Budget) -> None:
        await self.purge.run(self._tree, _step, budget)

    @property
    def is_gone(self) -> bool:
        return not self.trash.inside


WHOLE = Budget(1e9, float("inf"))


def chain(levels: int, bottom: dict[str, Thing]) -> Thing:
    """A directory in a directory, and so on."""
    top = Thing(bottom)
    for _ in range(levels):
        top = Thing({"d": top, "file": Thing()})
    return top


@pytest.mark.parametrize("top", [Thing({}, is_endless=True), chain(3, {"e": Thing({}, is_endless=True)})])
def test_an_endless_directory_costs_its_budget_and_is_gone_on_with(top: Thing) -> None:
    async def main() -> None:
        rig, loop = Rig(top), asyncio.get_running_loop()
        before = 0
        for _ in range(3):
            began = loop.time()
            await rig.run(Budget(5.0, float("inf")))
            assert 5.0 <= loop.time() - began < 5.2
            assert not rig.purge.is_through
            assert rig.purge.removed > before + 1000
            before = rig.purge.removed
            assert len(rig.purge._items) < 10 * PAGE
        await rig.run(Budget(1e9, 700))
        assert rig.purge.removed <= before + 700

    run_virtual(main())


def test_a_directory_without_a_bottom_is_given_up_at_a_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purge, "DEEPEST", 500)
    rig = Rig(Thing({"a": Thing({}, is_bottomless=True), "z": Thing()}))
    run_virtual(rig.run(WHOLE))
    assert rig.purge.is_through
    assert rig.purge.remains.count == 1
    assert rig.purge.removed == 1


def test_five_thousand_levels_with_one_entry_that_stays() -> None:
    rig = Rig(chain(5_000, {"stays": Thing(status=Status.PERM)}))
    run_virtual(rig.run(WHOLE))
    assert rig.purge.removed == 5_000
    remains = rig.purge.remains
    assert (remains.count, remains.status) == (1, "NFS3ERR_PERM")
    assert remains.first.startswith("d/d/d/")
    assert len(remains.first) < 310
    assert not rig.is_gone


def test_a_virtual_snapshot_directory_is_no_obstacle() -> None:
    """As NetApp and OneFS have it: what is in it can't be removed, and the directory that it shows in can."""

    def snapshots() -> Thing:
        old = {str(number): Thing(status=Status.ROFS) for number in range(120)}
        return Thing({"hourly.0": Thing(old, status=Status.ROFS)}, status=Status.ROFS, is_virtual=True)

    rig = Rig(Thing({".snapshot": snapshots(), "d": Thing({".snapshot": snapshots(), "file": Thing()})}))
    run_virtual(rig.run(WHOLE))
    assert rig.is_gone
    assert rig.purge.remains.count == 0


def test_what_stays_in_a_directory_that_is_read_in_parts_hinders_nothing_else() -> None:
    entries = {f"{number:04}": Thing(status=Status.PERM if number % 10 == 0 else None) for number in range(300)}
    rig = Rig(Thing({"d": Thing(entries), "e": Thing({"f": Thing()})}))
    run_virtual(rig.run(WHOLE))
    assert rig.purge.removed == 270 + 2
    assert (rig.purge.remains.count, rig.purge.remains.first) == (30, "d/0000")
    assert rig.server.removals.count("d") == 1


def test_another_file_system_is_not_even_tried() -> None:
    rig = Rig(Thing({"m": Thing({"precious": Thing(device=2)}, device=2), "file": Thing()}))
    run_virtual(rig.run(WHOLE))
    assert (rig.purge.remains.count, rig.purge.remains.first, rig.purge.remains.status) == (1, "m", "EXDEV")
    assert "m" not in rig.server.removals
    assert "precious" not in rig.server.removals


def test_entries_that_are_listed_and_not_there_end_in_a_failure() -> None:
    rig = Rig(Thing({"d": Thing({}, has_ghosts=True)}))
    run_virtual(rig.run(WHOLE))
    assert rig.purge.is_through
    assert (rig.purge.remains.first, rig.purge.remains.status) == ("d", "NFS3ERR_NOTEMPTY")


@contextmanager
def mounted_at(directory: Path) -> Iterator[None]:
    """While another file system is mounted there."""
    if subprocess.run(["mount", "-t", "tmpfs", "none", directory], check=False, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", directory], check=True)


async def test_on_a_mounted_share_too_another_file_system_is_left_alone_and_named(tmp_path: Path) -> None:
    inside = tmp_path / TREE / "d/mounted"
    inside.mkdir(parents=True)
    (inside.parent / "file").touch()
    address = ShareAddress("nfs.example", "/export")
    async with aclosing(MountedShare(str(tmp_path), address, requires_mount=False)) as share:
        with mounted_at(inside):
            (inside / "precious").write_text("content")
            with pytest.raises(LeftBehind) as caught:
                await share.remove_tree(TREE)
            assert (caught.value.count, caught.value.first, caught.value.status) == (1, "d/mounted", "EXDEV")
            assert (inside / "precious").read_text() == "content"
            assert [each.name for each in inside.parent.iterdir()] == ["mounted"]
        assert (await share.remove_tree(TREE)).entries == 3


async def test_on_a_mounted_share_too_a_virtual_entry_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / TREE / "d").mkdir(parents=True)
    (tmp_path / TREE / "d/virtual").touch()
    remove = os.unlink

    def unlink(name: str, *, dir_fd: int) -> None:
        remove(name, dir_fd=dir_fd)
        raise OSError(30, "Read-only file system", name)  # it was there only to show

    monkeypatch.setattr(os, "unlink", unlink)
    async with aclosing(MountedShare(str(tmp_path), ShareAddress("h", "/e"), requires_mount=False)) as share:
        assert (await share.remove_tree(TREE)).entries == 2
    assert not (tmp_path / TREE).exists()
