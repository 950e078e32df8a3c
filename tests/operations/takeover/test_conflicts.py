"""Who is in whose way, and the advice about it: it never ends the one that does the work."""

from __future__ import annotations

from typing import Any

import pytest

from berth.findings.finding import Finding
from berth.operations.takeover.candidates import workload
from berth.operations.takeover.conflicts import judge_provisioners, namesakes
from berth.operations.takeover.findings import called
from berth.operations.takeover.inventory import Inventory, make_groups
from berth.operations.takeover.old import Berth, FoundProvisioners
from tests.operations.takeover.things import EXPORT, default_path, deployment, found, of_class, volume

NOBODY = Berth("berth-system", "berth", (), "10.0.0.1", EXPORT, 0, 0)
ELSEWHERE = {"environment": {"NFS_PATH": "/elsewhere"}}
CLUSTER = Inventory((of_class({}),), (), (volume(1, default_path(1)),))


def told(seen: FoundProvisioners, cluster: Inventory = CLUSTER) -> list[list[Finding]]:
    """What is said of each share's provisioners."""
    return [list(judge_provisioners(one, seen, NOBODY, cluster)) for one in make_groups(seen.old, cluster)]


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
    for (finding,) in told(seen):
        assert (finding.id, finding.severity, finding.commands) == ("one-name-two-shares", "failure", commands)
        assert "kube-system/real: " in finding.do.en
        assert "kube-system/fake: " in finding.do.en


def test_one_without_pods_is_left_alone_and_stops_nobody() -> None:
    seen = found(deployment("real", ready=1), deployment("fake", replicas=0, **ELSEWHERE))
    left, (finding,) = namesakes(seen.old, seen)
    assert [one.name for one in left] == ["real"]
    assert (finding.id, finding.severity, finding.commands) == ("one-name-two-shares", "note", ())
    groups = make_groups(left, CLUSTER)
    assert list(judge_provisioners(groups[0], seen, NOBODY, CLUSTER)) == []


def test_one_without_pods_that_is_nobodys_rival_is_taken_over() -> None:
    seen = found(deployment("real", ready=1), deployment("second", replicas=0))
    assert len(namesakes(seen.old, seen)[0]) == 2


def test_what_a_take_over_does_not_end_would_work_beside_berth() -> None:
    stays = workload("StatefulSet", deployment("stays"))
    ((finding,),) = told(found(deployment("real"), others=[stays]))
    assert (finding.id, finding.severity, called(finding)) == (
        "one-name-twice",
        "failure",
        "statefulset kube-system/stays",
    )
    assert finding.commands == ("kubectl -n kube-system scale statefulset stays --replicas=0",)
    ended = workload("StatefulSet", deployment("stays", replicas=0))
    assert told(found(deployment("real"), others=[ended])) == [[]]
