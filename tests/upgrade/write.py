"""`.venv/bin/python -m tests.upgrade.write`: writes what this version leaves behind, from a real run.

Once for each release, into tests/fixtures/VERSION, and never again: every later version is held to read it.
`share.tar.xz` is the share as its server has it, `objects.yaml` what the API server has: classes, claims, PVs, lease.
"""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from berth import __version__
from devcluster.cluster import DevCluster
from tests.e2e import api
from tests.e2e.api import Api, Object
from tests.e2e.site import TRASH, Site
from tests.e2e.waiting import until
from tests.upgrade.fixture import ADDRESS, FIXTURES, OBJECTS, SHARE

TEAM = "team"
HOLD = "example.com/hold"
"""A finalizer of nobody's: a PV that has it is still there when its directory is in the trash."""
CLASSES: dict[str, dict[str, str]] = {
    "deletes": {"onDelete": "delete"},
    "archives": {"archiveOnDelete": "true"},
    "keeps": {"onDelete": "retain", "pathPattern": "kept/${.PVC.namespace}-${.PVC.name}"},
    "nested": {"onDelete": "delete", "pathPattern": "${.PVC.namespace}/${.PVC.annotations.nfs.io/storage-path}"},
    "shares": {"onDelete": "delete", "pathPattern": "together/${.PVC.namespace}", "sharedPaths": "namespace"},
    "adopts": {"onDelete": "delete", "pathPattern": "found/${.PVC.name}", "existingDirectory": "adopt"},
    "modes": {"onDelete": "delete", "directoryMode": "0750", "uid": "1000", "gid": "1001"},
}


def main() -> None:
    target = FIXTURES / __version__
    assert not target.exists(), f"{target} is kept as it is"
    with DevCluster() as cluster, tempfile.TemporaryDirectory() as logs:
        access = Api(cluster.kubeconfig)
        for name in (TEAM, "berth-e2e"):
            access.create("/api/v1/namespaces", {"metadata": {"name": name}})
        site = Site(cluster, access, cluster.kubeconfig, TEAM, Path(logs), cluster.nfs)
        site.provisioners = ["nfs.berth.io"]
        _live(site)
        target.mkdir(parents=True)
        text = yaml.safe_dump_all(_objects(site), sort_keys=True)
        for here, told in ((site.export, ADDRESS.export), (site.nfs.host, ADDRESS.server)):
            text = text.replace(here, told)
        (target / OBJECTS).write_text(text)
        with tarfile.open(target / SHARE, "w:xz") as packed:
            packed.add(site.root, arcname=".", filter=_nameless)
        site.close()
    print(target)


def _live(site: Site) -> None:
    """One volume of each kind, in each state in which a controller can be stopped."""
    controller = site.controller("berth-0", ENABLE_LEADER_ELECTION="true").start()
    classes = {name: site.make_class(site.parameters(**said), name=name) for name, said in CLASSES.items()}
    policy = {"reclaimPolicy": "Retain"}
    classes["policy"] = site.make_class(site.parameters(), name="policy", **policy)
    found = site.root / "found" / "photos"
    found.mkdir(parents=True)
    (found / "old").write_text("was here before\n")

    def serve(name: str, of_class: str, **more: Any) -> Object:
        pv = site.serve(name, classes[of_class], **more)
        site.plant(pv, f"the data of {name}\n")
        return pv

    for name in CLASSES:
        if name not in ("nested", "shares", "adopts"):
            serve(f"in-{name}", name)
    serve("in-nested", "nested", annotations={"nfs.io/storage-path": "db/data"})
    serve("in-shares-1", "shares")
    serve("in-shares-2", "shares")
    serve("photos", "adopts")
    grown = serve("grown", "deletes")
    site.patch_claim("grown", spec={"resources": {"requests": {"storage": "3Gi"}}})
    until("it has grown", lambda: (site.pv(_name(grown)) or {})["spec"]["capacity"]["storage"] == "3Gi")
    _end(site, serve, "archived", "archives")
    _end(site, serve, "kept", "keeps")
    ended = serve("policy", "policy")
    site.delete_claim("policy")
    site.wait_phase(_name(ended), "Released")
    held = serve("half-deleted", "deletes")
    site.patch_pv(_name(held), metadata={"finalizers": [*held["metadata"]["finalizers"], HOLD]})
    site.delete_claim("half-deleted")
    until("it is in the trash", lambda: (site.root / TRASH / _name(held)).is_dir())
    until("its PV goes", lambda: (site.pv(_name(held)) or {})["metadata"].get("deletionTimestamp"))
    stuck = serve("left-behind", "deletes")
    with _immutable(site.directory_of(stuck), site.root / TRASH / _name(stuck)):
        site.delete_claim("left-behind")
        site.wait_gone(_name(stuck))
        site.wait_event(classes["deletes"], "TrashStuck", kind="StorageClass")
        assert controller.stop() == 0
    site.file_claim("waiting", classes["deletes"])


def _end(site: Site, serve: Any, name: str, of_class: str) -> None:
    pv = serve(name, of_class)
    site.delete_claim(name)
    site.wait_gone(_name(pv))


@contextmanager
def _immutable(volume: Path, in_trash: Path) -> Iterator[None]:
    """Something in the volume can't be removed, wherever that is; in the end it can."""
    (volume / "locked").mkdir()
    (volume / "locked" / "file").touch()
    subprocess.run(["chattr", "+i", volume / "locked"], check=True)
    try:
        yield
    finally:
        where = in_trash if in_trash.exists() else volume
        subprocess.run(["chattr", "-i", where / "locked"], check=True)


def _objects(site: Site) -> Iterator[Object]:
    """All that the API server knows of it, without who wrote which field."""
    kinds = {
        "Namespace": ("v1", "/api/v1/namespaces"),
        "StorageClass": ("storage.k8s.io/v1", api.CLASSES),
        "PersistentVolumeClaim": ("v1", api.claims(TEAM)),
        "PersistentVolume": ("v1", api.PVS),
        "Lease": ("coordination.k8s.io/v1", "/apis/coordination.k8s.io/v1/namespaces/berth-e2e/leases"),
    }
    for kind, (version, path) in kinds.items():
        for one in site.api.list(path):
            if kind == "Namespace" and one["metadata"]["name"] not in ("kube-system", TEAM):
                continue
            for name in ("managedFields", "resourceVersion", "generation"):
                one["metadata"].pop(name, None)
            yield {"apiVersion": version, "kind": kind, **one}


def _nameless(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """What users are called is this machine's affair."""
    entry.uname = entry.gname = ""
    return entry


def _name(pv: Object) -> str:
    return str(pv["metadata"]["name"])


if __name__ == "__main__":
    main()
