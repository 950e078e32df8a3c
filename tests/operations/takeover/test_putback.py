"""What does not come to its end is undone: first the names are taken from Berth, then the old provisioner is back."""

from __future__ import annotations

import pytest

from berth.operations.errors import Stopped
from berth.operations.takeover.handover import stop_old
from berth.operations.takeover.plan import GroupPlan
from berth.operations.takeover.putback import put_back
from berth.operations.takeover.records import write_records
from berth.operations.takeover.run import Run
from berth.operations.takeover.standby import hand_names, settings_for, stand_by
from tests.operations.takeover.things import NAME
from tests.operations.takeover.town import BERTH, OLD, Town


async def half_way(town: Town, patience: float = 60, *, with_names: bool = True) -> tuple[Run, GroupPlan]:
    """The old provisioner is down, records are written, and Berth has its names (or not yet)."""
    run, plan = await town.begin(patience=patience)
    settings = settings_for(run, plan, await town.plan())
    await stand_by(run, plan, settings)
    await stop_old(run, plan)
    await write_records(run.shares, plan.group.volumes, run.uid)
    if with_names:
        await hand_names(run, plan, settings)
    town.steps.clear()
    town.writes.clear()
    return run, plan


async def test_it_takes_the_names_from_berth_before_the_old_one_comes_back(town: Town) -> None:
    run, plan = await half_way(town)
    await put_back(run, plan)
    assert town.writes == [f"patch deployments {BERTH}", f"patch deployments {OLD}"]
    assert (town.is_as_before, town.overlaps, run.stage) == (True, [], "back")
    assert (town.replicas(BERTH), town.names(), town.records()) == (2, ("nfs.berth.io",), [])
    assert town.told == [f"putting {OLD} back", f"{OLD} is back, scaled up to 1 pod as before"]


async def test_done_twice_it_is_as_before(town: Town) -> None:
    run, plan = await half_way(town)
    for _ in range(2):
        await put_back(run, plan)
        assert town.is_as_before


async def test_an_api_server_that_does_not_answer_is_asked_again_and_told_once(town: Town) -> None:
    run, plan = await half_way(town)
    town.api.be_down(times=5)
    await put_back(run, plan)
    assert town.is_as_before
    assert len([told for told in town.told if told.startswith("not yet: ")]) == 1


async def test_what_is_not_done_in_time_is_told_and_not_raised(town: Town) -> None:
    run, plan = await half_way(town)
    town.api.be_down(times=1000)
    await put_back(run, plan)
    assert (town.told[-1][:9], town.steps[-1].stage, run.stage) == ("not yet: ", "between", "between")
    assert town.replicas(OLD) == 0


async def test_while_a_pod_of_berth_has_the_names_the_old_one_stays_down(town: Town) -> None:
    run, plan = await half_way(town, patience=5)
    town.stuck.add(BERTH)
    await put_back(run, plan)
    assert "of Berth still has these names, and does not end" in town.told[-1]
    assert (town.replicas(OLD), town.overlaps) == (0, [])
    town.stuck.clear()
    await put_back(run, plan)
    assert town.is_as_before


async def test_records_that_can_not_be_removed_do_no_harm(town: Town) -> None:
    run, plan = await half_way(town)
    town.shares.down.add(town.address)
    await put_back(run, plan)
    assert (town.is_as_before, len(town.records())) == (True, 2)


async def test_what_a_killed_run_left_is_put_back_where_berth_can_not_go_on(town: Town) -> None:
    await half_way(town, with_names=False)
    town.broken.add(BERTH)
    with pytest.raises(Stopped, match="Berth is not ready after 5 s"):
        await town.take_over(patience=5)
    assert f"an earlier run ended half-way with {OLD}, and Berth is not ready to go on" in town.told
    assert (town.is_as_before, town.overlaps) == (True, [])


async def test_what_a_killed_run_left_is_gone_on_with_where_it_can(town: Town) -> None:
    await half_way(town, with_names=False)
    (done,) = await town.take_over()
    assert f"going on where an earlier run ended, with {OLD}" in town.told
    assert (town.is_taken_over, done.recorded.present, done.recorded.written) == (True, 2, 0)
    assert NAME in town.names()


async def test_where_berth_has_the_names_already_it_only_has_to_be_checked(town: Town) -> None:
    await half_way(town)
    (done,) = await town.take_over()
    assert (town.is_taken_over, done.seconds, done.checked, done.recorded.present) == (True, 0.0, 2, 2)


async def test_what_stops_the_plan_puts_back_what_a_killed_run_left(town: Town) -> None:
    await half_way(town, with_names=False)
    town.shares.down.add(town.address)
    with pytest.raises(Stopped, match=r"share 10.0.0.1:/srv/nfs: it can't be looked at from here"):
        await town.take_over()
    assert town.is_as_before
