"""Locks of either kind: whoever does not renew one for as long as it lasts is gone, and whoever leads renews it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from berth.operations.takeover.locks import Held, places_of_leases, read_locks, wait_free, wait_led
from tests.operations.takeover.things import NAME
from tests.operations.takeover.town import OLD, Town

LOCKS = [(NAME, "kube-system")]
EVERYBODY: Any = lambda _: asyncio.sleep(0, result=True)  # noqa: E731


@pytest.fixture(params=["Lease", "Endpoints"])
def town(request: pytest.FixtureRequest) -> Town:
    """With a lock of either kind."""
    return Town(lock=request.param)


def clock() -> float:
    return asyncio.get_running_loop().time()


async def own_lock() -> list[tuple[str, str]]:
    return LOCKS


async def test_who_holds_it_is_read_from_either_kind(town: Town) -> None:
    (held,) = await read_locks(town.api, NAME, "kube-system")
    kind, _, key = held.where.partition(" ")
    assert kind in ("Lease", "Endpoints")
    assert (key, held.holder.partition("-")[0], held.lasts) == ("kube-system/cluster.local-nfs-client", "nfs", 15.0)
    assert await read_locks(town.api, NAME, "default") == []
    assert await read_locks(town.api, "another/name", "kube-system") == []


async def test_nobody_holds_one_that_was_given_back_or_is_of_long_ago(town: Town) -> None:
    town.silent.add(OLD)
    spec = {"holderIdentity": "", "leaseDurationSeconds": 15, "renewTime": "2020-01-01T00:00:00Z"}
    place = {"name": "cluster.local-nfs-client", "namespace": "kube-system"}
    for holder in ("", "of-long-ago"):
        spec["holderIdentity"] = holder
        lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": place, "spec": spec}
        town.put(lease)
        assert [one.holder for one in await read_locks(town.api, NAME, "kube-system") if one.where[0] == "L"] == []


async def test_it_is_free_once_nobody_renewed_it_for_as_long_as_it_lasts(town: Town) -> None:
    town.silent.add(OLD)
    told: list[Held] = []
    begin = clock()
    assert await wait_free(town.api, LOCKS, but="", patience=60, progress=told.append) is None
    assert 15 <= clock() - begin <= 16
    assert [one.holder.partition("-")[0] for one in told] == ["nfs"]


async def test_with_little_patience_a_lock_that_nobody_renews_is_still_seen_to_be_free(town: Town) -> None:
    town.silent.add(OLD)
    assert await wait_free(town.api, LOCKS, but="", patience=1, progress=lambda _: None) is None


async def test_who_goes_on_renewing_it_is_answered_when_patience_is_over(town: Town) -> None:
    told: list[Held] = []
    held = await wait_free(town.api, LOCKS, but="", patience=60, progress=told.append)
    assert held is not None
    assert held.holder.startswith("nfs-")
    assert len(told) == 1
    assert await wait_free(town.api, LOCKS, but="nfs-", patience=60, progress=told.append) is None, "our own pods"


async def test_who_leads_is_seen_to_renew_a_lease() -> None:
    town, begin = Town(), clock()
    led = await wait_led(town.api, patience=60, locks=own_lock, counts=EVERYBODY)
    assert led is not None
    assert led.holder.startswith("nfs-")
    assert clock() - begin < 2
    nobody = await wait_led(town.api, patience=5, locks=own_lock, counts=lambda _: asyncio.sleep(0, result=False))
    assert nobody is None
    town.silent.add(OLD)
    assert await wait_led(town.api, patience=5, locks=own_lock, counts=EVERYBODY) is None, "he renews it no longer"
    assert await wait_led(Town(lock="Endpoints").api, patience=5, locks=own_lock, counts=EVERYBODY) is None


async def test_leases_are_found_wherever_they_are() -> None:
    town = Town()
    town.renew("other/x", "default", "somebody")
    assert await places_of_leases(town.api, [NAME]) == LOCKS
    assert await places_of_leases(town.api, [NAME, "other/x"]) == [("other/x", "default"), *LOCKS]
