"""The share is a subject: one finding about it, and what hangs on it is told there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from berth.doctor.cluster import claims, mounting, volumes
from berth.doctor.cluster.dependencies import about_one
from berth.doctor.cluster.outages import Outage, Outages
from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.cluster.stakes import judge_outages
from berth.doctor.known import entries
from berth.findings.finding import Finding, Report, Subject, Unseen, report
from berth.texts.text import Text, same
from tests.doctor.cluster.test_judgements import claim, event, pod, provisioner, snapshot, storage_class, volume

SHARE = "10.0.0.1:/e"
NO_ANSWER = "share 10.0.0.1:/e is unavailable, timeout failed at '.berth': no answer within 10 s (ETIMEDOUT)"
FULL = "share 10.0.0.1:/e is unavailable, io failed at '.berth/x': no space is left on the server (NFS4ERR_NOSPC)"
HANGS = Outage(SHARE, "share-hangs", Text("no answer within 4 s", "4 秒内没有应答"))


def cluster(**more: object) -> Snapshot:
    """A Berth, a class on SHARE, a volume that a pod uses, and two claims that wait."""
    using = pod("app", volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}])
    return snapshot(
        **{
            "classes": [storage_class(parameters={"server": "10.0.0.1", "share": "/e/"})],
            "pods": [provisioner("berth", "x/nfs", "berth:1"), using],
            "claims": [claim("data", phase="Bound", pv="pv"), claim("one"), claim("two")],
            "volumes": [volume("pv", "/e/pv", claimRef={"namespace": "a", "name": "data", "uid": "uid-data"})],
            **more,
        }
    )


def judged(seen: Snapshot, asked: dict[str, Outage | None]) -> list[Finding | Unseen]:
    """All that is told of a cluster whose shares answered so."""
    provisioners = Provisioners(seen).with_outages(Outages.of(seen, asked))
    told: list[Finding | Unseen] = [*judge_outages(seen, provisioners)]
    for judgement in (claims.judge_pending, volumes.judge_ends, mounting.judge_mounts):
        told += judgement(seen, provisioners)
    return told


def only(seen: Snapshot, asked: dict[str, Outage | None]) -> Finding:
    """The one finding that there is."""
    (finding,) = judged(seen, asked)
    assert isinstance(finding, Finding)
    return finding


def test_a_share_that_hangs_is_one_finding_with_all_that_hangs_on_it() -> None:
    told = [event("PersistentVolumeClaim", name, "ProvisioningFailed", NO_ANSWER) for name in ("one", "two")]
    finding = only(cluster(events=told), {SHARE: HANGS})
    assert (finding.id, finding.severity, finding.harm) == ("share-hangs", "failure", "outage")
    assert finding.seen.en == (
        "10.0.0.1:/e hangs: no answer within 4 s; 2 claims wait, 1 volume is on it, 1 pod uses it"
    )
    assert finding.seen.zh == (
        "10.0.0.1:/e 没有响应（挂起）：4 秒内没有应答；2 个 PVC 在等待，1 个卷位于其上，1 个 Pod 在使用"
    )
    assert {Subject("claim", "a/one"), Subject("claim", "a/two"), Subject("pod", "a/app")} <= set(finding.about)
    assert finding.commands[-1] == "berth doctor share 10.0.0.1:/e"


def test_it_is_at_the_top() -> None:
    finding = only(cluster(), {SHARE: HANGS})
    worse = replace(finding, id="a", harm="data", about=())
    assert report([worse, finding]).findings[0] is finding


def test_a_hung_share_is_found_where_nothing_but_bound_claims_is_there() -> None:
    seen = cluster(claims=[claim("data", phase="Bound", pv="pv")])
    assert only(seen, {SHARE: HANGS}).seen.en.endswith("1 volume is on it, 1 pod uses it")


def test_a_class_whose_export_does_not_exist_is_a_finding_before_the_first_claim() -> None:
    seen = cluster(claims=[], volumes=[], pods=[provisioner("berth", "x/nfs", "berth:1")])
    finding = only(seen, {SHARE: Outage(SHARE, "share-not-exported", same("the server has no /e"))})
    assert finding.seen.en == "the server of 10.0.0.1:/e exports no such path: the server has no /e"
    assert (finding.severity, finding.about[1]) == ("failure", Subject("class", "nfs"))


def test_a_path_that_is_misspelt_is_compared_with_what_the_server_exports() -> None:
    seen = cluster(claims=[], volumes=[], pods=[provisioner("berth", "x/nfs", "berth:1")])
    outage = Outage(SHARE, "share-not-exported", same("the server has no /e"), exported=("/srv/other", "/ee"))
    finding = only(seen, {SHARE: outage})
    assert finding.do.zh.startswith("服务器导出的是 /ee。")
    assert finding.commands == (
        "kubectl get storageclass nfs -o yaml | sed 's|^  share: .*|  share: /ee|' | kubectl replace --force -f -",
        "berth doctor share 10.0.0.1:/e",
    )


def test_what_a_claim_says_of_its_share_is_told_of_the_share_though_it_can_be_listed() -> None:
    told = event("PersistentVolumeClaim", "one", "ProvisioningFailed", FULL)
    finding = only(cluster(events=[told]), {SHARE: None})
    assert (finding.id, finding.severity) == ("share-full", "failure")
    assert "no space is left on the server (NFS4ERR_NOSPC); 2 claims wait" in finding.seen.en
    assert finding.commands[-1] == "berth doctor share 10.0.0.1:/e"


def test_a_share_that_works_again_is_told_as_such() -> None:
    told = event("PersistentVolumeClaim", "one", "ProvisioningFailed", NO_ANSWER)
    finding = only(cluster(events=[told]), {SHARE: None})
    assert (finding.id, finding.severity) == ("share-back", "warning")
    assert finding.commands[0] == 'kubectl -n a annotate --overwrite pvc one retry-at="$(date +%s)"'


@pytest.mark.parametrize(
    ("failure", "told", "severity"),
    [
        ("share-unreachable", False, "warning"),
        ("share-unreachable", True, "failure"),
        ("share-unresolved", False, "warning"),
        ("share-refuses", False, "failure"),
        ("share-not-exported", False, "warning"),  # the bound volume shows that somebody gets it
        ("share-denied", False, None),
        ("share-not-for-us", False, None),
        ("share-not-for-us", True, "failure"),
    ],
)
def test_what_may_be_this_hosts_fault_is_a_failure_only_where_the_cluster_says_the_same(
    failure: str, told: bool, severity: str | None
) -> None:
    events = [event("PersistentVolumeClaim", "one", "ProvisioningFailed", NO_ANSWER)] if told else []
    (found,) = judged(cluster(events=events), {SHARE: Outage(SHARE, failure, same("no route"))})
    assert (found.severity if isinstance(found, Finding) else None) == severity


def test_a_name_that_only_pods_resolve_is_not_seen_from_here() -> None:
    share = "nfs.storage.svc.cluster.local:/e"
    seen = cluster(claims=[], volumes=[])
    (found,) = judged(seen, {share: Outage(share, "share-unresolved", same("unknown"))})
    assert isinstance(found, Unseen)


def test_a_pod_that_can_not_mount_and_a_pv_that_can_not_end_are_told_of_their_share() -> None:
    waiting = pod(
        "waits", phase="Pending", ready=False, volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
    )
    kubelet = event("Pod", "waits", "FailedMount", 'MountVolume.SetUp failed for volume "pv" : mount failed: timeout')
    ended = volume("gone", "/e/gone", phase="Released")
    stuck = event("PersistentVolume", "gone", "VolumeFailedDelete", NO_ANSWER, namespace="")
    seen = cluster(events=[kubelet, stuck])
    seen = replace(seen, pods=[*seen.pods, waiting], volumes=[*seen.volumes, ended])
    assert only(seen, {SHARE: HANGS}).seen.en.endswith("2 claims wait, 2 volumes are on it, 2 pods use it")


@pytest.mark.parametrize("about", ["claim a/data", "claim a/one", "volume pv", "pod a/app"])
def test_each_object_that_hangs_on_it_is_told_so_and_not_that_nothing_is_wrong(about: str) -> None:
    seen = cluster()
    provisioners = Provisioners(seen).with_outages(Outages.of(seen, {SHARE: HANGS}))
    kind, _, name = about.partition(" ")
    whole: Report = report(each for each in judge_outages(seen, provisioners) if isinstance(each, Finding))
    (finding,) = about_one(Subject(kind, name), whole, seen, provisioners).findings
    assert finding.id == "share-hangs"


ABOUT_SHARES = {
    "directory-without-volume", "mount-access-denied", "mount-connection-refused", "mount-failed", "mount-path-missing",
    "mount-timed-out", "share-back", "share-contested", "share-doubtful", "share-emptied", "share-nearly-full",
    "size-not-enforced", "trash-unowned",
}  # fmt: skip


def test_every_finding_about_a_share_names_the_command_that_proves_it() -> None:
    for entry in entries().values():
        if entry.harm == "outage" or entry.id in ABOUT_SHARES:
            commands = [each for said in entry.every("cure") for command in said.commands for each in command]
            assert "berth doctor share {share}" in commands, entry.id
