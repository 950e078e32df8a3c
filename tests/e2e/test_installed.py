"""What `berth install` makes runs for real: its image on a real node, its user, its rights, its probes, its upgrade."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from devcluster.cluster import DevCluster
from devcluster.errors import CommandFailed
from devcluster.node.node import Node
from tests.e2e.waiting import until

PATIENCE = 20.0
"""Seconds that no claim may wait, whatever happens to Berth."""
FROM_ZERO = 180.0
"""Seconds from `berth install --apply` to a claim that is bound."""


PYTHON = ("/usr/bin/python3.11", "-c")
"""The one program that the image has."""


class Installation:
    """Berth in a namespace of its own, with a class and a provisioner of its own."""

    def __init__(self, cluster: DevCluster, node: Node, namespace: str) -> None:
        self.cluster = cluster
        self.node = node
        self.namespace = namespace
        self.claims: dict[str, float] = {}
        self.begun = time.monotonic()

    def berth(self, *arguments: str) -> str:
        answer = self.run(*arguments)
        assert answer.returncode == 0, f"{answer.stdout}\n{answer.stderr}"
        return answer.stdout

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command to its end, whatever that is."""
        argv = [str(Path(sys.executable).with_name("berth")), *arguments]
        env = {**os.environ, "KUBECONFIG": str(self.cluster.kubeconfig), "LANG": "C.UTF-8"}
        return subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False, env=env)

    def install(self, image: str) -> None:
        # There since this moment: kubelets tell of new images once in a while.
        self.berth(*self.command(image), "--image-is-there")

    def command(self, image: str) -> list[str]:
        """What installs it."""
        name, nfs = self.namespace, self.node.nfs
        return [
            "install", "--apply", f"--image={image}", f"--server={nfs.host}", f"--path={nfs.export}", "--use-existing",
            f"--namespace={name}", f"--name={name}", f"--class={name}", f"--provisioner-name=nfs.berth.io/{name}",
            "--on-delete=delete", "--timeout=60",
        ]  # fmt: skip

    def alarms(self) -> list[dict[str, Any]]:
        """What the doctor finds wrong with it. Other tests may have left theirs in the same cluster."""
        argv = [str(Path(sys.executable).with_name("berth")), "doctor", "-o", "json"]
        env = {**os.environ, "KUBECONFIG": str(self.cluster.kubeconfig)}
        answer = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, env=env)
        report = json.loads(answer.stdout)
        assert "provisioners" in report["checks"]
        found = [*report["findings"], *report["unseen"]]
        return [each for each in found if self.namespace in json.dumps(each) and each.get("severity") != "note"]

    def pods(self) -> list[dict[str, Any]]:
        """Berth's pods, those that are going left out."""
        told = self.cluster.request("GET", f"/api/v1/namespaces/{self.namespace}/pods")
        return [pod for pod in told["items"] if "deletionTimestamp" not in pod["metadata"]]

    def claim(self, name: str) -> None:
        body = {
            "metadata": {"name": name},
            "spec": {
                "storageClassName": self.namespace,
                "accessModes": ["ReadWriteMany"],
                "resources": {"requests": {"storage": "1Gi"}},
            },
        }
        self.cluster.request("POST", f"/api/v1/namespaces/{self.namespace}/persistentvolumeclaims", body)
        self.claims[name] = time.monotonic()

    def check_patience(self) -> list[str]:
        """The claims that are not bound yet; none of them has waited too long."""
        told = self.cluster.request("GET", f"/api/v1/namespaces/{self.namespace}/persistentvolumeclaims")
        waiting = [claim["metadata"]["name"] for claim in told["items"] if claim["status"]["phase"] != "Bound"]
        longest = max((time.monotonic() - self.claims[name] for name in waiting), default=0.0)
        assert longest < PATIENCE, f"{waiting} wait for {longest:.0f} s"
        return waiting


@pytest.fixture
def installation(cluster: DevCluster, node: Node, namespace: str, berth_image: str) -> Iterator[Installation]:
    made = Installation(cluster, node, namespace)
    made.install(berth_image)
    yield made
    made.berth("uninstall", "--yes", "--namespace", namespace, "--name", namespace)


def test_an_installation_works_as_its_own_user_and_is_upgraded_under_load(
    installation: Installation, node: Node, berth_image: str
) -> None:
    namespace = installation.namespace
    installation.claim("first")
    while installation.check_patience():
        time.sleep(0.05)
    assert time.monotonic() - installation.begun < FROM_ZERO
    made = [path.name for path in node.nfs.root.iterdir() if path.name.startswith(f"{namespace}-first-")]
    assert len(made) == 1

    assert installation.alarms() == []

    before = {pod["metadata"]["name"] for pod in installation.pods()}
    assert len(before) == 2
    for name in before:
        # Nobody on the node, nothing to write to, and no more than the right to call from a reserved port: the export
        # takes requests from no others.
        status = node.pods.exec(namespace, name, *PYTHON, "print(open('/proc/1/status').read())")
        assert "Uid:\t65532\t65532\t65532\t65532\n" in status
        with pytest.raises(CommandFailed, match="Read-only file system"):
            node.pods.exec(namespace, name, *PYTHON, "open('/usr/lib/berth/mark', 'w')")
        assert "CapBnd:\t0000000000000400\n" in status
        assert "NoNewPrivs:\t" in status

    following = f"{berth_image}-next"
    node.run("ctr", "--namespace=k8s.io", "images", "tag", "--force", berth_image, following)
    with ThreadPoolExecutor(max_workers=1) as pool:
        upgrade = pool.submit(installation.install, following)
        for number in count():
            if upgrade.done():
                break
            installation.claim(f"during-{number}")
            installation.check_patience()
            time.sleep(0.5)
        upgrade.result()
    assert number > 0
    installation.claim("last")
    while installation.check_patience():
        time.sleep(0.1)
    after = installation.pods()
    assert before.isdisjoint(pod["metadata"]["name"] for pod in after)
    assert [pod["spec"]["containers"][0]["image"] for pod in after] == [following, following]
    assert {pod["status"]["containerStatuses"][0]["restartCount"] for pod in after} == {0}
    assert len({path.name for path in node.nfs.root.glob(f"{namespace}-*")}) == len(installation.claims)
    assert installation.alarms() == []


def test_an_image_that_the_node_lacks_is_refused_before_anything_is_made_and_taken_once_it_has_it(
    cluster: DevCluster, node: Node, namespace: str, berth_image: str
) -> None:
    made, image = Installation(cluster, node, namespace), f"berth:{namespace}"
    refused = made.run(*made.command(image))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"berth: no registry has the image {image}, and no node has it (1 node looked at)")
    assert made.pods() == []
    with pytest.raises(CommandFailed, match="NotFound"):
        cluster.kubectl("get", "clusterrole", namespace)
    node.run("ctr", "--namespace=k8s.io", "images", "tag", "--force", berth_image, f"docker.io/library/{image}")
    images = ("get", "nodes", "--output=jsonpath={.items[*].status.images[*].names}")
    until("the node tells of it", lambda: image in cluster.kubectl(*images), deadline=90)
    made.berth(*made.command(image))
    made.berth("uninstall", "--yes", "--namespace", namespace, "--name", namespace)
