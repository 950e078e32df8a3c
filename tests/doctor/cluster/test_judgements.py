"""The judgements' edge cases, over snapshots written by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from berth.doctor.cluster import (
    apps,
    claims,
    classes,
    directories,
    directories_there,
    edits,
    kubesphere,
    leading,
    mounting,
    refusing,
    rights,
    running,
    volumes,
)
from berth.doctor.cluster.checks import CHECKS
from berth.doctor.cluster.options import judge_options
from berth.doctor.cluster.provisioners import Provisioners, sources
from berth.doctor.cluster.snapshot import Snapshot
from berth.findings.finding import Finding, Subject
from berth.findings.versions import Version
from berth.kube.permissions import rights as rights_of
from berth.manifests.classes import CONSOLE
from berth.objects import admission, containers, kinds, runtime
from berth.objects.containers import ConfigSource
from berth.objects.trust import Trust
from berth.programs.controller import PERMISSIONS

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
HELPER = (
    "mount: bad option; for several filesystems (e.g. nfs, cifs) you might need a /sbin/mount.<type> helper program."
)


def ago(seconds: float) -> str:
    """A moment in the past, as Kubernetes writes it."""
    return (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def meta(name: str, namespace: str = "", **more: Any) -> dict[str, Any]:
    """Metadata of an object that is an hour old."""
    return {"name": name, "namespace": namespace, "uid": f"uid-{name}", "creationTimestamp": ago(3600), **more}


def claim(
    name: str, of_class: str | None = "nfs", *, phase: str = "Pending", pv: str = "", **spec: Any
) -> kinds.ClaimObject:
    """A claim in namespace a."""
    metadata = {key: spec.pop(key) for key in ("annotations", "finalizers", "deletionTimestamp") if key in spec}
    content = {
        "metadata": meta(name, "a", **metadata),
        "spec": {"storageClassName": of_class, "volumeName": pv, "resources": {"requests": {"storage": "2Gi"}}, **spec},
        "status": {"phase": phase, "capacity": {"storage": "1Gi"} if phase == "Bound" else None},
    }
    return msgspec.convert(content, kinds.ClaimObject)


def volume(name: str, path: str, *, by: str = "x/nfs", phase: str = "Bound", **spec: Any) -> kinds.VolumeObject:
    """A PV on 10.0.0.1."""
    metadata = {key: spec.pop(key) for key in ("finalizers", "deletionTimestamp") if key in spec}
    annotations = {"pv.kubernetes.io/provisioned-by": by} if by else {}
    content = {
        "metadata": meta(name, annotations=annotations, **metadata),
        "spec": {
            "nfs": {"server": "10.0.0.1", "path": path},
            "storageClassName": "nfs",
            "persistentVolumeReclaimPolicy": "Delete",
            "capacity": {"storage": "1Gi"},
            **spec,
        },
        "status": {"phase": phase},
    }
    return msgspec.convert(content, kinds.VolumeObject)


def storage_class(name: str = "nfs", provisioner: str = "x/nfs", **more: Any) -> kinds.ClassObject:
    """A class."""
    metadata = meta(name, annotations=more.pop("annotations", {}))
    return msgspec.convert({"metadata": metadata, "provisioner": provisioner, **more}, kinds.ClassObject)


def pod(name: str, *, ready: bool = True, phase: str = "Running", namespace: str = "a", **spec: Any) -> runtime.Pod:
    """A pod on node one."""
    content = {
        "metadata": meta(name, namespace),
        "spec": {"nodeName": "one", "containers": [{"name": "it", "image": "busybox"}], **spec},
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": str(ready)}]},
    }
    return msgspec.convert(content, runtime.Pod)


def provisioner(
    name: str, names: str, image: str = "nfs-subdir-external-provisioner:v4.0.2", **more: Any
) -> runtime.Pod:
    """A pod that provisions."""
    container = {"name": "it", "image": image, "env": [{"name": "PROVISIONER_NAME", "value": names}]}
    return pod(name, containers=[container], **more)


def event(kind: str, name: str, reason: str, message: str, namespace: str = "a") -> runtime.Event:
    """A warning."""
    content = {
        "metadata": meta(f"{name}.1", namespace),
        "involvedObject": {"kind": kind, "namespace": namespace, "name": name, "uid": f"uid-{name}"},
        "reason": reason,
        "message": message,
        "source": {"component": "kubelet", "host": "one"},
        "lastTimestamp": ago(5),
    }
    return msgspec.convert(content, runtime.Event)


def lease(name: str, renewed: float, holder: str = "somebody", namespace: str = "a") -> runtime.Lease:
    """A lease that was renewed so many seconds ago."""
    spec = {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": ago(renewed)}
    return msgspec.convert({"metadata": meta(name, namespace), "spec": spec}, runtime.Lease)


def snapshot(**parts: Any) -> Snapshot:
    """A snapshot of Kubernetes 1.28 with one class that a ready pod serves, unless told otherwise."""
    fine: dict[str, Any] = {"classes": [storage_class()], "pods": [provisioner("serves", "x/nfs")]}
    return Snapshot(now=NOW, version=Version(1, 28), **{**fine, **parts})


Judgement = Callable[[Snapshot, Provisioners], Iterator[Finding]]


def ids(judgement: Judgement, seen: Snapshot) -> list[str]:
    """The failures that a judgement finds."""
    return [each.id for each in judgement(seen, Provisioners(seen))]


def test_the_rights_that_are_asked_about_are_those_that_the_controller_declares() -> None:
    assert set(rights.NEEDED) == set(PERMISSIONS)


def test_a_role_of_the_reference_is_enough_and_the_lock_matters_only_to_who_elects() -> None:
    asked = rights_of(rights.NEEDED)
    reference = {"get", "list", "watch", "create"}
    lacks = [each for each in asked if each.verb not in reference or each.resource == "leases"]
    berth = provisioner("berth", "x/nfs", "berth:1")
    seen = snapshot(pods=[berth], lacking={"a/default": lacks}, trust=Trust(frozenset({"a/default"})))
    assert ids(rights.judge_rights, seen) == ["provisioner-lacks-some-rights"]
    assert ids(rights.judge_rights, replace(seen, lacking={"a/default": asked})) == ["provisioner-lacks-rights"]
    locks = [each for each in asked if each.own_namespace]
    assert ids(rights.judge_rights, replace(seen, lacking={"a/default": locks})) == ["provisioner-lacks-rights"]
    berth.spec.containers[0].env = [
        *(berth.spec.containers[0].env or ()),
        containers.Variable("ENABLE_LEADER_ELECTION", "false"),
    ]
    assert ids(rights.judge_rights, replace(seen, lacking={"a/default": locks})) == []


def test_every_check_has_an_id_of_its_own() -> None:
    assert len({each.id for each in CHECKS}) == len(CHECKS)


def test_an_old_image_is_fine_where_selflink_is_filled_in_or_it_has_made_pvs() -> None:
    old = provisioner("old", "x/nfs", "quay.io/external_storage/nfs-client-provisioner:latest")
    ill = snapshot(pods=[old], claims=[claim("waits")])
    assert ids(running.judge_selflink, ill) == ["selflink-empty"]
    assert ids(running.judge_selflink, replace(ill, version=Version(1, 19))) == []
    young = volume("pv", "/e/pv")
    young.metadata.creationTimestamp = ago(60)
    assert ids(running.judge_selflink, replace(ill, volumes=[young])) == []


def test_the_gate_on_the_api_server_is_a_warning_of_its_own() -> None:
    command = ["kube-apiserver", "--feature-gates=RemoveSelfLink=false"]
    gate = pod(
        "kube-apiserver-m1", namespace="kube-system", containers=[{"name": "a", "image": "a", "command": command}]
    )
    old = provisioner("old", "x/nfs", "quay.io/external_storage/nfs-client-provisioner:latest")
    assert ids(running.judge_selflink, snapshot(pods=[old, gate])) == ["selflink-gate"]


def test_a_stale_lease_is_told_only_of_pods_that_had_time_to_take_it() -> None:
    assert ids(leading.judge_leases, snapshot(leases=[lease("x-nfs", 600)])) == ["lease-stale"]
    assert ids(leading.judge_leases, snapshot(leases=[lease("x-nfs", 5)])) == []
    assert ids(leading.judge_leases, snapshot(pods=[], leases=[lease("x-nfs", 600)])) == []


def test_a_share_that_two_clusters_take_for_their_own_is_told_with_the_command_that_settles_it() -> None:
    said = (
        "share nfs.example:/srv/k8s is left alone: another controller uses this share under the same cluster UID: "
        "berth-1_7e,berth-2_8f, unknown to this cluster's lock a/x-nfs, as after a cluster was restored from a backup; "
        "until that is settled, nothing is deleted, archived or purged here. Stop the controller of the cluster that "
        "gives the share up. For this one (berth-3_9a) to keep it: kubectl -n a annotate lease x-nfs --overwrite "
        "berth.io/ruled-out=berth-1_7e,berth-2_8f"
    )
    told = event("Lease", "x-nfs", "ShareContested", said)
    seen = snapshot(leases=[lease("x-nfs", 5)], events=[told])
    (finding,) = leading.judge_leases(seen, Provisioners(seen))
    assert (finding.id, finding.harm) == ("share-contested", "data")
    assert {(each.kind, each.name) for each in finding.about} >= {
        ("share", "nfs.example:/srv/k8s"),
        ("lease", "a/x-nfs"),
    }
    assert finding.commands == (
        "kubectl -n a annotate lease x-nfs --overwrite berth.io/ruled-out=berth-1_7e,berth-2_8f",
        "berth doctor share nfs.example:/srv/k8s",
    )
    assert "berth-1_7e,berth-2_8f" in finding.seen.zh
    assert (
        ids(leading.judge_leases, replace(seen, events=[msgspec.structs.replace(told, lastTimestamp=ago(9999))])) == []
    )
    hurried = event("Lease", "x-nfs", "ShareContested", said.partition("Stop")[0])  # as where it was cut off
    seen = replace(seen, events=[hurried])
    (finding,) = leading.judge_leases(seen, Provisioners(seen))
    assert finding.commands[0].startswith("kubectl -n a get events --field-selector reason=ShareContested")


def test_a_name_is_served_by_who_renews_its_lease_wherever_that_is() -> None:
    seen = snapshot(pods=[], claims=[claim("waits")], leases=[lease("x-nfs", 5)])
    assert Provisioners(seen).names == {"x/nfs"}
    assert ids(classes.judge_classes, seen) == []
    assert ids(classes.judge_classes, replace(seen, leases=[lease("x-nfs", 600)])) == ["class-no-provisioner"]


@pytest.mark.parametrize("typo", ["x.io/nfs-clent", "x.io/nfs-clientt", "x-io/nfs-client"])
def test_a_typo_is_compared_with_the_names_that_locks_stand_for(typo: str) -> None:
    seen = snapshot(
        pods=[], classes=[storage_class(provisioner=typo)], claims=[claim("waits")],
        leases=[lease("x.io-nfs-client", 5, "host_1")],
    )  # fmt: skip
    (finding,) = classes.judge_classes(seen, Provisioners(seen))
    assert finding.facts["nearest"] == "x.io/nfs-client"
    assert finding.commands == (
        "kubectl get storageclass nfs -o yaml | sed 's|^provisioner: .*|provisioner: x.io/nfs-client|' | "
        "kubectl replace --force -f -",
    )


def test_a_typo_is_compared_with_who_answers_rather_than_with_who_does_not() -> None:
    down = provisioner("down", "x.io/nfs-cliant", ready=False)
    seen = snapshot(
        pods=[down, provisioner("runs", "x.io/nfs-client")], classes=[storage_class(provisioner="x.io/nfs-clent")],
        claims=[claim("waits")],
    )  # fmt: skip
    assert Provisioners(seen).nearest_name("x.io/nfs-clent") == "x.io/nfs-client"
    (finding,) = classes.judge_classes(seen, Provisioners(seen))
    assert "x.io/nfs-client does" in finding.seen.en


def test_a_name_is_served_by_who_renews_an_old_lock() -> None:
    old = {"holderIdentity": "elsewhere_1", "leaseDurationSeconds": 15, "renewTime": ago(4)}
    annotations = {"control-plane.alpha.kubernetes.io/leader": json.dumps(old)}
    lock = msgspec.convert({"metadata": meta("x-nfs", "a", annotations=annotations)}, runtime.Endpoints)
    assert Provisioners(snapshot(pods=[], locks={"a/x-nfs": lock})).names == {"x/nfs"}


def test_a_csi_driver_is_served_by_its_controller_and_not_by_what_mounts() -> None:
    seen = {
        "classes": [storage_class("csi", "nfs.csi.k8s.io")],
        "drivers": [msgspec.convert({"metadata": meta("nfs.csi.k8s.io")}, runtime.Driver)],
    }
    container = {"name": "nfs", "image": "registry.k8s.io/sig-storage/nfsplugin:v4.9.0"}
    mounts = pod("csi-nfs-node-1", containers=[container])
    mounts.metadata.ownerReferences = [kinds.Owner("DaemonSet", "csi-nfs-node")]
    down = msgspec.convert(
        {"metadata": meta("csi-nfs-controller", "a"), "spec": {"template": {"spec": {"containers": [container]}}}},
        runtime.Deployment,
    )
    assert ids(running.judge_running, snapshot(**seen, pods=[mounts], workloads=[down])) == ["provisioner-not-running"]
    assert ids(running.judge_running, snapshot(**seen, pods=[mounts])) == []
    assert ids(classes.judge_classes, snapshot(**seen, pods=[mounts])) == []


def test_other_storage_is_not_judged() -> None:
    for name in ("rancher.io/local-path", "kubernetes.io/aws-ebs", "driver.longhorn.io", "ebs.csi.aws.com"):
        assert ids(classes.judge_classes, snapshot(classes=[storage_class("other", name)])) == []


def test_without_sight_of_pods_or_leases_nobody_is_called_missing() -> None:
    for hidden in ("pods", "leases", "deployments"):
        blind = snapshot(pods=[], claims=[claim("waits")], unseen=frozenset([hidden]))
        assert ids(classes.judge_classes, blind) == ids(running.judge_running, blind) == []


@pytest.mark.parametrize(
    ("waiting", "found"),
    [
        (claim("no-class", None), ["claim-without-class"]),
        (claim("empty", ""), ["claim-without-class"]),
        (claim("typo", "nsf"), ["class-not-found"]),
        (claim("waits"), ["claim-waits-for-provisioner"]),
        (
            claim("beta", None, annotations={"volume.beta.kubernetes.io/storage-class": "nfs"}),
            ["claim-waits-for-provisioner"],
        ),
        (claim("bound", phase="Bound", pv="pv"), []),
        (claim("named", pv="nowhere"), ["static-volume-mismatch"]),
        (claim("goes", deletionTimestamp=ago(1)), []),
    ],
    ids=lambda each: each.name if isinstance(each, kinds.ClaimObject) else "",
)
def test_why_a_claim_waits(waiting: kinds.ClaimObject, found: list[str]) -> None:
    assert ids(claims.judge_pending, snapshot(claims=[waiting])) == found


def test_a_claim_that_a_free_pv_fits_is_about_to_be_bound() -> None:
    free = volume("free", "/e/free", by="", phase="Available", storageClassName="", capacity={"storage": "2Gi"})
    assert ids(claims.judge_pending, snapshot(claims=[claim("empty", "")], volumes=[free])) == []


def test_a_claim_of_a_class_that_waits_for_a_pod() -> None:
    seen = snapshot(classes=[storage_class(volumeBindingMode="WaitForFirstConsumer")], claims=[claim("waits")])
    assert ids(claims.judge_pending, seen) == ["claim-waits-for-consumer"]
    user = pod(
        "user", ready=False, phase="Pending", volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "waits"}}]
    )
    assert ids(claims.judge_pending, replace(seen, pods=[*seen.pods, user])) == []


def test_what_the_provisioner_says_is_known_or_quoted() -> None:
    denied = "mkdir /persistentvolumes/a-waits-pvc-1: permission denied"
    known = f"unable to create directory to provision new pv: {denied}"
    for message, failure in ((known, "provision-permission"), ("the moon is full", "claim-refused")):
        told = event("PersistentVolumeClaim", "waits", "ProvisioningFailed", message)
        assert ids(claims.judge_pending, snapshot(claims=[claim("waits")], events=[told])) == [failure]


def test_expansions_wait_unless_a_berth_does_them() -> None:
    grows = {"claims": [claim("grows", phase="Bound", pv="pv")], "volumes": [volume("pv", "/e/pv")]}
    assert ids(claims.judge_expansions, snapshot(**grows)) == ["expansion-waits"]
    assert ids(claims.judge_expansions, snapshot(**grows, pods=[provisioner("berth", "x/nfs", "berth:1")])) == []


def test_a_clone_that_was_made_by_who_ignores_the_source() -> None:
    copy = claim("copy", phase="Bound", pv="pv", dataSource={"kind": "PersistentVolumeClaim", "name": "origin"})
    origin = claim("origin", phase="Bound", pv="old")
    seen = snapshot(claims=[copy, origin], volumes=[volume("pv", "/e/copy"), volume("old", "/e/origin")])
    (finding,) = claims.judge_clones(seen, Provisioners(seen))
    assert finding.commands == ("cp -a --reflink=auto -- /e/origin/. /e/copy/   # on the server",)


@pytest.mark.parametrize(
    ("volumes_", "found"),
    [
        ([volume("a", "/e/x"), volume("b", "/e/x")], ["shared-directory"]),
        ([volume("a", "/e/x"), volume("b", "/e/x/y")], ["shared-directory"]),
        ([volume("a", "/e/x"), volume("b", "/e/xy")], []),
        ([volume("a", "/e/x", by=""), volume("b", "/e/x", by="")], []),
        ([volume(name, "/e/x", persistentVolumeReclaimPolicy="Retain") for name in "ab"], ["shared-directory-kept"]),
    ],
    ids=["same", "inside", "only alike", "by hand", "kept"],
)
def test_directories_of_several_pvs(volumes_: list[kinds.VolumeObject], found: list[str]) -> None:
    assert ids(directories.judge_overlaps, snapshot(volumes=volumes_)) == found


def test_many_released_pvs_are_one_finding() -> None:
    kept = [
        volume(f"pv{number}", f"/e/{number}", phase="Released", persistentVolumeReclaimPolicy="Retain")
        for number in range(500)
    ]
    (finding,) = volumes.judge_ends(snapshot(volumes=kept), Provisioners(snapshot()))
    assert finding.seen.en == "500 PVs are Released and nobody will delete them: its policy is Retain"


def test_what_is_about_to_be_released_is_no_finding_and_what_fails_is() -> None:
    ending = volume("pv", "/e/pv", phase="Released")
    assert ids(volumes.judge_ends, snapshot(volumes=[ending])) == []
    assert ids(volumes.judge_ends, snapshot(volumes=[ending], pods=[])) == ["volume-released"]
    told = event("PersistentVolume", "pv", "VolumeFailedDelete", "unlinkat /persistentvolumes/x: permission denied", "")
    assert ids(volumes.judge_ends, snapshot(volumes=[ending], events=[told])) == ["delete-permission"]


def test_what_is_terminating_for_long_names_who_holds_it() -> None:
    going = claim(
        "going", phase="Bound", pv="pv", deletionTimestamp=ago(300), finalizers=["kubernetes.io/pvc-protection"]
    )
    user = pod("user", volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "going"}}])
    (finding,) = volumes.judge_terminating(snapshot(claims=[going], pods=[user]), Provisioners(snapshot()))
    assert finding.commands == ("kubectl -n a delete pod user",)
    just = claim("going", deletionTimestamp=ago(5), finalizers=["x"])
    assert ids(volumes.judge_terminating, snapshot(claims=[just])) == []


@pytest.mark.parametrize(
    ("image", "command", "found"),
    [
        ("quay.io/prometheus/prometheus:v2.39.1", [], ["prometheus-on-nfs"]),
        ("bitnami/mysql:8", [], ["app-on-nfs"]),
        ("registry:5000/etcd", [], ["app-on-nfs"]),
        ("mine:1", ["/usr/sbin/mysqld"], ["app-on-nfs"]),
        ("nginx:1", ["nginx"], []),
        ("prom/prometheus-node-exporter:1", [], []),
        ("mysql-exporter", [], []),
    ],
)
def test_programs_that_break_on_nfs(image: str, command: list[str], found: list[str]) -> None:
    runs = pod(
        "runs",
        containers=[{"name": "it", "image": image, "command": command}],
        volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}],
    )
    seen = {"claims": [claim("data", phase="Bound", pv="pv")], "pods": [runs]}
    assert ids(apps.judge_apps, snapshot(**seen, volumes=[volume("pv", "/e/pv")])) == found
    assert ids(apps.judge_apps, snapshot(**seen)) == []


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["soft"], [("soft-mount", "soft")]),
        (["ro", "soft"], []),
        (["nfsvers=3,nolock"], [("locks-local", "nolock")]),
        (["nfsvers=4.1", "nolock"], []),
        (["hard", "nfsvers=4.1", "noresvport"], []),
    ],
)
def test_mount_options_that_lose_data(options: list[str], found: list[tuple[str, str]]) -> None:
    seen = snapshot(classes=[storage_class(mountOptions=options)])
    judged = judge_options(seen, Provisioners(seen))
    assert [(each.id, each.facts["option"]) for each in judged if "option" in each.facts] == found


def test_mount_options_that_no_node_takes_are_told_of_class_and_pvs_with_the_edit() -> None:
    typo = ["nfsver=4.1", "dir_mode=0777", "mfsymlinks"]
    pvs = [volume("pv", "/e/1", mountOptions=typo), volume("right", "/e/2", mountOptions=["nfsvers=4.1"])]
    seen = snapshot(classes=[storage_class("typo", mountOptions=typo)], volumes=pvs)
    of_class, of_volume = judge_options(seen, Provisioners(seen))
    assert of_class.id == of_volume.id == "mount-options-refused"
    assert of_class.severity == "failure"
    assert "probably `nfsvers=4.1` is meant" in of_class.seen.en
    assert "很可能应为 `nfsvers=4.1`" in of_class.seen.zh
    assert of_class.commands == (
        "kubectl get storageclass typo -o yaml | sed "
        "'s/^- nfsver=4\\.1$/- nfsvers=4.1/;/^- dir_mode=0777$/d;/^- mfsymlinks$/d' | kubectl replace --force -f -",
    )
    assert of_volume.commands == (
        "kubectl patch pv pv --type=json -p "
        """'[{"op": "replace", "path": "/spec/mountOptions", "value": ["nfsvers=4.1"]}]'""",
    )


def test_mount_options_that_work_are_told_once() -> None:
    odd = ["bg", "intr", "vers=3,nfsver=4", "sloppy"]
    pvs = [volume(f"pv{number}", f"/e/{number}", mountOptions=odd) for number in range(9)]
    seen = snapshot(classes=[storage_class(mountOptions=odd)], volumes=pvs)
    risky, idle = judge_options(seen, Provisioners(seen))
    assert (risky.id, idle.id) == ("mount-options-risky", "mount-options-idle")
    assert "the pod writes into the node's own directory" in risky.seen.en
    assert (risky.severity, idle.severity) == ("warning", "note")


def test_an_option_of_the_class_is_told_once() -> None:
    pvs = [volume(f"pv{number}", f"/e/{number}", mountOptions=["soft"]) for number in range(50)]
    assert ids(judge_options, snapshot(classes=[storage_class(mountOptions=["soft"])], volumes=pvs)) == ["soft-mount"]


def test_pods_that_cant_mount_are_grouped_by_cause() -> None:
    waiting = [
        pod(
            f"w{number}",
            ready=False,
            phase="Pending",
            volumes=[{"name": "v", "nfs": {"server": "10.0.0.1", "path": "/e"}}],
        )
        for number in range(30)
    ]
    told = [
        event(
            "Pod", each.name, "FailedMount", f'MountVolume.SetUp failed for volume "v" : mount failed\nOutput: {HELPER}'
        )
        for each in waiting
    ]
    (finding,) = mounting.judge_mounts(snapshot(pods=waiting, events=told), Provisioners(snapshot()))
    assert (finding.id, finding.count) == ("mount-helper-missing", 30)
    assert finding.evidence == (HELPER,)
    started = [pod(each.name, volumes=[]) for each in waiting]
    assert ids(mounting.judge_mounts, snapshot(pods=started, events=told)) == []


def test_mounts_of_other_storage_are_none_of_our_business() -> None:
    waits = pod("waits", ready=False, phase="Pending")
    told = event("Pod", "waits", "FailedMount", 'MountVolume.SetUp failed for volume "c" : configmap "c" not found')
    assert ids(mounting.judge_mounts, snapshot(pods=[waits], events=[told])) == []


def test_a_claim_that_a_quota_refused() -> None:
    said = (
        "create Pod db-0 in StatefulSet db failed error: failed to create PVC data-db-0: "
        'persistentvolumeclaims "data-db-0" '
        "is forbidden: exceeded quota: small, requested: requests.storage=9Gi, used: requests.storage=0, "
        "limited: requests.storage=1Gi"
    )
    told = event("StatefulSet", "db", "FailedCreate", said)
    db = msgspec.convert({"metadata": meta("db", "a")}, runtime.StatefulSet)
    assert ids(mounting.judge_refusals, snapshot(events=[told], workloads=[db])) == ["claim-quota"]
    assert ids(mounting.judge_refusals, snapshot(events=[told], workloads=[db], claims=[claim("data-db-0")])) == []
    assert ids(mounting.judge_refusals, snapshot(events=[told])) == []


@pytest.mark.parametrize(
    ("spec", "allowed"),
    [
        (
            {
                "namespaceSelector": {
                    "fieldSelector": [{"fieldExpressions": [{"field": "Name", "operator": "In", "values": ["a"]}]}]
                }
            },
            True,
        ),
        (
            {
                "namespaceSelector": {
                    "fieldSelector": [{"fieldExpressions": [{"field": "Name", "operator": "NotIn", "values": ["a"]}]}]
                }
            },
            False,
        ),
        (
            {
                "namespaceSelector": {
                    "labelSelector": [{"matchExpressions": [{"key": "team", "operator": "In", "values": ["red"]}]}]
                }
            },
            False,
        ),
        (
            {
                "workspaceSelector": {
                    "fieldSelector": [{"fieldExpressions": [{"field": "Name", "operator": "In", "values": ["w"]}]}]
                }
            },
            True,
        ),
        ({}, True),
    ],
)
def test_kubespheres_accessors(spec: dict[str, Any], allowed: bool) -> None:
    namespace = msgspec.convert(
        {"metadata": meta("a", labels={"kubesphere.io/workspace": "w", "team": "blue"})}, runtime.Namespace
    )
    accessor = msgspec.convert(
        {"metadata": meta("nfs-accessor"), "spec": {"storageClassName": "nfs", **spec}}, admission.Accessor
    )
    seen = snapshot(namespaces=[namespace], accessors=[accessor], claims=[claim("one")])
    assert ids(refusing.judge_accessors, seen) == ([] if allowed else ["claim-not-allowed"])


def test_edits_change_one_thing() -> None:
    assert edits.change_options(["soft", "a,soft,b", "c"], {"soft": ""}) == r"/^- soft$/d;s/^- a,soft,b$/- a,b/"
    assert edits.change_options(["vers=3,nfsver=4"], {"nfsver=4": ""}) == "s/^- vers=3,nfsver=4$/- vers=3/"
    assert edits.change_options(["nfsver=4.1", "nfsvers=4.1"], {"nfsver=4.1": "nfsvers=4.1"}) == r"/^- nfsver=4\.1$/d"
    assert edits.change_options(["bad one"], {"bad one": ""}) is None
    assert edits.patch_options(["soft"], {"soft": ""}) == '[{"op": "remove", "path": "/spec/mountOptions"}]'


def test_what_a_class_does_not_say_is_grey_in_kubespheres_console() -> None:
    system = msgspec.convert({"metadata": meta("kubesphere-system")}, runtime.Namespace)
    server = {"name": "it", "image": "registry:5000/kubesphere/ks-apiserver:v4.1.2"}
    berth = provisioner("berth", "nfs.berth.io", "berth:1")
    console = [berth, pod("ks-apiserver", namespace="kubesphere-system", containers=[server])]
    silent = storage_class(provisioner="nfs.berth.io")

    def told(
        of_class: kinds.ClassObject, pods: list[runtime.Pod], namespaces: list[runtime.Namespace]
    ) -> list[Finding]:
        seen = snapshot(classes=[of_class], pods=pods, namespaces=namespaces)
        return list(kubesphere.judge_console(seen, Provisioners(seen)))

    (finding,) = told(silent, console, [system])
    assert finding.seen.en == "KubeSphere's console greys out expansion, clone and snapshot for class nfs"
    assert [each.split()[1] for each in finding.commands] == ["annotate", "patch"]
    (finding,) = told(silent, [berth], [system])
    assert finding.seen.zh == "KubeSphere 控制台中 StorageClass nfs 的扩容为灰色"
    (finding,) = told(storage_class(), [*console, provisioner("serves", "x/nfs")], [system])
    assert "clone and snapshot for class nfs" in finding.seen.en
    said = storage_class(provisioner="nfs.berth.io", allowVolumeExpansion=False, annotations=CONSOLE)
    assert told(said, console, [system]) == []
    assert told(silent, console, []) == []


def test_claims_of_a_refused_class_are_told_with_it_and_not_once_more() -> None:
    refused = storage_class(provisioner="nfs.berth.io", parameters={"archiveOnDelet": "true"})
    waits = claim("waits")
    said = event("PersistentVolumeClaim", "waits", "ProvisioningFailed", "parameter archiveOnDelet: is not known")
    berth = provisioner("berth", "nfs.berth.io", "berth:1")
    seen = snapshot(classes=[refused], pods=[berth], claims=[waits], events=[said])
    (finding,) = classes.judge_parameters(seen, Provisioners(seen))
    assert finding.about == (Subject("class", "nfs"), Subject("claim", "a/waits"))
    assert ids(claims.judge_pending, seen) == []


def test_pvs_made_by_hand_are_looked_for_where_they_lie_directly_in_a_known_share() -> None:
    known = storage_class(parameters={"server": "10.0.0.1", "share": "/e"})
    by_hand = [volume("direct", "/e/direct", by=""), volume("deep", "/e/a/deep", by=""), volume("far", "/f/far", by="")]
    seen = snapshot(classes=[known], volumes=[*by_hand, volume("made", "/e/a/made")])
    (share,) = directories_there.shares_of(seen, Provisioners(seen))
    assert share.volumes.keys() == {"direct", "a/made"}


def test_a_provisioner_that_was_just_scaled_down_is_told_though_its_lock_is_fresh() -> None:
    template = {"spec": msgspec.to_builtins(provisioner("x", "x/nfs").spec)}
    metadata = meta("serves", "a")
    down = msgspec.convert({"metadata": metadata, "spec": {"replicas": 0, "template": template}}, runtime.Deployment)
    gone = "serves-6cbccc967f-s9nt2_341d5800-91cf-46f0-8332-4cf0899341a2"
    seen = snapshot(pods=[], workloads=[down], leases=[lease("x-nfs", 3, gone)])
    assert ids(running.judge_running, seen) == ["provisioner-not-running"]
    going = provisioner("serves-6cbccc967f-bbbbb", "x/nfs", ready=False)
    going.metadata.deletionTimestamp = ago(1)
    going.metadata.ownerReferences = [kinds.Owner("ReplicaSet", "serves-6cbccc967f")]
    mount = event("Pod", going.name, "FailedMount", 'object "a"/"token" not registered')
    (finding,) = running.judge_running(ill := replace(seen, pods=[going], events=[mount]), Provisioners(ill))
    assert finding.seen.en.endswith("does not run: it is scaled to 0")
    outside = replace(seen, leases=[lease("x-nfs", 3, "host_341d5800-91cf-46f0-8332-4cf0899341a2")])
    assert ids(running.judge_running, outside) == []
    follower = provisioner("serves-6cbccc967f-aaaaa", "x/nfs")
    assert ids(leading.judge_leases, replace(seen, pods=[follower])) == []


def deployment(name: str, of: runtime.Pod, replicas: int, taken_by: str = "") -> runtime.Deployment:
    """The Deployment of such pods."""
    noted = {"berth.io/taken-over-by": taken_by} if taken_by else {}
    template = {"spec": msgspec.to_builtins(of.spec)}
    content = {"metadata": meta(name, "a", annotations=noted), "spec": {"replicas": replicas, "template": template}}
    return msgspec.convert(content, runtime.Deployment)


def of_deployment(made: runtime.Pod, name: str) -> runtime.Pod:
    """The pod as one of that Deployment's."""
    made.metadata.ownerReferences = [kinds.Owner("ReplicaSet", f"{name}-6cbccc967f")]
    return made


def test_a_take_over_that_stopped_half_way_is_told_as_what_it_is() -> None:
    old = deployment("old", provisioner("x", "x/nfs"), 0, taken_by="a/berth")
    berth = deployment("berth", provisioner("x", "nfs.berth.io", "berth:1"), 0)
    seen = snapshot(pods=[], workloads=[old, berth])
    (finding,) = running.judge_running(seen, Provisioners(seen))
    assert finding.id == "takeover-unfinished"
    assert finding.commands == ("berth takeover apply a/old --namespace a --name berth",)


def test_who_was_scaled_down_is_not_started_beside_who_is_to_work() -> None:
    """After a way back: Berth has no pods, and the old one's are not ready."""
    old = deployment("old", provisioner("x", "x/nfs"), 1)
    waits = of_deployment(provisioner("old-6cbccc967f-aaaaa", "x/nfs", ready=False), "old")
    berth = deployment("berth", provisioner("x", "x/nfs", "berth:1"), 0)
    seen = snapshot(pods=[waits], workloads=[old, berth])
    told = list(running.judge_running(seen, Provisioners(seen)))
    assert [each.about[0].name for each in told] == ["a/old"]
    alone = replace(seen, pods=[], workloads=[berth])
    (finding,) = running.judge_running(alone, Provisioners(alone))
    assert finding.about[0].name == "a/berth"


def test_a_berth_that_stands_by_and_does_not_start_harms_nobody_and_is_no_reference() -> None:
    old, serves = deployment("old", provisioner("x", "x/nfs"), 1), provisioner("old-6cbccc967f-aaaaa", "x/nfs")
    stuck = of_deployment(provisioner("berth-6cbccc967f-bbbbb", "nfs.berth.io", "berth:1", ready=False), "berth")
    stuck.status.containerStatuses = [
        runtime.ContainerStatus(
            state=runtime.ContainerState(waiting=runtime.Reason("ImagePullBackOff", "no such image"))
        )
    ]
    berth = deployment("berth", stuck, 1)
    seen = snapshot(pods=[of_deployment(serves, "old"), stuck], workloads=[old, berth])
    (finding,) = running.judge_running(seen, Provisioners(seen))
    assert (finding.id, finding.severity) == ("berth-stands-by-not-ready", "warning")
    assert "v4.0.2" not in finding.do.en
    assert finding.evidence == ("no such image",)
    needed = replace(seen, classes=[storage_class(), storage_class("new", "nfs.berth.io")])
    (finding,) = [each for each in running.judge_running(needed, Provisioners(needed)) if each.harm == "everyone"]
    assert finding.id == "provisioner-image-missing"
    assert "v4.0.2" not in finding.do.en


def test_in_the_middle_of_a_change_each_pod_says_itself_what_it_answers_to() -> None:
    before = of_deployment(provisioner("berth-6cbccc967f-aaaaa", "nfs.berth.io", "berth:1"), "berth")
    after = provisioner("x", "nfs.berth.io,x/nfs", "berth:1")
    seen = snapshot(pods=[before], workloads=[deployment("berth", after, 1)])
    assert Provisioners(seen).names == {"nfs.berth.io"}
    leads = of_deployment(provisioner("berth-7cbccc967f-bbbbb", "nfs.berth.io,x/nfs", "berth:1", ready=False), "berth")
    holder = f"{leads.name}_341d5800-91cf-46f0-8332-4cf0899341a2"
    seen = replace(seen, pods=[leads], leases=[lease("nfs.berth.io", 3, holder)])
    assert Provisioners(seen).names == {"nfs.berth.io", "x/nfs"}


def test_names_that_lie_in_a_config_map_are_read_and_where_they_can_not_be_nobody_is_called_missing() -> None:
    content = {"name": "nfs-client-provisioner", "image": "r/thing", "envFrom": [{"configMapRef": {"name": "env"}}]}
    told = pod("told", containers=[content])
    where = ConfigSource("ConfigMap", "a", "env")
    assert sources(snapshot(pods=[told])) == {where}
    read = snapshot(pods=[told], settings={where: {"PROVISIONER_NAME": "x/nfs"}})
    assert Provisioners(read).names == {"x/nfs"}
    unread = snapshot(pods=[told])
    assert (Provisioners(unread).names, [each.why for each in Provisioners(unread).unclear]) == (
        frozenset(),
        ["ConfigMap a/env"],
    )
    assert ids(classes.judge_classes, read) == ids(classes.judge_classes, unread) == []
    absent = snapshot(pods=[told], settings={where: None})
    assert ids(classes.judge_classes, replace(absent, pods=[])) == ["class-no-provisioner"]


def test_a_provisioner_may_be_a_daemon_set() -> None:
    everywhere = provisioner("old-aaaaa", "x/nfs")
    everywhere.metadata.ownerReferences = [kinds.Owner("DaemonSet", "old")]
    assert Provisioners(snapshot(pods=[everywhere])).names == {"x/nfs"}
