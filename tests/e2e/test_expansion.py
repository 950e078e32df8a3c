"""Claims that ask for more: PV, claim and record grow, and what is too much is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.api import Object
from tests.e2e.site import Site
from tests.e2e.waiting import until

NO_NODE_STEP = "volume.kubernetes.io/node-expansion-not-required"


@pytest.fixture(scope="module")
def site(make_site: Callable[[], Site]) -> Site:
    made = make_site()
    made.controller().start()
    return made


def ask(site: Site, name: str, size: str) -> None:
    site.patch_claim(name, spec={"resources": {"requests": {"storage": size}}})


def capacity(site: Site, name: str) -> str:
    claim = site.claim(name)
    found: str = (claim or {}).get("status", {}).get("capacity", {}).get("storage", "")
    return found


def wait_capacity(site: Site, name: str, size: str) -> Object:
    """The claim, once it has this size."""
    until(f"claim {name} has {size}", lambda: capacity(site, name) == size)
    claim = site.claim(name)
    assert claim is not None
    return claim


def conditions(claim: Object) -> dict[str, Any]:
    return {one["type"]: one for one in claim["status"].get("conditions") or []}


def test_a_claim_that_asks_for_more_gets_it(site: Site) -> None:
    pv = site.serve("growing", site.make_class())
    text = site.plant(pv)
    name = pv["metadata"]["name"]
    ask(site, "growing", "3Gi")
    claim = wait_capacity(site, "growing", "3Gi")
    assert conditions(claim) == {}
    assert claim["metadata"]["annotations"][NO_NODE_STEP] == "true"
    grown = site.pv(name)
    assert grown is not None
    assert grown["spec"]["capacity"] == {"storage": "3Gi"}
    assert json.loads(site.record(name).read_text())["capacity"] == 3 * 2**30
    assert site.wait_event("growing", "Resizing")["message"] == f"Berth is resizing volume {name}"
    assert site.wait_event("growing", "VolumeResizeSuccessful")["message"] == "Resize volume succeeded"
    assert (site.directory_of(grown) / "sentinel").read_text() == text


def test_it_can_grow_again(site: Site) -> None:
    site.serve("twice", site.make_class())
    for size in ("2Gi", "2560Mi", "3G"):
        ask(site, "twice", size)
        wait_capacity(site, "twice", size)


def test_more_than_the_class_allows_is_told_and_less_is_served_then(site: Site) -> None:
    pv = site.serve("limited", site.make_class(site.parameters(maxSize="5")))
    ask(site, "limited", "6Gi")
    event = site.wait_event("limited", "VolumeResizeFailed")
    assert event["type"] == "Warning"
    assert event["message"].startswith("spec.resources.requests.storage: ")
    assert "maxSize 5 GiB" in event["message"]

    def told() -> dict[str, Any]:
        claim = site.claim("limited")
        return conditions(claim).get("ControllerResizeError", {}) if claim else {}

    condition = until("the claim says so too", told)
    assert condition["status"] == "True"
    assert "maxSize 5 GiB" in condition["message"]
    assert capacity(site, "limited") == "1Gi"
    unchanged = site.pv(pv["metadata"]["name"])
    assert unchanged is not None
    assert unchanged["spec"]["capacity"] == {"storage": "1Gi"}
    ask(site, "limited", "7Gi")
    site.wait_event("limited", "VolumeResizeFailed")


def test_a_pv_that_is_large_enough_already_is_left_as_it_is(site: Site) -> None:
    """A predecessor, or a killed controller, enlarged the PV and did not get to the claim."""
    pv = site.serve("half-way", site.make_class())
    site.patch_pv(pv["metadata"]["name"], spec={"capacity": {"storage": "4Gi"}})
    ask(site, "half-way", "2Gi")
    wait_capacity(site, "half-way", "2Gi")
    grown = site.pv(pv["metadata"]["name"])
    assert grown is not None
    assert grown["spec"]["capacity"] == {"storage": "4Gi"}


def test_a_volume_whose_class_is_gone_can_not_grow_and_one_whose_class_is_back_can(site: Site) -> None:
    """Kubernetes itself refuses the request while there is no class."""
    of_class = site.make_class()
    site.serve("classless", of_class)
    site.delete_class(of_class)
    site.make_class(name=of_class)
    ask(site, "classless", "2Gi")
    wait_capacity(site, "classless", "2Gi")


def test_a_growth_that_began_while_nobody_ran_is_finished(site: Site) -> None:
    (controller,) = site.controllers
    site.serve("asleep", site.make_class())
    controller.stop()
    ask(site, "asleep", "2Gi")
    controller.start()
    wait_capacity(site, "asleep", "2Gi")
