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
    below: dict[str, _Node] = field(default_factory=dict)


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
        node = self._root
        for part in _parts(path):
            node = node.below.setdefault(part, _Node())
        node.keys.add(key)

    def drop(self, key: str) -> None:
        """Takes a key out, if it is in."""
        path = self._paths.pop(key, None)
        if path is None:
            return
        way = [self._root]
        parts = _parts(path)
        for part in parts:
            way.append(way[-1].below[part])
        way[-1].keys.discard(key)
        for parent, part, node in zip(way[-2::-1], reversed(parts), way[:0:-1], strict=True):
            if node.keys or node.below:
                break
            del parent.below[part]

    def overlapping(self, path: str) -> Iterator[tuple[str, str]]:
        """(key, path) of those that equal, contain or lie in path, or would if the server did not tell spellings apart:
        see naming.overlaps for what is so in any case. In the order of keys.
        """
        keys: set[str] = set(self._root.keys)
        node: _Node | None = self._root
        for part in _parts(_bounded(path)):
            node = node.below.get(part) if node is not None else None
            if node is None:
                break
            keys |= node.keys
        rest = [node] if node is not None else []
        while rest:
            here = rest.pop()
            keys |= here.keys
            rest.extend(here.below.values())
        for key in sorted(keys):
            yield key, self._paths[key]


def _bounded(path: str) -> str:
    if len(path) <= MOST_BYTES // 4:
        return path
    cut = path.encode(errors="surrogateescape")[:MOST_BYTES].decode(errors="ignore")
    return path if cut == path else cut.rpartition("/")[0]


def _parts(path: str) -> list[str]:
    return [fold(part) for part in path.split("/") if part]
