"""Paths that are none never reach a share."""

from __future__ import annotations

import pytest

from berth.volumes.errors import Refused
from tests.conformance.places import Place
from tests.conformance.test_links import CALLS

BAD = ["/absolute", "a/../b", "..", "a//b", "a/", "./a", "a\0b", "x" * 256, "\udcff", "a/" * 600 + "a"]


@pytest.mark.parametrize("path", BAD, ids=lambda path: ascii(path[:12]))
@pytest.mark.parametrize("name", CALLS)
async def test_a_path_that_means_another_place_is_refused(place: Place, name: str, path: str) -> None:
    place.plant_directory("a")
    place.plant_directory("source")
    with pytest.raises(Refused):
        await CALLS[name](place.share, path)
    assert place.names() == {"a", "source"}


@pytest.mark.parametrize("name", [name for name in CALLS if name != "list"])
async def test_the_root_is_there_to_be_looked_at_only(place: Place, name: str) -> None:
    place.plant_directory("source")
    with pytest.raises(Refused):
        await CALLS[name](place.share, "")
    assert place.names() == {"source"}
