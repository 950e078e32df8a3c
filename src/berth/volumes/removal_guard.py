"""Where on a share things are removed: Berth's own directory and nowhere else. The wall in front of every removal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Generic, TypeVar

from berth.volumes.errors import LeftBehind, Refused
from berth.volumes.naming import HOME, TRASH, split_path
from berth.volumes.share import Budget

P = TypeVar("P")

NO_LIMIT = Budget(math.inf, math.inf)
OTHER_FILE_SYSTEM = "EXDEV"
"""How a directory is told on which something is mounted, be it of the same file system: that is not even tried."""
TOO_DEEP = "ELOOP"
"""How a directory is told that lies deeper than any tree that people make."""
_LONGEST = 300
"""Characters of a path that is told."""
_MORE = "/…"


@dataclass(slots=True)
class Remains:
    """What could not be removed of a tree."""

    count: int = 0
    """Entries; the directories that they are in do not count."""
    first: str = ""
    """Path of the first of them in the order of paths, from the tree's top; empty for the top itself."""
    status: str = ""
    """The server's or system's name for what prevented it."""

    def add(self, path: str, status: str) -> None:
        """One more entry."""
        self.take(Remains(1, path, status))

    def take(self, other: Remains) -> None:
        """What is left of a tree in this one."""
        if other.count and (not self.count or other.first < self.first):
            self.first, self.status = other.first, other.status
        self.count += other.count


class Unfinished(Generic[P]):
    """Removals of trees that used up their budget, by path, and wait for their next turn. Who loses one loses nothing
    but the time to meet again what can't be removed.
    """

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._kept: dict[str, P] = {}

    def take(self, path: str) -> P | None:
        """The one that stopped at path."""
        return self._kept.pop(path, None)

    def put(self, path: str, purge: P) -> bool:
        """Keeps one. False: there are enough; those that are kept come to their end first."""
        if len(self._kept) >= self._most:
            return False
        self._kept[path] = purge
        return True


def below(path: str, name: str) -> str:
    """The path of an entry, for people: cut at a directory's border where it gets long, however deep the tree is."""
    if path.endswith(_MORE):
        return path
    whole = f"{path}/{name}" if path else name
    return whole if len(whole) <= _LONGEST else f"{path or name[:_LONGEST]}{_MORE}"


def left_behind(share: str, path: str, remains: Remains, removed: int) -> LeftBehind:
    """Some entries of the tree at path could not be removed."""
    return LeftBehind(share, path, count=remains.count, first=remains.first, status=remains.status, removed=removed)


def own_file(path: str) -> tuple[str, ...]:
    """The parts of a path below `.berth/`, the only place where single files are removed; Refused otherwise."""
    parts = split_path(path)
    if parts[0] != HOME or len(parts) < 2:
        raise Refused(path, f"is not below {HOME}, and files elsewhere are not Berth's to remove")
    return parts


def trash_entry(path: str) -> tuple[str, ...]:
    """The parts of a path below `.berth/trash/`, the only place where trees are removed; Refused otherwise."""
    parts = split_path(path)
    if not path.startswith(f"{TRASH}/"):
        raise Refused(path, f"is not below {TRASH}, and nothing elsewhere is removed with what is in it")
    return parts
