"""The chart on a real API server, by Helm's own code: installed, upgraded, in the place of an older chart, and gone."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import helm_python as helm
import pytest
import yaml

from berth import __version__
from devcluster.cluster import DevCluster
from tests.deploy.charts import CHART
from tests.e2e.waiting import until

CLASSES = "/apis/storage.k8s.io/v1/storageclasses"


class Release:
    """A release of the chart, and what the cluster has of it."""

    def __init__(self, cluster: DevCluster, namespace: str) -> None:
        token = secrets.token_hex(3)
        self.cluster = cluster
        self.namespace = namespace
        self.name = f"nfs-client-{token}"
        self.of_class = f"class-{token}"
        self.helm = helm.Config(kubeconfig_path=cluster.kubeconfig, namespace=namespace)

    def values(self, **more: Any) -> dict[str, Any]:
        share = {"server": "nfs.example.com", "path": "/srv"}
        return {"nfs": share, "storageClass": {"name": self.of_class}, "image": {"isThere": True}, **more}

    def provisioner_names(self) -> str:
        """What the controller answers to."""
        path = f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{self.name}-berth"
        (container,) = self.cluster.request("GET", path)["spec"]["template"]["spec"]["containers"]
        return next(str(one["value"]) for one in container["env"] if one["name"] == "PROVISIONER_NAME")

    def make_a_pod_ready(self) -> None:
        """As a kubelet would say it; returns once its Deployment has heard of it."""
        pods = f"/api/v1/namespaces/{self.namespace}/pods"
        pod = until("there is a pod", lambda: self.cluster.request("GET", pods)["items"])[0]
        pod["metadata"].pop("resourceVersion")
        ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        body = {**pod, "apiVersion": "v1", "kind": "Pod", "status": ready}
        self.cluster.request("PUT", f"{pods}/{pod['metadata']['name']}/status", body)
        path = f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{self.name}-berth"
        until("its Deployment knows", lambda: self.cluster.request("GET", path)["status"].get("readyReplicas"))

    def classes(self) -> dict[str, str]:
        """Each class's provisioner."""
        items = self.cluster.request("GET", CLASSES)["items"]
        return {one["metadata"]["name"]: one["provisioner"] for one in items}


@pytest.fixture
def release(cluster: DevCluster, namespace: str) -> Iterator[Release]:
    made = Release(cluster, namespace)
    yield made
    with made.helm:
        for one in made.helm.list():
            made.helm.uninstall(one["name"])


def test_it_is_installed_upgraded_and_gone_again(release: Release) -> None:
    done = release.helm.install(CHART, release.name, release.values())
    assert done["status"] == "deployed"
    assert f"kubectl -n {release.namespace} rollout status" in done["notes"]
    own = f"cluster.local/{release.name}-berth"
    assert release.provisioner_names() == release.classes()[release.of_class] == own
    # 1.20, to which the chart writes older kinds of some objects.
    assert "policy/v1beta1" in done["manifest"]
    assert "NET_BIND_SERVICE" in done["manifest"]
    upgraded = release.helm.upgrade(CHART, release.name, release.values(podSecurityPolicy={"enabled": True}))
    assert upgraded["revision"] == 2
    assert "kind: PodSecurityPolicy" in upgraded["manifest"]
    release.helm.uninstall(release.name)
    assert release.of_class not in release.classes()


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"podSecurityContext": {"runAsUser": 0}}, id="root"),
        pytest.param({"securityContext": {"privileged": True}}, id="privileged"),
        pytest.param({"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}, id="a capability that escalates"),
        pytest.param({"resources": {"limits": {"cpu": "100m", "memory": "50Mi"}}}, id="a small limit"),
        pytest.param({"replicaCount": "1", "podAnnotations": {"port": 8080}, "nodeSelector": {"a": True}}, id="text"),
    ],
)
def test_what_the_values_say_is_taken(release: Release, said: dict[str, Any]) -> None:
    """1.20 has policies for pods, too: one that its own pods can't meet would keep them from being made."""
    done = release.helm.install(CHART, release.name, release.values(podSecurityPolicy={"enabled": "true"}, **said))
    assert done["status"] == "deployed"
    policy = next(each for each in yaml.safe_load_all(done["manifest"]) if each["kind"] == "PodSecurityPolicy")["spec"]
    is_privileged = "securityContext" in said and "privileged" in said["securityContext"]
    assert (policy["privileged"], policy["allowPrivilegeEscalation"]) == (is_privileged, "securityContext" in said)


def test_a_class_of_the_older_chart_keeps_its_provisioner(release: Release, tmp_path: Path) -> None:
    """KubeKey upgrades a release in place, to another chart: its class's provisioner can't be changed."""
    older = f"cluster.local/{release.name}-nfs-client-provisioner"
    chart = {"apiVersion": "v2", "name": "nfs-client-provisioner", "version": "4.0.11"}
    of_class = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": release.of_class},
        "provisioner": older,
        "parameters": {"archiveOnDelete": "true"},
        "allowVolumeExpansion": False,
    }
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text(yaml.safe_dump(chart))
    (tmp_path / "templates" / "class.yaml").write_text(yaml.safe_dump(of_class))
    release.helm.install(tmp_path, release.name)
    assert release.classes()[release.of_class] == older
    release.helm.upgrade(CHART, release.name, release.values(provisionerNames=["nfs.berth.io"]))
    assert release.classes()[release.of_class] == older
    assert release.provisioner_names() == f"{older},nfs.berth.io"
    release.helm.upgrade(CHART, release.name, release.values())
    assert release.provisioner_names() == older


@pytest.fixture
def node(cluster: DevCluster) -> Iterator[Callable[..., None]]:
    """Says which images a node has that takes pods, and runs none."""
    name = f"node-{secrets.token_hex(3)}"
    path = "/api/v1/nodes"
    cluster.request("POST", path, {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})

    def tell(*images: str) -> None:
        status = {"images": [{"names": list(images)}]}
        whole = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "status": status}
        cluster.request("PUT", f"{path}/{name}/status", whole)

    yield tell
    cluster.request("DELETE", f"{path}/{name}")


def test_an_image_that_no_node_has_is_refused_before_anything_is_made(
    release: Release, node: Callable[..., None]
) -> None:
    node("docker.io/library/busybox:1")
    values = release.values(image={}, tolerations=[{"operator": "Exists"}])  # a node without a kubelet is tainted
    with pytest.raises(helm.HelmError, match=r"no registry has the image berth:.* Nothing was changed"):
        release.helm.install(CHART, release.name, values)
    assert release.helm.list() == []
    assert release.of_class not in release.classes()
    node(f"docker.io/library/berth:{__version__}")
    assert release.helm.install(CHART, release.name, values)["status"] == "deployed"
    node("docker.io/library/busybox:1")  # it tells of its largest images only
    with pytest.raises(helm.HelmError, match="no registry has the image"):
        release.helm.upgrade(CHART, release.name, {**values, "replicaCount": 1})
    release.make_a_pod_ready()
    assert release.helm.upgrade(CHART, release.name, {**values, "replicaCount": 1})["status"] == "deployed"
