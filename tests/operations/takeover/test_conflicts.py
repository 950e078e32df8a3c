"""Who is in whose way, and the advice about it: it never ends the one that does the work."""

from __future__ import annotations

from typing import Any

import pytest

from berth.operations.takeover.candidates import workload
from berth.operations.takeover.conflicts import judge_provisioners, namesakes
from berth.operations.takeover.inventory import Inventory, make_groups
from berth.operations.takeover.old import Berth, FoundProvisioners
from berth.operations.takeover.remark import Remark
from tests.operations.takeover.things import EXPORT, default_path, deployment, found, of_class, volume

NOBODY = Berth("berth-system", "berth", (), "10.0.0.1", EXPORT, 0, 0)
ELSEWHERE = {"environment": {"NFS_PATH": "/elsewhere"}}
CLUSTER = Inventory((of_class({}),), (), (volume(1, default_path(1)),))


def told(seen: FoundProvisioners, cluster: Inventory = CLUSTER) -> list[list[Remark]]:
    """What is said of each share's provisioners."""
    return [judge_provisioners(one, seen, NOBODY, cluster) for one in make_groups(seen.old, cluster)]


@pytest.mark.parametrize(
    ("real", "fake", "commands"),
    [
        ({"ready": 1}, {}, ("kubectl -n kube-system scale deployment fake --replicas=0",)),
        ({"ready": 1}, {"ready": 1}, ("kubectl -n kube-system scale deployment fake --replicas=0",)),
        ({}, {"ready": 1}, ()),
    ],
    ids=["only one is ready", "both are, and one has the PVs", "one is ready, the other has the PVs"],
)
def test_the_one_that_does_the_work_is_never_the_one_to_be_ended(
    real: dict[str, Any], fake: dict[str, Any], commands: tuple[str, ...]
) -> None:
    seen = found(deployment("real", **real), deployment("fake", **fake, **ELSEWHERE))
    for (remark,) in told(seen):
        assert (remark.id, remark.weight, remark.commands) == ("one-name-two-shares", "stop", commands)
        assert "kube-system/real: " in remark.do.en
        assert "kube-system/fake: " in remark.do.en


def test_one_without_pods_is_left_alone_and_stops_nobody() -> None:
    seen = found(deployment("real", ready=1), deployment("fake", replicas=0, **ELSEWHERE))
    left, (remark,) = namesakes(seen.old, seen)
    assert [one.name for one in left] == ["real"]
    assert (remark.id, remark.weight, remark.commands) == ("one-name-two-shares", "note", ())
    groups = make_groups(left, CLUSTER)
    assert judge_provisioners(groups[0], seen, NOBODY, CLUSTER) == []


def test_one_without_pods_that_is_nobodys_rival_is_taken_over() -> None:
    seen = found(deployment("real", ready=1), deployment("second", replicas=0))
    assert len(namesakes(seen.old, seen)[0]) == 2


def test_what_a_take_over_does_not_end_would_work_beside_berth() -> None:
    stays = workload("StatefulSet", deployment("stays"))
    ((remark,),) = told(found(deployment("real"), others=[stays]))
    assert (remark.id, remark.weight, remark.about) == ("one-name-twice", "stop", "statefulset kube-system/stays")
    assert remark.commands == ("kubectl -n kube-system scale statefulset stays --replicas=0",)
    ended = workload("StatefulSet", deployment("stays", replicas=0))
    assert told(found(deployment("real"), others=[ended])) == [[]]
