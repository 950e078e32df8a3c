"""What a real kubelet says of NFS volumes that it can't mount: this machine's kernel has no NFS."""

from __future__ import annotations

from devcluster.node.node import Node
from tests.doctor.cluster.patient import Patient, find

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
