"""The node is a real one: it runs pods, tells what it sees, and leaves nothing behind."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from devcluster.cluster import DevCluster
from devcluster.errors import CommandFailed
from devcluster.node.node import Node
from tests.running import running

ROOT = Path(__file__).parents[2]

ASK_FOR_ME = """
set -e
account=/var/run/secrets/kubernetes.io/serviceaccount
test -s $account/ca.crt
exec wget -q -O - --no-check-certificate --header "Authorization: Bearer $(cat $account/token)" \
    "https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT/api/v1/namespaces/$(cat $account/namespace)/pods"
"""

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "terminationGracePeriodSeconds": 1,
                "containers": [
                    {
                        "name": "main",
                        "image": "localhost/busybox:dev",
                        "command": ["sh", "-c", "mkdir /www; echo it is $VERSION > /www/index.html; httpd -fvh /www"],
                        "env": [{"name": "VERSION", "value": "1"}],
                        "readinessProbe": {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 1},
                    }
                ],
            },
        },
    },
}


def test_a_pod_asks_the_api_server_as_its_service_account(cluster: DevCluster, node: Node, namespace: str) -> None:
    cluster.kubectl(
        "create", "rolebinding", "see", "-n", namespace, "--clusterrole=view", f"--serviceaccount={namespace}:default"
    )
    code, printed = node.pods.output(namespace, "asks", ["sh", "-c", ASK_FOR_ME])
    assert code == 0, printed
    assert [pod["metadata"]["name"] for pod in json.loads(printed)["items"]] == ["asks"]


def test_a_pod_reaches_nfs_and_this_machine_reaches_the_pod(node: Node, namespace: str) -> None:
    serve = "mkdir /www; echo hello > /www/index.html; exec httpd -fh /www"
    node.pods.create(namespace, "serves", ["sh", "-c", serve])
    pod = node.pods.wait_ready(namespace, "serves")
    with socket.create_connection((pod["status"]["podIP"], 80), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert connection.makefile().read().endswith("hello\n")
    for port in ("2049", "20048", "111"):
        node.pods.exec(namespace, "serves", "nc", "-w", "2", node.nfs.host, port, "-e", "true")
    with pytest.raises(CommandFailed, match="refused"):
        node.pods.exec(namespace, "serves", "nc", "-w", "2", node.nfs.host, "2", "-e", "true")


def test_logs_exec_and_exit_codes_are_the_containers_own(node: Node, namespace: str) -> None:
    node.pods.create(
        namespace, "talks", ["sh", "-c", "echo started; trap 'echo told to stop; exit 3' TERM; sleep 60 & wait"]
    )
    node.pods.wait_ready(namespace, "talks")
    assert node.pods.exec(namespace, "talks", "hostname") == "talks\n"
    with suppress(CommandFailed):  # when its first process ends, the container's others are killed: this one, too
        node.pods.exec(namespace, "talks", "kill", "-TERM", "1")
    assert node.pods.wait_ended(namespace, "talks") == 3
    assert node.pods.logs(namespace, "talks") == "started\ntold to stop\n"


def test_a_volume_that_kubelet_cannot_mount_is_told_in_kubelets_words(node: Node, namespace: str) -> None:
    volume = {"name": "data", "nfs": {"server": node.nfs.host, "path": node.nfs.export}}
    mount = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    node.pods.create(namespace, "waits", ["true"], container=mount, spec={"volumes": [volume]})
    event = node.pods.wait_event(namespace, "waits", "FailedMount")
    assert event["source"] == {"component": "kubelet", "host": "dev-node"}
    assert event["message"].startswith('MountVolume.SetUp failed for volume "data" : mount failed: exit status 32\n')
    assert f"Mounting arguments: -t nfs {node.nfs.host}:/export /var/lib/kubelet/pods/" in event["message"]


def test_a_failing_probe_and_an_unknown_image_are_told(node: Node, namespace: str) -> None:
    probe = {"readinessProbe": {"exec": {"command": ["cat", "/ready"]}, "periodSeconds": 1}}
    node.pods.create(namespace, "unready", ["sleep", "60"], container=probe)
    node.pods.create(namespace, "unknown", image="localhost/no-such-image:dev", container={"imagePullPolicy": "Never"})
    assert "can't open '/ready'" in node.pods.wait_event(namespace, "unready", "Unhealthy")["message"]
    assert (
        "is not present with pull policy of Never"
        in node.pods.wait_event(namespace, "unknown", "ErrImageNeverPull")["message"]
    )


def test_a_deployment_rolls(cluster: DevCluster, node: Node, namespace: str) -> None:
    text = json.dumps(DEPLOYMENT)
    cluster.kubectl("apply", "-n", namespace, "-f", "-", input=text)
    cluster.kubectl("rollout", "status", "-n", namespace, "deployment/web", "--timeout=30s")
    cluster.kubectl("set", "env", "-n", namespace, "deployment/web", "VERSION=2")
    cluster.kubectl("rollout", "status", "-n", namespace, "deployment/web", "--timeout=30s")
    pods = json.loads(cluster.kubectl("get", "pods", "-n", namespace, "-o", "json"))["items"]
    living = [pod["metadata"]["name"] for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    told = {node.pods.exec(namespace, name, "cat", "/www/index.html") for name in living}
    assert (len(living), told) == (2, {"it is 2\n"})


def test_what_the_node_has_is_seen_by_nobody_else(node: Node, namespace: str) -> None:
    node.pods.create(namespace, "runs", ["sleep", "60"])
    pod = node.pods.wait_ready(namespace, "runs")
    mounts = Path("/proc/self/mounts").read_text()
    assert pod["metadata"]["uid"] in node.run("cat", "/proc/self/mounts")
    assert pod["metadata"]["uid"] not in mounts
    assert str(node.room.directory) not in mounts
    assert node.room.outside("/var/lib/kubelet/pods").joinpath(pod["metadata"]["uid"]).is_dir()
    assert not Path("/var/lib/kubelet").exists() or not Path("/var/lib/kubelet/pods", pod["metadata"]["uid"]).exists()


@pytest.fixture
def owner_of_a_room(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has a room, in which somebody lives who does not want to go."""
    script = f"""
import pathlib, subprocess, sys
from devcluster.node.room import Room
room = Room(pathlib.Path({str(tmp_path)!r}), log=pathlib.Path({str(tmp_path / "log")!r}), detached=False)
room.process.start()
subprocess.Popen(room.enter(["sh", "-c", "trap '' TERM; mount -t tmpfs tmpfs /mnt; sleep 600 & echo; wait; sleep 600"]))
print(room.group, room.link, flush=True)
sys.stdin.read()
room.process.stop()
"""
    argv = [sys.executable, "-c", script]
    with running(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as owner:
        yield owner
        owner.kill()


@pytest.mark.parametrize("ends", ["stopped", "killed"])
def test_nothing_is_left_of_a_room(owner_of_a_room: subprocess.Popen[str], ends: str) -> None:
    assert owner_of_a_room.stdin is not None
    assert owner_of_a_room.stdout is not None
    # One line is from who lives there.
    group, link = (owner_of_a_room.stdout.readline() + owner_of_a_room.stdout.readline()).split()

    def left() -> list[Path]:
        return [*Path("/sys/fs/cgroup").glob(f"*/{group}"), *Path("/sys/class/net").glob(link)]

    assert len(left()) > 1
    if ends == "killed":
        owner_of_a_room.kill()
    owner_of_a_room.stdin.close()
    end = time.monotonic() + 10
    while left() and time.monotonic() < end:
        time.sleep(0.02)
    assert left() == []
