"""A look behind a share in memory: the part of pathlib.Path with which the suite looks behind the others."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

from tests.volumes.memory import MemoryShare, Node

_TYPES = {"directory": stat.S_IFDIR, "file": stat.S_IFREG, "link": stat.S_IFLNK, "other": stat.S_IFIFO}


class MemoryPath:
    """A place on a share in memory. Absolute paths start at the share's root."""

    def __init__(self, share: MemoryShare, *parts: str) -> None:
        self._share = share
        self._parts = parts

    def __str__(self) -> str:
        return "/" + "/".join(self._parts)

    def __truediv__(self, path: str | Path) -> MemoryPath:
        return self.joinpath(*str(path).split("/"))

    def joinpath(self, *parts: str) -> MemoryPath:
        return MemoryPath(self._share, *self._parts, *(part for part in parts if part not in ("", ".")))

    @property
    def name(self) -> str:
        return self._parts[-1]

    @property
    def parents(self) -> list[MemoryPath]:
        return [MemoryPath(self._share, *self._parts[:depth]) for depth in reversed(range(len(self._parts)))]

    def relative_to(self, other: MemoryPath) -> str:
        return "/".join(self._parts[len(other._parts) :])

    def exists(self) -> bool:
        return self._find() is not None

    def is_symlink(self) -> bool:
        return self._node.kind == "link"

    def is_dir(self) -> bool:
        return self._node.kind == "directory"

    def stat(self) -> SimpleNamespace:
        node = self._node
        mode = _TYPES[node.kind] | node.mode
        return SimpleNamespace(st_mode=mode, st_uid=node.uid, st_gid=node.gid, st_ino=node.number, st_nlink=1)

    lstat = stat

    def chmod(self, mode: int) -> None:
        self._node.mode = mode

    def give(self, uid: int, gid: int) -> None:
        """To a new owner; -1 leaves it."""
        node = self._node
        node.uid, node.gid = (node.uid if uid < 0 else uid), (node.gid if gid < 0 else gid)

    def mkdir(self, *, parents: bool = False, exist_ok: bool = False) -> None:
        if parents:
            for each in reversed(self.parents):
                each.mkdir(exist_ok=True)
        if not (exist_ok and self.exists()):
            self._put(Node("directory", 0o755))

    def write_bytes(self, content: bytes) -> None:
        self._put(Node("file", 0o644, content=content))

    def touch(self) -> None:
        self.write_bytes(b"")

    def symlink_to(self, _target: Path | str) -> None:
        self._put(Node("link", 0o777))

    def make_pipe(self) -> None:
        self._put(Node("other", 0o644))

    def read_bytes(self) -> bytes:
        return self._node.content

    def read_text(self) -> str:
        return self.read_bytes().decode()

    def rename(self, target: MemoryPath) -> None:
        target._put(self._node)
        del MemoryPath(self._share, *self._parts[:-1])._node.children[self.name]

    def iterdir(self) -> Iterator[MemoryPath]:
        return iter([self.joinpath(name) for name in self._node.children])

    def rglob(self, _all: str) -> Iterator[MemoryPath]:
        for each in self.iterdir():
            yield each
            yield from each.rglob("*")

    @property
    def _node(self) -> Node:
        node = self._find()
        if node is None:
            raise FileNotFoundError(str(self))
        return node

    def _find(self) -> Node | None:
        node: Node | None = self._share.root
        for part in self._parts:
            node = node.children.get(part) if node is not None else None
        return node

    def _put(self, node: Node) -> None:
        MemoryPath(self._share, *self._parts[:-1])._node.children[self.name] = node
