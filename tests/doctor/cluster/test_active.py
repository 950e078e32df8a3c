"""A try of the doctor's never meets data, changes nobody's end, and removes nothing but its own."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from berth.doctor.cluster import probe_room
from berth.doctor.cluster.examine import examine
from berth.doctor.cluster.probing import Wish
from berth.findings.finding import Report
from berth.kube.config import load
from devcluster.cluster import DevCluster
from tests.doctor.cluster.patient import Patient, find
from tests.e2e import api as paths
from tests.e2e.api import Api
from tests.e2e.site import ARCHIVES, Site

KEPT = "common/models"


@pytest.fixture(scope="module")
def site(
    cluster: DevCluster, api: Api, account: Path, patient: Patient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A Berth outside of the cluster, and a directory with somebody's files."""
    made = Site(cluster, api, account, patient.name, tmp_path_factory.mktemp("site"), cluster.nfs)
    made.controller(ENABLE_LEADER_ELECTION="true").start()
    (made.root / KEPT).mkdir(parents=True)
    (made.root / KEPT / "weights").write_text("irreplaceable")
    made.make_class(made.parameters(onDelete="delete"), name=f"{patient.name}-deletes")
    made.file_claim("first", f"{patient.name}-deletes")
    patient.wait(lambda: (made.claim("first") or {}).get("status", {}).get("phase") == "Bound", "a served claim")
    yield made
    for controller in made.controllers:
        controller.stop()
    made.close()


def tried(patient: Patient, wish: Wish = Wish()) -> Report:  # noqa: B008 - a value
    return asyncio.run(examine(None, load(str(patient.cluster.kubeconfig)), active=True, wish=wish))


def reason(report: Report, of_class: str) -> str:
    """Why a class was not tried; empty where it was."""
    return next((each.reason.en for each in report.unseen if each.what.en == f"class {of_class}, by trying it"), "")


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"pathPattern": KEPT, "onDelete": "retain"}, "'common/models' does not begin with a part that names the PV"),
        ({"pathPattern": "${.PVC.namespace}/${.PVC.name}"}, "(${.PV.name}), so the probe could be given a directory"),
        ({"subDir": "${pvc.metadata.name}"}, "(${pv.metadata.name}), so the probe could be given a directory"),
        ({"pathPattern": "${.PV.name}", "sharedPaths": "namespace"}, "sharedPaths is namespace"),
        ({"pathPattern": "${.PV.name}/${.PVC.labels.team}", "onDelete": "delete"}, "needs the label 'team'"),
    ],
)
def test_a_class_whose_probe_could_meet_data_is_not_tried(
    site: Site, patient: Patient, parameters: dict[str, str], why: str
) -> None:
    of_class = site.make_class(site.parameters(**parameters), reclaimPolicy="Retain")
    report = tried(patient, Wish(leaves=True))
    assert why in reason(report, of_class)
    assert (site.root / KEPT / "weights").read_text() == "irreplaceable"
    assert not [each for each in report.findings if any(one.name == of_class for one in each.about)]
    site.delete_class(of_class)


def test_what_would_stay_is_said_before_and_how_to_remove_it_afterwards(site: Site, patient: Patient) -> None:
    archives = site.make_class(site.parameters())
    keeps = site.make_class(site.parameters(onDelete="delete"), reclaimPolicy="Retain")
    asked = tried(patient)
    assert "probe's empty directory archived-berth-doctor-" in reason(asked, archives)
    assert "and the PV would stay; --leave-behind" in reason(asked, keeps)
    assert reason(asked, f"{patient.name}-deletes") == ""
    report = tried(patient, Wish(leaves=True))
    left = {each.about[0].name: each for each in report.findings if each.id == "probe-left"}
    assert set(left) >= {archives, keeps}
    for of_class in (archives, keeps):
        path = Path(left[of_class].seen.en.split(" directory ")[1].split()[0])
        here = site.root / path.relative_to(site.export)
        pv = left[of_class].about[1].name
        patient.wait(here.is_dir, "what stays")
        assert not list(here.iterdir())
        if of_class == keeps:
            assert pv in pvs(site)
        else:
            patient.wait(lambda pv=pv: pv not in pvs(site), "the archived volume's PV goes")  # type: ignore[misc]
        for command in left[of_class].commands:
            words = command.replace(str(path), str(here))
            assert words.startswith(("rmdir /", f"kubectl delete pv {pv}"))
            if words.startswith("rmdir"):
                subprocess.run(["bash", "-c", words], check=True)
            else:
                patient.cluster.kubectl("delete", "pv", pv)
    patient.wait(lambda: not list(site.root.glob("*berth-doctor-*")), "nothing else stays", 60)
    assert list((site.root / ARCHIVES).iterdir())  # its end was the class's own
    for of_class in (archives, keeps):
        site.delete_class(of_class)


def pvs(site: Site) -> set[str]:
    """The PVs that are there."""
    return {each["metadata"]["name"] for each in site.api.list(paths.PVS)}


def test_only_its_own_leftovers_are_removed(site: Site, patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_room, "_OLD", -3600.0)
    lookalikes = ["berth-doctor-unlabelled", "berth-doctor-copied", "berth-doctor-used", f"{patient.name}-labelled"]
    left = "berth-doctor-left"
    for name in (*lookalikes, left):
        patient.cluster.kubectl("create", "namespace", name)
    of_kube_system = patient.request("GET", "/api/v1/namespaces/kube-system")["metadata"]["uid"]
    for name in (*lookalikes[1:], left):
        uid = patient.request("GET", f"/api/v1/namespaces/{name}")["metadata"]["uid"]
        uid = of_kube_system if name.endswith("copied") else uid
        labels = [f"{probe_room.MANAGED_BY}={probe_room.MANAGER}", f"{probe_room.PROBE}={uid}"]
        patient.cluster.kubectl("label", "namespace", name, *labels)
        if name == left:
            patient.apply(CLAIM.format(name="probe", namespace=name, labels=f"{probe_room.PROBE}: {uid}"))
    patient.apply(CLAIM.format(name="somebodys", namespace="berth-doctor-used", labels="a: b"))
    try:
        report = tried(patient)
        patient.wait(lambda: namespace(patient, left) in (None, "Terminating"), "the leftover is removed")
        assert {namespace(patient, each) for each in lookalikes} == {"Active"}
        told = next(each for each in report.unseen if "berth-doctor-used" in each.what.en)
        assert told.reason.en == "something else is in it, so it is left alone"
        assert find(report, "probe-claim-unserved", f"{patient.name}-deletes") is None
    finally:
        patient.cluster.kubectl("delete", "namespace", *lookalikes, "--wait=false")


CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: {name}, namespace: {namespace}, labels: {{{labels}}}}}
spec: {{storageClassName: nobody, accessModes: [ReadWriteMany], resources: {{requests: {{storage: 1Mi}}}}}}
"""


def namespace(patient: Patient, name: str) -> str | None:
    """Its phase; None where it is not there."""
    found = patient.request("GET", "/api/v1/namespaces")["items"]
    return next((each["status"]["phase"] for each in found if each["metadata"]["name"] == name), None)
