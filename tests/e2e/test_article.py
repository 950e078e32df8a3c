"""Manifests that were written for the reference, with nothing but the image changed: Berth makes do with their rights.

There is no node here, so the Deployment's container is a process: with its environment, its ServiceAccount's token, and
the share where the Deployment mounts it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from devcluster.cluster import DevCluster
from tests.e2e import api as paths
from tests.e2e.api import Api, Object
from tests.e2e.controller import Controller
from tests.e2e.waiting import until

ARTICLE = Path(__file__).parent.parent / "data" / "article.yaml"
NAMESPACE = "ddddd"
LOCK = "/api/v1/namespaces/default/endpoints/nfs-provisioner-229"
LEADER = "control-plane.alpha.kubernetes.io/leader"
_MOUNT = 'mkdir -p "$2" && mount --bind "$1" "$2" && shift 2 && exec "$@"'


class Article:
    """The guide's objects, and the container of its Deployment."""

    def __init__(self, cluster: DevCluster, api: Api, directory: Path) -> None:
        self.api = api
        self.cluster = cluster
        self.directory = directory
        self.share = directory / "share"
        self.share.mkdir()
        self.share.chmod(0o777)
        cluster.kubectl("apply", "-f", str(ARTICLE))
        self.deployment = next(
            one for one in yaml.safe_load_all(ARTICLE.read_text()) if one and one["kind"] == "Deployment"
        )
        self.account = cluster.service_account_kubeconfig("default", "nfs-client-provisioner")
        self.controllers: list[Controller] = []

    def container(self, name: str, account: Path | None = None, **settings: str) -> Controller:
        """The Deployment's container, not yet started."""
        (wanted,) = self.deployment["spec"]["template"]["spec"]["containers"]
        mountpoint = self.directory / f"{name}-persistentvolumes"
        made = Controller(
            name,
            self.directory,
            {
                **{one["name"]: one["value"] for one in wanted["env"]},
                "KUBECONFIG": str(account or self.account),
                "POD_NAMESPACE": "default",
                "BERTH_MOUNTED_AT": str(mountpoint),
                **settings,
            },
            within=["unshare", "--mount", "bash", "-c", _MOUNT, "mount", str(self.share), str(mountpoint)],
        )
        self.controllers.append(made)
        return made

    def file_claim(self, name: str) -> Object:
        """The guide's claim, as KubeSphere's console files it: with its creator, and the older keys."""
        metadata = {
            "name": name,
            "annotations": {
                "docs.kubesphere-carryon.top/creator": "admin",
                "volume.beta.kubernetes.io/storage-provisioner": "nfs/provisioner-229",
            },
            "finalizers": ["kubernetes.io/pvc-protection"],
        }
        spec = {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "10Gi"}},
            "storageClassName": "managed-nfs-storage",
            "volumeMode": "Filesystem",
        }
        return self.api.create(paths.claims(NAMESPACE), {"metadata": metadata, "spec": spec})

    def wait_bound(self, name: str) -> Object:
        """The PV of a claim, once that is Bound."""

        def look() -> Object | None:
            claim = self.api.get(f"{paths.claims(NAMESPACE)}/{name}")
            assert claim is not None
            if claim["status"].get("phase") != "Bound":
                return None
            return self.api.get(f"{paths.PVS}/{claim['spec']['volumeName']}")

        return until(f"claim {name} is Bound", look)

    def wait_gone(self, pv: Object) -> None:
        """Returns once a PV, and all that it held, is gone."""
        name = pv["metadata"]["name"]
        until(f"PV {name} is gone", lambda: self.api.get(f"{paths.PVS}/{name}") is None)
        until("the trash is empty", lambda: not list((self.share / ".berth" / "trash").iterdir()))
        assert not self.directory_of(pv).exists()

    def directory_of(self, pv: Object) -> Path:
        """Where a PV's data is."""
        path: str = pv["spec"]["nfs"]["path"]
        return self.share / path.removeprefix("/mount/ksha3.2/")

    def lock(self) -> dict[str, Any]:
        """The record that old releases and we hold together."""
        found = self.api.get(LOCK)
        assert found is not None
        record: dict[str, Any] = json.loads(found["metadata"]["annotations"][LEADER])
        return record


@pytest.fixture(scope="module")
def article(cluster: DevCluster, api: Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Article]:
    made = Article(cluster, api, tmp_path_factory.mktemp("article"))
    # Another test of the article may have used the name a moment ago.
    until("the namespace's name is free", lambda: api.get(f"/api/v1/namespaces/{NAMESPACE}") is None)
    api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    yield made
    for controller in made.controllers:
        controller.stop()
    cluster.kubectl("delete", "-f", str(ARTICLE), "--wait=false")
    cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


@pytest.fixture(scope="module")
def berth(article: Article) -> Controller:
    return article.container("berth").start()


def test_its_claim_gets_a_volume_where_the_reference_would_have_put_it(article: Article, berth: Controller) -> None:
    article.file_claim("demo4nfs")
    pv = article.wait_bound("demo4nfs")
    assert pv["spec"]["nfs"]["server"] == "139.198.168.114"
    assert pv["spec"]["nfs"]["path"] == f"/mount/ksha3.2/ddddd-demo4nfs-{pv['metadata']['name']}"
    assert pv["metadata"]["annotations"]["pv.kubernetes.io/provisioned-by"] == "nfs/provisioner-229"
    assert article.directory_of(pv).is_dir()

    def reasons() -> set[str]:
        events = article.api.list(paths.events(NAMESPACE), fieldSelector="involvedObject.name=demo4nfs")
        return {event["reason"] for event in events}

    until("the claim's Events say that it is served", lambda: "ProvisioningSucceeded" in reasons())


def test_a_deleted_claim_takes_its_volume_with_it(article: Article, berth: Controller) -> None:
    article.file_claim("short")
    pv = article.wait_bound("short")
    # Without the right to take it off again, a finalizer would hold the PV for ever.
    assert not [one for one in pv["metadata"]["finalizers"] if "external-provisioner" in one]
    (article.directory_of(pv) / "data").write_text("x")
    article.api.delete(f"{paths.claims(NAMESPACE)}/short")
    article.wait_gone(pv)


def test_it_says_what_its_role_lacks_and_complains_of_nothing_else(article: Article, berth: Controller) -> None:
    (line,) = [line for line in berth.lines if "lacks rights" in line["event"]]
    lacks = set(line["lacks"].split(", "))
    assert "patch persistentvolumes" in lacks
    assert "get namespaces kube-system" in lacks
    assert "create leases.coordination.k8s.io" in lacks
    assert "create persistentvolumes" not in lacks
    assert not berth.complaints
    loud = {line["event"] for line in berth.lines if line["level"] not in ("debug", "info")}
    assert loud == {
        line["event"],
        "the role allows no Leases: holding the lock of older releases, on Endpoints, instead",
    }


def test_it_holds_the_lock_of_the_reference_and_gives_it_to_the_next(article: Article, berth: Controller) -> None:
    assert article.lock()["holderIdentity"].startswith(berth.settings.get("POD_NAME", ""))
    assert article.lock()["leaseDurationSeconds"] == 15
    second = article.container("second").start(wait=False)
    second.wait_logged("waiting for the leader")
    assert not second.has_logged("leading")
    assert berth.stop() == 0
    assert article.lock()["holderIdentity"] == ""
    second.wait_leading()
    article.file_claim("after")
    article.wait_bound("after")
    assert second.stop() == 0


def test_its_volumes_are_its_own_still_once_the_role_is_complete(
    article: Article, berth: Controller, account: Path
) -> None:
    if berth.is_running:
        berth.stop()
    article.file_claim("early")
    before = article.container("before").start()
    pv = article.wait_bound("early")
    assert before.stop() == 0
    (known,) = (article.share / ".berth" / "clusters").glob("*.json")
    complete = article.container("complete", account, ENABLE_LEADER_ELECTION="false").start()
    assert not [line for line in complete.lines if "lacks rights" in line["event"]]
    until("the PV has its finalizer", lambda: _has_finalizer(article, pv))
    article.api.delete(f"{paths.claims(NAMESPACE)}/early")
    article.wait_gone(pv)
    article.file_claim("late")
    article.wait_bound("late")
    (now,) = (article.share / ".berth" / "clusters").glob("*.json")
    system = article.api.get("/api/v1/namespaces/kube-system")
    assert system is not None
    assert now.stem == system["metadata"]["uid"] != known.stem
    assert not complete.complaints


def _has_finalizer(article: Article, pv: Object) -> bool:
    found = article.api.get(f"{paths.PVS}/{pv['metadata']['name']}")
    return found is not None and any("external-provisioner" in one for one in found["metadata"]["finalizers"])
