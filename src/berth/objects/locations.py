"""Which PVs' directories overlap a path, answered from memory in time that does not grow with their number."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from sys import intern

from berth.objects.translation import Location
from berth.volumes.index import PathIndex
from berth.volumes.naming import overlaps


class Locations:
    """Where PVs' directories are. Servers are told apart by the caller: there may be several spellings of one."""

    def __init__(self) -> None:
        self._servers: dict[str, str] = {}
        self._paths = PathIndex()

    def put(self, pv: str, place: Location) -> None:
        """Enters a PV, or moves it."""
        self._servers[pv] = intern(place.server)  # thousands have the same one
        self._paths.put(pv, normal(place.path))

    def drop(self, pv: str) -> None:
        """Takes a PV out, if it is in."""
        self._servers.pop(pv, None)
        self._paths.drop(pv)

    def overlapping(self, path: str) -> Iterator[tuple[str, Location]]:
        """PVs whose path equals, contains or lies in path, on whichever server."""
        return ((pv, place) for pv, place, is_certain in self.near(path) if is_certain)

    def near(self, path: str) -> Iterator[tuple[str, Location, bool]]:
        """The same, and PVs that overlap path only where the server does not tell spellings apart: for those False."""
        path = normal(path)
        for pv, where in self._paths.overlapping(path):
            is_certain = "/" in (path, where) or overlaps(where, path)
            yield pv, Location(self._servers[pv], where), is_certain


def normal(path: str) -> str:
    """An absolute path without `//`, `.`, `..` or a slash at its end, as the server would understand it."""
    return "/" + posixpath.normpath("/" + path).strip("/")
