"""Which PVs' directories overlap a path, answered from memory in time that does not grow with their number."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from berth.reconcilers.objects import Place


class Places:
    """An index of absolute paths -> the PVs that live there. Servers are told apart by the caller: there may be
    several spellings of one.
    """

    def __init__(self) -> None:
        self._place: dict[str, Place] = {}
        self._at: defaultdict[str, set[str]] = defaultdict(set)
        self._below: defaultdict[str, set[str]] = defaultdict(set)

    def put(self, pv: str, place: Place) -> None:
        """Enters a PV, or moves it."""
        place = Place(place.server, normal(place.path))
        if self._place.get(pv) == place:
            return
        self.drop(pv)
        self._place[pv] = place
        self._at[place.path].add(pv)
        for ancestor in _ancestors(place.path):
            self._below[ancestor].add(pv)

    def drop(self, pv: str) -> None:
        """Takes a PV out, if it is in."""
        place = self._place.pop(pv, None)
        if place is None:
            return
        _discard(self._at, place.path, pv)
        for ancestor in _ancestors(place.path):
            _discard(self._below, ancestor, pv)

    def overlapping(self, path: str) -> Iterator[tuple[str, Place]]:
        """PVs whose path equals, contains or lies in path, on whichever server."""
        path = normal(path)
        pvs = set(self._at.get(path, ())) | self._below.get(path, set())
        for ancestor in _ancestors(path):
            pvs |= self._at.get(ancestor, set())
        for pv in sorted(pvs):
            yield pv, self._place[pv]


def normal(path: str) -> str:
    """An absolute path without `//`, `.`, `..` or a slash at its end, as the server would understand it."""
    return "/" + posixpath.normpath("/" + path).strip("/")


def _ancestors(path: str) -> Iterator[str]:
    while path != "/":
        path = posixpath.dirname(path)
        yield path


def _discard(index: defaultdict[str, set[str]], key: str, pv: str) -> None:
    pvs = index[key]
    pvs.discard(pv)
    if not pvs:
        del index[key]
