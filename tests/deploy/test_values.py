"""What the chart's values say: in the place of the chart's own, never beside it, and as text where text is clear."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deploy.charts import Manifest, one, render

VALUES: Manifest = {"nfs": {"server": "192.0.2.1", "path": "/vol"}}


def deployed(**more: Any) -> Manifest:
    """The Deployment that these values make."""
    return one(render({**VALUES, **more}), "Deployment")


def pod(**more: Any) -> Manifest:
    """The spec of its pods."""
    found: Manifest = deployed(**more)["spec"]["template"]["spec"]
    return found


def container(**more: Any) -> Manifest:
    """Their only container."""
    (found,) = pod(**more)["containers"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    "said",
    [
        {"limits": {"cpu": "100m", "memory": "50Mi"}},
        {"limits": {"cpu": "5m"}},
        {"requests": {"memory": "1Gi"}},
        {"requests": {"cpu": "1m"}, "limits": {"memory": "1Gi"}},
        {},
    ],
    ids=str,
)
def test_resources_are_those_of_the_values_and_no_others(said: Manifest) -> None:
    assert container(resources=said)["resources"] == said


def test_resources_of_the_chart_stand_where_nothing_is_said() -> None:
    wanted = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}}
    assert container()["resources"] == container(resources=None)["resources"] == wanted


NOT_ROOT = {"runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532}
SECCOMP = {"seccompProfile": {"type": "RuntimeDefault"}}


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        pytest.param({}, {**NOT_ROOT, **SECCOMP}, id="nothing"),
        pytest.param(
            {"podSecurityContext": {"runAsUser": 0}}, {"runAsUser": 0, "runAsGroup": 65532, **SECCOMP}, id="root"
        ),
        pytest.param(
            {"podSecurityContext": {"runAsUser": "0", "runAsGroup": "0"}},
            {"runAsUser": 0, "runAsGroup": 0, **SECCOMP},
            id="root, as text",
        ),
        pytest.param(
            {"securityContext": {"runAsUser": 0}},
            {"runAsUser": 65532, "runAsGroup": 65532, **SECCOMP},
            id="root in the container",
        ),
        pytest.param(
            {"podSecurityContext": {"runAsUser": 0}, "securityContext": {"runAsUser": 1000}},
            {**NOT_ROOT, "runAsUser": 0, **SECCOMP},
            id="root in the pod, another user in the container",
        ),
        pytest.param(
            {"podSecurityContext": {"runAsNonRoot": False}}, {**NOT_ROOT, "runAsNonRoot": False, **SECCOMP}, id="false"
        ),
        pytest.param(
            {"podSecurityContext": {"seccompProfile": {"type": "Localhost", "localhostProfile": "a.json"}}},
            {**NOT_ROOT, "seccompProfile": {"type": "Localhost", "localhostProfile": "a.json"}},
            id="another profile",
        ),
        pytest.param(
            {"podSecurityContext": {"fsGroup": "1001420000"}}, {**NOT_ROOT, **SECCOMP, "fsGroup": 1001420000}, id="OKD"
        ),
        pytest.param(
            {"nfs": {**VALUES["nfs"], "mount": True}}, {"runAsUser": 0, "runAsGroup": 0, **SECCOMP}, id="mounted"
        ),
        pytest.param(
            {"nfs": {**VALUES["nfs"], "mount": "true"}, "podSecurityContext": {"runAsNonRoot": "true"}},
            {**NOT_ROOT, **SECCOMP},
            id="mounted, and not root",
        ),
        pytest.param(
            {
                "reservedPort": "sysctl",
                "podSecurityContext": {"sysctls": [{"name": "net.core.somaxconn", "value": "9"}]},
            },
            {
                **NOT_ROOT,
                **SECCOMP,
                "sysctls": [
                    {"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"},
                    {"name": "net.core.somaxconn", "value": "9"},
                ],
            },
            id="another sysctl",
        ),
    ],
)
def test_what_the_values_say_of_the_pod_is_not_contradicted(values: Manifest, wanted: Manifest) -> None:
    assert pod(**values)["securityContext"] == wanted


CAPABILITIES = {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        pytest.param(
            {},
            {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": CAPABILITIES},
            id="nothing",
        ),
        pytest.param(
            {"privileged": True},
            {"privileged": True, "readOnlyRootFilesystem": True, "capabilities": CAPABILITIES},
            id="privileged",
        ),
        pytest.param(
            {"privileged": "True", "allowPrivilegeEscalation": "true"},
            {
                "privileged": True,
                "allowPrivilegeEscalation": True,
                "readOnlyRootFilesystem": True,
                "capabilities": CAPABILITIES,
            },
            id="privileged, as text",
        ),
        pytest.param(
            {"capabilities": {"add": ["SYS_ADMIN"]}},
            {"readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}},
            id="a capability that escalates",
        ),
        pytest.param(
            {"capabilities": {"drop": ["NET_BIND_SERVICE"]}},
            {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["NET_BIND_SERVICE"]},
            },
            id="what the chart adds is dropped",
        ),
        pytest.param(
            {"readOnlyRootFilesystem": "FALSE"},
            {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": False, "capabilities": CAPABILITIES},
            id="a root that is written",
        ),
    ],
)
def test_what_the_values_say_of_the_container_is_not_contradicted(said: Manifest, wanted: Manifest) -> None:
    assert container(securityContext=said)["securityContext"] == wanted


def test_labels_stand_in_the_place_of_the_charts() -> None:
    found = deployed(labels={"app.kubernetes.io/managed-by": "Argo", "team": 7, "spot": True})["metadata"]["labels"]
    assert (found["app.kubernetes.io/managed-by"], found["team"], found["spot"]) == ("Argo", "7", "true")


def test_text_is_taken_where_it_is_clear() -> None:
    """As Argo CD's parameters and Flux's substitutions write it."""
    made = render(
        {
            "replicaCount": "1",
            "nfs": {"server": "192.0.2.1", "path": "/vol", "mount": "false"},
            "storageClass": {
                "defaultClass": "true",
                "archiveOnDelete": "false",
                "allowVolumeExpansion": "false",
                "parameters": {"uid": 1000000, "sharedPaths": True},
            },
            "leaderElection": {"enabled": "false"},
            "networkPolicy": {"enabled": "false"},
            "rbac": {"create": "false"},
            "serviceMonitor": {"enabled": "True", "labels": {"release": 1}},
            "podAnnotations": {"prometheus.io/port": 8080, "prometheus.io/scrape": True, "big": 12345678},
            "nodeSelector": {"disk": True},
            "tolerations": [{"operator": "Exists", "tolerationSeconds": "300"}],
            "podSecurityContext": {"supplementalGroups": ["1000", 1001420000]},
        }
    )
    kinds = {each["kind"] for each in made}
    assert not kinds & {"NetworkPolicy", "ClusterRole", "PodDisruptionBudget"}
    assert "ServiceMonitor" in kinds
    of_class, deployment = one(made, "StorageClass"), one(made, "Deployment")
    assert of_class["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true"
    assert of_class["allowVolumeExpansion"] is False
    assert of_class["parameters"] == {"archiveOnDelete": "false", "uid": "1000000", "sharedPaths": "true"}
    template = deployment["spec"]["template"]
    assert deployment["spec"]["replicas"] == 1
    assert template["metadata"]["annotations"] == {
        "prometheus.io/port": "8080",
        "prometheus.io/scrape": "true",
        "big": "12345678",
    }
    assert template["spec"]["nodeSelector"] == {"disk": "true"}
    assert template["spec"]["tolerations"] == [{"operator": "Exists", "tolerationSeconds": 300}]
    assert template["spec"]["securityContext"]["supplementalGroups"] == [1000, 1001420000]
    assert "volumes" not in template["spec"]
    election = [each for each in template["spec"]["containers"][0]["env"] if each["name"] == "ENABLE_LEADER_ELECTION"]
    assert [each["value"] for each in election] == ["false"]
    assert one(made, "ServiceMonitor")["metadata"]["labels"]["release"] == "1"


def rule(**labels: str) -> Manifest:
    term = {"labelSelector": {"matchLabels": labels}, "topologyKey": "kubernetes.io/hostname"}
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        pytest.param(
            {"affinity": rule(app="nfs-subdir-external-provisioner", release="storage")},
            ("nfs-subdir-external-provisioner", "storage"),
            id="the reference's",
        ),
        pytest.param(
            {"affinity": rule(app="nfs-client-provisioner")}, ("nfs-client-provisioner", "storage"), id="the older"
        ),
        pytest.param(
            {"nameOverride": "nfs", "image": {"repository": "example.com/nfs-subdir-external-provisioner"}},
            ("nfs", "storage"),
            id="under another name",
        ),
        pytest.param({"affinity": rule(app="database")}, (None, None), id="another program's"),
        pytest.param({}, (None, None), id="none"),
    ],
)
def test_pods_carry_the_labels_that_older_rules_select(values: Manifest, wanted: tuple[str | None, ...]) -> None:
    made = one(render({**VALUES, **values}, release="storage"), "Deployment")
    labels = made["spec"]["template"]["metadata"]["labels"]
    assert (labels.get("app"), labels.get("release")) == wanted
    assert "app" not in made["spec"]["selector"]["matchLabels"]


@pytest.mark.parametrize(
    ("values", "release", "wanted"),
    [
        pytest.param({}, "nfs-subdir-external-provisioner", "nfs-subdir-external-provisioner", id="by the release"),
        pytest.param({}, "my-nfs-client-provisioner", "my-nfs-client-provisioner", id="by the release, longer"),
        pytest.param(
            {"nfs": {**VALUES["nfs"], "volumeName": "nfs-subdir-external-provisioner-root"}},
            "nfs",
            "nfs-nfs-subdir-external-provisioner",
            id="by its volume",
        ),
        pytest.param(
            {"image": {"repository": "quay.io/external_storage/nfs-client-provisioner"}, "fullnameOverride": "mine"},
            "nfs",
            "mine",
            id="under a full name",
        ),
        pytest.param(
            {
                "image": {"repository": "registry.k8s.io/sig-storage/nfs-subdir-external-provisioner"},
                "storageClass": {"provisionerName": "nfs/kept"},
            },
            "nfs",
            None,
            id="named",
        ),
        pytest.param({}, "nfs", "nfs-berth", id="not told"),
    ],
)
def test_a_class_keeps_its_provisioner_where_nobody_can_look(
    values: Manifest, release: str, wanted: str | None
) -> None:
    """Argo CD renders without a cluster, and a class's provisioner can't be changed."""
    made = render({**VALUES, **values}, release=release)
    assert one(made, "StorageClass")["provisioner"] == (f"cluster.local/{wanted}" if wanted else "nfs/kept")
