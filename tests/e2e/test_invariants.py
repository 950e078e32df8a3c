"""The checker itself: it finds what other tests rely on it to find."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import api
from tests.e2e.api import Object
from tests.e2e.invariants import problems, settle
from tests.e2e.site import ARCHIVES, RECORDS, TRASH, Site


def rewritten(site: Site, pv: Object, **changes: Any) -> None:
    record = site.record(pv["metadata"]["name"])
    record.write_text(json.dumps({**json.loads(record.read_text()), **changes}))


DAMAGE: dict[str, tuple[Callable[[Site, Object, Object], object], str]] = {
    "a claim without a volume": (
        lambda site, live, _: site.file_claim("unserved", live["spec"]["storageClassName"]),
        "claim unserved is ",
    ),
    "a PV without a directory": (lambda site, live, _: shutil.rmtree(site.directory_of(live)), "has no directory"),
    "a PV without a record": (lambda site, live, _: site.record(live["metadata"]["name"]).unlink(), "has no record"),
    "a record of another place": (lambda site, live, _: rewritten(site, live, path="elsewhere"), "says ("),
    "a record of another claim": (lambda site, live, _: rewritten(site, live, claimUID="another"), "says ("),
    "a record without a PV": (
        lambda site, live, _: shutil.copy(
            site.record(live["metadata"]["name"]), site.root / RECORDS / "pvc-unknown.json"
        ),
        "record pvc-unknown of",
    ),
    "a directory of nobody": (lambda site, *_: (site.root / "nobody").mkdir(), "'nobody' has no record"),
    "trash": (lambda site, *_: (site.root / TRASH / "pvc-old").mkdir(), "the trash holds pvc-old"),
    "an archive without metadata": (
        lambda site, *_: (site.root / "archived-x").mkdir(),
        "archive archived-x has no metadata",
    ),
    "metadata without an archive": (
        lambda site, *_: [path.rename(path.with_name("archived-y.json")) for path in (site.root / ARCHIVES).iterdir()],
        "metadata speaks of archive archived-y",
    ),
    "lost data of a volume": (
        lambda site, live, _: (site.directory_of(live) / "sentinel").unlink(),
        "lost its data",
    ),
    "changed data of an archive": (
        lambda site, *_: [path.write_text("changed") for path in site.root.glob("archived-*/sentinel")],
        "lost the data of",
    ),
    "a second PV of one claim": (
        lambda site, live, _: site.api.create(
            api.PVS,
            {
                "metadata": {"name": f"second-{site.token}", "annotations": live["metadata"]["annotations"]},
                "spec": live["spec"],
            },
        ),
        "has 2 PVs",
    ),
}


@pytest.fixture(scope="module")
def at_rest(make_site: Callable[[], Site]) -> tuple[Site, Object, Object]:
    """A site with a live and an archived volume, where nobody works any more."""
    site = make_site()
    controller = site.controller().start()
    of_class = site.make_class(site.parameters(onDelete="archive"))
    live, gone = site.serve("live", of_class), site.serve("gone", of_class)
    site.plant(live)
    site.plant(gone)
    site.delete_claim("gone")
    site.wait_gone(gone["metadata"]["name"])
    settle(site)
    controller.stop()
    return site, live, gone


@pytest.fixture
def to_be_damaged(at_rest: tuple[Site, Object, Object], tmp_path: Path) -> Iterator[tuple[Site, Object, Object]]:
    """The same, and whole again afterwards."""
    site = at_rest[0]
    shutil.copytree(site.root, tmp_path / "whole")
    yield at_rest
    shutil.rmtree(site.root)
    shutil.copytree(tmp_path / "whole", site.root)
    site.delete_claim("unserved")
    site.api.delete(f"{api.PVS}/second-{site.token}")
    settle(site)


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_found(to_be_damaged: tuple[Site, Object, Object], what: str) -> None:
    damage, expected = DAMAGE[what]
    damage(*to_be_damaged)
    found = problems(to_be_damaged[0])
    assert any(expected in one for one in found), found
