"""Taking over from the provisioners that people run today: their volumes, their names, and the lock they still hold."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.e2e import api
from tests.e2e.api import Object
from tests.e2e.site import ARCHIVES, FINALIZER, Site
from tests.e2e.waiting import until

LOCK = "control-plane.alpha.kubernetes.io/leader"


@pytest.fixture(scope="module")
def site(make_site: Callable[[], Site]) -> Site:
    """A site whose controller answers to a predecessor's name as well, with the environment of its Deployment."""
    made = make_site()
    made.provisioners.append(f"cluster.local/{made.token}-nfs-client")
    made.controller(NFS_SERVER=made.nfs.host, NFS_PATH=made.export).start()
    return made


def old_class(site: Site, **parameters: str) -> str:
    """A class as the predecessor's chart makes it: no word of a server. Its claims wait for old_volume."""
    return site.make_class(parameters, provisioner=site.provisioners[1], volumeBindingMode="WaitForFirstConsumer")


def old_volume(site: Site, name: str, of_class: str, *, directory: str = "") -> Object:
    """A Bound PV as nfs-subdir-external-provisioner would have made it, with its claim and its data."""
    uid = site.file_claim(name, of_class)["metadata"]["uid"]
    pv_name = f"pvc-{uid}"
    path = directory or f"{site.namespace}-{name}-{pv_name}"
    (site.root / path).mkdir(parents=True)
    (site.root / path).chmod(0o777)
    spec = {
        "accessModes": ["ReadWriteMany"],
        "capacity": {"storage": "1Gi"},
        "claimRef": {
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": site.namespace, "name": name, "uid": uid,
        },
        "mountOptions": site.nfs.mount_options(),
        "nfs": {"server": site.nfs.host, "path": f"{site.export}/{path}"},
        "persistentVolumeReclaimPolicy": "Delete",
        "storageClassName": of_class,
        "volumeMode": "Filesystem",
    }  # fmt: skip
    annotations = {"pv.kubernetes.io/provisioned-by": site.provisioners[1]}
    site.api.create(api.PVS, {"metadata": {"name": pv_name, "annotations": annotations}, "spec": spec})
    pv = site.wait_bound(name)
    site.plant(pv)
    return pv


def test_a_deleted_claim_takes_its_old_volume_with_it_if_the_class_says_so(site: Site) -> None:
    pv = old_volume(site, "old-delete", old_class(site, archiveOnDelete="false"))
    assert FINALIZER not in pv["metadata"].get("finalizers", [])
    site.delete_claim("old-delete")
    site.wait_gone(pv["metadata"]["name"])
    site.wait_purged(pv["metadata"]["name"])
    assert not site.directory_of(pv).exists()


@pytest.mark.parametrize("parameters", [{}, {"archiveOnDelete": "true"}, {"archiveOnDelete": "false", "onDelete": ""}])
def test_an_old_volume_is_archived_if_the_class_says_so(site: Site, parameters: dict[str, str]) -> None:
    is_kept = parameters.get("archiveOnDelete") != "false"
    name = f"old-archive-{len(parameters)}"
    pv = old_volume(site, name, old_class(site, **parameters))
    text = site.sentinels[pv["metadata"]["name"]]
    site.delete_claim(name)
    site.wait_gone(pv["metadata"]["name"])
    archive = f"archived-{site.path_of(pv)}"
    assert (site.root / archive).exists() is is_kept
    if is_kept:
        assert (site.root / archive / "sentinel").read_text() == text
        about = json.loads((site.root / ARCHIVES / f"{archive}.json").read_text())
        assert (about["namespace"], about["claim"]) == (site.namespace, name)


def test_an_old_volume_is_kept_if_the_class_says_so(site: Site) -> None:
    pv = old_volume(site, "old-retain", old_class(site, onDelete="retain"))
    site.delete_claim("old-retain")
    site.wait_gone(pv["metadata"]["name"])
    assert (site.directory_of(pv) / "sentinel").exists()
    site.foreign.add(site.path_of(pv))


def test_an_old_volume_whose_class_is_gone_is_kept_and_told_of(site: Site) -> None:
    of_class = old_class(site, archiveOnDelete="false")
    pv = old_volume(site, "old-classless", of_class)
    name = pv["metadata"]["name"]
    site.delete_class(of_class)
    site.delete_claim("old-classless")
    event = site.wait_event(name, "VolumeFailedDelete", kind="PersistentVolume")
    assert event["type"] == "Warning"
    assert of_class in event["message"]
    assert "berth.io/on-delete" in event["message"]
    assert site.pv(name) is not None
    assert (site.directory_of(pv) / "sentinel").exists()
    # What the message advises works.
    site.patch_pv(name, metadata={"annotations": {"berth.io/on-delete": "archive"}})
    site.wait_gone(name)
    assert (site.root / f"archived-{site.path_of(pv)}" / "sentinel").exists()


def test_the_class_of_an_old_volume_that_comes_back_decides(site: Site) -> None:
    of_class = old_class(site, archiveOnDelete="false")
    pv = old_volume(site, "old-comeback", of_class)
    site.delete_class(of_class)
    site.delete_claim("old-comeback")
    site.wait_event(pv["metadata"]["name"], "VolumeFailedDelete", kind="PersistentVolume")
    site.make_class({"archiveOnDelete": "false"}, name=of_class, provisioner=site.provisioners[1])
    site.wait_gone(pv["metadata"]["name"])
    site.wait_purged(pv["metadata"]["name"])
    assert not site.directory_of(pv).exists()


def test_an_old_volume_follows_its_classs_pattern(site: Site) -> None:
    of_class = old_class(site, pathPattern="${.PVC.namespace}/shop/${.PVC.name}", archiveOnDelete="false")
    pv = old_volume(site, "old-pattern", of_class, directory=f"{site.namespace}/shop/old-pattern")
    site.delete_claim("old-pattern")
    site.wait_gone(pv["metadata"]["name"])
    site.wait_purged(pv["metadata"]["name"])
    assert not site.directory_of(pv).exists()
    assert site.directory_of(pv).parent.exists()
    site.foreign.add(site.namespace)


@pytest.mark.parametrize("pattern", ["${.PVC.namespace}/${.PVC.labels.app}-${.PVC.name}", "common/${.PVC.namespace}"])
def test_an_old_volume_whose_path_anybody_could_have_is_left_alone(site: Site, pattern: str) -> None:
    """A label could be anything by now, and other claims lead to the rest as well: neither shows whose it is."""
    name = f"old-shared-{secrets.token_hex(2)}"
    directory = pattern.replace("${.PVC.namespace}", site.namespace).replace("${.PVC.labels.app}-${.PVC.name}", "x")
    pv = old_volume(site, name, old_class(site, pathPattern=pattern, archiveOnDelete="false"), directory=directory)
    site.delete_claim(name)
    event = site.wait_event(pv["metadata"]["name"], "VolumeFailedDelete", kind="PersistentVolume")
    assert "nothing shows that Berth made it" in event["message"]
    assert (site.directory_of(pv) / "sentinel").exists()


def test_an_old_volume_elsewhere_than_its_class_would_have_put_it_is_left_alone(site: Site) -> None:
    """Somebody moved it, or the class of that name is another one by now: nothing shows whose the directory is."""
    pv = old_volume(site, "old-elsewhere", old_class(site, archiveOnDelete="false"), directory="moved-by-hand")
    site.delete_claim("old-elsewhere")
    event = site.wait_event(pv["metadata"]["name"], "VolumeFailedDelete", kind="PersistentVolume")
    assert "left alone" in event["message"]
    assert (site.directory_of(pv) / "sentinel").exists()
    assert site.pv(pv["metadata"]["name"]) is not None


def test_an_old_volume_can_grow(site: Site) -> None:
    pv = old_volume(site, "old-growing", old_class(site))
    site.patch_claim("old-growing", spec={"resources": {"requests": {"storage": "2Gi"}}})

    def is_grown() -> bool:
        claim, grown = site.claim("old-growing"), site.pv(pv["metadata"]["name"])
        assert claim is not None
        assert grown is not None
        return bool(claim["status"]["capacity"] == grown["spec"]["capacity"] == {"storage": "2Gi"})

    until("claim and PV have grown", is_grown)


def test_new_claims_of_an_old_class_are_served(site: Site) -> None:
    of_class = site.make_class({"archiveOnDelete": "false"}, provisioner=site.provisioners[1])
    pv = site.serve("new-claim", of_class)
    assert pv["metadata"]["annotations"]["pv.kubernetes.io/provisioned-by"] == site.provisioners[1]
    assert site.path_of(pv) == f"{site.namespace}-new-claim-{pv['metadata']['name']}"
    site.delete_claim("new-claim")
    site.wait_gone(pv["metadata"]["name"])


class OldLock:
    """The lock as an old release holds it: a record on an Endpoints object."""

    def __init__(self, site: Site, *, lasts: float) -> None:
        self._api = site.api
        self._lasts = lasts
        self.name = site.provisioner.replace("/", "-")
        self._path = "/api/v1/namespaces/berth-e2e/endpoints"
        metadata = {"name": self.name, "annotations": {LOCK: self._record("old-pod")}}
        self._api.create(self._path, {"metadata": metadata})

    def renew(self, holder: str = "old-pod") -> None:
        self._api.patch(f"{self._path}/{self.name}", {"metadata": {"annotations": {LOCK: self._record(holder)}}})

    def remove(self) -> None:
        self._api.delete(f"{self._path}/{self.name}")

    def _record(self, holder: str) -> str:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        record = {"holderIdentity": holder, "leaseDurationSeconds": self._lasts, "acquireTime": now, "renewTime": now}
        return json.dumps({**record, "leaderTransitions": 0, "renewals": time.monotonic()})


@pytest.mark.parametrize("how", ["given back", "no longer renewed"])
def test_an_old_release_that_still_runs_is_waited_for(make_site: Callable[[], Site], how: str) -> None:
    site = make_site()
    lasts = 30 if how == "given back" else 2
    lock = OldLock(site, lasts=lasts)
    controller = site.controller(ENABLE_LEADER_ELECTION="true").start(wait=False)
    controller.wait_logged("waiting for an old release to end")
    site.file_claim("waiting", site.make_class())
    events = "/api/v1/namespaces/berth-e2e/events"
    (event,) = until(
        "it is told on the lock", lambda: site.api.list(events, fieldSelector=f"involvedObject.name={lock.name}")
    )
    assert "old-pod holds the lock" in event["message"]
    begin = time.monotonic()
    while time.monotonic() < begin + 1.5 * min(lasts, 2):
        lock.renew()
        time.sleep(0.2)  # as an old pod does, for longer than its lock lasts
        assert not controller.has_logged("leading")
    if how == "given back":
        lock.renew(holder="")
    controller.wait_leading()
    site.wait_bound("waiting")
    lock.remove()
