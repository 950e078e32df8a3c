"""Who is in whose way, and the advice about it: it never ends the one that does the work."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from berth.findings.finding import Finding
from berth.operations.takeover.candidates import workload
from berth.operations.takeover.conflicts import judge_cluster, judge_provisioners, namesakes
from berth.operations.takeover.findings import called
from berth.operations.takeover.inventory import Inventory, make_groups
from berth.operations.takeover.old import Berth, FoundProvisioners
from tests.operations.takeover.things import EXPORT, NAME, default_path, deployment, found, of_class, volume

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


@pytest.mark.parametrize(
    ("by", "ids"),
    [
        (replace(NOBODY, replicas=1, provisioners=("x/y",)), ["berth-lacks-name"]),
        (replace(NOBODY, replicas=1, provisioners=(NAME,)), ["both-run"]),
        (replace(NOBODY, replicas=1, provisioners=(NAME,), export="/other"), ["berth-elsewhere", "both-run"]),
        (replace(NOBODY, provisioners=(NAME,), export="/other"), []),
    ],
    ids=["another name", "the same name", "another share", "without pods"],
)
def test_a_berth_that_runs_already_is_told_of(by: Berth, ids: list[str]) -> None:
    seen = found(deployment("real", ready=1))
    (group,) = make_groups(seen.old, CLUSTER)
    assert [one.id for one in judge_provisioners(group, seen, by, CLUSTER)] == ids


def test_several_on_one_share_are_told_with_the_names_that_they_have_in_common() -> None:
    seen = found(deployment("real"), deployment("second"))
    (finding,) = told(seen)[0]
    assert finding.seen.en == (
        f"2 old provisioners work on it: kube-system/real, kube-system/second; of them several answer to {NAME}"
    )
    other = found(deployment("real"), deployment("second", environment={"PROVISIONER_NAME": "x/y"}))
    assert told(other)[0][0].seen.zh == "有 2 个旧制备器在用它：kube-system/real、kube-system/second"


def test_volumes_that_nobody_serves_are_told_unless_others_were_asked_about() -> None:
    cluster = Inventory((), (), tuple(volume(number, default_path(number), provisioner="x/y") for number in (1, 2)))
    seen = found(deployment("real", labels={"argocd.argoproj.io/instance": "storage"}))
    gone = next(one for one in judge_cluster((1, 30), seen, cluster, only=()) if one.id == "provisioner-gone")
    assert gone.seen.en.startswith("it provisioned 2 NFS PVs, and no Deployment")
    assert [one.name for one in gone.about] == ["x/y", *(one.name for one in cluster.volumes)]
    assert gone.commands == (
        f"berth install --server 10.0.0.1 --path {EXPORT} --no-class --name berth-x-y --provisioner-name x/y --apply",
    )
    only = [one.id for one in judge_cluster((1, 12), seen, cluster, only=("kube-system/real",))]
    assert only == ["provisioner-kept-by-gitops", "kubernetes-too-old"]
    assert [one.id for one in judge_cluster((1, 30), seen, cluster, only=("kube-system/other",))] == []
