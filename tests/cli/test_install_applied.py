"""`berth install --apply` as people see it: what it says while it waits, at the end, and when it is interrupted."""

from __future__ import annotations

import secrets
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from devcluster.cluster import DevCluster
from tests.cli.command import PROGRAM, environment

READY = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}


class Installing:
    """One installation of a test's own, by the program itself."""

    def __init__(self, cluster: DevCluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.name = f"berth-{secrets.token_hex(4)}"
        self.env = environment({"KUBECONFIG": str(cluster.kubeconfig)})

    @contextmanager
    def start(self, *options: str) -> Iterator[subprocess.Popen[str]]:
        """The command, under way."""
        argv = [
            str(PROGRAM), "install", "--apply", "--server=nfs.example.com", "--path=/srv", f"--class={self.name}",
            f"--provisioner-name={self.name}.example/nfs", *self.where(), *options,
        ]  # fmt: skip
        with subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.env, bufsize=1
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def make_pods_ready(self) -> None:
        """As a kubelet would."""
        selector = f"app.kubernetes.io/instance%3D{self.name}"
        path = f"/api/v1/namespaces/{self.namespace}/pods"
        for pod in self.cluster.request("GET", f"{path}?labelSelector={selector}")["items"]:
            whole = {**pod, "apiVersion": "v1", "kind": "Pod", "status": READY}
            self.cluster.request("PUT", f"{path}/{pod['metadata']['name']}/status", whole)

    def uninstall(self, *options: str) -> subprocess.CompletedProcess[str]:
        argv = [str(PROGRAM), "uninstall", *self.where(), *options]
        return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, env=self.env)

    def where(self) -> list[str]:
        return [f"--name={self.name}", f"--namespace={self.namespace}"]


def read_until(process: subprocess.Popen[str], words: str) -> list[str]:
    """The lines up to one with these words; the test's own deadline ends it otherwise."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if words in line:
            return lines
    raise AssertionError(f"ended without {words!r}: {lines}")


@pytest.fixture
def installing(cluster: DevCluster, namespace: str) -> Iterator[Installing]:
    """Its pods go to no node, not even where other tests have one: these tests play the kubelet."""
    nodes = cluster.kubectl("get", "nodes", "--output=name").split()
    for node in nodes:
        cluster.kubectl("cordon", node)
    made = Installing(cluster, namespace)
    yield made
    made.uninstall()
    for node in nodes:
        cluster.kubectl("uncordon", node)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("lang", "waits", "serves"),
    [
        ("en", "0 of 2 pods ready: ", "Berth serves nfs.example.com:/srv: claims of class {name} get"),
        (
            "zh",
            "2 个 Pod 中 0 个就绪：",
            "Berth 已就绪，共享目录为 nfs.example.com:/srv，存储类 {name} 可以使用了",
        ),
    ],
)
def test_it_waits_for_the_pods_and_says_what_is_served(
    installing: Installing, lang: str, waits: str, serves: str
) -> None:
    with installing.start(f"--lang={lang}") as process:
        read_until(process, waits)
        installing.make_pods_ready()
        told = read_until(process, serves.format(name=installing.name))
        rest, complaints = process.communicate(timeout=60)
    assert process.returncode == 0, (told, rest, complaints)
    assert "Traceback" not in complaints
    removed = installing.uninstall(f"--lang={lang}")
    assert removed.returncode == 0
    assert {"en": "kept: all data, all claims, and 0 PVs", "zh": "已保留：全部数据"}[lang] in removed.stdout


@pytest.mark.timeout(60)
def test_interrupted_it_says_so_and_what_was_applied_stays(installing: Installing) -> None:
    with installing.start() as process:
        read_until(process, "0 of 2 pods ready: ")
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=30)
    assert process.returncode == 130
    assert complaints == "berth: interrupted\n"
    assert installing.uninstall().returncode == 0


@pytest.mark.timeout(60)
def test_names_are_given_up_by_those_who_name_others_and_by_nobody_else(installing: Installing) -> None:
    own = f"{installing.name}.example/nfs"

    def install(*options: str) -> str:
        with installing.start("--no-class", "--timeout=0", *options) as process:
            _, complaints = process.communicate(timeout=30)
        return complaints

    install(f"--provisioner-name={own},cluster.local/old")
    assert "answers to" not in install("--provisioner-name=nfs.berth.io")
    install(f"--provisioner-name={own},cluster.local/old")
    argv = [str(PROGRAM), "install", "--apply", "--server=nfs.example.com", "--path=/srv", *installing.where()]
    refused = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False, env=installing.env)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"repeat `--provisioner-name {own},cluster.local/old`" in refused.stderr
    assert refused.stderr.count("\n") == 1
