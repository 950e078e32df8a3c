"""The kinds of shares that the suite runs on, each with a look behind it: the directory that it shows."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from berth.nfs import Resolver
from berth.shares.direct.share import DirectShare
from berth.shares.mounted.share import MountedShare
from berth.volumes.share import Share, ShareAddress
from devcluster.ganesha import Export, GaneshaServer
from tests.conformance.memory_path import MemoryPath
from tests.volumes.memory import MemoryShare

Spot = Path | MemoryPath
"""Where something lies, as one sees it behind the share."""

FREE, SQUASHED = Export("/free"), Export("/squashed", squash="root_squash")
OWNER = 1000
"""Whose the root of a squashed share is."""

_numbers = itertools.count(1)


@dataclass
class Leave:
    """The guard of a place's share: a test takes the leave to act away, at once or in the course of an operation."""

    why: str = ""
    most: int = 1 << 30
    """How often leave is given, before it is taken away."""
    asked: int = 0

    def __call__(self) -> str:
        self.asked += 1
        return self.why if self.asked > self.most else ""

    def take(self, why: str, *, after: int = 0) -> None:
        """From now on it is given so many times, and never again."""
        self.why, self.most, self.asked = why, after, 0


@dataclass(frozen=True)
class Place:
    """A fresh, empty share and the directory behind it."""

    share: Share
    directory: Spot
    owner: int
    """Whose that is what the share makes."""
    leave: Leave = field(default_factory=Leave)
    """What the share asks before it does what can't be taken back."""

    @property
    def is_squashed(self) -> bool:
        return self.owner != 0

    def plant_file(self, path: str, content: bytes = b"", *, mode: int = 0o644, owner: int | None = None) -> Spot:
        """Puts a file there, with its parents, as a pod or an administrator could."""
        file = self.directory / path
        self.plant_directory(str(Path(path).parent))
        file.write_bytes(content)
        file.chmod(mode)
        self._give(file, owner)
        return file

    def plant_directory(self, path: str, *, mode: int = 0o755, owner: int | None = None) -> Spot:
        directory = self.directory / path
        missing = [directory, *directory.parents]
        for each in reversed([each for each in missing if not each.exists()]):
            each.mkdir()
            self._give(each, owner)
        directory.chmod(mode)
        return directory

    def plant_link(self, path: str, target: Spot | str) -> Spot:
        link = self.directory / path
        link.symlink_to(str(target))
        return link

    def plant_pipe(self, path: str) -> None:
        pipe = self.directory / path
        if isinstance(pipe, MemoryPath):
            pipe.make_pipe()
        else:
            os.mkfifo(pipe)

    def move(self, path: str, target: str) -> None:
        """As an administrator could, behind the share's back."""
        source, to = self.directory / path, self.directory / target
        if isinstance(source, MemoryPath) and isinstance(to, MemoryPath):
            source.rename(to)
        else:
            os.rename(str(source), str(to))

    def names(self, path: str = "") -> set[str]:
        return {each.name for each in (self.directory / path).iterdir()}

    def give(self, path: Spot, uid: int, gid: int = -1) -> None:
        """To a new owner, as an administrator could; -1 leaves it."""
        if isinstance(path, MemoryPath):
            path.give(uid, gid)
        else:
            os.chown(path, uid, gid)

    def _give(self, path: Spot, owner: int | None) -> None:
        self.give(path, self.owner if owner is None else owner)


Maker = Callable[[Callable[[], GaneshaServer], Path], Place]
"""Makes a place, from what starts the server (once, if one is needed at all) and an empty directory."""


def _mounted(_start: object, directory: Path) -> Place:
    directory.chmod(0o755)
    leave = Leave()
    share = MountedShare(str(directory), ShareAddress("nfs.example", "/mounted"), requires_mount=False, guard=leave)
    return Place(share, directory, 0, leave)


def _memory(_start: object, _directory: Path) -> Place:
    leave = Leave()
    share = MemoryShare(ShareAddress("nfs.example", "/memory"), guard=leave)
    return Place(share, MemoryPath(share), 0, leave)


def _direct(version: str, export: Export) -> Maker:
    def make(start: Callable[[], GaneshaServer], _directory: Path) -> Place:
        server = start()
        # A directory of its own below the export, which is mounted as such: every test has a share to itself.
        path = f"{export.path}/share-{next(_numbers)}"
        directory = server.directory_of(export.path) / path.rpartition("/")[2]
        directory.mkdir()
        owner = OWNER if export is SQUASHED else 0
        os.chown(directory, owner, owner)
        leave = Leave()
        share = DirectShare(address(server, path, version), Resolver(), guard=leave)
        return Place(share, directory, owner, leave)

    return make


MAKERS: dict[str, Maker] = {
    "memory": _memory,
    "mounted": _mounted,
    "direct-v3": _direct("3", FREE),
    "direct-v4": _direct("4", FREE),
    "direct-v3-squashed": _direct("3", SQUASHED),
    "direct-v4-squashed": _direct("4", SQUASHED),
}


def address(server: GaneshaServer, export: str, version: str = "") -> ShareAddress:
    """How to reach an export of a server, whatever its ports."""
    options = dict(option.split("=") for option in server.mount_options(version))
    return ShareAddress(
        server.host,
        export,
        version=version,
        port=int(options.get("port", 0)),
        mountport=int(options.get("mountport", 0)),
    )


def walk(directory: Spot) -> Iterator[Spot]:
    """Everything below a directory."""
    if isinstance(directory, MemoryPath):
        yield from directory.rglob("*")
        return
    for parent, directories, files in os.walk(directory):
        for name in (*directories, *files):
            yield Path(parent) / name
