"""Everything of an installation: valid for every Kubernetes there is, and what a cluster's guards want to see."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import kubernetes_validate
import pytest

from berth.kube.config import load
from berth.kube.manifest import ManifestApi
from berth.manifests.classes import CONSOLE, DEFAULT_KEYS, storage_class
from berth.manifests.install import install_manifests
from berth.programs.controller import WORKLOAD
from berth.settings.controller import load_controller_settings
from berth.settings.install import ClassSettings, InstallSettings
from berth.volumes.errors import Refused
from devcluster.cluster import DevCluster
from tests.manifests.settings import SETTINGS

FOREIGN = ("ServiceMonitor", "PrometheusRule", "ProvisionerCapability")
"""Kinds that others define."""
ALWAYS_ALIKE = ("ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "Service", "Namespace")
LATEST = int(kubernetes_validate.latest_version().split(".")[1])
DEFAULT = SETTINGS["the default"]

Manifest = dict[str, Any]


def made(settings: InstallSettings) -> list[Manifest]:
    return install_manifests(settings, WORKLOAD)


def one(settings: InstallSettings, kind: str) -> Manifest:
    (found,) = [manifest for manifest in made(settings) if manifest["kind"] == kind]
    return found


def pod_of(settings: InstallSettings) -> Manifest:
    spec: Manifest = one(settings, "Deployment")["spec"]["template"]["spec"]
    return spec


def container_of(settings: InstallSettings) -> Manifest:
    (container,) = pod_of(settings)["containers"]
    return dict(container)


@pytest.mark.slow
@pytest.mark.parametrize("minor", range(25, LATEST + 1))
def test_every_object_is_valid_to_the_letter(minor: int) -> None:
    seen: list[str] = []
    for settings in SETTINGS.values():
        for manifest in made(replace(settings, kubernetes=(1, minor))):
            kind = manifest["kind"]
            if kind not in FOREIGN and not (kind in ALWAYS_ALIKE and kind in seen):
                kubernetes_validate.validate(manifest, f"1.{minor}", strict=True)
                seen.append(kind)


def test_kubernetes_1_20_takes_every_object(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        async with ManifestApi(load(str(cluster.kubeconfig))) as api:
            version = await api.version()
            for settings in SETTINGS.values():
                for manifest in made(replace(settings, namespace=namespace, kubernetes=version)):
                    if manifest["kind"] not in FOREIGN:
                        answer = await api.apply(manifest, manager="test", dry_run=True)
                        assert_kept(manifest, answer)

    asyncio.run(main())


def assert_kept(sent: Any, stored: Any) -> None:
    """Whatever was sent is in what would be stored: nothing was dropped as unknown."""
    if isinstance(sent, dict):
        for key, value in sent.items():
            if value == "":  # stored as if it had not been sent, and it means the same
                continue
            assert key in stored, f"{key} was dropped"
            assert_kept(value, stored[key])
    elif isinstance(sent, list):
        assert len(sent) == len(stored)
        for inner, kept in zip(sent, stored, strict=True):
            assert_kept(inner, kept)


def test_the_container_starts_with_the_settings_that_were_asked_for() -> None:
    container = container_of(SETTINGS["everything"])
    of_pod = {"metadata.name": "gold-0", "metadata.namespace": "storage", "status.podIP": "fd00::7"}
    environment: dict[str, str] = {}
    for each in container["env"]:  # as the kubelet fills it in
        value = each["value"] if "value" in each else of_pod[each["valueFrom"]["fieldRef"]["fieldPath"]]
        for name, known in environment.items():
            value = value.replace(f"$({name})", known)
        environment[each["name"]] = value
    settings = load_controller_settings(environment, {})
    assert settings.provisioners == SETTINGS["everything"].provisioners
    assert (settings.server, settings.export) == ("nfs.example.com", "/srv/nfs/k8s")
    assert (settings.identity, settings.namespace) == ("gold-0", "storage")
    assert settings.listen == ("fd00::7", 8080)
    assert settings.leader_election
    assert container["args"] == ["run"]


@pytest.mark.parametrize(("version", "api"), [((1, 20), "policy/v1beta1"), ((1, 21), "policy/v1"), (None, "policy/v1")])
def test_the_disruption_budget_is_of_a_version_that_the_cluster_has(version: tuple[int, int] | None, api: str) -> None:
    assert one(replace(DEFAULT, kubernetes=version), "PodDisruptionBudget")["apiVersion"] == api


@pytest.mark.parametrize("name", SETTINGS)
def test_nothing_reaches_the_pods_but_at_the_port_of_probes_and_metrics(name: str) -> None:
    settings = SETTINGS[name]
    policy = one(settings, "NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress"]  # what Berth calls, at whatever ports, stays open
    template = one(settings, "Deployment")["spec"]["template"]
    assert policy["podSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    (container,) = template["spec"]["containers"]
    (port,) = container["ports"]
    assert policy["ingress"] == [{"ports": [{"port": port["containerPort"], "protocol": "TCP"}]}]
    assert {container[probe]["httpGet"]["port"] for probe in ("livenessProbe", "readinessProbe")} == {port["name"]}


def test_a_single_pod_has_no_disruption_budget_that_could_hold_up_a_drain() -> None:
    assert "PodDisruptionBudget" not in {manifest["kind"] for manifest in made(replace(DEFAULT, replicas=1))}


@pytest.mark.parametrize(
    ("version", "asked", "means"),
    [
        ((1, 20), "auto", "capability"),
        ((1, 36), "auto", "capability"),
        (None, "auto", "capability"),
        (None, "sysctl", "sysctl"),
        ((1, 36), "none", "none"),
    ],
)
def test_a_reserved_port_is_got_without_being_root(version: tuple[int, int] | None, asked: Any, means: str) -> None:
    settings = replace(DEFAULT, kubernetes=version, reserved_port=asked)
    pod, container = pod_of(settings), container_of(settings)
    has_sysctl = [each["name"] for each in pod["securityContext"].get("sysctls", [])]
    assert has_sysctl == (["net.ipv4.ip_unprivileged_port_start"] if means == "sysctl" else [])
    security = container["securityContext"]
    added = security["capabilities"].get("add", [])
    assert added == (["NET_BIND_SERVICE"] if means == "capability" else [])
    assert security["allowPrivilegeEscalation"] is False


def test_the_pod_keeps_the_strictest_rules_for_pods() -> None:
    """Those of the Pod Security level `restricted`."""
    settings = replace(DEFAULT, kubernetes=(1, 30))
    pod, security = pod_of(settings), container_of(settings)["securityContext"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert security == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
    }
    assert not pod.get("volumes")
    assert not any(pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC"))


def test_there_is_a_namespace_unless_the_cluster_has_it_anyway() -> None:
    assert one(DEFAULT, "Namespace")["metadata"]["name"] == "berth-system"
    kinds = {manifest["kind"] for manifest in made(replace(DEFAULT, namespace="kube-system"))}
    assert "Namespace" not in kinds


def test_a_class_carries_what_kubespheres_consoles_read() -> None:
    found = storage_class(DEFAULT, ClassSettings(default=True))
    assert found["metadata"]["annotations"] == {**CONSOLE, **dict.fromkeys(DEFAULT_KEYS, "true")}
    assert CONSOLE["storageclass.kubesphere.io/supported-access-modes"].startswith('["ReadWriteOnce"')


def test_a_class_that_is_not_to_be_the_default_says_nothing_about_it() -> None:
    """A second run would take back what `berth class default` did in between."""
    annotations = storage_class(DEFAULT, ClassSettings())["metadata"]["annotations"]
    assert not set(DEFAULT_KEYS) & set(annotations)


def test_the_capability_for_kubesphere_3_0_is_named_as_it_looks_for_it() -> None:
    of_legacy = ClassSettings(provisioner="cluster.local/nfs-client")
    found = one(replace(DEFAULT, provisioner_capability=True, classes=(of_legacy,)), "ProvisionerCapability")
    assert found["metadata"]["name"] == "cluster-local-nfs-client"
    assert found["spec"]["pluginInfo"]["name"] == "cluster.local/nfs-client"


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        (ClassSettings(parameters={"archiveOnDelet": "true"}), "archiveOnDelet"),
        (ClassSettings(parameters={"pathPattern": "${.PVC.nmae}"}), "pathPattern"),
        (ClassSettings(mount_options=("nfsvers=5",)), "mountOptions"),
    ],
)
def test_a_class_that_the_controller_would_refuse_is_refused_here(wanted: ClassSettings, named: str) -> None:
    with pytest.raises(Refused, match=named):
        made(replace(DEFAULT, classes=(wanted,)))


def test_every_object_can_be_found_again() -> None:
    for settings in SETTINGS.values():
        for manifest in made(settings):
            if manifest["kind"] != "Namespace":
                labels = manifest["metadata"]["labels"]
                assert labels["app.kubernetes.io/managed-by"] == "berth"
                assert labels["app.kubernetes.io/instance"] == settings.name
