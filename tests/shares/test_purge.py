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
from berth.shares.direct import agenda, purge
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
    is_covered: bool = False
    """It is mounted where it stands."""
    is_named_only: bool = False
    """The server lists its name and nothing else."""
    once: Status | None = None
    """What the first attempt to remove it is answered with."""
    forgets: int = 0
    """How often the server forgets where reading it stood."""
    handle: bytes = field(default_factory=lambda: b"%d" % next(_handles))


class Server:
    """As much of nfs3.Session and nfs4.Session as a purge makes use of."""

    def __init__(self, owner: int = 0) -> None:
        self._owner = owner
        self._known: dict[bytes, Thing] = {}
        self._invented = itertools.count()
        self.removals: list[str] = []

    def node(self, thing: Thing) -> NfsNode:
        self._known[thing.handle] = thing
        kind: Any = "file" if thing.inside is None else "directory"
        return NfsNode(
            thing.handle, Attributes(kind, 0o755, self._owner, 0, 0, thing.device, 8 if thing.is_covered else 7)
        )

    def _entry(self, name: str, thing: Thing) -> DirectoryEntry:
        return DirectoryEntry(name, None if thing.is_named_only else self.node(thing), 7)

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
        if position.cookie and thing.forgets:
            thing.forgets -= 1
            raise NfsError(Status.BAD_COOKIE, "NFS3ERR_BAD_COOKIE")
        names = sorted(thing.inside)
        rest = [name for name in names if int.from_bytes(name.encode(), "big") > position.cookie][:PAGE]
        last = int.from_bytes(rest[-1].encode(), "big") if rest else 0
        return [self._entry(name, thing.inside[name]) for name in rest], (
            Position(last, 0) if rest and rest[-1] != names[-1] else None
        )

    async def remove(self, directory: bytes, name: str, *, is_directory: bool, who: Identity) -> None:
        await asyncio.sleep(CALL)
        self._remove(directory, name)

    async def remove_files(self, directory: bytes, names: Sequence[str], who: Identity) -> list[NfsError | None]:
        await asyncio.sleep(CALL)
        return [self._attempt(directory, name) for name in names]

    def _attempt(self, directory: bytes, name: str) -> NfsError | None:
        try:
            self._remove(directory, name)
        except NfsError as error:
            return error
        return None

    def _remove(self, directory: bytes, name: str) -> None:
        self.removals.append(name)
        inside = self._known[directory].inside
        assert inside is not None
        thing = inside.get(name)
        if thing is None:
            raise NfsError(Status.NOENT, "NOENT")
        once, thing.once = thing.once, None
        if once is not None:
            raise NfsError(once, f"NFS3ERR_{once.name}")
        if thing.status is not None:
            raise NfsError(thing.status, f"NFS3ERR_{thing.status.name}")
        if thing.inside and not all(each.is_virtual for each in thing.inside.values()):
            raise NfsError(Status.NOTEMPTY, "NFS3ERR_NOTEMPTY")
        if thing.has_ghosts:
            raise NfsError(Status.NOTEMPTY, "NFS3ERR_NOTEMPTY")
        del inside[name]


async def _step(call: Callable[[], Awaitable[T]], /) -> T:
    while True:
        try:
            return await call()
        except NfsError as error:
            if error.code != Status.DELAY:
                raise


class Rig:
    """A tree called `pv` in a directory of a server, and its purge."""

    def __init__(self, top: Thing, *, concurrency: int = 8, owner: int = 0) -> None:
        self.server = Server(owner)
        self.trash = Thing({"pv": top})
        self.purge = DirectPurge(self.server.node(self.trash), "pv", self.server.node(top), concurrency=concurrency)
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
            assert rig.purge.held < 10 * PAGE
        await rig.run(Budget(1e9, 700))
        assert rig.purge.removed <= before + 700

    run_virtual(main())


class Vast(Server):
    """Every directory down to a depth holds so many entries, which nobody but the purge keeps."""

    LARGE_PAGE = 350

    def __init__(self, each: int, depth: int) -> None:
        super().__init__()
        self._each, self._depth = each, depth
        self.top = self._directory(b"0")

    def _directory(self, handle: bytes) -> NfsNode:
        return NfsNode(handle, Attributes("directory", 0o755, 0, 0, 0, 1))

    async def read_directory(
        self, handle: bytes, position: Position, who: Identity
    ) -> tuple[list[DirectoryEntry], Position | None]:
        await asyncio.sleep(CALL)
        level = handle.count(b"/")
        end = min(self._each, position.cookie + self.LARGE_PAGE)
        found = []
        for number in range(position.cookie, end):
            inside = b"%b/%d" % (handle, number)
            node = NfsNode(inside, FILE) if level == self._depth else self._directory(inside)
            found.append(DirectoryEntry(f"{number}", node))
        return found, None if end == self._each else Position(end, 0)

    async def remove(self, directory: bytes, name: str, *, is_directory: bool, who: Identity) -> None:
        await asyncio.sleep(CALL)

    async def remove_files(self, directory: bytes, names: Sequence[str], who: Identity) -> list[NfsError | None]:
        await asyncio.sleep(CALL)
        return [None] * len(names)


FILE = Attributes("file", 0o644, 0, 0, 0, 1)
MOST_HELD = agenda.PLENTY + 2 * agenda.FEW * agenda.PAGE


@pytest.mark.parametrize(
    ("each", "depth"),
    [
        (50_000, 0),
        (225, 1),
        (36, 2),
        pytest.param(1_000_000, 0, marks=pytest.mark.slow),
        pytest.param(1_000, 1, marks=pytest.mark.slow),
        pytest.param(100, 2, marks=pytest.mark.slow),
    ],
)
def test_of_a_million_files_a_bounded_number_is_held(each: int, depth: int) -> None:
    server: Any = Vast(each, depth)
    most = [0]
    removing = DirectPurge(NfsNode(b"trash", server.top.attributes), "pv", server.top, concurrency=96)

    async def step(call: Callable[[], Awaitable[T]], /) -> T:
        most[0] = max(most[0], removing.held)
        return await call()

    run_virtual(removing.run(Tree(server, Rights(), "share"), step))
    assert removing.removed == sum(each**level for level in range(depth + 2))
    assert removing.held == 0
    assert most[0] < MOST_HELD


def test_a_directory_is_read_on_before_all_that_was_read_of_it_is_gone() -> None:
    async def main() -> None:
        rig = Rig(Thing({f"{number:04}": Thing() for number in range(20 * PAGE)}), concurrency=96)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await rig.run(WHOLE)
        assert rig.is_gone
        # Each page one call after another, and no wait for the removal of one before the next.
        assert loop.time() - began < 1.3 * 20 * CALL

    run_virtual(main())


def test_files_of_several_directories_go_side_by_side() -> None:
    tree = {f"d{number}": Thing({f"d{number}-{each:03}": Thing() for each in range(150)}) for number in range(8)}
    rig = Rig(Thing(tree), concurrency=96)
    run_virtual(rig.run(WHOLE))
    assert rig.is_gone
    files = [name.partition("-")[0] for name in rig.server.removals if "-" in name]
    for first in range(0, len(files) - 200, 100):
        assert len(set(files[first : first + 200])) >= 4


def test_where_the_server_forgets_where_reading_stood_it_starts_again() -> None:
    entries = {f"{number:04}": Thing(status=Status.PERM if number % 100 == 0 else None) for number in range(300)}
    rig = Rig(Thing({"d": Thing(entries, forgets=3)}))
    run_virtual(rig.run(WHOLE))
    assert rig.purge.removed == 297
    assert rig.purge.remains.count == 3


def test_each_of_many_files_is_answered_for_itself() -> None:
    entries = {f"{number:02}": Thing() for number in range(30)}
    entries["03"] = Thing(once=Status.DELAY)
    entries["07"] = Thing(status=Status.IO)
    entries["11"] = Thing(once=Status.ACCES)  # another identity may
    entries["13"] = Thing(status=Status.ACCES)
    entries["17"] = Thing(once=Status.NOENT)
    entries["19"] = Thing(once=Status.ISDIR)
    rig = Rig(Thing(entries), owner=1000)
    run_virtual(rig.run(WHOLE))
    assert rig.purge.removed == 27
    assert (rig.purge.remains.count, rig.purge.remains.first, rig.purge.remains.status) == (2, "07", "NFS3ERR_IO")


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


@pytest.mark.parametrize("is_told", [True, False])
def test_what_is_mounted_in_it_is_not_even_tried_whether_listed_whole_or_by_its_name_only(is_told: bool) -> None:
    """Be it of the same file system: the number under which it is listed is another than its own."""
    rig = Rig(Thing({"m": Thing({"precious": Thing()}, is_covered=True, is_named_only=not is_told), "file": Thing()}))
    run_virtual(rig.run(WHOLE))
    assert (rig.purge.remains.count, rig.purge.remains.first, rig.purge.remains.status) == (1, "m", "EXDEV")
    assert rig.server.removals == ["file", "pv"]


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
