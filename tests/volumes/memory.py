"""A share in memory: keeps the Share contract, and may be planted with what no Share would make (links, oddities).

Every call gives way to other tasks before it acts, and acts in one go, so that races can be tried in any order.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from berth.volumes.errors import Missing, Refused, Taken, Unavailable
from berth.volumes.naming import HOME, TRASH, split_path
from berth.volumes.share import Budget, Entry, Guard, Kind, Made, Removal, ShareAddress, Space, always

MAX_FILE = 1024**2

_numbers = itertools.count(1)


@dataclass
class Node:
    """What is at one path."""

    kind: Kind
    mode: int
    uid: int = 0
    gid: int = 0
    content: bytes = b""
    children: dict[str, Node] = field(default_factory=dict)
    device: int = 1
    number: int = field(default_factory=lambda: next(_numbers))
    """No other object has it, ever."""


class MemoryShare:
    """A share that is gone when the test is."""

    def __init__(self, address: ShareAddress, *, guard: Guard = always) -> None:
        self._address = address
        self._guard = guard
        self._root = Node("directory", 0o755)

    @property
    def address(self) -> ShareAddress:
        return self._address

    async def stat(self, path: str) -> Entry:
        await asyncio.sleep(0)
        return _entry(path, self._at(path))

    async def list(self, path: str, most: int | None = None) -> list[Entry]:
        await asyncio.sleep(0)
        node = self._at(path)
        if node.kind != "directory":
            raise Refused(path, "is not a directory")
        entries = [_entry(name, child) for name, child in node.children.items()]
        return entries if most is None else entries[: most + 1]

    async def make_directory(
        self, path: str, *, mode: int, uid: int | None = None, gid: int | None = None, adopt: bool = False
    ) -> Made:
        await asyncio.sleep(0)
        node, is_new = self._root, False
        parts = split_path(path)
        for depth, part in enumerate(parts):
            is_new = part not in node.children
            node = node.children.setdefault(part, Node("directory", 0o755, device=node.device))
            if node.kind != "directory":
                raise Refused("/".join(parts[: depth + 1]), f"is a {node.kind}, not a directory")
        if is_new or adopt:
            node.mode = mode
            node.uid = node.uid if uid is None else uid
            node.gid = node.gid if gid is None else gid
        return Made(is_new, _entry(path, node))

    async def read_file(self, path: str) -> bytes:
        await asyncio.sleep(0)
        split_path(path)
        node = self._at(path)
        if node.kind != "file":
            raise Refused(path, f"is a {node.kind}, not a file")
        if len(node.content) > MAX_FILE:
            raise Refused(path, "is too large")
        return node.content

    async def write_file(self, path: str, content: bytes, *, exclusive: bool = False) -> None:
        await asyncio.sleep(0)
        parent, name = self._parent(path)
        there = parent.children.get(name)
        if exclusive and there is not None:
            raise Taken(str(self._address), path)
        if there is not None and there.kind != "file":
            raise Refused(path, f"is a {there.kind}, not a file")
        if not exclusive:
            self._allow()
        parent.children[name] = Node("file", 0o600, content=content, device=parent.device)

    async def rename(self, source: str, target: str, only: Entry | None = None) -> None:
        await asyncio.sleep(0)
        old, old_name = self._parent(source)
        node = self._at(source)
        if node.kind != "directory":
            raise Refused(source, f"is a {node.kind}, not a directory")
        if only is not None and _entry(source, node).identity != only.identity:
            raise Missing(str(self._address), source)
        new, new_name = self._parent(target)
        if new_name in new.children:
            raise Taken(str(self._address), target)
        if node.device != new.device:
            raise Refused(source, f"can't be moved to {target!r}, which is on another file system")
        self._allow()
        new.children[new_name] = old.children.pop(old_name)

    async def remove_file(self, path: str) -> None:
        await asyncio.sleep(0)
        if not path.startswith(f"{HOME}/"):
            raise Refused(path, f"is not below {HOME}")
        try:
            parent, name = self._parent(path)
        except Missing:
            return
        if parent.children.get(name, Node("file", 0)).kind != "file":
            raise Refused(path, "is not a file")
        self._allow()
        parent.children.pop(name, None)

    async def remove_directory(self, path: str) -> bool:
        await asyncio.sleep(0)
        try:
            parent, name = self._parent(path)
        except Missing:
            return True
        node = parent.children.get(name)
        if node is None:
            return True
        if node.kind != "directory":
            raise Refused(path, f"is a {node.kind}, not a directory")
        if node.children:
            return False
        self._allow()
        del parent.children[name]
        return True

    async def remove_tree(self, path: str, *, budget: Budget | None = None) -> Removal:
        if not path.startswith(f"{TRASH}/"):
            raise Refused(path, f"is not below {TRASH}")
        split_path(path)
        removed = 0
        while (found := self._deepest(path)) is not None:
            if budget is not None and removed >= budget.entries:
                return Removal(removed, is_through=False)
            await asyncio.sleep(0)
            parent, name = self._parent(found)
            self._allow()
            parent.children.pop(name, None)
            removed += 1
        return Removal(removed)

    async def space(self) -> Space:
        return Space(2**40, 2**39, 2**20, 2**19)

    async def aclose(self) -> None:
        return None

    def plant_device(self, path: str, device: int) -> None:
        """Makes a directory another file system's, with all that is made in it from now on."""
        self._at(path).device = device

    def plant_link(self, path: str) -> None:
        """Puts a symbolic link where somebody with a mount could put one."""
        parent, name = self._parent(path)
        parent.children[name] = Node("link", 0o777)

    def take_away(self, path: str) -> None:
        """Removes whatever is at path, as somebody with a mount could."""
        parent, name = self._parent(path)
        parent.children.pop(name, None)

    def tree(self) -> dict[str, str]:
        """All that is on the share: path -> kind, mode, owner and content."""
        return dict(_walk(self._root, ""))

    def _allow(self) -> None:
        why = self._guard()
        if why:
            raise Unavailable(str(self._address), "lease", why)

    def _deepest(self, path: str) -> str | None:
        try:
            node = self._at(path)
        except Missing:
            return None
        while node.kind == "directory" and node.children:
            name, node = next(iter(node.children.items()))
            path = f"{path}/{name}"
        return path

    def _at(self, path: str) -> Node:
        node = self._root
        if not path:
            return node
        parts = split_path(path)
        for depth, part in enumerate(parts, 1):
            if node.kind == "link":
                raise Refused(path, "leads through a symbolic link")
            if part not in node.children:
                raise Missing(str(self._address), "/".join(parts[:depth]))
            node = node.children[part]
        return node

    def _parent(self, path: str) -> tuple[Node, str]:
        parts = split_path(path)
        parent = self._at("/".join(parts[:-1]))
        if parent.kind != "directory":
            raise Refused(path, f"leads through a {parent.kind}")
        return parent, parts[-1]


def _entry(path: str, node: Node) -> Entry:
    name = path.rpartition("/")[2]
    return Entry(name, node.kind, node.mode, node.uid, node.gid, node.device, f"{node.number}".encode())


def _walk(node: Node, path: str) -> Iterator[tuple[str, str]]:
    for name, child in sorted(node.children.items()):
        below = f"{path}/{name}".removeprefix("/")
        yield below, f"{child.kind} {child.mode:04o} {child.uid}:{child.gid} {child.content.decode()}"
        yield from _walk(child, below)
