"""Berth beside the old provisioner: ready, and with none of its names until they are handed over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from berth.kube.errors import Conflict, Unreachable
from berth.operations.errors import Stopped
from berth.operations.takeover.names import read_names, set_names
from berth.operations.takeover.plan import GroupPlan
from berth.operations.takeover.run import Run
from berth.operations.takeover.standby import hand_names, is_ready, settings_for, stand_by
from berth.settings.install import InstallSettings
from tests.operations.takeover.things import EXPORT, NAME, SERVER
from tests.operations.takeover.town import BERTH, IMAGE, OLD, Town

OWN = "nfs.berth.io"


async def prepared(town: Town, patience: float = 60) -> tuple[Run, GroupPlan, InstallSettings]:
    run, plan = await town.begin(patience=patience)
    return run, plan, settings_for(run, plan, await town.plan())


async def test_it_gets_the_share_its_own_name_and_those_of_the_old_one(town: Town) -> None:
    _, _, settings = await prepared(town)
    assert (settings.server, settings.export, settings.classes) == (SERVER, EXPORT, ())
    assert (settings.provisioners, settings.image, settings.replicas) == ((OWN, NAME), IMAGE, 2)


async def test_what_runs_already_keeps_its_image_and_pods_unless_somebody_says_otherwise(town: Town) -> None:
    run, plan, _ = await prepared(town)
    runs = replace(plan, by=replace(plan.by, image="another", replicas=3))
    whole = await town.plan()
    assert (settings_for(run, runs, whole).image, settings_for(run, runs, whole).replicas) == ("another", 3)
    run.given = frozenset({"image", "replicas"})
    assert (settings_for(run, runs, whole).image, settings_for(run, runs, whole).replicas) == (IMAGE, 2)


async def test_it_stands_by_ready_and_the_old_one_works_on(town: Town) -> None:
    run, plan, settings = await prepared(town)
    assert not await is_ready(run, plan, settings)
    await stand_by(run, plan, settings)
    assert (town.names(), len(town.pods(BERTH)), town.replicas(OLD), run.stage) == ((OWN,), 2, 1, "standing")
    run, plan, settings = await prepared(town)
    assert await is_ready(run, plan, settings)
    assert not await is_ready(run, plan, replace(settings, image="another"))


async def test_a_second_time_nothing_is_changed_nor_told_as_if_it_were(town: Town) -> None:
    run, plan, settings = await prepared(town)
    await stand_by(run, plan, settings)
    before = town.of(BERTH)["spec"]
    town.steps.clear()
    await stand_by(run, plan, settings)
    assert town.of(BERTH)["spec"] == before
    assert [told for told in town.told if told.endswith((" created", " changed"))] == []


async def test_where_it_does_not_get_ready_the_reason_is_told_and_the_old_one_works_on(town: Town) -> None:
    town.broken.add(BERTH)
    run, plan, settings = await prepared(town, patience=5)
    with pytest.raises(Stopped, match=r"not ready after 5 s: 0 of 2 pods ready: ImagePullBackOff; see why with"):
        await stand_by(run, plan, settings)
    assert (run.stage, town.is_as_before) == ("standing", True)


async def test_an_installation_that_ends_half_way_is_gone_on_with(town: Town) -> None:
    run, plan, settings = await prepared(town)
    town.api.be_down("patch deployments")
    with pytest.raises(Unreachable):
        await stand_by(run, plan, settings)
    assert town.find("ServiceAccount", "berth", "berth-system") is not None
    await stand_by(run, plan, settings)
    assert town.names() == (OWN,)


async def test_names_are_handed_over_once(town: Town) -> None:
    run, plan, settings = await prepared(town)
    await stand_by(run, plan, settings)
    for _ in range(2):
        await hand_names(run, plan, settings)
        assert town.names() == (OWN, NAME)
    assert [pod["spec"] for pod in town.pods(BERTH)] == [town.of(BERTH)["spec"]["template"]["spec"]] * 2
    assert town.of(BERTH)["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": "100%", "maxUnavailable": "100%"}
    run, plan, settings = await prepared(town)
    town.writes.clear()
    await hand_names(run, plan, settings)
    assert town.writes == []


async def test_who_writes_in_between_is_not_overwritten(town: Town) -> None:
    run, plan, settings = await prepared(town)
    await stand_by(run, plan, settings)

    def scaled_by_somebody() -> None:
        town.change("Deployment", "berth", {"spec": {"replicas": 3}}, "berth-system")

    town.api.before("patch deployments", scaled_by_somebody, times=2)
    await hand_names(run, plan, settings)
    assert (town.names(), town.replicas(BERTH)) == ((OWN, NAME), 3)
    numbers = iter(range(4, 100))
    always = town.api.before(
        "patch deployments",
        lambda: town.change("Deployment", "berth", {"spec": {"replicas": next(numbers)}}, "berth-system"),
        times=100,
    )
    with pytest.raises(Conflict):
        await set_names(always, "berth-system", "berth", (OWN,))
    assert town.names() == (OWN, NAME)


async def test_names_that_are_written_elsewhere_are_not_changed(town: Town) -> None:
    run, plan, settings = await prepared(town)
    await stand_by(run, plan, settings)
    deployment = town.of(BERTH)
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    for variable in container["env"]:
        if variable["name"] == "PROVISIONER_NAME":
            variable.pop("value")
            variable["valueFrom"] = {"configMapKeyRef": {"name": "names", "key": "names"}}
    town.put(deployment)
    with pytest.raises(Stopped, match="the names of berth-system/berth are not written in the Deployment"):
        await set_names(town.api, "berth-system", "berth", (NAME,))
    assert await set_names(town.api, "berth-system", "berth", (NAME,), replicas=0) is not None
    assert town.replicas(BERTH) == 0, "without pods it answers to none"


async def test_where_there_is_no_deployment_nobody_has_names(town: Town) -> None:
    assert await set_names(town.api, "berth-system", "berth", (NAME,)) is None
    assert await read_names(town.api, "berth-system", "berth") == ()
