"""The chart makes what `berth install` makes, takes the values of both older charts unchanged, and refuses others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import helm_python as helm
import pytest
import yaml

from berth.manifests.install import install_manifests
from berth.programs.controller import WORKLOAD
from berth.settings.install import ClassSettings, InstallSettings
from berth.volumes.parameters import parse_parameters
from tests.deploy.charts import CHART, comparable, notes, one, render

NEWEST = (1, 36)
BASE = InstallSettings(
    server="10.0.0.5", export="/srv/nfs/k8s", kubernetes=NEWEST, classes=(ClassSettings(provisioner="nfs.berth.io"),)
)
VALUES: dict[str, Any] = {
    "nfs": {"server": "10.0.0.5", "path": "/srv/nfs/k8s"},
    "storageClass": {"provisionerName": "nfs.berth.io"},
}
CASES = yaml.safe_load((Path(__file__).parent.parent / "data" / "values.yaml").read_text())


def merged(*layers: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            made[key] = {**made[key], **value} if isinstance(value, dict) and key in made else value
    return made


@pytest.mark.parametrize(
    ("more", "settings"),
    [
        pytest.param({}, BASE, id="by default"),
        pytest.param({"replicaCount": 1}, replace(BASE, replicas=1), id="one replica"),
        pytest.param(
            {"storageClass": {"defaultClass": True, "onDelete": "retain", "reclaimPolicy": "Retain"}},
            replace(
                BASE,
                classes=(
                    ClassSettings(
                        default=True,
                        parameters={"archiveOnDelete": "true", "onDelete": "retain"},
                        reclaim_policy="Retain",
                    ),
                ),
            ),
            id="a default class that keeps everything",
        ),
        pytest.param(
            {"nfs": {"mount": True, "mountOptions": ["nfsvers=4.1", "hard"]}},
            replace(
                BASE,
                mount=True,
                mount_options=("nfsvers=4.1", "hard"),
                classes=(ClassSettings(mount_options=("nfsvers=4.1", "hard")),),
            ),
            id="mounted, with options",
        ),
        pytest.param({"nfs": {"mount": True}}, replace(BASE, mount=True), id="mounted"),
        pytest.param({"reservedPort": "capability"}, replace(BASE, reserved_port="capability"), id="a capability"),
        pytest.param({"reservedPort": "none"}, replace(BASE, reserved_port="none"), id="no reserved port"),
        pytest.param({"serviceMonitor": {"enabled": True}}, replace(BASE, service_monitor=True), id="a monitor"),
        pytest.param({"prometheusRule": {"enabled": "true"}}, replace(BASE, prometheus_rule=True), id="alerts"),
        pytest.param(
            {"kubesphere": {"provisionerCapability": True}},
            replace(BASE, provisioner_capability=True),
            id="for KubeSphere 3.0",
        ),
        pytest.param(
            {"leaderElection": {"enabled": False}}, replace(BASE, leader_election=False, replicas=1), id="no election"
        ),
        pytest.param(
            {"provisionerNames": ["cluster.local/old"], "imagePullSecrets": [{"name": "registry"}]},
            replace(BASE, provisioners=("nfs.berth.io", "cluster.local/old"), pull_secrets=("registry",)),
            id="older names and a private registry",
        ),
        pytest.param(
            {"image": {"repository": "registry.example.com/berth", "tag": "1.2", "pullPolicy": "Always"}},
            replace(BASE, image="registry.example.com/berth:1.2", pull_policy="Always"),
            id="another image",
        ),
        pytest.param({"storageClass": {"create": False}}, replace(BASE, classes=()), id="no class"),
    ],
)
def test_the_chart_makes_what_install_makes(more: dict[str, Any], settings: InstallSettings) -> None:
    wanted = [one for one in install_manifests(settings, WORKLOAD) if one["kind"] != "Namespace"]
    assert comparable(render(merged(VALUES, more))) == comparable(wanted)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_values_of_the_older_charts_mean_the_same(case: dict[str, Any]) -> None:
    values = case["values"]
    made = render(values, release=case["release"], namespace="kube-system")
    of_class, deployment = one(made, "StorageClass"), one(made, "Deployment")
    wanted = values.get("storageClass", {})
    assert of_class["metadata"]["name"] == wanted.get("name", "nfs-client")
    is_default = of_class["metadata"]["annotations"].get("storageclass.kubernetes.io/is-default-class", "false")
    assert is_default == str(wanted.get("defaultClass", False)).lower()
    assert of_class["allowVolumeExpansion"] is wanted.get("allowVolumeExpansion", True)
    assert of_class["reclaimPolicy"] == wanted.get("reclaimPolicy", "Delete")
    # A class's parameters can't be changed: those of a class that is there already must come out to the letter.
    parameters = {"archiveOnDelete": str(wanted.get("archiveOnDelete", True)).lower()}
    parameters |= {key: wanted[key] for key in ("pathPattern", "onDelete") if wanted.get(key)}
    assert of_class["parameters"] == parameters
    parse_parameters(of_class["parameters"], server=values["nfs"]["server"], export=values["nfs"]["path"])
    assert of_class.get("mountOptions") == values["nfs"].get("mountOptions")
    spec = deployment["spec"]
    assert spec["replicas"] == values.get("replicaCount", 2)
    assert spec["strategy"]["type"] == values.get("strategyType", "RollingUpdate")
    (container,) = spec["template"]["spec"]["containers"]
    environment = {each["name"]: each.get("value") for each in container["env"]}
    assert environment["NFS_SERVER"] == values["nfs"]["server"]
    assert environment["NFS_PATH"] == values["nfs"]["path"]
    assert environment["PROVISIONER_NAME"] == of_class["provisioner"] == provisioner_of(case)
    assert container["image"] == "berth:0.1.0"  # the other provisioner's would not know what to do with `run`
    assert spec["template"]["spec"].get("affinity") == (values.get("affinity") or None)
    fs_group = values.get("podSecurityContext", {}).get("fsGroup")
    assert spec["template"]["spec"]["securityContext"].get("fsGroup") == fs_group
    assert spec["template"]["spec"]["securityContext"]["runAsNonRoot"] is True


def provisioner_of(case: dict[str, Any]) -> str:
    """What the older chart made: a class's provisioner can't be changed, and nobody can look here."""
    chart, release = case["chart"], case["release"]
    if case["id"] == "an addon of KubeKey":  # nothing in it tells the chart; KubeKey can look
        return f"cluster.local/{release}-berth"
    return f"cluster.local/{release}" if chart in release else f"cluster.local/{release}-{chart}"


def test_another_provisioners_image_is_told_of() -> None:
    with_image = next(case["values"] for case in CASES if "one's own registry" in case["id"])
    assert "192.168.15.124/google_containers/nfs-subdir-external-provisioner, which is another" in notes(with_image)
    assert "another provisioner's" not in notes(VALUES)


def test_the_notes_name_what_was_installed() -> None:
    told = notes(merged(VALUES, {"storageClass": {"name": "gold"}}), release="nfs-client", namespace="storage")
    for word in (
        "10.0.0.5:/srv/nfs/k8s",
        "-n storage rollout status deployment/nfs-client-berth",
        "storageClassName: gold",
    ):
        assert word in told
    assert "`helm -n storage uninstall nfs-client`" in told
    assert "kubectl apply" not in notes(merged(VALUES, {"storageClass": {"create": False}}))


def test_a_registry_that_kubesphere_sets_stands_in_front_of_the_image() -> None:
    made = render(
        merged(VALUES, {"global": {"imageRegistry": "registry.example.com/", "clusterInfo": {"name": "host"}}})
    )
    (container,) = one(made, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example.com/berth:0.1.0"


def test_nodes_that_kubesphere_chooses_are_added_to_those_of_the_values() -> None:
    chosen = {"global": {"nodeSelector": {"kubernetes.io/os": "linux", "disk": "any"}}, "nodeSelector": {"disk": "ssd"}}
    spec = one(render(merged(VALUES, chosen)), "Deployment")["spec"]["template"]["spec"]
    assert spec["nodeSelector"] == {"kubernetes.io/os": "linux", "disk": "ssd"}


@pytest.mark.parametrize(
    ("values", "named"),
    [
        pytest.param({"nfs": {"sever": "x"}}, "sever", id="a typing error"),
        pytest.param({"archiveOnDelete": False}, "archiveOnDelete", id="in the wrong place"),
        pytest.param({"storageClass": {"archiveOnDelete": "no"}}, "archiveOnDelete", id="neither true nor false"),
        pytest.param({"storageClass": {"onDelete": "remove"}}, "onDelete", id="an end that there is not"),
        pytest.param({"storageClass": {"parameters": {"uiid": 1}}}, "uiid", id="a parameter that there is not"),
        pytest.param({"replicaCount": "two"}, "replicaCount", id="a word for a number"),
        pytest.param({"replicaCount": "-1"}, "replicaCount", id="a number that can't be, as text"),
        pytest.param({"replicaCount": "1.5"}, "replicaCount", id="half a replica, as text"),
        pytest.param({"nfs": {"mount": "yes"}}, "mount", id="a word that may be a boolean"),
        pytest.param({"leaderElection": {"enabled": ""}}, "enabled", id="no boolean at all"),
        pytest.param({"leaderElection": {"enabled": "0"}}, "enabled", id="a number for a boolean"),
        pytest.param({"securityContext": {"privileged": "on"}}, "privileged", id="in a security context"),
        pytest.param({"podSecurityContext": {"fsGroup": "wheel"}}, "fsGroup", id="a name for an id"),
        pytest.param({"labels": {"app.kubernetes.io/name": "nfs"}}, "app.kubernetes.io/name", id="the selector's"),
        pytest.param(
            {"podSecurityContext": {"runAsUser": 0, "runAsNonRoot": True}}, "runAsNonRoot", id="root, and not root"
        ),
        pytest.param(
            {"podSecurityContext": {"runAsNonRoot": "true"}, "securityContext": {"runAsUser": "0"}},
            "runAsNonRoot",
            id="root, and not root, of container and pod",
        ),
        pytest.param(
            {"securityContext": {"privileged": True, "allowPrivilegeEscalation": False}},
            "allowPrivilegeEscalation",
            id="privileged, and without escalation",
        ),
        pytest.param({"nfs": {"mountOptions": "hard,nfsvers=3"}}, "mountOptions", id="a text for a list"),
        pytest.param({"strategyType": "Rolling"}, "strategyType", id="a strategy that there is not"),
    ],
)
def test_what_is_not_known_is_refused_by_name(values: dict[str, Any], named: str) -> None:
    with pytest.raises(helm.HelmError, match=named):
        render(merged(VALUES, values))


@pytest.mark.parametrize("key", ["server", "path"])
def test_a_missing_share_is_named_with_what_to_do(key: str) -> None:
    values = {"nfs": {name: text for name, text in VALUES["nfs"].items() if name != key}}
    with pytest.raises(helm.HelmError, match=f"nfs.{key} is not set: name the .*--set nfs.{key}="):
        render(values)


@pytest.mark.parametrize(
    "values", [VALUES, *(case["values"] for case in CASES)], ids=["ours", *(c["id"] for c in CASES)]
)
def test_lint_finds_nothing(values: dict[str, Any]) -> None:
    report = helm.lint(CHART, values, strict=True)
    assert report["errors"] == []
    assert {message["error"] for message in report["messages"]} <= {"icon is recommended"}


def test_every_value_is_in_the_schema_and_every_key_of_the_schema_has_a_default() -> None:
    with helm.Chart.load(CHART) as chart:
        schema = chart.schema
    assert schema is not None
    # From the file: loading drops keys without a value.
    assert keys_of(yaml.safe_load((CHART / "values.yaml").read_text()), schema) == keys_of_schema(schema)


OPEN = ("parameters", "podSecurityContext", "securityContext", "global")
"""Values whose fields have no defaults."""


def keys_of(values: dict[str, Any], schema: dict[str, Any], above: str = "") -> set[str]:
    found = set()
    for key, value in values.items():
        within = schema.get("properties", {}).get(key, {})
        is_open = "properties" not in within or key in OPEN
        found |= {f"{above}{key}"} if is_open else keys_of(value, within, f"{above}{key}.")
    return found


def keys_of_schema(schema: dict[str, Any], above: str = "") -> set[str]:
    found = set()
    for key, within in schema["properties"].items():
        is_open = "properties" not in within or key in OPEN
        found |= {f"{above}{key}"} if is_open else keys_of_schema(within, f"{above}{key}.")
    return found
