"""What `berth install --apply` makes of a cluster: the controller works with the rights it is given there, needs every
one of them, and serves what KubeSphere's console files.

There is no node here, so the Deployment's container is a process, with its environment and its ServiceAccount's token.
"""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from berth.kube.permissions import Right, rights
from berth.programs.controller import PERMISSIONS
from devcluster.cluster import DevCluster
from devcluster.controlplane import AUDITED
from devcluster.ganesha import GaneshaServer
from tests.cli.command import PROGRAM, environment
from tests.e2e import api as paths
from tests.e2e.api import Api, Object
from tests.e2e.controller import Controller
from tests.e2e.waiting import until

ACCOUNT = f"system:serviceaccount:{AUDITED}:"
REVIEW = "selfsubjectaccessreviews"
"""Everybody may ask what he may do."""


class Installation:
    """What was installed, and the container of its Deployment."""

    def __init__(self, cluster: DevCluster, api: Api, nfs: GaneshaServer, namespace: str, directory: Path) -> None:
        self.cluster = cluster
        self.api = api
        self.nfs = nfs
        self.namespace = namespace
        self.name = f"berth-{secrets.token_hex(4)}"
        self.of_class = f"{self.name}-class"
        self.provisioner = f"{self.name}.example/nfs"
        self.root = nfs.root / self.name
        self.root.mkdir()
        options = [f"--mount-option={option}" for option in nfs.mount_options()]
        self.answer = self.berth(
            "install", "--apply", "--timeout=0", f"--server={nfs.host}", f"--path={nfs.export}/{self.name}", *options,
            f"--class={self.of_class}", f"--provisioner-name={self.provisioner}", "--on-delete=delete",
        )  # fmt: skip
        where = f"/apis/apps/v1/namespaces/{AUDITED}/deployments/{self.name}"
        deployment = api.get(where)
        assert deployment is not None, self.answer.stderr
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        of_pod = {"metadata.name": f"{self.name}-pod", "metadata.namespace": AUDITED, "status.podIP": "127.0.0.1"}
        settings = {
            one["name"]: one["value"] if "value" in one else of_pod[one["valueFrom"]["fieldRef"]["fieldPath"]]
            for one in container["env"]
        }
        kubeconfig = str(cluster.service_account_kubeconfig(AUDITED, self.name))
        self.controller = Controller("berth", directory, {**settings, "KUBECONFIG": kubeconfig})

    def berth(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a command on the cluster as its administrator."""
        argv = [str(PROGRAM), command, f"--name={self.name}", f"--namespace={AUDITED}", *arguments]
        env = environment({"KUBECONFIG": str(self.cluster.kubeconfig)})
        return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, env=env)

    def file_claim(self, name: str, annotations: dict[str, str] | None = None, **spec: Any) -> Object:
        fine = {
            "accessModes": ["ReadWriteMany"],
            "resources": {"requests": {"storage": "1Gi"}},
            "storageClassName": self.of_class,
        }
        body = {"metadata": {"name": name, "annotations": annotations or {}}, "spec": {**fine, **spec}}
        return self.api.create(paths.claims(self.namespace), body)

    def claim(self, name: str) -> Object:
        found = self.api.get(f"{paths.claims(self.namespace)}/{name}")
        assert found is not None
        return found

    def wait_bound(self, name: str) -> Object:
        """A claim's PV, once it is Bound."""
        claim = until(
            f"claim {name} is Bound", lambda: c if (c := self.claim(name))["status"].get("phase") == "Bound" else None
        )
        found = self.api.get(f"{paths.PVS}/{claim['spec']['volumeName']}")
        assert found is not None
        return found

    def events(self, name: str, reason: str) -> list[Object]:
        found = self.api.list(paths.events(self.namespace), fieldSelector=f"involvedObject.name={name}")
        return [event for event in found if event["reason"] == reason]

    def asked(self) -> list[dict[str, Any]]:
        """Everything that the controller has asked the API server, by that one's own account."""
        lines = self.cluster.audit_log.read_text().rpartition("\n")[0].splitlines()
        entries = [json.loads(line) for line in lines]
        return [one for one in entries if one["user"]["username"] == f"{ACCOUNT}{self.name}"]


def right_of(entry: dict[str, Any]) -> Right:
    """The right that a request took."""
    about = entry["objectRef"]
    resource = "/".join(part for part in (about["resource"], about.get("subresource")) if part)
    names = {(one.verb, one.group, one.resource): one for one in rights(PERMISSIONS)}
    known = names.get((entry["verb"], about.get("apiGroup", ""), resource))
    if known is not None and known.name in ("", about.get("name")):
        return known
    return Right(entry["verb"], about.get("apiGroup", ""), resource, about.get("name", ""))


@pytest.fixture(scope="module")
def installed(
    cluster: DevCluster, api: Api, nfs_server: GaneshaServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    namespace = f"installed-{secrets.token_hex(4)}"
    api.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    made = Installation(cluster, api, nfs_server, namespace, tmp_path_factory.mktemp("installed"))
    made.controller.start()
    yield made
    made.controller.stop()
    cluster.kubectl("delete", "namespace", namespace, AUDITED, "--wait=false")
    assert not made.controller.complaints


def test_installing_tells_every_object_and_that_no_pod_is_ready_without_a_node(installed: Installation) -> None:
    assert installed.answer.returncode == 2
    for line in ("ServiceAccount", "Deployment", "PodDisruptionBudget"):
        assert f"{line} {AUDITED}/{installed.name} created" in installed.answer.stdout
    assert f"StorageClass {installed.of_class} created" in installed.answer.stdout
    assert installed.answer.stderr.startswith("berth: applied, but not all pods are ready after 0 s")


def test_a_second_time_changes_nothing(installed: Installation) -> None:
    options = [f"--mount-option={option}" for option in installed.nfs.mount_options()]
    answer = installed.berth(
        "install", "--apply", "--timeout=0", f"--server={installed.nfs.host}",
        f"--path={installed.nfs.export}/{installed.name}", *options, f"--class={installed.of_class}",
        f"--provisioner-name={installed.provisioner}", "--on-delete=delete",
    )  # fmt: skip
    assert "created" not in answer.stdout
    assert "changed" not in answer.stdout.replace("unchanged", "")


def test_a_claim_from_kubespheres_console_gets_its_volume(installed: Installation) -> None:
    """With its creator, a description, the older keys of Kubernetes, and a class named by annotation alone."""
    annotations = {
        "kubesphere.io/creator": "admin",
        "kubesphere.io/alias-name": "数据",
        "volume.beta.kubernetes.io/storage-class": installed.of_class,
        "volume.beta.kubernetes.io/storage-provisioner": installed.provisioner,
    }
    installed.file_claim("console", annotations, storageClassName=None)
    pv = installed.wait_bound("console")
    assert (installed.root / pv["spec"]["nfs"]["path"].rpartition("/")[2]).is_dir()
    assert pv["spec"]["storageClassName"] == installed.of_class


def test_a_guard_of_new_claims_does_not_stop_what_berth_does_to_old_ones(installed: Installation) -> None:
    """KubeSphere's accessor is a webhook that is asked about claims before they exist, and may be out of order."""
    installed.file_claim("before")
    installed.wait_bound("before")
    webhooks = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    guard = {
        "name": "accessor.example.com",
        "admissionReviewVersions": ["v1"],
        "clientConfig": {"url": "https://127.0.0.1:9/"},
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "timeoutSeconds": 1,
        "namespaceSelector": {"matchLabels": {"guarded": installed.namespace}},
        "rules": [
            {
                "apiGroups": [""],
                "apiVersions": ["v1"],
                "operations": ["CREATE"],
                "resources": ["persistentvolumeclaims"],
            }
        ],
    }
    namespace = f"/api/v1/namespaces/{installed.namespace}"
    installed.api.patch(namespace, {"metadata": {"labels": {"guarded": installed.namespace}}})
    installed.api.create(webhooks, {"metadata": {"name": installed.name}, "webhooks": [guard]})
    try:
        until("new claims are refused", lambda: _is_refused(installed))
        path = f"{paths.claims(installed.namespace)}/before"
        installed.api.patch(path, {"spec": {"resources": {"requests": {"storage": "2Gi"}}}})
        until("the old one has grown", lambda: installed.events("before", "VolumeResizeSuccessful"))
        installed.api.delete(path)
        until("the old one is gone", lambda: installed.api.get(path) is None)
    finally:
        installed.api.delete(f"{webhooks}/{installed.name}")
        # The API server goes on asking for a moment.
        until("new claims are taken", lambda: not _is_refused(installed))


def _is_refused(installed: Installation) -> bool:
    claim = {
        "metadata": {"name": "tried"},
        "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    try:
        installed.api.create(f"{paths.claims(installed.namespace)}?dryRun=All", claim)
    except paths.ApiError as error:
        return "accessor.example.com" in error.message
    return False


def test_it_uses_every_right_that_it_asks_for_and_no_other(installed: Installation) -> None:
    # Birth, expansion and end.
    installed.file_claim("whole-life")
    pv = installed.wait_bound("whole-life")
    path = f"{paths.claims(installed.namespace)}/whole-life"
    installed.api.patch(path, {"spec": {"resources": {"requests": {"storage": "2Gi"}}}})
    until("the claim has grown", lambda: installed.events("whole-life", "VolumeResizeSuccessful"))
    installed.api.delete(path)
    until("the PV is gone", lambda: installed.api.get(f"{paths.PVS}/{pv['metadata']['name']}") is None)
    # The same refusal twice is one Event that counts.
    installed.file_claim("refused", selector={"matchLabels": {"disk": "fast"}})
    until("it is refused", lambda: installed.events("refused", "ProvisioningFailed"))
    installed.api.patch(f"{paths.claims(installed.namespace)}/refused", {"metadata": {"labels": {"touched": "yes"}}})
    until("it is refused again", lambda: installed.events("refused", "ProvisioningFailed")[0]["count"] > 1)
    _take_its_pvs_name(installed)
    assert installed.controller.stop() == 0  # watches are told of when they end
    asked = installed.asked()
    installed.controller.start()
    refused = [one for one in asked if one["responseStatus"]["code"] in (401, 403)]
    assert not refused, refused
    used = {right_of(one) for one in asked if one["objectRef"]["resource"] != REVIEW}
    declared = set(rights(PERMISSIONS))
    assert used - declared == set(), "used and not in the tables"
    assert declared - used == set(), "in the tables and not used"


def _take_its_pvs_name(installed: Installation) -> None:
    """Somebody else makes a PV of the name that a claim's is going to have, while the controller is at the share."""
    taken = "workqueue_queue_duration_seconds_count"
    before = installed.controller.metric(taken, name="claims")
    installed.nfs.pause()
    try:
        claim = installed.file_claim("overtaken")
        until("a worker is at it", lambda: installed.controller.metric(taken, name="claims") > before)
        name = f"pvc-{claim['metadata']['uid']}"
        spec = {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteMany"],
            "claimRef": {"namespace": installed.namespace, "name": "somebody-else"},
            "storageClassName": "none",
            "nfs": {"server": "192.0.2.1", "path": "/elsewhere"},
        }
        installed.api.create(paths.PVS, {"metadata": {"name": name}, "spec": spec})
    finally:
        installed.nfs.resume()
    event = until("it is told", lambda: installed.events("overtaken", "ProvisioningFailed"))[0]
    assert f"PV {name} exists already" in event["message"]
    installed.api.delete(f"{paths.claims(installed.namespace)}/overtaken")
    installed.api.delete(f"{paths.PVS}/{name}")


def test_uninstalling_keeps_claims_pvs_and_data_and_says_so(installed: Installation) -> None:
    installed.file_claim("kept")
    pv = installed.wait_bound("kept")
    directory = installed.root / pv["spec"]["nfs"]["path"].rpartition("/")[2]
    (directory / "data").write_text("precious")
    assert installed.controller.stop() == 0
    answer = installed.berth("uninstall", "--yes")
    assert answer.returncode == 0, answer
    assert f"StorageClass {installed.of_class} removed" in answer.stdout
    assert "all data, all claims, and 2 PVs that Berth made" in answer.stdout
    assert f"on {installed.nfs.host}:{installed.nfs.export}/{installed.name}: every directory" in answer.stdout
    assert "PVs with Berth's finalizer: 2." in answer.stdout
    assert f"{installed.namespace}/kept" in answer.stdout
    assert f"namespace {AUDITED}, for what else" in answer.stdout
    assert (directory / "data").read_text() == "precious"
    assert installed.claim("kept")["status"]["phase"] == "Bound"
    roles = installed.api.list("/apis/rbac.authorization.k8s.io/v1/clusterroles")
    assert installed.name not in {one["metadata"]["name"] for one in roles}
    again = installed.berth("uninstall", "--yes")
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.startswith("nothing to remove: nothing that `berth install` made under the name")
