"""What a real kubelet says of NFS volumes that it can't mount: this machine's kernel has no NFS."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from berth.doctor.cluster.active import POD_PATIENCE
from berth.doctor.cluster.examine import examine
from berth.doctor.cluster.probing import Wish
from berth.kube.config import load
from devcluster.node.node import Node
from tests.doctor.cluster.patient import Patient, find
from tests.e2e.api import Api
from tests.e2e.site import Site

MOUNTS = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}


def test_pods_that_cant_mount_are_one_finding_that_names_the_cause_and_goes_with_them(
    node: Node, patient: Patient
) -> None:
    server = node.nfs.host
    share = f"{server}:{node.nfs.export}"
    volumes = {"volumes": [{"name": "data", "nfs": {"server": server, "path": node.nfs.export}}]}
    for name in ("one", "two"):
        node.pods.create(patient.name, name, ["true"], container=MOUNTS, spec=volumes)
    for name in ("one", "two"):
        node.pods.wait_event(patient.name, name, "FailedMount")
    finding = find(patient.examine(), "kernel-no-nfs", share)
    assert finding is not None
    assert finding.seen.en == f"{share} can't be mounted: the kernel of node {node.name} knows no NFS"
    assert {each.name for each in finding.about} == {share, node.name, f"{patient.name}/one", f"{patient.name}/two"}
    assert finding.evidence == ("mount.nfs: No such device",)
    (told, *_) = patient.examine("pod $NAME/one").findings
    assert told.id == "kernel-no-nfs"
    patient.cluster.kubectl("delete", "pods", "-n", patient.name, "--all", "--force", "--grace-period=0")
    assert find(patient.examine(), "kernel-no-nfs", share) is None


def test_a_try_ends_as_soon_as_kubelet_has_failed_often_enough(
    node: Node, patient: Patient, api: Api, account: Path, tmp_path: Path
) -> None:
    site = Site(patient.cluster, api, account, patient.name, tmp_path, patient.cluster.nfs)
    controller = site.controller(ENABLE_LEADER_ELECTION="true")
    try:
        controller.start()
        of_class = site.make_class(site.parameters(onDelete="delete"), name=f"{patient.name}-tried")
        begun = time.monotonic()
        config, wish = load(str(patient.cluster.kubeconfig)), Wish(image="localhost/busybox:dev")
        report = asyncio.run(examine(None, config, active=True, wish=wish))
        seconds = time.monotonic() - begun
    finally:
        controller.stop()
        site.close()
    failed = [each for each in report.findings if each.id == "probe-pod-failed"]
    (finding,) = [each for each in failed if any(subject.name == of_class for subject in each.about)]
    assert finding.seen.en.endswith("s: mount.nfs: No such device")
    assert node.name in finding.seen.en
    assert seconds < POD_PATIENCE
