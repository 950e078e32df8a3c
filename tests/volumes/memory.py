"""A share in memory: keeps the Share contract, and may be planted with what no Share would make (links, oddities).

Every call gives way to other tasks before it acts, and acts in one go, so that races can be tried in any order.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from berth.volumes.errors import Missing, Refused, Taken, Unavailable
from berth.volumes.listing import Listing
from berth.volumes.naming import split_path
from berth.volumes.removal_guard import own_file, trash_entry
from berth.volumes.share import Budget, Entry, EntryKind, Guard, Made, NamesOf, Removal, ShareAddress, Space, always

MAX_FILE = 1024**2

_numbers = itertools.count(1)


@dataclass
class Node:
    """What is at one path."""

    kind: EntryKind
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
        self.root = Node("directory", 0o755)
        """For a look behind the share."""

    @property
    def address(self) -> ShareAddress:
        return self._address

    async def stat(self, path: str) -> Entry:
        await asyncio.sleep(0)
        return _entry(path, self._at(path))

    async def names(self, path: str, kind: NamesOf = "any") -> list[str]:
        return [entry.name for entry in await self.list(path) if kind in ("any", entry.kind)]

    async def list(self, path: str, most: int | None = None) -> list[Entry]:
        await asyncio.sleep(0)
        node = self._at(path)
        _expect("directory", node, split_path(path) if path else ())
        listing = Listing(path, most)
        for name, child in node.children.items():
            if listing.is_full:
                break
            listing.add(_entry(name, child))
        return listing.entries

    async def make_directory(
        self, path: str, *, mode: int, uid: int | None = None, gid: int | None = None, adopt: bool = False
    ) -> Made:
        await asyncio.sleep(0)
        node, is_new = self.root, False
        parts = split_path(path)
        for depth, part in enumerate(parts, 1):
            is_new = part not in node.children
            node = node.children.setdefault(part, Node("directory", 0o755, device=node.device))
            _expect("directory", node, parts[:depth])
        if is_new or adopt:
            node.mode = mode
            node.uid = node.uid if uid is None else uid
            node.gid = node.gid if gid is None else gid
        return Made(is_new, _entry(path, node))

    async def read_file(self, path: str) -> bytes:
        await asyncio.sleep(0)
        node = self._at(path)
        _expect("file", node, split_path(path))
        if len(node.content) > MAX_FILE:
            raise Refused(path, "is larger than 1 MiB")
        return node.content

    async def write_file(self, path: str, content: bytes, *, exclusive: bool = False) -> None:
        await asyncio.sleep(0)
        parent, name = self._parent(path)
        there = parent.children.get(name)
        if exclusive and there is not None:
            raise Taken(str(self._address), path)
        if there is not None:
            _expect("file", there, split_path(path))
        if not exclusive:
            self._allow()
        parent.children[name] = Node("file", 0o600, content=content, device=parent.device)

    async def rename(self, source: str, target: str, only: Entry | None = None) -> None:
        await asyncio.sleep(0)
        old, old_name = self._parent(source)
        node = self._at(source)
        _expect("directory", node, split_path(source))
        if only is not None and _entry(source, node).identity != only.identity:
            raise Missing(str(self._address), source)
        new, new_name = self._parent(target)
        if new_name in new.children:
            raise Taken(str(self._address), target)
        if node.device != new.device or f"{target}/".startswith(f"{source}/"):
            raise Refused(source, f"can't be moved to {target!r}, which is inside it or on another file system")
        self._allow()
        new.children[new_name] = old.children.pop(old_name)

    async def remove_file(self, path: str) -> None:
        await asyncio.sleep(0)
        parts = own_file(path)
        try:
            parent, name = self._parent(path)
        except Missing:
            return
        _expect("file", parent.children.get(name, Node("file", 0)), parts)
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
        _expect("directory", node, split_path(path))
        if node.children:
            return False
        self._allow()
        del parent.children[name]
        return True

    async def remove_tree(self, path: str, *, budget: Budget | None = None) -> Removal:
        parts, removed = trash_entry(path), 0
        try:
            parent, name = self._parent(path)
            _expect("directory", self._at(path), parts)
        except Missing:
            return Removal(0)
        top = parent.children[name]
        while parent.children.get(name) is top:
            if budget is not None and removed >= budget.entries:
                return Removal(removed, is_through=False)
            await asyncio.sleep(0)
            if parent.children.get(name) is not top:
                break  # somebody brought it back
            holder, last = _deepest(parent, name)
            self._allow()
            del holder.children[last]
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
        return dict(_walk(self.root, ""))

    def _allow(self) -> None:
        why = self._guard()
        if why:
            raise Unavailable(str(self._address), "lease", why)

    def _at(self, path: str) -> Node:
        node = self.root
        if not path:
            return node
        parts = split_path(path)
        for depth, part in enumerate(parts, 1):
            _expect("directory", node, parts[: depth - 1])
            if part not in node.children:
                raise Missing(str(self._address), "/".join(parts[:depth]))
            node = node.children[part]
        return node

    def _parent(self, path: str) -> tuple[Node, str]:
        parts = split_path(path)
        parent = self._at("/".join(parts[:-1]))
        _expect("directory", parent, parts[:-1])
        return parent, parts[-1]


def _expect(kind: EntryKind, node: Node, parts: Sequence[str]) -> None:
    """Refused unless something is what it should be."""
    if node.kind == "link":
        raise Refused("/".join(parts), "is a symbolic link on the share, and links are never followed")
    if node.kind != kind:
        raise Refused("/".join(parts), "is no directory" if kind == "directory" else "is no regular file")


def _deepest(parent: Node, name: str) -> tuple[Node, str]:
    """An entry of the tree called name that holds nothing, and the directory that it is in."""
    while (node := parent.children[name]).children:
        parent, name = node, next(iter(node.children))
    return parent, name


def _entry(path: str, node: Node) -> Entry:
    name = path.rpartition("/")[2]
    return Entry(name, node.kind, node.mode, node.uid, node.gid, node.device, f"{node.number}".encode())


def _walk(node: Node, path: str) -> Iterator[tuple[str, str]]:
    for name, child in sorted(node.children.items()):
        below = f"{path}/{name}".removeprefix("/")
        yield below, f"{child.kind} {child.mode:04o} {child.uid}:{child.gid} {child.content.decode()}"
        yield from _walk(child, below)
