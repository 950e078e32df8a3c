"""Two controllers and one lease: one works, the other takes over, and never do both."""

from __future__ import annotations

import time

import pytest

from tests.e2e.churn import Churn
from tests.e2e.controller import Controller
from tests.e2e.invariants import settle
from tests.e2e.site import Site
from tests.e2e.waiting import until

LEASE = 3.0
"""Seconds; what Site gives its controllers."""
ELECT = {"ENABLE_LEADER_ELECTION": "true"}


LONG = {"BERTH_LEASE_DURATION": "60s", "BERTH_RENEW_DEADLINE": "50s"}


def pair(site: Site, **settings: str) -> tuple[Controller, Controller]:
    """A leader and its standby."""
    leader = site.controller("first", **ELECT, **settings).start()
    standby = site.controller("second", **ELECT, **settings).start(wait=False)
    standby.wait_logged("waiting to lead")
    until("the standby is ready", lambda: standby.fetch("/readyz")[0] == 200)
    return leader, standby


def lease(site: Site) -> dict[str, object]:
    name = site.provisioner.replace("/", "-")
    found = site.api.get(f"/apis/coordination.k8s.io/v1/namespaces/berth-e2e/leases/{name}")
    assert found is not None
    spec: dict[str, object] = found["spec"]
    return spec


def leads(controller: Controller) -> bool:
    return controller.metric("leader_election_master_status") == 1


def test_the_standby_waits_and_says_that_it_is_not_the_leader(site: Site) -> None:
    leader, standby = pair(site)
    site.serve("served", site.make_class())
    assert leads(leader)
    assert not leads(standby)
    assert not standby.has_logged("leading")
    assert str(lease(site)["holderIdentity"]).startswith("first_")


def test_a_leader_that_is_told_to_stop_hands_over_at_once(site: Site) -> None:
    leader, standby = pair(site, **LONG)
    assert leader.stop() == 0
    begin = time.monotonic()
    standby.wait_leading()
    assert time.monotonic() - begin < 30  # long before the lease would be over
    site.serve("served", site.make_class())
    assert str(lease(site)["holderIdentity"]).startswith("second_")


def test_a_leader_that_was_killed_is_replaced_when_its_lease_is_over_and_not_before(site: Site) -> None:
    leader, standby = pair(site)
    leader.kill()
    begin = time.monotonic()
    standby.wait_leading()
    assert time.monotonic() - begin > LEASE / 3  # it was renewed at most 0.6 s before, and looked at 0.6 s later
    site.serve("served", site.make_class())


def test_a_leader_that_was_frozen_for_too_long_ends_without_touching_anything(site: Site) -> None:
    leader, standby = pair(site)
    leader.process.pause()
    standby.wait_leading()
    pv = site.serve("served", site.make_class())
    leader.process.resume()
    until("the old leader has ended", lambda: not leader.is_running)
    assert leader.process.exit_code == 2
    assert leader.lines[-1]["event"] == "ended"
    assert "leads now" in leader.lines[-1]["why"] or "not renewed" in leader.lines[-1]["why"]
    leader.may_complain = True
    assert site.pv(pv["metadata"]["name"]) is not None
    settle(site)


@pytest.mark.timeout(240)
def test_claims_come_and_go_while_the_leader_is_killed_ten_times(site: Site) -> None:
    settings = {
        **ELECT,
        "BERTH_LEASE_DURATION": "2s",
        "BERTH_RENEW_DEADLINE": "1.5s",
        "BERTH_RETRY_PERIOD": "0.2s",
        "BERTH_SHARE_TIMEOUT": "1.5s",
        "BERTH_RESYNC": "5s",
    }
    both = [site.controller(name, **settings).start(wait=False) for name in ("first", "second")]
    ends = [site.make_class(site.parameters(onDelete=end)) for end in ("delete", "archive")]
    nested = site.make_class(site.parameters(pathPattern="${.PVC.namespace}/${.PVC.name}", onDelete="delete"))
    site.foreign.add(site.namespace)  # the parent of the nested ones, which stays
    kept = [site.serve(f"kept-{number}", name) for number, name in enumerate((*ends, nested))]
    for pv in kept:
        site.plant(pv)
    with Churn(site, *ends, nested) as churn:
        for _ in range(10):
            leader = until("one leads", lambda: next((one for one in both if one.is_running and leads(one)), None))
            churn.wait_more(5)
            leader.kill()
            leader.start(wait=False)
            for one in both:  # on a slow machine one may have lost its lease all by itself
                if not one.is_running:
                    one.start(wait=False)
    assert churn.filed > 50
    settle(site, deadline=60)
    for pv in kept:
        assert (site.directory_of(pv) / "sentinel").exists()
