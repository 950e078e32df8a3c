"""`berth volume static`: a directory that exists, bound to one claim, on a real cluster and a real NFS server."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from devcluster.cluster import DevCluster
from tests.cli.command import PROGRAM, environment
from tests.e2e import api as paths
from tests.e2e.api import Api, Object
from tests.e2e.waiting import until


class Shop:
    """A namespace and a directory with data in it."""

    def __init__(self, cluster: DevCluster, api: Api, namespace: str) -> None:
        self.cluster = cluster
        self.api = api
        self.namespace = namespace
        self.path = f"{cluster.nfs.export}/{namespace}"
        self.directory = cluster.nfs.root / namespace
        self.directory.mkdir()
        (self.directory / "data").write_text("precious")

    def static(self, *arguments: str, claim: str = "uploads", path: str = "") -> subprocess.CompletedProcess[str]:
        options = [f"--mount-option={option}" for option in self.cluster.nfs.mount_options()]
        argv = [str(PROGRAM), "volume", "static", f"--server={self.cluster.nfs.host}", f"--path={path or self.path}",
                f"--claim={self.namespace}/{claim}", "--size=5Gi", *options, *arguments]  # fmt: skip
        env = environment({"KUBECONFIG": str(self.cluster.kubeconfig)})
        return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, env=env)

    def pv(self, name: str) -> Object:
        found = self.api.get(f"{paths.PVS}/{name}")
        assert found is not None
        return found


@pytest.fixture
def shop(cluster: DevCluster, api: Api, namespace: str) -> Iterator[Shop]:
    made = Shop(cluster, api, namespace)
    yield made
    for pv in api.list(paths.PVS):
        if (pv["spec"].get("claimRef") or {}).get("namespace") == namespace:
            api.delete(f"{paths.PVS}/{pv['metadata']['name']}")


def test_pv_and_claim_are_bound_to_each_other_and_to_nobody_else(shop: Shop) -> None:
    rival = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": ""}
    shop.api.create(paths.claims(shop.namespace), {"metadata": {"name": "rival"}, "spec": rival})
    answer = shop.static("--check", "--apply")
    assert answer.returncode == 0, answer.stderr
    assert f"deleting it keeps PV {shop.namespace}-uploads and all data" in answer.stdout
    assert "the directory is adopted: Berth did not make it, so its end is retain (PV policy Retain)" in answer.stdout
    pv = shop.pv(f"{shop.namespace}-uploads")
    assert (pv["status"]["phase"], pv["spec"]["claimRef"]["name"]) == ("Bound", "uploads")
    assert pv["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
    assert pv["spec"]["mountOptions"][:2] == ["hard", "nfsvers=4.1"]
    claim = shop.api.get(f"{paths.claims(shop.namespace)}/rival")
    assert claim is not None
    assert claim["status"]["phase"] == "Pending"
    again = shop.static("--apply", "--lang=zh")
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("无变化") == 2
    assert "PVC 删除之后会保留（PV 策略 Retain）" in again.stdout


def test_after_its_claim_the_data_stays_and_the_next_claim_gets_it_as_the_message_says(shop: Shop) -> None:
    name = f"{shop.namespace}-uploads"
    assert shop.static("--apply").returncode == 0
    shop.api.delete(f"{paths.claims(shop.namespace)}/uploads")
    until("the PV is Released", lambda: shop.pv(name)["status"]["phase"] == "Released")
    assert (shop.directory / "data").read_text() == "precious"
    refused = shop.static("--apply")
    assert refused.returncode == 2
    command = re.search(r"`(kubectl patch pv [^`]+)`", refused.stderr)
    assert command is not None, refused.stderr
    shop.cluster.kubectl(*shlex.split(command[1])[1:])
    assert shop.static("--apply").returncode == 0


def test_what_is_another_ones_is_left_alone(shop: Shop) -> None:
    waits_for_nothing = "--timeout=0"  # the PV controller may take its time
    shop.static("--apply", "--name=static-a-" + shop.namespace, waits_for_nothing)
    other_claim = shop.static("--apply", "--name=static-b-" + shop.namespace)
    assert other_claim.returncode == 2
    assert f"exists already and has PV static-a-{shop.namespace}" in other_claim.stderr
    other_pv = shop.static("--apply", "--name=static-a-" + shop.namespace, claim="another")
    assert other_pv.returncode == 2
    assert f"for claim {shop.namespace}/uploads" in other_pv.stderr
    beside = shop.static("--apply", waits_for_nothing, claim="another", path=f"{shop.path}/inside")
    assert f"PV static-a-{shop.namespace} ({shop.namespace}/uploads, Retain) lies in the same place" in beside.stdout


def test_a_directory_that_is_not_there_is_told_before_anything_is_made(shop: Shop) -> None:
    answer = shop.static("--check", "--apply", path=f"{shop.path}/missing")
    assert answer.returncode == 2
    assert "missing can't be used" in answer.stderr
    assert shop.api.get(f"{paths.PVS}/{shop.namespace}-uploads") is None


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_in_a_namespace_that_is_not_there_nothing_is_made(shop: Shop, lang: str) -> None:
    elsewhere = f"{shop.namespace}-missing"
    answer = shop.static("--apply", f"--claim={elsewhere}/uploads", f"--lang={lang}")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert f"`kubectl create namespace {elsewhere}`" in answer.stderr
    assert shop.api.get(f"{paths.PVS}/{elsewhere}-uploads") is None
    # What is printed works, and then so does the command.
    shop.cluster.kubectl("create", "namespace", elsewhere)
    assert shop.static("--apply", f"--claim={elsewhere}/uploads").returncode == 0
    shop.cluster.kubectl("delete", "namespace", elsewhere, "--wait=false")
    shop.api.delete(f"{paths.PVS}/{elsewhere}-uploads")


def test_where_the_claim_is_refused_no_pv_is_left_behind(shop: Shop) -> None:
    """By a quota, which is asked beforehand; by a webhook that can't be asked so, and says no once the PV is there."""
    pv = f"{paths.PVS}/{shop.namespace}-uploads"
    quota = f"/api/v1/namespaces/{shop.namespace}/resourcequotas"
    shop.api.create(quota, {"metadata": {"name": "none"}, "spec": {"hard": {"persistentvolumeclaims": "0"}}})
    refused = shop.static("--apply")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "exceeded quota" in refused.stderr
    assert shop.api.get(pv) is None
    shop.api.delete(f"{quota}/none")
    webhooks = "/apis/admissionregistration.k8s.io/v1beta1/validatingwebhookconfigurations"
    shop.api.create(webhooks, {"metadata": {"name": shop.namespace}, "webhooks": [late_guard(shop.namespace)]})
    shop.cluster.kubectl("label", "namespace", shop.namespace, f"guarded={shop.namespace}")
    try:

        def is_guarded() -> bool:
            refused = shop.static("--apply")
            if refused.returncode == 0:  # not yet; what was made goes, and is tried again
                shop.api.delete(f"{paths.claims(shop.namespace)}/uploads")
                until("the claim is gone", lambda: not shop.api.get(f"{paths.claims(shop.namespace)}/uploads"))
                shop.api.delete(pv)
                until("the PV is gone", lambda: not shop.api.get(pv))
                return False
            assert f"PersistentVolume {shop.namespace}-uploads removed" in refused.stdout
            assert "guard.example.com" in refused.stderr
            return True

        until("the webhook is asked", is_guarded)
        assert shop.api.get(pv) is None
    finally:
        shop.api.delete(f"{webhooks}/{shop.namespace}")


def late_guard(namespace: str) -> Object:
    """A webhook that can't be asked for a dry run, and refuses everything since it is out of order."""
    return {
        "name": "guard.example.com",
        "clientConfig": {"url": "https://127.0.0.1:9/"},
        "failurePolicy": "Fail",
        "sideEffects": "Unknown",
        "timeoutSeconds": 1,
        "namespaceSelector": {"matchLabels": {"guarded": namespace}},
        "rules": [
            {
                "apiGroups": [""],
                "apiVersions": ["v1"],
                "operations": ["CREATE"],
                "resources": ["persistentvolumeclaims"],
            }
        ],
    }


def test_killed_between_the_two_the_same_command_finishes(shop: Shop) -> None:
    pv = json.loads(shop.static("-o", "json").stdout)["items"][0]
    shop.api.create(paths.PVS, pv)
    answer = shop.static("--apply")
    assert answer.returncode == 0, answer.stderr
    assert shop.pv(f"{shop.namespace}-uploads")["status"]["phase"] == "Bound"


def test_without_apply_it_prints_what_kubectl_takes(shop: Shop, tmp_path: Path) -> None:
    answer = shop.static("--read-only", "-o", "json")
    pv, claim = json.loads(answer.stdout)["items"]
    assert pv["spec"]["nfs"]["readOnly"] is True
    assert pv["spec"]["accessModes"] == claim["spec"]["accessModes"] == ["ReadOnlyMany"]
    shop.cluster.kubectl("create", "--dry-run=server", "-f", "-", input=shop.static().stdout)
