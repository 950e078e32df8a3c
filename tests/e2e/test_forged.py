"""PVs made by hand, by mistake or in bad faith: whatever they say, nothing that is not theirs is ever touched."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.e2e import api
from tests.e2e.api import Object
from tests.e2e.site import FINALIZER, Site
from tests.e2e.trees import tree


@dataclass(frozen=True, slots=True)
class Victims:
    """What there is to lose."""

    site: Site
    of_class: str
    live: Object
    """A PV in use, by a class whose directories are unique."""
    nested: Object
    """Another one, two levels deep."""
    kept: Object
    """A PV that is gone; its directory was to be retained."""
    archive: str
    outside: str
    """A directory beside the share, absolute on the server."""


@pytest.fixture(scope="module")
def victims(make_site: Callable[[], Site]) -> Victims:
    site = make_site()
    site.controller(NFS_SERVER=site.nfs.host, NFS_PATH=site.export).start()
    deleting = site.make_class(site.parameters(onDelete="delete"))
    nested = site.make_class(site.parameters(pathPattern="${.PVC.namespace}/${.PVC.name}", onDelete="delete"))
    live, deep = site.serve("live", deleting), site.serve("deep", nested)
    kept = site.serve("kept", site.make_class(site.parameters(onDelete="retain")))
    archived = site.serve("archived", site.make_class(site.parameters(onDelete="archive")))
    for pv in (live, deep, kept, archived):
        site.plant(pv)
    site.delete_claim("kept", "archived")
    for pv in (kept, archived):
        site.wait_gone(pv["metadata"]["name"])
    by_hand = site.root / "by-hand"
    by_hand.mkdir()
    (by_hand / "precious").write_text("made by hand\n")
    (site.root / "link").symlink_to(site.directory_of(live).name)
    (site.root / "way-out").symlink_to("/")
    neighbour = site.root.parent / f"{site.token}-neighbour"
    neighbour.mkdir()
    (neighbour / "precious").write_text("of another share\n")
    site.foreign |= {"by-hand", "link", "way-out"}
    return Victims(
        site=site,
        of_class=deleting,
        live=live,
        nested=deep,
        kept=kept,
        archive=f"archived-{site.path_of(archived)}",
        outside=f"{site.export}-neighbour",
    )


@dataclass(frozen=True, slots=True)
class Forgery:
    """One PV made by hand: what is odd about it, and how Berth answers."""

    says: str
    """Words of the Event on the PV; empty: Berth has nothing to say, since the PV is none of its business."""
    path: Callable[[Victims], str] = lambda victims: f"{victims.site.export}/by-hand"
    name: Callable[[Victims], str] = lambda victims: f"pvc-{uuid.uuid4()}"
    annotations: dict[str, Callable[[Victims], str] | None] = field(default_factory=dict)
    server: Callable[[Victims], str] = lambda victims: victims.site.nfs.host
    storage_class: Callable[[Victims], str] = lambda victims: victims.of_class
    policy: str = "Delete"


def at(path: str) -> Callable[[Victims], str]:
    """A path below the share's root."""
    return lambda victims: f"{victims.site.export}/{path}"


def absolute(path: str) -> Callable[[Victims], str]:
    return lambda victims: path


SHARE, ON_DELETE, BY = "berth.io/share", "berth.io/on-delete", "pv.kubernetes.io/provisioned-by"
LEGACY: dict[str, Callable[[Victims], str] | None] = {SHARE: None, ON_DELETE: None}
"""As a reference provisioner would have made it: the class says what happens."""

FORGERIES = {
    "the directory of a live volume": Forgery(
        "is kept as long as PV", path=lambda victims: victims.live["spec"]["nfs"]["path"]
    ),
    "the directory of a live volume, spelled otherwise": Forgery(
        "spec.nfs.path", path=lambda victims: f"{victims.site.export}/./{victims.site.path_of(victims.live)}/"
    ),
    "a directory in a live volume": Forgery(
        "is kept as long as PV", path=lambda victims: f"{victims.live['spec']['nfs']['path']}/sub"
    ),
    "a directory around a live volume": Forgery(
        "is kept as long as PV", path=lambda victims: f"{victims.site.export}/{victims.site.namespace}"
    ),
    "a directory that was to be retained": Forgery(
        "nothing shows that Berth made it", path=lambda victims: victims.kept["spec"]["nfs"]["path"]
    ),
    "an archive": Forgery("archived-", path=lambda victims: f"{victims.site.export}/{victims.archive}"),
    "a directory made by hand": Forgery("nothing shows that Berth made it"),
    "a directory made by hand, without Berth's annotations": Forgery(
        "nothing shows that Berth made it", annotations=LEGACY
    ),
    "the root of the share": Forgery("does not lie below the share's root", path=lambda victims: victims.site.export),
    "the root of the share, with a slash": Forgery("spec.nfs.path", path=at("")),
    "the root of the server": Forgery("does not lie below the share's root", path=absolute("/")),
    "the root of the server as a share": Forgery(
        "spec.nfs.path",
        path=lambda victims: victims.live["spec"]["nfs"]["path"],
        annotations={SHARE: lambda victims: f"{victims.site.nfs.host}:/"},
    ),
    "a way out by dots": Forgery(
        "'..'", path=lambda victims: f"{victims.site.export}/../{victims.site.token}-neighbour"
    ),
    "dots inside": Forgery("'..'", path=at("by-hand/../by-hand")),
    "a directory beside the share": Forgery(
        "does not lie below the share's root", path=lambda victims: victims.outside
    ),
    "Berth's own directory": Forgery("'.berth'", path=at(".berth")),
    "Berth's records": Forgery("'.berth'", path=at(".berth/volumes")),
    "a link to a live volume": Forgery("nothing shows that Berth made it", path=at("link")),
    "a path through a link": Forgery("link", path=at("way-out/etc")),
    "the name of a retained volume": Forgery(
        "says that the volume is at", name=lambda victims: victims.kept["metadata"]["name"]
    ),
    "another server in the annotation": Forgery(
        "berth.io/share", annotations={SHARE: lambda victims: f"nfs.invalid:{victims.site.export}"}
    ),
    "a share that is none": Forgery("berth.io/share", annotations={SHARE: absolute("by-hand")}),
    "an end that is none": Forgery("berth.io/on-delete", annotations={ON_DELETE: absolute("burn")}),
    "no class, and nothing that says the end": Forgery(
        "is gone and the PV does not say", annotations=LEGACY, storage_class=absolute("never-existed")
    ),
    "another provisioner's": Forgery("", annotations={BY: absolute("disk.example/other")}),
    "nobody's": Forgery("", annotations={BY: None}),
    "one that is to be kept": Forgery("", policy="Retain"),
}


def forge(victims: Victims, forgery: Forgery) -> str:
    """Makes the PV; its claim has never existed, so Kubernetes calls it Released at once. Returns its name."""
    site, name = victims.site, forgery.name(victims)
    fine: dict[str, Callable[[Victims], str] | None] = {
        BY: lambda victims: victims.site.provisioner,
        SHARE: lambda victims: f"{victims.site.nfs.host}:{victims.site.export}",
        ON_DELETE: lambda victims: "delete",
    }
    annotations = {key: make(victims) for key, make in {**fine, **forgery.annotations}.items() if make is not None}
    spec: dict[str, Any] = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteMany"],
        "persistentVolumeReclaimPolicy": forgery.policy,
        "storageClassName": forgery.storage_class(victims),
        "nfs": {"server": forgery.server(victims), "path": forgery.path(victims)},
        "claimRef": {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "namespace": site.namespace,
            "name": f"never-{secrets.token_hex(3)}",
            "uid": name.removeprefix("pvc-"),
        },
    }
    site.api.create(api.PVS, {"metadata": {"name": name, "annotations": annotations}, "spec": spec})
    return name


@pytest.mark.parametrize("what", FORGERIES)
def test_a_forged_pv_never_causes_a_deletion(victims: Victims, what: str) -> None:
    site, forgery = victims.site, FORGERIES[what]
    before = tree(site.root.parent)
    name = forge(victims, forgery)
    try:
        if forgery.says:
            event = site.wait_event(name, "VolumeFailedDelete", kind="PersistentVolume")
            assert event["type"] == "Warning"
            assert forgery.says in event["message"]
            assert "\n" not in event["message"]
        else:
            site.wait_phase(name, "Released", "Failed")
            # What was released after it has been dealt with, and it has not.
            other = site.serve(f"other-{secrets.token_hex(3)}", victims.of_class)
            site.delete_claim(other["spec"]["claimRef"]["name"])
            site.wait_gone(other["metadata"]["name"])
            site.wait_purged(other["metadata"]["name"])
        forged = site.pv(name)
        assert forged is not None
        assert not forged["metadata"].get("deletionTimestamp")
        assert tree(site.root.parent) == before
        assert bool(site.events(name, kind="PersistentVolume")) is bool(forgery.says)
    finally:
        site.patch_pv(name, metadata={"finalizers": None})
        site.api.delete(f"{api.PVS}/{name}")
        site.wait_gone(name)


def test_a_forged_pv_that_is_deleted_by_hand_takes_nothing_with_it(victims: Victims) -> None:
    site = victims.site
    before = tree(site.root)
    name = forge(victims, Forgery("", path=lambda victims: victims.kept["spec"]["nfs"]["path"]))
    site.wait_event(name, "VolumeFailedDelete", kind="PersistentVolume")
    site.api.delete(f"{api.PVS}/{name}")
    try:
        site.patch_pv(name, metadata={"finalizers": None})
    except api.ApiError as error:
        if error.code != 404:  # Berth was faster: whose end is not decided holds no PV that was deleted by hand
            raise
    site.wait_gone(name)
    assert tree(site.root) == before


def test_a_forged_record_does_not_help_either(victims: Victims) -> None:
    """A record that says that another's directory is this PV's: its owner's PV still stands in the way."""
    site = victims.site
    name = f"pvc-{uuid.uuid4()}"
    record = json.loads(site.record(victims.live["metadata"]["name"]).read_text())
    site.record(name).write_text(json.dumps({**record, "pv": name}))
    before = tree(site.root)
    try:
        forge(victims, Forgery("", path=lambda victims: victims.live["spec"]["nfs"]["path"], name=lambda _: name))
        event = site.wait_event(name, "VolumeFailedDelete", kind="PersistentVolume")
        assert victims.live["metadata"]["name"] in event["message"]
        assert tree(site.root) == before
    finally:
        site.record(name).unlink()
        site.patch_pv(name, metadata={"finalizers": None})
        site.api.delete(f"{api.PVS}/{name}")
        site.wait_gone(name)


def test_a_volume_of_another_cluster_on_the_same_share_is_left_alone(victims: Victims) -> None:
    site = victims.site
    name = f"pvc-{uuid.uuid4()}"
    path = f"theirs-{name}"
    (site.root / path).mkdir()
    record = json.loads(site.record(victims.live["metadata"]["name"]).read_text())
    site.record(name).write_text(json.dumps({**record, "pv": name, "path": path, "cluster": str(uuid.uuid4())}))
    site.foreign.add(path)
    before = tree(site.root)
    try:
        forge(victims, Forgery("", path=at(path), name=lambda _: name))
        event = site.wait_event(name, "VolumeFailedDelete", kind="PersistentVolume")
        assert "not this one's" in event["message"]
        assert tree(site.root) == before
    finally:
        site.record(name).unlink()
        site.patch_pv(name, metadata={"finalizers": None})
        site.api.delete(f"{api.PVS}/{name}")
        site.wait_gone(name)


def test_forged_pvs_do_not_get_a_finalizer_that_would_keep_them(victims: Victims) -> None:
    site = victims.site
    name = forge(victims, Forgery("", annotations=LEGACY))
    try:
        site.wait_event(name, "VolumeFailedDelete", kind="PersistentVolume")
        forged = site.pv(name)
        assert forged is not None
        assert FINALIZER not in forged["metadata"].get("finalizers", [])
    finally:
        site.api.delete(f"{api.PVS}/{name}")
        site.wait_gone(name)
