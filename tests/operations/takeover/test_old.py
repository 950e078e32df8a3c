"""Reference provisioners are found by what they are, whatever they are called."""

from __future__ import annotations

from typing import Any

import pytest

from berth.operations.takeover.old import REPLICAS_BEFORE, TAKEN_OVER_BY
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
    (remark,) = seen.unclear
    assert (remark.id, remark.about) == ("provisioner-unclear", "deployment kube-system/nfs")
    assert said in remark.seen.en


def test_what_was_written_on_it_is_read_again() -> None:
    annotations = {REPLICAS_BEFORE: "3", TAKEN_OVER_BY: "berth-system/berth"}
    (old,) = found(deployment(annotations=annotations, replicas=0)).old
    assert (old.before, old.taken_by, old.replicas) == (3, "berth-system/berth", 0)


def test_whoever_would_scale_it_up_again_is_named() -> None:
    (remark,) = found(deployment(labels={"argocd.argoproj.io/instance": "storage"})).unclear
    assert remark.id == "provisioner-kept-by-gitops"
    assert "Argo CD" in remark.seen.en


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
