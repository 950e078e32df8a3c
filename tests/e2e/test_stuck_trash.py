"""Deleted data that can't be purged, and trash that nobody will purge: figures, Events and the doctor tell of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from devcluster.cluster import DevCluster
from tests.e2e.controller import PROGRAM
from tests.e2e.site import TRASH, Site
from tests.e2e.waiting import until


def doctor(cluster: DevCluster, *arguments: str) -> str:
    """What it says."""
    command = [str(PROGRAM), "doctor", *arguments]
    env = {"KUBECONFIG": str(cluster.kubeconfig), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False).stdout


def chattr(flag: str, path: Path) -> None:
    if subprocess.run(["chattr", "-R", flag, path], check=False, capture_output=True).returncode:
        pytest.skip("this file system knows no immutable files, or we are not root")


def test_what_stays_in_the_trash_is_seen_and_goes_once_it_is_cured(cluster: DevCluster, site: Site) -> None:
    controller = site.controller().start()
    of_class = site.make_class(site.parameters(onDelete="delete"))
    pv = site.serve("data", of_class)
    name = pv["metadata"]["name"]
    snapshots = site.directory_of(pv) / ".snapshot"
    (snapshots / "hourly.0").mkdir(parents=True)
    (snapshots / "hourly.0/f").touch()
    (site.directory_of(pv) / "other").mkdir()
    (site.directory_of(pv) / "other/file").touch()
    share = f"{site.nfs.host}:{site.export}"
    left = site.root / TRASH / name / ".snapshot"
    try:
        chattr("+i", snapshots)
        site.delete_claim("data")
        site.wait_gone(name)
        event = site.wait_event(of_class, "TrashStuck", kind="StorageClass")
        for said in (name, share, "1 entry could not be removed", ".snapshot/hourly.0/f"):
            assert said in event["message"]
        assert controller.metric("berth_trash_stuck", share=share) == 1
        assert [each.name for each in left.parent.iterdir()] == [".snapshot"]
        ports = [f"--{option}" for option in site.nfs.mount_options()]
        whole = doctor(cluster)
        assert "[trash-stuck-immutable]" in whole
        for said in (whole, doctor(cluster, "share", share, *ports)):
            assert name in said
            assert ".snapshot/hourly.0/f" in said
            assert "chattr -R -i" in said
    finally:
        subprocess.run(["chattr", "-R", "-i", left if left.exists() else snapshots], check=False)
    site.wait_purged(name)
    until("the figure is 0 again", lambda: controller.metric("berth_trash_stuck", share=share) == 0)


def test_trash_that_nobody_will_purge_is_seen_and_left_alone(cluster: DevCluster, site: Site) -> None:
    controller = site.controller(BERTH_RESYNC="1s")
    of_class = site.make_class(site.parameters(onDelete="delete"))
    stranger = site.root / TRASH / "moved-here-by-hand"
    stranger.mkdir(parents=True)
    (stranger / "file").touch()
    controller.start()
    site.serve("data", of_class)
    share = f"{site.nfs.host}:{site.export}"
    until("it is counted", lambda: controller.metric("berth_trash_stuck", share=share) == 1)
    until("it is told", lambda: unowned(site))
    ports = [f"--{option}" for option in site.nfs.mount_options()]
    assert "moved-here-by-hand" in doctor(cluster, "share", share, *ports)
    assert (stranger / "file").exists()


def unowned(site: Site) -> list[str]:
    """What was told of it on the controller's pod."""
    found = site.api.list("/api/v1/namespaces/berth-e2e/events", fieldSelector="reason=TrashUnowned")
    return [each["message"] for each in found if site.export in each["message"]]
