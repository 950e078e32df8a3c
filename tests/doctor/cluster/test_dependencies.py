"""One object: what it hangs on, which of the cluster's troubles are its own, and what it waits for without any."""

from __future__ import annotations

import pytest

from berth.doctor.cluster import volumes
from berth.doctor.cluster.dependencies import SHARES, about_one
from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.known import find
from berth.findings.finding import Report, Subject, Unseen, report
from berth.objects import kinds
from berth.texts.text import same
from tests.doctor.cluster.test_judgements import claim, pod, provisioner, snapshot, volume

BOUND = claim("data", phase="Bound", pv="pv")
USER = pod("user", volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}])
PV = volume("pv", "/e/pv", claimRef={"namespace": "a", "name": "data"})


def told(about: Subject, seen: Snapshot, whole: Report | None = None) -> Report:
    return about_one(about, whole or Report(), seen, Provisioners(seen))


@pytest.mark.parametrize(
    ("about", "begins"),
    [
        (Subject("pod", "a/user"), "pod a/user -> node one -> claim a/data -> volume pv -> share 10.0.0.1:/e/pv"),
        (
            Subject("claim", "a/data"),
            "claim a/data -> volume pv -> share 10.0.0.1:/e/pv -> class nfs -> provisioner x/nfs",
        ),
        (
            Subject("volume", "pv"),
            "volume pv -> share 10.0.0.1:/e/pv -> claim a/data -> class nfs -> provisioner x/nfs",
        ),
    ],
    ids=lambda each: each.kind if isinstance(each, Subject) else "",
)
def test_the_chain_is_walked(about: Subject, begins: str) -> None:
    healthy = snapshot(claims=[BOUND], volumes=[PV], pods=[*snapshot().pods, USER])
    (finding,) = told(about, healthy).findings
    assert finding.seen.en == f"{about}: nothing wrong found"
    assert finding.why.en.removeprefix("Looked at: ").startswith(begins)


@pytest.mark.parametrize(
    ("waiting", "waits"),
    [
        (claim("waits"), "the provisioner x/nfs (more"),
        (claim("none", "other"), "a PV that fits"),
    ],
    ids=lambda each: each.name if isinstance(each, kinds.ClaimObject) else "",
)
def test_what_it_waits_for(waiting: kinds.ClaimObject, waits: str) -> None:
    (finding,) = told(Subject("claim", waiting.key), snapshot(claims=[waiting])).findings
    assert f"nothing wrong found; waiting for {waits}" in finding.seen.en


def test_what_is_noted_of_the_object_itself_is_not_followed_by_nothing_wrong() -> None:
    kept = volume("kept", "/e/kept", phase="Released", persistentVolumeReclaimPolicy="Retain")
    seen = snapshot(volumes=[kept])
    whole = report(volumes.judge_ends(seen, Provisioners(seen)))
    assert [each.id for each in told(Subject("volume", "kept"), seen, whole).findings] == ["volume-released"]


def test_only_its_own_troubles_are_told_and_only_it_is_named_in_them() -> None:
    others = find("class-not-found", Subject("claim", "a/other"), Subject("class", "nsf"), variant="claim")
    about = (Subject("class", "nfs"), Subject("claim", "a/other"))
    mine = find("class-no-provisioner", *about, variant={"near": False}, provisioner="x/nfs")
    elsewhere = Unseen(same("share"), same("no answer"), SHARES, about=Subject("share", "10.0.0.9:/e"))
    here = Unseen(same("share"), same("no answer"), SHARES, about=Subject("share", "10.0.0.1:/e"))
    whole = report([others, mine], [elsewhere, here])
    seen = snapshot(claims=[BOUND, claim("other", "nsf")], volumes=[PV])
    part = told(Subject("claim", "a/data"), seen, whole)
    assert [each.id for each in part.findings] == ["class-no-provisioner"]
    assert part.findings[0].about == (Subject("class", "nfs"),)
    assert part.unseen == (here,)


def test_of_other_classes_and_of_defaults_nothing_is_told_to_who_names_a_class() -> None:
    typo = find(
        "class-no-provisioner",
        *(Subject("class", "other"), Subject("workload", "a/serves"), Subject("claim", "a/another")),
        variant={"near": False},
        provisioner="x/nsf",
    )
    both = (Subject("class", "one"), Subject("class", "nfs"))
    several = find(
        "default-class-several", *both, variant={"newest": True, "keep": True},
        number=2, newest="one", rest=["nfs"], keep="one",
    )  # fmt: skip
    served = provisioner("serves", "x/nfs")
    seen = snapshot(claims=[BOUND, claim("open", None)], volumes=[PV], pods=[served])
    whole = report([typo, several])
    assert [each.id for each in told(Subject("claim", "a/data"), seen, whole).findings] == ["nothing-wrong"]
    assert [each.id for each in told(Subject("claim", "a/open"), seen, whole).findings] == ["default-class-several"]
    refused = told(Subject("claim", "a/never-made"), seen, whole).findings
    assert [each.id for each in refused] == ["object-missing", "default-class-several"]


def test_what_does_not_exist_is_told_with_what_does() -> None:
    (finding,) = told(Subject("claim", "a/dota"), snapshot(claims=[BOUND])).findings
    assert finding.seen.zh == "PVC a/dota 不存在；存在的是 a/data"
    (finding,) = told(Subject("claim", "b/data"), snapshot(claims=[BOUND])).findings
    assert "a/data" in finding.seen.en


def test_what_can_not_be_seen_is_not_said_to_be_missing() -> None:
    assert told(Subject("claim", "a/data"), snapshot(unseen=frozenset(["persistentvolumeclaims"]))).findings == ()
