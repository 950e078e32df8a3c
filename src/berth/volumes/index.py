"""Which of many paths overlap one, answered from memory: in time and room that grow with the length of a path, and not
with the number of others.

Paths are compared as the most forgiving server would compare them (naming.fold), so that what is one directory there
is never taken for two; whether it is one there, the caller finds out from the server.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from berth.volumes.naming import fold

MOST_BYTES = 4096
"""PATH_MAX of Linux, and more than NFS mounts: what a longer path says behind that is passed over. Whoever may write
PVs must not be able to fill the memory."""


@dataclass(slots=True, eq=False)
class _Node:
    """One directory: who lives just there, and what is below it."""

    keys: set[str] = field(default_factory=set)
    below: dict[str, _Node | str] = field(default_factory=dict)
    """By folded name. A directory where one lives, and nothing is below, is just its key: nearly all are so."""


class PathIndex:
    """Paths by key, with parts joined by `/`, all absolute or all relative, and normal."""

    def __init__(self) -> None:
        self._paths: dict[str, str] = {}
        self._root = _Node()

    def __contains__(self, key: str) -> bool:
        return key in self._paths

    def __len__(self) -> int:
        return len(self._paths)

    def path(self, key: str) -> str:
        """Where a key is, as it was entered (and cut, see MOST_BYTES). KeyError when it is nowhere."""
        return self._paths[key]

    def put(self, key: str, path: str) -> None:
        """Enters a key, or moves it."""
        path = _bounded(path)
        if self._paths.get(key) == path:
            return
        self.drop(key)
        self._paths[key] = path
        parts, node = _parts(path), self._root
        for part in parts[:-1]:
            node = _opened(node, part)
        if not parts:
            node.keys.add(key)
        elif parts[-1] in node.below:
            _opened(node, parts[-1]).keys.add(key)
        else:
            node.below[parts[-1]] = key

    def drop(self, key: str) -> None:
        """Takes a key out, if it is in."""
        path = self._paths.pop(key, None)
        if path is None:
            return
        parts = _parts(path)
        way = [self._root]
        for part in parts[:-1]:
            way.append(_opened(way[-1], part))
        if not parts:
            self._root.keys.discard(key)
            return
        last = way[-1].below[parts[-1]]
        if isinstance(last, _Node):
            last.keys.discard(key)
            way.append(last)
        else:
            del way[-1].below[parts[-1]]
        while len(way) > 1 and not way[-1].keys and not way[-1].below:
            way.pop()
            del way[-1].below[parts[len(way) - 1]]

    def overlapping(self, path: str) -> Iterator[tuple[str, str]]:
        """(key, path) of those that equal, contain or lie in path, or would if the server did not tell spellings apart:
        see naming.overlaps for what is so in any case. In the order of keys.
        """
        keys: set[str] = set(self._root.keys)
        node: _Node | str | None = self._root
        for part in _parts(_bounded(path)):
            node = node.below.get(part) if isinstance(node, _Node) else None
            if node is None:
                break
            keys |= _keys_of(node)
        rest = [node] if node is not None else []
        while rest:
            here = rest.pop()
            keys |= _keys_of(here)
            if isinstance(here, _Node):
                rest.extend(here.below.values())
        for key in sorted(keys):
            yield key, self._paths[key]


def _opened(node: _Node, part: str) -> _Node:
    """What is below a node, as one that may have more than one key; made where it is not there."""
    there = node.below.get(part)
    if isinstance(there, _Node):
        return there
    opened = node.below[part] = _Node(keys={there} if there is not None else set())
    return opened


def _keys_of(node: _Node | str) -> set[str]:
    return node.keys if isinstance(node, _Node) else {node}


def _bounded(path: str) -> str:
    if len(path) <= MOST_BYTES // 4:
        return path
    cut = path.encode(errors="surrogateescape")[:MOST_BYTES].decode(errors="ignore")
    return path if cut == path else cut.rpartition("/")[0]


def _parts(path: str) -> list[str]:
    return [fold(part) for part in path.split("/") if part]
