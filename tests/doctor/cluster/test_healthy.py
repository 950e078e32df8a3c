"""A cluster where Berth runs well gives no alarm; what is wrong on its share is told; a try leaves nothing behind."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from berth.doctor.cluster.examine import examine
from berth.findings.finding import Finding, Report
from berth.kube.config import load
from devcluster.cluster import DevCluster
from tests.doctor.cluster.patient import Patient, find
from tests.e2e import api as paths
from tests.e2e.api import Api
from tests.e2e.site import Site

STRANGER = "ddddd-lost-pvc-a561ce85-fc0d-42af-948e-6894ac000264"


@pytest.fixture(scope="module")
def served(
    cluster: DevCluster, api: Api, account: Path, patient: Patient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A Berth outside of the cluster, as `berth run` is by hand, a class, and three bound claims."""
    site = Site(cluster, api, account, patient.name, tmp_path_factory.mktemp("site"), cluster.nfs)
    site.controller(ENABLE_LEADER_ELECTION="true").start()
    of_class = site.make_class(site.parameters(onDelete="delete"), name=f"{patient.name}-nfs")
    for number in range(3):
        site.file_claim(f"claim-{number}", of_class)
    patient.wait(lambda: len(bound(site)) == 3, "claims bound")
    yield site
    for controller in site.controllers:
        controller.stop()
    site.close()


def bound(site: Site) -> list[str]:
    """PVs of bound claims."""
    claims = site.api.list(paths.claims(site.namespace))
    return [each["spec"]["volumeName"] for each in claims if each.get("status", {}).get("phase") == "Bound"]


def own(report: Report, site: Site) -> list[Finding]:
    """The findings about the site: other tests may have left theirs in the same cluster."""
    pvs = set(bound(site))
    names = (site.namespace, site.token)
    return [
        each
        for each in report.findings
        if any(any(name in subject.name for name in names) or subject.name in pvs for subject in each.about)
    ]


def test_a_healthy_cluster_is_healthy(served: Site, patient: Patient) -> None:
    report = patient.examine()
    assert [each.id for each in own(report, served)] == []
    assert not [each for each in report.unseen if served.token in each.what.en]


@pytest.mark.parametrize("kind", ["claim", "volume"])
def test_a_healthy_object_is_told_to_be_so(served: Site, patient: Patient, kind: str) -> None:
    report = patient.examine("claim $NAME/claim-0" if kind == "claim" else f"volume {bound(served)[0]}")
    finding = next(each for each in report.findings if each.id == "nothing-wrong")
    assert finding.seen.en.endswith("nothing wrong found")
    assert f"-> class {served.namespace}-nfs -> provisioner {served.provisioner}" in finding.why.en
    assert all(each.severity == "note" for each in report.findings)


def test_what_a_provisioner_says_of_a_claim_is_told(served: Site, patient: Patient) -> None:
    patterned = served.make_class(served.parameters(pathPattern="${.PVC.labels.team}"), name=f"{patient.name}-by-team")
    served.file_claim("teamless", patterned)
    patient.wait(lambda: find(patient.examine(), "claim-lacks-label", "/teamless"), "a finding", 20)
    (finding, *_) = patient.examine("claim $NAME/teamless").findings
    assert finding.seen.en == f"claim {patient.name}/teamless gets no volume: it lacks the label team"
    served.api.delete(f"{paths.claims(patient.name)}/teamless")
    served.delete_class(patterned)


def test_a_directory_that_is_gone_and_one_that_nobody_knows(served: Site, patient: Patient) -> None:
    lost = next(each for each in served.root.iterdir() if "-claim-1-" in each.name)
    shutil.rmtree(lost)
    (served.root / STRANGER).mkdir()
    served.nfs.restart()  # it remembers what it has seen
    report = patient.examine()
    missing = find(report, "volume-directory-missing", "/claim-1")
    strange = find(report, "directory-without-volume", served.token)
    assert missing is not None
    assert f"its directory {lost.name} is not there" in missing.seen.en
    assert strange is not None
    assert STRANGER in strange.seen.en
    patient.cure(missing, without=["ls -d"], within=served.root)
    patient.cure(strange, within=served.root)
    (served.root / STRANGER).rmdir()
    served.nfs.restart()
    assert [each.id for each in own(patient.examine(), served)] == []


def test_sizes_are_told_where_they_add_up_to_more_than_there_is(served: Site, patient: Patient) -> None:
    served.file_claim("huge", f"{patient.name}-nfs", size="9Pi")
    patient.wait(lambda: len(bound(served)) == 4, "claims bound")
    (finding,) = own(patient.examine(), served)
    assert finding.id == "size-not-enforced"
    assert finding.seen.en.startswith(
        f"the 4 volumes on {served.nfs.host}:{served.export} may hold 9,437,187 GiB, where"
    )
    served.api.delete(f"{paths.claims(patient.name)}/huge")
    patient.wait(lambda: own(patient.examine(), served) == [], "it is gone", 20)


def test_a_share_that_hangs_is_the_one_thing_that_is_told(served: Site, patient: Patient) -> None:
    served.nfs.pause()
    try:
        begin = time.monotonic()
        report = patient.examine()
        seconds = time.monotonic() - begin
    finally:
        served.nfs.resume()
    (finding,) = own(report, served)
    assert finding.id == "share-hangs"
    assert finding.about[0].name == f"{served.nfs.host}:{served.export}"
    assert finding.seen.zh.endswith("个卷位于其上")
    assert not [each for each in report.unseen if served.token in each.what.en]
    assert seconds < 60


def test_trying_it_finds_nothing_and_leaves_nothing(served: Site, cluster: DevCluster, patient: Patient) -> None:
    before = sorted(each.name for each in served.root.iterdir())
    report = asyncio.run(examine(None, load(str(cluster.kubeconfig)), active=True))
    assert find(report, "probe-claim-unserved", f"{served.namespace}-nfs") is None
    assert "probe" in report.checks
    patient.wait(lambda: not probes(cluster), "no namespace of the probe")
    patient.wait(lambda: sorted(each.name for each in served.root.iterdir()) == before, "no directory of the probe")


def test_a_try_that_is_interrupted_leaves_nothing_either(served: Site, cluster: DevCluster, patient: Patient) -> None:
    before = sorted(each.name for each in served.root.iterdir())

    async def interrupted() -> None:
        task = asyncio.create_task(examine(None, load(str(cluster.kubeconfig)), active=True))
        async with asyncio.timeout(30):
            while not await asyncio.to_thread(probes, cluster):  # noqa: ASYNC110 - the cluster tells nobody
                await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(interrupted())
    patient.wait(lambda: not probes(cluster), "no namespace of the probe")
    patient.wait(lambda: sorted(each.name for each in served.root.iterdir()) == before, "no directory of the probe")


def test_a_directory_that_only_berths_records_know(served: Site, patient: Patient) -> None:
    flat = served.make_class(served.parameters(pathPattern="${.PVC.name}"), name=f"{patient.name}-flat")
    served.file_claim("plain", flat, size="1Gi")
    patient.wait(lambda: (served.claim("plain") or {}).get("status", {}).get("phase") == "Bound", "a bound claim")
    pv = (served.claim("plain") or {})["spec"]["volumeName"]
    served.controllers[0].stop()
    served.api.delete(f"{paths.PVS}/{pv}")
    served.api.patch(f"{paths.PVS}/{pv}", {"metadata": {"finalizers": None}})
    patient.wait(lambda: find(patient.examine(), "claim-lost", "/plain"), "a lost claim")
    finding = find(patient.examine(), "directory-without-volume", served.token)
    assert finding is not None
    assert finding.seen.en.endswith("belong to no PV: plain")


def probes(cluster: DevCluster) -> list[str]:
    """The namespaces of probes that nobody has deleted."""
    namespaces = cluster.request("GET", "/api/v1/namespaces")["items"]
    names = [each["metadata"]["name"] for each in namespaces if "deletionTimestamp" not in each["metadata"]]
    return [name for name in names if name.startswith("berth-doctor-")]
