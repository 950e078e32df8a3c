"""From each released version to this one while claims come and go, and back: nothing is lost, nothing served twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import api
from tests.e2e.builds import RELEASED, following, released
from tests.e2e.churn import Churn
from tests.e2e.controller import Controller
from tests.e2e.invariants import settle
from tests.e2e.site import Site
from tests.e2e.waiting import until

ELECT = {"ENABLE_LEADER_ELECTION": "true", "BERTH_RESYNC": "5s"}


def change(leader: Controller, successor: Controller) -> None:
    """As a Deployment does it: the new one stands by and is ready, and only then the old one ends."""
    successor.start(wait=False)
    successor.wait_logged("waiting to lead")
    until("the new one is ready", lambda: successor.fetch("/readyz")[0] == 200)
    assert leader.stop() == 0
    successor.wait_leading()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("version", RELEASED)
def test_a_released_version_is_upgraded_under_load_and_put_back(site: Site, tmp_path: Path, version: str) -> None:
    old = site.controller("old", **ELECT, **released(version, tmp_path / "old"))
    new = site.controller("new", **ELECT, **following(tmp_path / "new"))
    old.start()
    ends = [site.make_class(site.parameters(onDelete=end)) for end in ("delete", "archive", "retain")]
    nested = site.make_class(site.parameters(pathPattern="${.PVC.namespace}/${.PVC.name}", onDelete="delete"))
    site.foreign.add(site.namespace)  # the parent of the nested ones, which stays
    kept = [site.serve(f"kept-{number}", name) for number, name in enumerate((*ends, nested))]
    for pv in kept:
        site.plant(pv)
    with Churn(site, *ends[:2], nested) as churn:
        churn.wait_more(15)
        change(old, new)
        churn.wait_more(15)
        change(new, old)
        churn.wait_more(15)
    settle(site, deadline=60)
    for pv in kept:
        assert (site.directory_of(pv) / "sentinel").exists()
    # What one of them made, the other ends, each in its way.
    change(old, new)
    deleted, archived, retained, in_place = kept
    site.delete_claim(*(f"kept-{number}" for number in range(4)))
    for pv in kept:
        site.wait_gone(pv["metadata"]["name"])
    for pv in (deleted, in_place):
        site.wait_purged(pv["metadata"]["name"])
        site.sentinels.pop(pv["metadata"]["name"])
    assert (site.root / f"archived-{site.path_of(archived)}" / "sentinel").exists()
    assert (site.directory_of(retained) / "sentinel").exists()
    assert not [pv for pv in site.pvs() if pv["spec"]["claimRef"]["name"].startswith("kept-")]
    settle(site, deadline=60)


def test_both_versions_write_pvs_alike(site: Site, tmp_path: Path) -> None:
    """What a PV says is what the other version goes by."""
    of_class = site.make_class(site.parameters(onDelete="archive", directoryMode="0750"))
    written = []
    for name, environment in (("old", released(RELEASED[-1], tmp_path / "old")), ("new", following(tmp_path / "new"))):
        controller = site.controller(name, **environment).start()
        pv = site.serve(f"of-{name}", of_class)
        controller.stop()
        found = site.api.get(f"{api.PVS}/{pv['metadata']['name']}")
        assert found is not None
        annotations = {key for key in found["metadata"]["annotations"] if not key.startswith("berth.io/leader")}
        written.append((annotations, sorted(found["metadata"].get("finalizers", [])), sorted(found["spec"])))
    assert written[0] == written[1]
