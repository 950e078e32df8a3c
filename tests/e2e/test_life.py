"""From birth to end: what claims get, and what becomes of their volumes."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from devcluster.cluster import DevCluster
from devcluster.demo import CLAIM
from tests.e2e import api
from tests.e2e.invariants import settle
from tests.e2e.site import ARCHIVES, FINALIZER, TRASH, Site
from tests.e2e.trees import tree
from tests.e2e.waiting import until


@pytest.fixture(scope="module")
def site(make_site: Callable[[], Site]) -> Site:
    """One site with one controller for the whole module."""
    made = make_site()
    made.controller(NFS_SERVER=made.nfs.host, NFS_PATH=made.export).start()
    return made


@pytest.fixture(autouse=True)
def _converged(site: Site) -> None:
    """Whatever other tests left behind has settled."""
    settle(site)


def visible(site: Site) -> set[str]:
    """What is in the share's root, Berth's own directory aside."""
    return {entry.name for entry in site.root.iterdir()} - {".berth"}


def test_the_claim_of_the_article_is_served_as_it_stands(site: Site, cluster: DevCluster) -> None:
    controller = site.controllers[0]
    name = site.make_class({"archiveOnDelete": "false"})
    claim = yaml.safe_load(CLAIM)
    claim["metadata"]["namespace"] = site.namespace
    claim["metadata"]["annotations"]["volume.beta.kubernetes.io/storage-provisioner"] = site.provisioner
    claim["spec"]["storageClassName"] = name
    site.api.create(api.claims(site.namespace), claim)
    pv = site.wait_bound("demo4nfs")
    uid = pv["spec"]["claimRef"]["uid"]
    assert pv["metadata"]["name"] == f"pvc-{uid}"
    assert pv["spec"]["capacity"] == {"storage": "10Gi"}
    assert pv["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert pv["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
    assert pv["spec"]["nfs"]["server"] == site.nfs.host
    assert site.path_of(pv) == f"{site.namespace}-demo4nfs-pvc-{uid}"
    assert site.directory_of(pv).stat().st_mode & 0o7777 == 0o777
    assert FINALIZER in pv["metadata"]["finalizers"]
    event = site.wait_event("demo4nfs", "ProvisioningSucceeded")
    assert event["type"] == "Normal"
    assert event["message"].startswith(f"Successfully provisioned volume pvc-{uid} at {site.nfs.host}:")
    assert controller.metric("controller_persistentvolumeclaim_provision_total", **{"class": name}) == 1
    record = json.loads(site.record(pv["metadata"]["name"]).read_text())
    kube_system = site.api.get("/api/v1/namespaces/kube-system")
    assert kube_system is not None
    assert record["cluster"] == kube_system["metadata"]["uid"]
    assert (record["namespace"], record["claim"], record["claimUID"]) == (site.namespace, "demo4nfs", uid)
    assert (record["class"], record["capacity"], record["onDelete"]) == (name, 10 * 2**30, "delete")
    assert (site.root / ".berth").stat().st_mode & 0o7777 == 0o700

    site.delete_claim("demo4nfs")
    site.wait_gone(pv["metadata"]["name"])
    site.wait_purged(pv["metadata"]["name"])
    assert not site.directory_of(pv).exists()
    assert controller.metric("controller_persistentvolume_delete_total", **{"class": name}) == 1


def test_a_deleted_volume_is_gone_with_all_that_was_in_it(site: Site) -> None:
    pv = site.serve("deleted", site.make_class(site.parameters(onDelete="delete")))
    inside = site.directory_of(pv) / "deep" / "deeper"
    inside.mkdir(parents=True)
    (inside / "file").write_text("x")
    (inside / "link").symlink_to("/etc")
    (inside / "unreadable").mkdir(mode=0)
    site.delete_claim("deleted")
    site.wait_gone(pv["metadata"]["name"])
    site.wait_purged(pv["metadata"]["name"])
    assert site.path_of(pv) not in visible(site)
    assert Path("/etc/passwd").exists()


def test_an_archived_volume_is_kept_under_its_name_and_explains_itself(site: Site) -> None:
    pv = site.serve("archived", site.make_class(site.parameters(archiveOnDelete="true")))
    text = site.plant(pv)
    site.delete_claim("archived")
    site.wait_gone(pv["metadata"]["name"])
    archive = f"archived-{site.path_of(pv)}"
    assert (site.root / archive / "sentinel").read_text() == text
    about = json.loads((site.root / ARCHIVES / f"{archive}.json").read_text())
    assert (about["namespace"], about["claim"], about["pv"]) == (site.namespace, "archived", pv["metadata"]["name"])
    assert about["archived"]
    assert not site.directory_of(pv).exists()
    assert not site.record(pv["metadata"]["name"]).exists()


def test_archives_of_one_path_never_take_each_others_place(site: Site) -> None:
    name = site.make_class(site.parameters(pathPattern="${.PVC.namespace}/${.PVC.name}", onDelete="archive"))
    base = f"archived-{site.namespace}-again"
    texts = []
    for _ in range(3):
        pv = site.serve("again", name)
        texts.append(site.plant(pv))
        site.delete_claim("again")
        site.wait_gone(pv["metadata"]["name"])
        until("the claim is gone", lambda: site.claim("again") is None)
    archives = sorted(found for found in visible(site) if found.startswith(base))
    assert len(archives) == 3
    assert archives[0] == base
    assert {(site.root / archive / "sentinel").read_text() for archive in archives} == set(texts)
    site.foreign.add(site.namespace)  # the parent stays (I7)
    assert (site.root / site.namespace).is_dir()


def test_an_archives_name_that_somebody_else_took_is_left_to_him(site: Site) -> None:
    name = site.make_class(site.parameters(pathPattern="${.PVC.name}-by-name", onDelete="archive"))
    pv = site.serve("rival", name)
    text = site.plant(pv)
    rival = site.root / "archived-rival-by-name"
    rival.mkdir()
    (rival / "precious").write_text("not Berth's\n")
    site.foreign.add(rival.name)
    site.delete_claim("rival")
    site.wait_gone(pv["metadata"]["name"])
    assert tree(rival).keys() == {"precious"}
    (archive,) = (found for found in visible(site) if found.startswith("archived-rival-by-name-"))
    assert (site.root / archive / "sentinel").read_text() == text


def test_on_delete_retain_removes_the_pv_and_keeps_the_directory(site: Site) -> None:
    pv = site.serve("kept", site.make_class(site.parameters(onDelete="retain")))
    text = site.plant(pv)
    site.delete_claim("kept")
    site.wait_gone(pv["metadata"]["name"])
    assert (site.directory_of(pv) / "sentinel").read_text() == text
    assert json.loads(site.record(pv["metadata"]["name"]).read_text())["released"]


def test_policy_retain_keeps_pv_and_directory(site: Site) -> None:
    pv = site.serve("policy", site.make_class(site.parameters(onDelete="delete"), reclaimPolicy="Retain"))
    assert FINALIZER not in pv["metadata"].get("finalizers", [])
    text = site.plant(pv)
    site.delete_claim("policy")
    site.wait_phase(pv["metadata"]["name"], "Released")
    other = site.serve("after-policy", site.make_class(site.parameters(onDelete="delete")))
    site.delete_claim("after-policy")
    site.wait_gone(other["metadata"]["name"])
    assert site.pv(pv["metadata"]["name"]) is not None
    assert (site.directory_of(pv) / "sentinel").read_text() == text
    # Somebody decides otherwise later on.
    site.patch_pv(pv["metadata"]["name"], spec={"persistentVolumeReclaimPolicy": "Delete"})
    site.wait_gone(pv["metadata"]["name"])
    site.wait_purged(pv["metadata"]["name"])
    assert not site.directory_of(pv).exists()


@pytest.mark.parametrize("end", ["delete", "archive", "retain"])
def test_the_end_is_fixed_at_birth_even_if_the_class_goes_or_changes_its_mind(site: Site, end: str) -> None:
    name = site.make_class(site.parameters(onDelete=end))
    claims = [f"{end}-class-gone", f"{end}-class-changed"]
    gone, changed = (site.serve(claim, name) for claim in claims)
    texts = {site.path_of(pv): site.plant(pv) for pv in (gone, changed)}
    site.delete_class(name)
    site.delete_claim(claims[0])
    site.wait_gone(gone["metadata"]["name"])
    site.make_class(site.parameters(onDelete="retain" if end == "delete" else "delete"), name=name)
    site.delete_claim(claims[1])
    site.wait_gone(changed["metadata"]["name"])
    site.wait_purged(changed["metadata"]["name"]) if end == "delete" else None
    for path, text in texts.items():
        where = {"delete": None, "archive": f"archived-{path}", "retain": path}[end]
        assert (site.root / path).exists() is (end == "retain")
        if where:
            assert (site.root / where / "sentinel").read_text() == text


def test_a_pv_deleted_by_hand_first_takes_its_directory_with_it_when_the_claim_goes(site: Site) -> None:
    pv = site.serve("by-hand", site.make_class(site.parameters(onDelete="delete")))
    name = pv["metadata"]["name"]
    site.api.delete(f"{api.PVS}/{name}")
    waiting = site.pv(name)
    assert waiting is not None
    assert waiting["metadata"]["deletionTimestamp"]
    site.delete_claim("by-hand")
    site.wait_gone(name)
    site.wait_purged(name)
    assert not site.directory_of(pv).exists()


def test_the_finalizer_follows_the_policy(site: Site) -> None:
    pv = site.serve("wavering", site.make_class(site.parameters(onDelete="delete")))
    name = pv["metadata"]["name"]
    text = site.plant(pv)

    def finalizers() -> list[str]:
        found = site.pv(name)
        return found["metadata"].get("finalizers", []) if found else []

    assert FINALIZER in finalizers()
    site.patch_pv(name, spec={"persistentVolumeReclaimPolicy": "Retain"})
    until("the finalizer is off", lambda: FINALIZER not in finalizers())
    site.patch_pv(name, spec={"persistentVolumeReclaimPolicy": "Delete"})
    until("the finalizer is on", lambda: FINALIZER in finalizers())
    assert "kubernetes.io/pv-protection" in finalizers()
    assert (site.directory_of(pv) / "sentinel").read_text() == text
    site.delete_claim("wavering")
    site.wait_gone(name)
    site.wait_purged(name)


def test_a_claim_of_the_same_name_gets_a_volume_of_its_own(site: Site) -> None:
    name = site.make_class(site.parameters(onDelete="delete"))
    first = site.serve("reborn", name)
    site.plant(first)
    site.delete_claim("reborn")
    until("the claim is gone", lambda: site.claim("reborn") is None)
    second = site.serve("reborn", name)
    assert second["metadata"]["name"] != first["metadata"]["name"]
    assert list(site.directory_of(second).iterdir()) == []


def test_mode_and_owner_are_what_the_class_says(site: Site) -> None:
    pv = site.serve("owned", site.make_class(site.parameters(directoryMode="02770", uid="1000", gid="2000")))
    about = site.directory_of(pv).stat()
    assert (about.st_mode & 0o7777, about.st_uid, about.st_gid) == (0o2770, 1000, 2000)


def test_mount_options_go_onto_the_pv_unchanged(site: Site) -> None:
    options = [*site.nfs.mount_options(), "nfsvers=4.0", "hard", "noatime"]
    pv = site.serve("mounted-so", site.make_class(mount_options=options))
    assert pv["spec"]["mountOptions"] == options


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param({"pathPattern": "${.PVC.namespace}/${.PVC.name}-of-${.PVC.labels.app}"}, "{ns}/patterned-of-shop"),
        pytest.param({"pathPattern": "teams/${.PVC.annotations.team}/${.PV.name}"}, "teams/blue/{pv}"),
        pytest.param({"subDir": "${pvc.metadata.namespace}.${pvc.metadata.name}.${pv.metadata.name}"},
                     "{ns}.patterned.{pv}"),
    ],
    ids=["labels", "annotations", "csi-driver-nfs"],
)  # fmt: skip
def test_patterns_say_where_the_directory_goes(site: Site, pattern: dict[str, str], expected: str) -> None:
    name = site.make_class(site.parameters(**pattern, onDelete="delete"))
    pv = site.serve("patterned", name, labels={"app": "shop"}, annotations={"team": "blue"})
    assert site.path_of(pv) == expected.format(ns=site.namespace, pv=pv["metadata"]["name"])
    assert site.directory_of(pv).is_dir()
    site.delete_claim("patterned")
    site.wait_gone(pv["metadata"]["name"])
    site.wait_purged(pv["metadata"]["name"])
    until("the claim is gone", lambda: site.claim("patterned") is None)
    if "/" in expected:  # the parents were made, and stay (I7)
        parent = site.directory_of(pv).parent
        assert parent.is_dir()
        assert list(parent.iterdir()) == []
        site.foreign.add(str(parent.relative_to(site.root)))


@pytest.mark.parametrize("allowed", ["namespace", "allow"])
def test_claims_share_a_directory_where_their_class_allows_it_and_the_last_one_out_acts(
    site: Site, allowed: str
) -> None:
    name = site.make_class(site.parameters(pathPattern=f"shared-{allowed}", sharedPaths=allowed, onDelete="delete"))
    first, second = (site.serve(f"{allowed}-{number}", name) for number in ("one", "two"))
    assert site.path_of(first) == site.path_of(second)
    (site.directory_of(first) / "file").write_text("ours\n")
    site.delete_claim(f"{allowed}-one")
    event = site.wait_event(first["metadata"]["name"], "VolumeFailedDelete", kind="PersistentVolume")
    assert second["metadata"]["name"] in event["message"]
    assert f"{site.namespace}/{allowed}-two" in event["message"]
    assert (site.directory_of(second) / "file").read_text() == "ours\n"
    site.delete_claim(f"{allowed}-two")
    site.wait_gone(first["metadata"]["name"])
    site.wait_gone(second["metadata"]["name"])
    until("the directory is gone", lambda: not site.directory_of(second).exists())


def test_a_claim_waits_for_its_pod_where_its_class_says_so(site: Site) -> None:
    name = site.make_class(volumeBindingMode="WaitForFirstConsumer")
    site.file_claim("patient", name)
    # What was filed later has been served: the first one was not overlooked, it waits.
    site.serve("impatient", site.make_class())
    waiting = site.claim("patient")
    assert waiting is not None
    assert waiting["status"]["phase"] == "Pending"
    assert not any("-patient-" in found for found in visible(site))
    site.patch_claim("patient", metadata={"annotations": {"volume.kubernetes.io/selected-node": "worker-1"}})
    pv = site.wait_bound("patient")
    assert site.directory_of(pv).is_dir()


def test_the_class_can_be_named_the_old_way(site: Site) -> None:
    name = site.make_class()
    old = {"volume.beta.kubernetes.io/storage-class": name}
    site.file_claim("old-fashioned", name, storageClassName=None, annotations=old)
    pv = site.wait_bound("old-fashioned")
    assert pv["spec"]["storageClassName"] == name


@pytest.mark.parametrize(
    ("pattern", "existing"),
    [("${.PVC.namespace}/prepared/${.PVC.name}", "auto"), ("${.PVC.annotations.nfs.io/storage-path}", "adopt")],
)
def test_a_directory_that_was_there_is_adopted_as_it_is_and_kept(site: Site, pattern: str, existing: str) -> None:
    name = site.make_class(site.parameters(pathPattern=pattern, onDelete="delete", existingDirectory=existing))
    claim, where = f"seeded-{existing}", f"{site.namespace}/prepared/seeded-{existing}"
    prepared = site.root / where
    prepared.mkdir(mode=0o750, parents=True)
    site.foreign.add(site.namespace)
    (prepared / "seed").write_text("prepared by hand\n")
    pv = site.serve(claim, name, annotations={"nfs.io/storage-path": where})
    assert site.directory_of(pv) == prepared
    assert prepared.stat().st_mode & 0o7777 == 0o750
    notes = pv["metadata"]["annotations"]
    assert (notes["berth.io/adopted"], notes["berth.io/on-delete"]) == ("true", "retain")
    assert "was there before and which Berth did not make" in site.wait_event(claim, "ProvisioningSucceeded")["message"]
    # Somebody changes the end by hand: what Berth did not make is kept all the same.
    site.patch_pv(pv["metadata"]["name"], metadata={"annotations": {"berth.io/on-delete": "delete"}})
    site.delete_claim(claim)
    site.wait_gone(pv["metadata"]["name"])
    assert (prepared / "seed").read_text() == "prepared by hand\n"


@pytest.mark.parametrize("where", ["photos", "lost+found", "x/.snapshot/hourly.0", "@eaDir", "#recycle", "x/.nfs0001"])
@pytest.mark.parametrize("end", ["delete", "archive"])
def test_a_directory_that_berth_did_not_make_is_neither_served_nor_touched(site: Site, where: str, end: str) -> None:
    path = f"{site.token}-{end}/{where}" if where == "photos" else where
    name = site.make_class(site.parameters(pathPattern="${.PVC.annotations.nfs.io/storage-path}", onDelete=end))
    there = site.root / path / "2019"
    there.mkdir(parents=True, exist_ok=True)
    (there / "a.jpg").write_text("precious")
    site.foreign.add(path.split("/")[0])
    claim = f"taker-{secrets.token_hex(3)}"
    site.file_claim(claim, name, annotations={"nfs.io/storage-path": path})
    event = site.wait_event(claim, "ProvisioningFailed")
    assert repr(path) in event["message"]
    assert ("existingDirectory" in event["message"]) is (where == "photos")
    site.delete_claim(claim)
    assert (there / "a.jpg").read_text() == "precious"


def test_a_hundred_claims_at_once_each_get_one_volume(site: Site) -> None:
    name = site.make_class(site.parameters(onDelete="delete"))
    claims = [f"many-{number}" for number in range(100)]
    for claim in claims:
        site.file_claim(claim, name)
    pvs = [site.wait_bound(claim) for claim in claims]
    assert len({site.path_of(pv) for pv in pvs}) == len(claims)
    settle(site)
    site.delete_claim(*claims)
    for pv in pvs:
        site.wait_gone(pv["metadata"]["name"])
    until("the trash is empty", lambda: not list((site.root / TRASH).iterdir()))
    settle(site)


def test_of_claims_that_race_for_one_directory_one_wins_and_the_next_follows_it(site: Site) -> None:
    name = site.make_class(site.parameters(pathPattern=f"only-{secrets.token_hex(2)}", onDelete="delete"))
    claims = {f"racer-{number}" for number in range(8)}
    for claim in claims:
        site.file_claim(claim, name)

    def bound() -> set[str]:
        found = {claim: site.claim(claim) for claim in claims}
        return {claim for claim, now in found.items() if now and now["status"].get("phase") == "Bound"}

    until("one is Bound", bound)
    for loser in claims - bound():
        site.wait_event(loser, "ProvisioningFailed", having="sharedPaths")
    (winner,) = bound()
    pv = site.wait_bound(winner)
    site.plant(pv)
    site.delete_claim(winner)
    claims.remove(winner)
    site.wait_gone(pv["metadata"]["name"])
    until("the next one is Bound", bound)
    (second,) = bound()
    assert list(site.directory_of(site.wait_bound(second)).iterdir()) == []
    site.delete_claim(*claims)
