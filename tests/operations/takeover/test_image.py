"""An image that no node can have stops a take-over before it begins, and is told in its plan."""

from __future__ import annotations

import pytest

from berth.operations.errors import Stopped
from berth.operations.takeover.plan import Wanted
from berth.settings.install import IMAGE
from tests.operations.takeover.town import BERTH, Town

NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}, "spec": {}, "status": {"images": []}}


def town_with_a_node() -> Town:
    town = Town()
    town.put(NODE)
    return town


async def test_the_plan_tells_it_and_apply_changes_nothing() -> None:
    town = town_with_a_node()
    (found,) = (await town.plan()).stops
    assert (found.id, found.about[0].name) == ("image-nowhere", BERTH)
    with pytest.raises(Stopped, match=f"deployment {BERTH}: no registry has the image {IMAGE}"):
        await town.take_over()
    assert town.writes == []
    assert town.is_as_before


@pytest.mark.parametrize(
    "wanted",
    [Wanted(image="registry.example/berth:1"), Wanted(has_image=True), Wanted(is_installing=False)],
    ids=["registry", "known", "no-install"],
)
async def test_it_is_not_told_where_the_image_can_be_had_or_nothing_is_installed(wanted: Wanted) -> None:
    assert not [one for one in (await town_with_a_node().plan(wanted)).every_finding if one.id == "image-nowhere"]


async def test_a_berth_that_runs_keeps_its_image_and_nobody_asks_for_it() -> None:
    town = town_with_a_node()
    await town.take_over(Wanted(image="registry.example/berth:1"))
    await town.revert()
    assert (await town.plan()).stops == ()
