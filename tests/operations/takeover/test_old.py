"""Reference provisioners are found by what they are, whatever they are called."""

from __future__ import annotations

from typing import Any

import pytest

from berth.objects.provisioning import REPLICAS_BEFORE, TAKEN_OVER_BY
from berth.objects.trust import Trust
from berth.operations.takeover.candidates import workload
from berth.operations.takeover.findings import called
from tests.operations.takeover.things import NAME, deployment, found


def test_any_image_with_their_environment_is_one() -> None:
    seen = found(deployment("anything", image="harbor.local/mirror/thing:1"))
    (old,) = seen.old
    assert (old.key, old.provisioners, str(old.share)) == ("kube-system/anything", (NAME,), "10.0.0.1:/srv/nfs")
    assert (old.account, old.replicas, old.before, old.taken_by) == ("nfs", 1, None, "")


@pytest.mark.parametrize(
    "changes",
    [{"image": "registry.example/team/berth:0.1.0"}, {"labels": {"app.kubernetes.io/name": "berth"}}],
    ids=["by its image, as in the article's YAML", "by its label"],
)
def test_berth_is_told_apart(changes: dict[str, Any]) -> None:
    seen = found(deployment(**changes))
    assert seen.old == ()
    assert [one.key for one in seen.berths] == ["kube-system/nfs"]


def test_another_provisioner_that_names_its_variable_alike_is_none() -> None:
    other = deployment(image="example/ceph-provisioner:1", environment={"NFS_SERVER": ""})
    del other["spec"]["template"]["spec"]["containers"][0]["env"][1:]
    assert found(other).old == ()


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"NFS_SERVER": None}, "NFS_SERVER: comes from elsewhere"),
        ({"NFS_PATH": ""}, "NFS_PATH: is empty"),
        ({"PROVISIONER_NAME": "not a name"}, "PROVISIONER_NAME: "),
        ({"NFS_PATH": "/srv/../etc"}, "NFS_PATH: "),
    ],
    ids=["from a ConfigMap", "empty", "no name", "dots"],
)
def test_what_can_not_be_read_is_said_and_left_alone(environment: dict[str, Any], said: str) -> None:
    seen = found(deployment(environment=environment))
    assert seen.old == ()
    (finding,) = seen.unclear
    assert (finding.id, called(finding)) == ("provisioner-unclear", "deployment kube-system/nfs")
    assert said in finding.seen.en


def test_what_was_written_on_it_is_read_again() -> None:
    annotations = {REPLICAS_BEFORE: "3", TAKEN_OVER_BY: "berth-system/berth"}
    (old,) = found(deployment(annotations=annotations, replicas=0)).old
    assert (old.before, old.taken_by, old.replicas) == (3, "berth-system/berth", 0)


def test_whoever_would_scale_it_up_again_is_named() -> None:
    (finding,) = found(deployment(labels={"argocd.argoproj.io/instance": "storage"})).unclear
    assert finding.id == "provisioner-kept-by-gitops"
    assert "Argo CD" in finding.seen.en


@pytest.mark.parametrize(
    ("image", "kubernetes", "is_told"),
    [
        ("quay.io/external_storage/nfs-client-provisioner:latest", (1, 20), True),
        ("quay.io/external_storage/nfs-client-provisioner:latest", (1, 19), False),
        ("registry.k8s.io/sig-storage/nfs-subdir-external-provisioner:v4.0.2", (1, 30), False),
        ("mirror/nfs-client-provisioner:v4.0.2", (1, 30), False),
    ],
)
def test_releases_that_need_self_link_are_told_of(image: str, kubernetes: tuple[int, int], is_told: bool) -> None:
    seen = found(deployment(image=image), kubernetes=kubernetes)
    assert [one.id for one in seen.unclear] == ["provisioner-too-old"] * is_told


def test_a_selector_becomes_a_query() -> None:
    selector = {
        "matchLabels": {"app": "nfs"},
        "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["a", "b"]},
            {"key": "canary", "operator": "DoesNotExist"},
        ],
    }
    (old,) = found(deployment(selector=selector)).old
    assert old.selector == "app=nfs,tier in (a,b),!canary"


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "Pod"])
def test_what_is_no_deployment_is_named_and_left_alone(kind: str) -> None:
    manifest = deployment()
    if kind == "Pod":
        manifest = {"metadata": manifest["metadata"], "spec": manifest["spec"]["template"]["spec"]}
    seen = found(others=[workload(kind, manifest)])
    assert seen.old == ()
    assert [(one.id, called(one)) for one in seen.unclear] == [
        ("provisioner-unclear", f"{kind.lower()} kube-system/nfs")
    ]
    assert f"it is a {kind}" in seen.unclear[0].seen.en
    assert [one.provisioners for one in seen.others] == [(NAME,)]


def test_a_cron_job_is_looked_into() -> None:
    manifest = deployment()
    manifest["spec"] = {"jobTemplate": {"spec": {"template": manifest["spec"]["template"]}}}
    (finding,) = found(others=[workload("CronJob", manifest)]).unclear
    assert called(finding) == "cronjob kube-system/nfs"


def test_two_that_provision_in_one_pod_are_not_told_apart_by_scaling() -> None:
    both = deployment()
    containers = both["spec"]["template"]["spec"]["containers"]
    containers.append({**containers[0], "name": "second"})
    (finding,) = found(both).unclear
    assert "several of its containers provision, or could (nfs, second)" in finding.seen.en


STRANGER = Trust(proven=frozenset())


@pytest.mark.parametrize(
    ("changes", "failure"),
    [
        ({}, "provisioner-not-trusted"),
        ({"image": "registry.example/evil/berth:1"}, "provisioner-not-trusted"),
        ({"labels": {"app.kubernetes.io/name": "berth"}}, "provisioner-not-trusted"),
        ({"environment": {"NFS_PATH": None}}, "provisioner-unclear"),
    ],
    ids=["an old one's name", "Berth's image", "Berth's label", "unreadable"],
)
def test_a_name_proves_nothing(changes: dict[str, Any], failure: str) -> None:
    stranger = deployment("cache", namespace="evil", **changes)
    seen = found(deployment(), stranger, trust=Trust(frozenset(), workloads=frozenset({"kube-system/nfs"})))
    assert ([one.key for one in seen.old], seen.berths, seen.others) == (["kube-system/nfs"], (), ())
    assert seen.not_trusted == {"evil/cache"}
    (finding,) = seen.unclear
    assert (finding.id, finding.severity, called(finding)) == (failure, "warning", "deployment evil/cache")
    assert "not trusted, because its account evil/nfs has no binding for the whole cluster" in finding.seen.en
    assert finding.commands == ("berth takeover plan evil/cache",)


def test_an_account_that_may_provision_is_trusted_and_one_that_nobody_could_ask_about_is_not() -> None:
    assert [one.key for one in found(deployment(), trust=Trust(frozenset({"kube-system/nfs"}))).old]
    (finding,) = found(deployment(), trust=Trust()).unclear
    assert "nobody could be asked" in finding.seen.en


def test_an_application_that_mounts_a_share_is_no_business_of_ours() -> None:
    container = {"name": "app", "image": "shop:1", "envFrom": [{"secretRef": {"name": "s"}}],
                 "volumeMounts": [{"name": "data", "mountPath": "/data"}]}  # fmt: skip
    app = deployment("shop")
    app["spec"]["template"]["spec"] |= {
        "containers": [container],
        "volumes": [{"name": "data", "nfs": {"server": "h"}}],
    }
    assert found(app, trust=STRANGER).unclear == ()
    (finding,) = found(app).unclear  # whose account may provision
    assert "comes from elsewhere, not from the Deployment: Secret kube-system/s" in finding.seen.en
