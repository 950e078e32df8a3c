"""The control plane of the dev cluster behaves as a real one, and survives what tests do to it."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from devcluster import binaries
from devcluster.cluster import DevCluster
from devcluster.errors import CommandFailed, ProgramMissing

VOLUME = """
apiVersion: v1
kind: PersistentVolume
metadata: {{name: {name}}}
spec:
  capacity: {{storage: 1Gi}}
  accessModes: [ReadWriteMany]
  storageClassName: by-hand
  persistentVolumeReclaimPolicy: Retain
  nfs: {{server: {server}, path: {export}}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: claim, namespace: {name}}}
spec:
  accessModes: [ReadWriteMany]
  storageClassName: by-hand
  volumeName: {name}
  resources: {{requests: {{storage: 1Gi}}}}
"""


def phase(cluster: DevCluster, kind: str, name: str, *arguments: str) -> str:
    return cluster.kubectl("get", kind, name, "-o", "jsonpath={.status.phase}", *arguments)


def bind(cluster: DevCluster, name: str) -> None:
    """Makes a PV and a claim for it, and waits until the controller manager has bound them."""
    text = VOLUME.format(name=name, server=cluster.nfs.host, export=cluster.nfs.export)
    cluster.kubectl("apply", "-f", "-", input=text)
    bound = lambda: phase(cluster, "pvc", "claim", "-n", name) == "Bound"  # noqa: E731
    cluster.controller_manager.wait_until(bound, f"seen to bind the claim of {name}", 30)


def test_a_claim_is_bound_to_its_volume(cluster: DevCluster, namespace: str) -> None:
    bind(cluster, namespace)
    assert phase(cluster, "pv", namespace) == "Bound"


@pytest.mark.parametrize("name", ["etcd", "apiserver", "controller_manager"])
def test_what_was_stored_survives_a_killed_process(cluster: DevCluster, namespace: str, name: str) -> None:
    cluster.kubectl("create", "configmap", "kept", "-n", namespace, "--from-literal=key=value")
    process = {
        "etcd": cluster.etcd,
        "apiserver": cluster.apiserver,
        "controller_manager": cluster.controller_manager,
    }[name]
    url, old = cluster.server_url, process.pid
    process.kill()
    assert process.exit_code == -9
    process.start()
    cluster.apiserver.wait_ready()
    assert process.pid != old
    assert cluster.server_url == url
    assert cluster.kubectl("get", "configmap", "kept", "-n", namespace, "-o", "jsonpath={.data.key}") == "value"
    bind(cluster, namespace)


def test_a_service_account_has_a_real_token_and_only_its_own_rights(cluster: DevCluster, namespace: str) -> None:
    cluster.kubectl("create", "serviceaccount", "visitor", "-n", namespace)
    kubeconfig = cluster.service_account_kubeconfig(namespace, "visitor")
    with pytest.raises(CommandFailed, match=rf"system:serviceaccount:{namespace}:visitor.* cannot list resource"):
        cluster.kubectl("get", "pods", kubeconfig=kubeconfig)
    cluster.kubectl(
        "create", "rolebinding", "see", "-n", namespace, "--clusterrole=view", f"--serviceaccount={namespace}:visitor"
    )
    allowed = lambda: cluster.kubectl("auth", "can-i", "list", "pods", kubeconfig=kubeconfig).strip() == "yes"  # noqa: E731
    cluster.apiserver.wait_until(allowed, "seen to grant the right", 10)
    token = json.loads(kubeconfig.read_text())["users"][0]["user"]["token"]
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["kubernetes.io"]["serviceaccount"]["name"] == "visitor"
    assert kubeconfig.stat().st_mode & 0o077 == 0


def test_an_error_of_the_api_server_carries_its_status(cluster: DevCluster) -> None:
    with pytest.raises(CommandFailed) as caught:
        cluster.request("GET", "/api/v1/namespaces/no-such-namespace")
    assert caught.value.code == 404


def test_assets_without_a_program_are_refused_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "etcd").touch()
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    with pytest.raises(
        ProgramMissing, match=rf"KUBEBUILDER_ASSETS is {tmp_path}, and there is no kube-apiserver in it"
    ):
        binaries.find()
