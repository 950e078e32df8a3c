"""etcd restored for real: PVs and claims are there again whose directories were deleted, archived or handed on since.

Nothing of it is touched, each is told once, and what is still in the trash or archived comes back by one command.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from berth.shares.choose import Shares
from berth.volumes.parameters import share_address
from devcluster.cluster import DevCluster
from tests.cli.command import PROGRAM, environment
from tests.e2e import api as paths
from tests.e2e.api import Api
from tests.e2e.site import ARCHIVES, TRASH, Site
from tests.e2e.trees import tree
from tests.e2e.waiting import until


class Backup:
    """The control plane's store at one moment."""

    def __init__(self, site: Site, directory: Path) -> None:
        self.site, self.cluster = site, site.cluster
        self.store, self.copy = self.cluster.directory / "etcd", directory / "etcd"

    def take(self) -> None:
        self._stop()
        shutil.copytree(self.store, self.copy)
        self._start()

    def restore(self) -> None:
        self._stop()
        shutil.rmtree(self.store)
        shutil.copytree(self.copy, self.store)
        self._start()

    def _stop(self) -> None:
        for part in (self.cluster.controller_manager, self.cluster.apiserver, self.cluster.etcd):
            part.stop()

    def _start(self) -> None:
        for part in (self.cluster.etcd, self.cluster.apiserver, self.cluster.controller_manager):
            part.start()
        self.site.api = Api(self.cluster.kubeconfig)  # its connections ended with the server


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site on a cluster of its own: its past is changed under it."""
    with DevCluster() as cluster:
        api = Api(cluster.kubeconfig)
        api.create("/api/v1/namespaces", {"metadata": {"name": "shop"}})
        made = Site(cluster, api, cluster.kubeconfig, "shop", tmp_path, cluster.nfs)
        yield made
        for controller in made.controllers:
            controller.stop()


def berth(site: Site, *arguments: str) -> str:
    argv = [str(PROGRAM), *arguments, f"--kubeconfig={site.cluster.kubeconfig}"]
    answer = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False, env=environment({}))
    assert answer.returncode == 0, answer.stderr + answer.stdout
    return answer.stdout


def end_without_purge(site: Site, name: str, pv: str) -> None:
    """What a controller leaves that is killed between the end of a PV and the purge of its trash."""
    path = site.path_of(site.pv(pv) or {})
    site.delete_claim(name)
    site.wait_phase(pv, "Released")

    async def move() -> None:
        """Over NFS, as the controller does: a server remembers what it was not told of."""
        shares = Shares()
        share = await shares.get(share_address(site.nfs.host, site.export, tuple(site.nfs.mount_options())))
        await share.rename(path, f"{TRASH}/{pv}")
        await shares.aclose()

    asyncio.run(move())
    site.patch_pv(pv, metadata={"finalizers": None})
    site.api.delete(f"{paths.PVS}/{pv}")
    site.wait_gone(pv)


def test_a_cluster_restored_from_an_old_backup_loses_nothing_and_gets_back_what_is_there(
    site: Site, tmp_path: Path
) -> None:
    controller = site.controller(BERTH_RESYNC="2s").start()
    by_name = site.make_class(site.parameters(pathPattern="${.PVC.namespace}/${.PVC.name}", onDelete="delete"))
    filing = site.make_class(site.parameters(onDelete="archive"))
    classes = {"binned": by_name, "filed": filing, "purged": by_name, "reused": by_name, "stays": by_name}
    pvs = {name: site.serve(name, of_class) for name, of_class in classes.items()}
    names = {name: pv["metadata"]["name"] for name, pv in pvs.items()}
    for pv in pvs.values():
        site.plant(pv)
    controller.stop()
    backup = Backup(site, tmp_path)
    backup.take()

    controller.start()
    site.delete_claim("filed", "purged", "reused")
    for name in ("filed", "purged", "reused"):
        site.wait_gone(names[name])
    for name in ("purged", "reused"):
        site.wait_purged(names[name])
    newer = site.serve("reused", by_name)
    site.plant(newer, "newer")
    controller.stop()
    end_without_purge(site, "binned", names["binned"])
    before = tree(site.root)

    backup.restore()
    controller.start()
    said = {
        "binned": f"in the trash, as '.berth/trash/{names['binned']}'",
        "filed": "it was archived as 'archived-",
        "purged": "nor in the trash, nor archived",
        "reused": f"volume {newer['metadata']['name']} of claim shop/reused was made there since",
    }
    for name, words in said.items():
        site.wait_event(name, "VolumeDisplaced", having=words)
    states = ("trashed", "archived", "gone", "taken")
    assert {state: controller.metric("berth_displaced_volumes", state=state) for state in states} == dict.fromkeys(
        states, 1.0
    )
    swept = controller.metric("berth_share_operation_duration_seconds_count", operation="list")
    until(
        "some resyncs have passed",
        lambda: controller.metric("berth_share_operation_duration_seconds_count", operation="list") > swept + 12,
    )
    for name in said:
        (event,) = site.events(name, reason="VolumeDisplaced")
        assert (event.get("count") or 1) == 1, event
    assert not site.events("stays", reason="VolumeDisplaced")
    assert tree(site.root) == before

    # The claim of the older volume goes: the newer one's data is not its own.
    site.delete_claim("reused")
    site.wait_event(names["reused"], "VolumeFailedDelete", kind="PersistentVolume")
    assert tree(site.root) == before

    report = subprocess.run(
        [str(PROGRAM), "doctor", "-o", "json", f"--kubeconfig={site.cluster.kubeconfig}"],
        capture_output=True, text=True, timeout=120, check=False, env=environment({}),
    )  # fmt: skip
    ids = {finding["id"] for finding in json.loads(report.stdout)["findings"]}
    assert {"volume-in-trash", "volume-archived", "volume-directory-missing"} <= ids, report.stdout

    planned = berth(site, "volume", "restore", names["binned"], "--dry-run")
    assert "goes back to shop/binned" in planned
    assert tree(site.root) == before
    berth(site, "volume", "restore", names["binned"], names["filed"])
    told = json.loads(berth(site, "volume", "restore", names["binned"], "-o", "json"))["volumes"]
    assert (told[0]["phase"], told[0]["source"]) == ("Bound", "")
    for name in ("binned", "filed"):
        assert (site.directory_of(pvs[name]) / "sentinel").read_text() == site.sentinels[names[name]]
        assert site.record(names[name]).exists()
        site.wait_event(name, "VolumeReturned")
    assert not list((site.root / TRASH).iterdir())
    assert not list((site.root / ARCHIVES).iterdir())

    # A claim deleted by mistake, its PV gone: the PV is made again, and the same claim gets its data.
    controller.stop()
    end_without_purge(site, "binned", names["binned"])
    assert "is made again for claim shop/binned" in berth(site, "volume", "restore", names["binned"], "--patience=0")
    controller.start()
    site.serve("binned", by_name)
    again = site.wait_bound("binned")
    assert again["metadata"]["name"] == names["binned"]
    assert (site.directory_of(again) / "sentinel").read_text() == site.sentinels[names["binned"]]
    # Kept from now on, unless somebody says otherwise.
    berth(site, "volume", "end", names["binned"], "delete", "--yes")
    site.delete_claim("binned")
    site.wait_gone(names["binned"])
    site.wait_purged(names["binned"])
