"""The reference's guide, followed to the letter with its mistakes: the doctor names each, and its cures work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from berth.findings.finding import Report
from devcluster.cluster import DevCluster
from tests.doctor.cluster.patient import Patient, find

OBJECTS = Path(__file__).parent.parent / "data" / "article.yaml"
IMAGE = "quay.io/external_storage/nfs-client-provisioner:latest"
NAMESPACE, CLAIM, CLASS = "ddddd", "demo4nfs", "managed-nfs-storage"
SERVER = "139.198.168.114"
WORKLOAD = "default/nfs-client-provisioner"


@pytest.fixture(scope="module")
def followed(cluster: DevCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Patient]:
    """rbac.yaml, deployment.yaml and class.yaml were applied, in the guide's order and with its image."""
    patient = Patient(cluster, NAMESPACE, tmp_path_factory.mktemp("article"))
    there = OBJECTS.read_text().replace("berth:0.1.0", IMAGE).replace(SERVER, cluster.nfs.host)
    patient.apply(there)
    path = "/api/v1/namespaces/default/pods?labelSelector=app=nfs-client-provisioner"
    patient.wait(lambda: patient.request("GET", path)["items"], "the provisioner's pod")
    yield patient
    patient.forget()
    cluster.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")


def seen(report: Report, failure: str, name: str) -> str:
    """What a finding says in both languages, its cure included; an AssertionError names what there is instead."""
    finding = find(report, failure, name)
    assert finding is not None, [(each.id, each.about) for each in report.findings]
    return json.dumps(finding.as_dict(), ensure_ascii=False)


def test_the_claim_goes_into_a_namespace_that_the_guide_never_makes(followed: Patient) -> None:
    report = followed.examine(f"claim {NAMESPACE}/{CLAIM}")
    assert "命名空间 ddddd 也不存在" in seen(report, "object-missing", CLAIM)
    (finding,) = report.findings
    followed.cure(finding)


def test_its_image_needs_selflink_which_this_release_no_longer_fills_in(followed: Patient) -> None:
    followed.apply(
        f"""
        {{apiVersion: v1, kind: PersistentVolumeClaim,
        metadata: {{name: {CLAIM}, namespace: {NAMESPACE}, finalizers: [kubernetes.io/pvc-protection], annotations:
        {{volume.beta.kubernetes.io/storage-provisioner: nfs/provisioner-229}}}},
        spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 10Gi}}}}, storageClassName: {CLASS}}}}}
        """
    )
    report = followed.examine()
    told = seen(report, "selflink-empty", CLAIM)
    assert f"PVC {NAMESPACE}/{CLAIM} 一直 Pending" in told
    assert "kubectl -n default set image deployment/nfs-client-provisioner" in told
    assert "Only as a stop-gap" in told  # on 1.20


def test_its_class_is_no_default_so_kubespheres_installer_stops(followed: Patient) -> None:
    finding = next(each for each in followed.examine().findings if each.id == "default-class-none")
    assert "KubeSphere" in finding.seen.en


def test_its_share_is_not_what_the_server_exports(followed: Patient) -> None:
    """It makes /ksha3.2, exports /mount/ksha3.2 and speaks of /mnt/ksha3.2."""
    share = f"{followed.cluster.nfs.host}:/mount/ksha3.2"
    report = followed.examine()
    assert f"the server of {share} exports no such path" in seen(report, "share-not-exported", share)


def test_the_claim_leads_to_its_class_and_its_provisioner(followed: Patient) -> None:
    report = followed.examine(f"claim {NAMESPACE}/{CLAIM}")
    assert {each.id for each in report.findings} >= {"selflink-empty"}
    assert report.exit_code == 2


def test_a_class_that_does_not_match_the_deployment_is_named_with_the_name_that_does(followed: Patient) -> None:
    """class.yaml as it is downloaded says fuseim.pri/ifs; a typo beside the Deployment's own name is the usual one."""
    followed.apply(
        """
        {apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: managed-nfs-typo},
        provisioner: nfs/provisioner-299, parameters: {archiveOnDelete: "false"}}
        """
    )
    report = followed.examine()
    assert "nfs/provisioner-229" in seen(report, "class-no-provisioner", "managed-nfs-typo")
    finding = find(report, "class-no-provisioner", "managed-nfs-typo")
    assert finding is not None
    followed.cure(finding)
    assert find(followed.examine(), "class-no-provisioner", "managed-nfs-typo") is None


def test_the_new_image_cures_it(followed: Patient) -> None:
    finding = find(followed.examine(), "selflink-empty", CLAIM)
    assert finding is not None
    followed.cure(finding, without=["rollout status", "takeover plan"])  # nobody runs pods here
    assert find(followed.examine(), "selflink-empty", WORKLOAD) is None
