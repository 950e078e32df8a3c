"""From what a release has, and nothing else, to a bound claim: the command pushes image and chart into a registry, and
a node runs Berth from there, by `berth install` and by Helm; or it imports the image, where there is no registry.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import helm_python as helm
import pytest

from berth import __version__
from berth.settings.home import HOME
from berth.texts.images import read_image
from devcluster.cluster import DevCluster
from devcluster.node.node import Node
from devcluster.registry import PASSWORD, USER, Registry
from release import chart, oci
from release.labels import labels
from release.machines import MACHINES, native

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

AT_MOST = 60.0
"""Seconds from the first command to a claim that is bound."""
SECRET = "registry-login"


@pytest.fixture(scope="module")
def dist(native_root: Path, berth_command: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `make release` fills it, for this machine: command, image, chart."""
    folder, work = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("layout")
    shutil.copy2(berth_command, folder / f"berth-{__version__}-linux-{native().name}")
    layout = oci.Layout(work)
    for machine in MACHINES:
        # With this machine's files in each of them: what matters is which one a node takes.
        layout.add(machine, native_root, labels())
    layout.write(folder / f"berth-{__version__}-image.tar", HOME.image)
    chart.make(folder / f"berth-chart-{__version__}.tgz")
    return folder


@pytest.fixture
def registry(node: Node) -> Iterator[Registry]:
    """One that wants a login, and which this node reaches."""
    with Registry(login=True) as running, node.reaching(running.host):
        yield running


class Newcomer:
    """Somebody with the files of a release, an account at the registry and a cluster; and no Python, no checkout."""

    def __init__(self, dist: Path, home: Path, cluster: DevCluster, node: Node, namespace: str) -> None:
        self.dist, self.home, self.cluster, self.node, self.namespace = dist, home, cluster, node, namespace
        self.begun = time.monotonic()

    @property
    def command(self) -> str:
        return str(self.dist / f"berth-{__version__}-linux-{native().name}")

    def berth(self, *arguments: str) -> str:
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "KUBECONFIG": str(self.cluster.kubeconfig)}
        done = subprocess.run(
            [self.command, *arguments],
            env=environment, cwd="/", capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def log_in(self, host: str) -> None:
        login = {"auths": {host: {"auth": base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}}}
        (self.home / ".docker").mkdir()
        (self.home / ".docker/config.json").write_text(json.dumps(login))
        secret = {
            "metadata": {"name": SECRET},
            "type": "kubernetes.io/dockerconfigjson",
            "data": {".dockerconfigjson": base64.b64encode(json.dumps(login).encode()).decode()},
        }
        self.cluster.request("POST", f"/api/v1/namespaces/{self.namespace}/secrets", secret)

    def push(self, host: str) -> str:
        """The reference that pins what was pushed."""
        self.log_in(host)
        told = self.berth("image", "push", f"{host}/storage/berth", "--insecure-registry", "-o", "json")
        return str(json.loads(told)["image"]["reference"])

    def install(self, image: str, *more: str) -> None:
        name = self.namespace
        share = ["--server", self.node.nfs.host, "--path", self.node.nfs.export]
        names = ["--namespace", name, "--name", name, "--class", name, "--provisioner-name", f"nfs.berth.io/{name}"]
        self.berth("install", *share, *names, "--image", image, "--use-existing", "--apply", "--timeout", "60", *more)

    def wait_bound(self) -> float:
        """Makes a claim; seconds from the beginning until it is bound."""
        claims = f"/api/v1/namespaces/{self.namespace}/persistentvolumeclaims"
        spec = {
            "storageClassName": self.namespace,
            "accessModes": ["ReadWriteMany"],
            "resources": {"requests": {"storage": "1Gi"}},
        }
        self.cluster.request("POST", claims, {"metadata": {"name": "data"}, "spec": spec})
        while self.cluster.request("GET", f"{claims}/data")["status"]["phase"] != "Bound":
            assert time.monotonic() - self.begun < 3 * AT_MOST
            time.sleep(0.05)
        return time.monotonic() - self.begun

    def told_by_nodes(self) -> set[str]:
        """Images that the nodes say they have."""
        nodes = self.cluster.request("GET", "/api/v1/nodes")["items"]
        return {name for node in nodes for image in node["status"].get("images", []) for name in image["names"]}

    def images_of_pods(self) -> set[str]:
        """What Berth's pods run, as the kubelet tells it."""
        pods = self.cluster.request("GET", f"/api/v1/namespaces/{self.namespace}/pods")["items"]
        return {pod["status"]["containerStatuses"][0]["imageID"] for pod in pods if pod["status"]["phase"] == "Running"}


@pytest.fixture
def newcomer(dist: Path, tmp_path: Path, cluster: DevCluster, node: Node, namespace: str) -> Newcomer:
    home = tmp_path / "home"
    home.mkdir()
    return Newcomer(dist, home, cluster, node, namespace)


def test_by_the_command(newcomer: Newcomer, registry: Registry) -> None:
    image = newcomer.push(registry.host)
    newcomer.install(image, "--pull-secret", SECRET)
    taken, ran = newcomer.wait_bound(), newcomer.images_of_pods()
    newcomer.berth("uninstall", "--yes", "--namespace", newcomer.namespace, "--name", newcomer.namespace)
    assert ran == {image}
    assert taken < AT_MOST


def test_by_helm(newcomer: Newcomer, registry: Registry, tmp_path: Path) -> None:
    image = newcomer.push(registry.host)
    repository, _, digest = image.partition("@")
    name = newcomer.namespace
    values = {
        "nfs": {"server": newcomer.node.nfs.host, "path": newcomer.node.nfs.export},
        "storageClass": {"name": name, "provisionerName": f"nfs.berth.io/{name}"},
        "image": {"repository": repository, "digest": digest},
        "imagePullSecrets": [SECRET],
    }
    with (
        helm.RegistryClient(plain_http=True, credentials_file=tmp_path / "helm.json") as client,
        helm.Config(kubeconfig_path=newcomer.cluster.kubeconfig, namespace=name) as config,
    ):
        client.login(registry.host, USER, PASSWORD, plain_http=True)
        config.set_registry_client(client)
        place = f"oci://{registry.host}/storage/berth-chart"
        config.install(place, name, values, chart_version=__version__, plain_http=True)
        taken, ran = newcomer.wait_bound(), newcomer.images_of_pods()
        config.uninstall(name)
    assert ran == {image}
    assert taken < AT_MOST


def test_without_a_registry(newcomer: Newcomer) -> None:
    node, name = newcomer.node, read_image(HOME.image).whole
    unpack = f"HOME={newcomer.home}"
    told = node.run("env", unpack, newcomer.command, "image", "load", "-o", "json")
    loaded = json.loads(told)
    assert (loaded["image"], loaded["runtime"], loaded["wasThere"]) == (name, "ctr", False)
    assert json.loads(node.run("env", unpack, newcomer.command, "image", "load", "-o", "json"))["wasThere"]
    while name not in newcomer.told_by_nodes():
        assert time.monotonic() - newcomer.begun < AT_MOST
        time.sleep(0.1)
    newcomer.install(HOME.image)
    taken = newcomer.wait_bound()
    newcomer.berth("uninstall", "--yes", "--namespace", newcomer.namespace, "--name", newcomer.namespace)
    node.run("ctr", "--namespace=k8s.io", "images", "rm", "--sync", name)
    assert taken < AT_MOST
