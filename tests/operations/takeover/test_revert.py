"""The way back: Berth without the names, then the old provisioner with the pods that it had; data and claims stay."""

from __future__ import annotations

import asyncio

import pytest

from berth.kube.errors import Unreachable
from berth.objects.translation import FINALIZER
from berth.operations.errors import Stopped
from berth.operations.takeover.plan import Wanted
from tests.operations.takeover.things import NAME
from tests.operations.takeover.town import BERTH, OLD, Town


async def taken_over(town: Town) -> str:
    """Answers a PV that Berth has made since."""
    await town.take_over()
    pv = town.add_volume(3)
    by_berth = {"finalizers": [FINALIZER], "annotations": {"berth.io/share": "x", "berth.io/on-delete": "delete"}}
    town.change("PersistentVolume", pv, {"metadata": by_berth})
    town.steps.clear()
    town.writes.clear()
    return pv


async def test_the_names_go_first_and_what_berth_would_keep_true_goes_with_them(town: Town) -> None:
    pv = await taken_over(town)
    (back,) = await town.revert()
    assert town.writes == [f"patch deployments {BERTH}", f"patch persistentvolumes {pv}", f"patch deployments {OLD}"]
    assert (back.records_removed, back.finalizers_removed, back.held, back.waits_for) == (2, 1, (), "")
    assert (back.old, back.by, back.is_installed, back.goes_on_as) == ((OLD,), BERTH, True, ())
    assert (town.is_as_before, town.overlaps, town.records()) == (True, [], [])
    assert (town.replicas(BERTH), town.names()) == (0, ("nfs.berth.io",))
    assert len(town.share.root.children) == 4, "three volumes, and .berth"


async def test_where_nothing_is_taken_over_there_is_nothing_to_go_back_from(town: Town) -> None:
    assert await town.revert() == []
    assert town.writes == []
    await taken_over(town)
    await town.revert()
    assert await town.revert() == []


async def test_a_berth_that_others_need_goes_on_for_them(town: Town) -> None:
    await taken_over(town)
    town.put({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "own"},
              "provisioner": "nfs.berth.io"})  # fmt: skip
    (back,) = await town.revert()
    assert back.goes_on_as == ("nfs.berth.io",)
    assert (town.replicas(BERTH), town.names(), town.is_as_before, town.overlaps) == (2, ("nfs.berth.io",), True, [])


async def test_of_several_that_one_berth_serves_all_go_back_or_none(town: Town) -> None:
    town.add_old("second")
    await town.take_over(Wanted(only=(OLD, "kube-system/second")))
    with pytest.raises(Stopped, match=f"{BERTH} took over {OLD} as well"):
        await town.revert("kube-system/second")
    assert town.replicas(OLD) == 0
    (back,) = await town.revert("kube-system/second", OLD)
    assert (back.old, town.replicas(OLD), town.replicas("kube-system/second")) == ((OLD, "kube-system/second"), 1, 1)


async def test_a_share_that_is_down_keeps_its_records_and_holds_up_nobody(town: Town) -> None:
    await taken_over(town)
    town.shares.down.add(town.address)
    (back,) = await town.revert()
    assert "connection refused" in back.share_why
    assert (town.is_as_before, len(town.records())) == (True, 2)


async def test_nothing_is_asked_of_a_share_that_is_to_be_left_alone(town: Town) -> None:
    await taken_over(town)
    (back,) = await town.revert(with_share=False)
    assert (back.share_why, back.records_removed, town.is_as_before) == ("--without-share", 0, True)


async def test_a_pv_that_waits_for_berth_is_left_to_it(town: Town) -> None:
    pv = await taken_over(town)
    town.change("PersistentVolume", pv, {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}})
    (back,) = await town.revert()
    assert (back.held, back.finalizers_removed, town.is_as_before) == ((pv,), 0, True)


async def test_a_pv_that_somebody_else_writes_is_tried_again(town: Town) -> None:
    pv = await taken_over(town)
    town.api.before(
        "patch persistentvolumes",
        lambda: town.change("PersistentVolume", pv, {"metadata": {"labels": {"by": "somebody"}}}),
    )
    (back,) = await town.revert()
    assert back.finalizers_removed == 1
    labels = iter(range(100))
    await town.take_over()
    town.change("PersistentVolume", pv, {"metadata": {"finalizers": [FINALIZER]}})
    town.api.before(
        "patch persistentvolumes",
        lambda: town.change("PersistentVolume", pv, {"metadata": {"labels": {"by": str(next(labels))}}}),
        times=100,
    )
    with pytest.raises(Stopped, match=f"PV {pv} changes all the time"):
        await town.revert()


async def test_a_pod_of_berth_that_does_not_end_stops_it_before_the_old_one_is_up(town: Town) -> None:
    await taken_over(town)
    town.stuck.add(BERTH)
    with pytest.raises(Stopped, match="did not end within 5 s; see why with `kubectl -n berth-system describe pod"):
        await town.revert(patience=5)
    assert (town.replicas(OLD), town.overlaps) == (0, [])
    town.stuck.clear()
    await town.revert()
    assert town.is_as_before


async def test_who_goes_on_renewing_the_lock_stops_it(town: Town) -> None:
    await taken_over(town)

    async def outside() -> None:
        while True:
            town.renew(NAME, "berth-system", "by-hand_1")
            await asyncio.sleep(2)

    process = asyncio.create_task(outside())
    with pytest.raises(Stopped, match=r"by-hand_1 goes on renewing Lease berth-system/cluster.local-nfs-client"):
        await town.revert(patience=20)
    process.cancel()
    assert town.replicas(OLD) == 0


async def test_an_old_one_that_does_not_get_ready_is_told(town: Town) -> None:
    await taken_over(town)
    town.broken.add(OLD)
    (back,) = await town.revert(patience=20)
    assert (back.waits_for, town.replicas(OLD)) == (f"{OLD}: ImagePullBackOff", 1)


async def test_one_that_had_no_ready_pod_before_is_not_waited_for(town: Town) -> None:
    town.broken.add(OLD)
    await taken_over(town)
    begin = asyncio.get_running_loop().time()
    (back,) = await town.revert()
    assert (back.never_ready, back.waits_for) == ((OLD,), "")
    assert asyncio.get_running_loop().time() - begin < 30


async def test_a_berth_that_has_no_deployment_is_asked_for_and_its_lock_waited_for(town: Town) -> None:
    await taken_over(town)
    town.drop("Deployment", "berth", "berth-system")
    for pod in town.pods(BERTH):
        town.drop("Pod", pod["metadata"]["name"], "berth-system")
    (back,) = await town.revert()
    assert not back.is_installed
    assert f"there is no Deployment {BERTH}: if Berth runs elsewhere, end it now" in town.told
    assert any(told.startswith("waiting until Lease berth-system/") for told in town.told)
    assert town.replicas(OLD) == 1


async def test_interrupted_it_is_gone_on_with(town: Town) -> None:
    await taken_over(town)
    town.api.be_down(f"patch deployments {OLD}")
    with pytest.raises(Unreachable):
        await town.revert()
    assert (town.replicas(OLD), town.steps[-1].stage) == (0, "between")
    (back,) = await town.revert()
    assert (town.is_as_before, back.records_removed, back.finalizers_removed) == (True, 0, 0)
