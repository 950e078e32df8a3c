"""The hand-over: the old pods gone, the lock free, Berth with the names, and seen to lead; or told why not."""

from __future__ import annotations

import asyncio

import pytest

from berth.operations.errors import Stopped
from berth.operations.takeover.handover import start, stop_old, wait_locks_free
from berth.operations.takeover.plan import GroupPlan, Wanted
from berth.operations.takeover.run import Run
from berth.operations.takeover.standby import settings_for, stand_by
from berth.settings.install import InstallSettings
from tests.operations.takeover.things import NAME
from tests.operations.takeover.town import BERTH, OLD, Town, binding


async def standing_by(town: Town, patience: float = 60) -> tuple[Run, GroupPlan, InstallSettings]:
    """Berth beside the old provisioner."""
    run, plan = await town.begin(patience=patience)
    settings = settings_for(run, plan, await town.plan())
    await stand_by(run, plan, settings)
    town.steps.clear()
    return run, plan, settings


async def test_from_the_moment_before_it_is_scaled_down_there_may_be_nobody(town: Town) -> None:
    run, plan, _ = await standing_by(town)
    stages = []
    town.on_write = lambda _: stages.append(run.stage)
    await stop_old(run, plan)
    assert stages == ["between"]
    assert (town.replicas(OLD), town.pods(OLD)) == (0, [])
    assert town.told == [f"scaling down {OLD} (it had 1 pod; that is written on it)"]


async def test_the_next_run_scales_down_what_is_down_without_a_word(town: Town) -> None:
    await stop_old(*(await standing_by(town))[:2])
    run, plan = await town.begin()
    before = town.annotations()
    town.steps.clear()
    await stop_old(run, plan)
    assert (town.told, town.annotations()) == ([], before)


async def test_a_pod_that_does_not_end_is_named_with_the_way_to_see_why(town: Town) -> None:
    run, plan, _ = await standing_by(town, patience=5)
    town.stuck.add(OLD)
    (pod,) = (one["metadata"]["name"] for one in town.pods(OLD))
    with pytest.raises(Stopped, match=f"did not end within 5 s; .*`kubectl -n kube-system describe pod {pod}`"):
        await stop_old(run, plan)
    assert town.told[-1] == f"waiting for the end of kube-system/{pod}"


@pytest.mark.parametrize("lock", ["Lease", "Endpoints"])
async def test_another_process_of_the_old_provisioner_is_named(lock: str) -> None:
    town = Town(lock=lock)
    run, plan, _ = await standing_by(town, patience=40)
    await stop_old(run, plan)
    await wait_locks_free(run, plan)
    assert f"waiting until {lock} kube-system/cluster.local-nfs-client, held by nfs-" in town.told[-1]

    async def outside() -> None:
        while True:
            town.renew(NAME, "kube-system", "by-hand_1", lock)
            await asyncio.sleep(2)

    process = asyncio.create_task(outside())
    await asyncio.sleep(1)
    with pytest.raises(Stopped, match=f"by-hand_1 goes on renewing {lock} kube-system/cluster.local-nfs-client"):
        await wait_locks_free(run, plan)
    process.cancel()


async def handed_over(town: Town) -> tuple[Run, GroupPlan, InstallSettings]:
    """The old provisioner is gone, and its lock free."""
    run, plan, settings = await standing_by(town)
    await stop_old(run, plan)
    await wait_locks_free(run, plan)
    town.steps.clear()
    return run, plan, settings


async def test_berth_leads_and_is_as_any_installation_from_then_on(town: Town) -> None:
    run, plan, settings = await handed_over(town)
    leader, by = await start(run, plan, settings)
    assert leader.rpartition("_")[0] in {pod["metadata"]["name"] for pod in town.pods(BERTH)}
    assert (by, run.stage, town.names()) == (BERTH, "served", ("nfs.berth.io", NAME))
    assert town.of(BERTH)["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] != "100%"
    assert town.told[-1] == f"{leader} serves nfs.berth.io, {NAME}"


async def test_a_pod_that_stood_by_and_ends_is_not_taken_for_the_one_that_serves(town: Town) -> None:
    run, plan, settings = await handed_over(town)
    run.patience = 10
    town.stuck.add(BERTH)  # those of before go on renewing
    with pytest.raises(Stopped, match="Berth does not lead after 10 s: 2 of 2 pods ready"):
        await start(run, plan, settings)
    assert run.stage == "between"


async def test_where_it_does_not_lead_the_reason_is_told(town: Town) -> None:
    run, plan, settings = await handed_over(town)
    run.patience = 10
    town.broken.add(BERTH)
    with pytest.raises(Stopped, match=r"does not lead after 10 s: .*ImagePullBackOff; see why with .*--timeout 180"):
        await start(run, plan, settings)
    assert len([told for told in town.told if "ImagePullBackOff" in told]) == 1


BY_HAND = {"image": "registry.example/berth:9", "labels": {"app.kubernetes.io/name": "berth"}, "namespace": "storage"}


async def test_a_berth_that_others_run_is_waited_for_and_written_down(town: Town) -> None:
    run, plan = await town.begin(Wanted(is_installing=False))
    await stop_old(run, plan)
    await wait_locks_free(run, plan)
    assert town.annotations()["berth.io/taken-over-by"] == BERTH, "where it would be"
    town.put(binding("storage"))
    starts = asyncio.create_task(start(run, plan, settings_for(run, plan, await town.plan())))
    await asyncio.sleep(5)
    assert not starts.done()
    town.add_old("by-hand", **BY_HAND)
    leader, by = await starts
    assert (by, leader.partition("-")[0]) == ("storage/by-hand", "by")
    assert town.annotations()["berth.io/taken-over-by"] == "storage/by-hand"
    assert town.find("Deployment", "berth", "berth-system") is None, "nothing was installed"


async def test_a_berth_that_others_do_not_start_is_told_of(town: Town) -> None:
    run, plan = await town.begin(Wanted(is_installing=False), patience=5)
    await stop_old(run, plan)
    with pytest.raises(Stopped, match="no Berth was seen to lead for these names within 5 s"):
        await start(run, plan, settings_for(run, plan, await town.plan()))
