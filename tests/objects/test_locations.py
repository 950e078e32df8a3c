"""The index of directories answers as looking at every PV would, in time that does not grow with their number."""

from __future__ import annotations

import posixpath
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from berth.objects.locations import Locations, normal
from berth.objects.translation import Location

parts = st.sampled_from(["a", "b", "aa", "a.b", ".", "..", ""])
paths = st.lists(parts, max_size=5).map(lambda some: "/" + "/".join(some))
pvs = st.sampled_from([f"pv-{number}" for number in range(6)])
servers = st.sampled_from(["one", "two"])


def is_in(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")


class PlacesAsASlowList(RuleBasedStateMachine):
    """Places beside a plain dict that is searched from end to end."""

    def __init__(self) -> None:
        super().__init__()
        self.places = Locations()
        self.model: dict[str, Location] = {}

    @rule(pv=pvs, server=servers, path=paths)
    def put(self, pv: str, server: str, path: str) -> None:
        self.places.put(pv, Location(server, path))
        self.model[pv] = Location(server, normal(path))

    @rule(pv=pvs)
    def drop(self, pv: str) -> None:
        self.places.drop(pv)
        self.model.pop(pv, None)

    @rule(path=paths)
    def look(self, path: str) -> None:
        where = normal(path)
        expected = [
            (pv, place)
            for pv, place in sorted(self.model.items())
            if is_in(place.path, where) or is_in(where, place.path)
        ]
        assert list(self.places.overlapping(path)) == expected

    @invariant()
    def the_root_overlaps_all(self) -> None:
        assert dict(self.places.overlapping("/")) == self.model


TestPlaces = PlacesAsASlowList.TestCase


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("/srv/nfs", "/srv/nfs"),
        ("/srv/nfs/", "/srv/nfs"),
        ("//srv//nfs", "/srv/nfs"),
        ("/srv/./nfs/../nfs", "/srv/nfs"),
        ("/..", "/"),
        ("/", "/"),
        ("", "/"),
        ("srv", "/srv"),
    ],
)
def test_a_path_is_taken_as_the_server_understands_it(written: str, meant: str) -> None:
    assert normal(written) == meant


@given(paths)
def test_normal_is_absolute_and_has_nothing_left_to_resolve(path: str) -> None:
    once = normal(path)
    assert once.startswith("/")
    assert not once.startswith("//")
    assert once == posixpath.normpath(once) == normal(once)


def test_ten_thousand_neighbours_do_not_slow_the_answer_down() -> None:
    def seconds_for(count: int) -> float:
        places = Locations()
        for number in range(count):
            places.put(f"pv-{number}", Location("one", f"/export/namespace-{number % 50}/claim-{number}"))
        best = float("inf")
        for _ in range(5):
            begin = time.perf_counter()
            for number in range(200):
                assert len(list(places.overlapping(f"/export/namespace-{number % 50}/new-{number}"))) == 0
            best = min(best, time.perf_counter() - begin)
        return best

    assert seconds_for(10_000) < 10 * seconds_for(100)
