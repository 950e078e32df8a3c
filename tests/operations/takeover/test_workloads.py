"""A Deployment scaled down and up again keeps what it was; waiting tells what it waits for."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from berth.objects.provisioning import READY_BEFORE, REPLICAS_BEFORE, TAKEN_OVER_BY
from berth.operations.takeover.workloads import scale_back, scale_down, wait_pods_gone, wait_pods_ready
from tests.operations.takeover.town import BERTH, OLD, Town

PODS = [("kube-system", "app=nfs")]


async def test_what_it_had_is_written_on_it_in_the_request_that_takes_it_away(town: Town) -> None:
    old = await town.old()
    assert await scale_down(town.api, old, BERTH) == 1
    assert town.replicas(OLD) == 0
    assert town.annotations() == {REPLICAS_BEFORE: "1", READY_BEFORE: "1", TAKEN_OVER_BY: BERTH}
    assert town.writes == [f"patch deployments {OLD}"]


async def test_what_was_written_first_stays_unless_somebody_scaled_it_up_in_between(town: Town) -> None:
    await scale_down(town.api, await town.old(), BERTH)
    assert await scale_down(town.api, await town.old(), "other/berth") == 1
    assert town.annotations() == {REPLICAS_BEFORE: "1", READY_BEFORE: "1", TAKEN_OVER_BY: "other/berth"}
    town.change("Deployment", "nfs", {"spec": {"replicas": 3}}, "kube-system")
    assert await scale_down(town.api, await town.old(), BERTH) == 3
    assert town.annotations()[REPLICAS_BEFORE] == "3"


async def test_it_gets_back_what_it_had_and_bears_no_sign_of_it(town: Town) -> None:
    await scale_down(town.api, replace(await town.old(), replicas=2), BERTH)
    down = await town.old()
    for _ in range(2):
        assert await scale_back(town.api, down) == 2
        assert (town.replicas(OLD), town.annotations()) == (2, {})
    assert await scale_back(town.api, await town.old()) == 2, "what runs is left as it runs"


async def test_pods_that_go_are_waited_for_and_told(town: Town) -> None:
    town.stuck.add(OLD)
    await scale_down(town.api, await town.old(), BERTH)
    told: list[tuple[str, ...]] = []
    waiting = asyncio.create_task(wait_pods_gone(town.api, PODS, patience=60, progress=told.append))
    await asyncio.sleep(30)
    assert not waiting.done()
    town.stuck.clear()
    assert await waiting == ()
    assert [len(left) for left in told] == [1], "told once, as long as it is the same"


async def test_pods_that_do_not_go_are_answered_when_patience_is_over(town: Town) -> None:
    (pod,) = (f"kube-system/{one['metadata']['name']}" for one in town.pods(OLD))
    assert await wait_pods_gone(town.api, PODS, patience=5, progress=lambda _: None) == (pod,)
    assert await wait_pods_gone(town.api, PODS, patience=5, progress=lambda _: None, counts=lambda _: False) == ()
    for phase in ("Succeeded", "Failed"):
        ended = {"metadata": {"labels": {"app": "gone"}}, "status": {"phase": phase}}
        town.put({"apiVersion": "v1", "kind": "Pod", **ended, "metadata": {
            "name": phase.lower(), "namespace": "kube-system", "labels": {"app": "gone"}}})  # fmt: skip
    gone = [("kube-system", "app=gone")]
    assert await wait_pods_gone(town.api, gone, patience=5, progress=lambda _: None) == ()


async def test_pods_that_come_are_waited_for_with_the_reason_why_they_do_not(town: Town) -> None:
    old, told = await town.old(), list[str]()
    assert await wait_pods_ready(town.api, [old], patience=0, progress=told.append) == ""
    town.broken.add(OLD)
    why = await wait_pods_ready(town.api, [old], patience=5, progress=told.append)
    assert why == f"{OLD}: ImagePullBackOff"
    waiting = asyncio.create_task(wait_pods_ready(town.api, [old], patience=60, progress=told.append))
    await asyncio.sleep(30)
    town.broken.clear()
    assert await waiting == ""
    assert set(told) == {why}
