"""What a real control plane says of claims that can't be served, explained: its own words, in every form."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from berth.cli.main import cli
from berth.doctor.explain import Explainer
from berth.findings.finding import Finding, Subject
from devcluster.cluster import DevCluster
from devcluster.errors import CommandFailed
from tests.e2e.waiting import until

PROVISIONER = "nfs/nobody-of-this-name"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
VOLUMES = "/api/v1/persistentvolumes"


def explain(text: str) -> dict[str, Finding]:
    explainer = Explainer()
    explainer.read(io.BytesIO(text.encode()))
    report = explainer.explain().report
    return {finding.id: finding for finding in (*report.findings, *(each.if_so for each in report.questions))}


class Site:
    """A namespace, and two classes that nobody serves."""

    def __init__(self, cluster: DevCluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.waits, self.lazy = f"waits-{namespace}", f"lazy-{namespace}"

    def make_class(self, name: str, mode: str) -> None:
        content = {"metadata": {"name": name}, "provisioner": PROVISIONER, "volumeBindingMode": mode}
        self.cluster.request("POST", CLASSES, content)

    def claim(self, name: str, of_class: str, **more: str) -> dict[str, object]:
        spec = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}
        meta = {"name": name, "namespace": self.namespace}
        content = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta}
        return {**content, "spec": {**spec, "storageClassName": of_class, **more}}

    def file(self, claim: dict[str, object]) -> None:
        self.cluster.request("POST", f"/api/v1/namespaces/{self.namespace}/persistentvolumeclaims", claim)

    def told(self, *arguments: str) -> dict[str, Finding]:
        return explain(self.cluster.kubectl("-n", self.namespace, *arguments))

    def refused(self, *arguments: str, stdin: str | None = None) -> dict[str, Finding]:
        with pytest.raises(CommandFailed) as refusal:
            self.cluster.kubectl("-n", self.namespace, *arguments, input=stdin)
        return explain(str(refusal.value))

    def subject(self, name: str) -> Subject:
        return Subject("claim", f"{self.namespace}/{name}")


@pytest.fixture
def site(cluster: DevCluster, namespace: str) -> Iterator[Site]:
    made = Site(cluster, namespace)
    made.make_class(made.waits, "Immediate")
    made.make_class(made.lazy, "WaitForFirstConsumer")
    yield made
    for name in (made.waits, made.lazy):
        cluster.request("DELETE", f"{CLASSES}/{name}")


def test_claims_that_stay_pending(site: Site) -> None:
    classes = {"typo": "managed-nfs-storge", "lazy": site.lazy, "waits": site.waits, "classless": ""}
    for name, of_class in classes.items():
        site.file(site.claim(name, of_class))
    wanted = {
        "class-not-found": "typo",
        "claim-waits-for-consumer": "lazy",
        "claim-waits-for-provisioner": "waits",
        "claim-without-class": "classless",
    }
    until("all four are told", lambda: site.told("get", "events").keys() == wanted.keys())
    for form in (
        ("get", "events"),
        ("get", "events", "-o", "yaml"),
        ("get", "events", "-o", "json"),
        ("describe", "pvc"),
    ):
        told = site.told(*form)
        assert told.keys() == wanted.keys()
        if form != ("get", "events"):  # which leaves the namespace out
            assert {failure: told[failure].about[0] for failure in wanted} == {
                failure: site.subject(name) for failure, name in wanted.items()
            }


def test_a_volume_that_belongs_to_another_claim_and_one_that_nobody_deletes(site: Site) -> None:
    name = f"by-hand-{site.namespace}"
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteMany"],
        "storageClassName": site.waits,
        "persistentVolumeReclaimPolicy": "Delete",
        "nfs": {"server": "192.0.2.1", "path": "/x"},
    }
    site.cluster.request("POST", VOLUMES, {"metadata": {"name": name}, "spec": spec})
    try:
        site.file(site.claim("first", site.waits, volumeName=name))
        until("it is bound", lambda: "Bound" in site.cluster.kubectl("-n", site.namespace, "get", "pvc", "first"))
        site.file(site.claim("second", site.waits, volumeName=name))
        told = until("that is told", lambda: site.told("get", "events", "-o", "yaml"))
        assert told["static-volume-mismatch"].seen.en == (
            f"claim {site.namespace}/second asks for PV {name}, which belongs to another claim"
        )
        site.cluster.kubectl("-n", site.namespace, "delete", "pvc", "first", "second")
        told = until("that is told, too", lambda: site.told("describe", "pv", name))
        assert told["volume-no-deleter"].about == (Subject("volume", name),)
        # The cure, as it is printed.
        retain = told["volume-no-deleter"].commands[0]
        assert retain.startswith(f"kubectl patch pv {name} -p ")
        site.cluster.kubectl("patch", "pv", name, "-p", retain.partition(" -p ")[2].strip("'"))
        assert "Retain" in site.cluster.kubectl("get", "pv", name)
    finally:
        site.cluster.request("DELETE", f"{VOLUMES}/{name}")


def test_what_the_api_server_refuses(site: Site) -> None:
    quota = {"metadata": {"name": "few"}, "spec": {"hard": {"persistentvolumeclaims": "0"}}}
    site.cluster.request("POST", f"/api/v1/namespaces/{site.namespace}/resourcequotas", quota)
    claim = json.dumps(site.claim("toomany", site.waits))
    told = until("the quota counts", lambda: _refusal(site, claim))
    assert told["claim-quota"].seen.en.startswith("claim toomany is refused by the quota few: it asks for")

    account = ("--as", f"system:serviceaccount:{site.namespace}:nobody")
    told = site.refused(*account, "get", "pv")
    assert told["rbac-forbidden"].seen.en == (
        f"the service account {site.namespace}:nobody may not list persistentvolumes"
    )


def test_the_version_that_no_log_tells_is_asked_of_the_cluster_at_hand(cluster: DevCluster) -> None:
    log = "unexpected error getting claim reference: selfLink was empty, can't make reference"
    done = CliRunner().invoke(cli, ["doctor", "explain", "--kubeconfig", str(cluster.kubeconfig)], input=log)
    assert done.stderr == f"berth: the cluster {cluster.server_url} runs Kubernetes 1.20\n"
    assert "Only as a stop-gap" in done.stdout


def _refusal(site: Site, claim: str) -> dict[str, Finding] | None:
    try:
        site.cluster.kubectl("apply", "--dry-run=server", "-f", "-", input=claim)
    except CommandFailed as refusal:
        return explain(str(refusal))
    return None
