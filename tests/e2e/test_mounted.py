"""The default share mounted where the reference's Deployment mounts it: everything goes through that directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.controller import Controller
from tests.e2e.invariants import settle
from tests.e2e.site import Site
from tests.e2e.trees import tree

NOBODY = "192.0.2.1"
"""An NFS server that can't be reached: what works here works through the mount."""

_MOUNT = 'mkdir -p "$2" && mount --bind "$1" "$2" && shift 2 && exec "$@"'


class Elsewhere:
    """A site's share as NOBODY's, mounted for its controllers."""

    def __init__(self, site: Site, mountpoint: Path) -> None:
        self.site = site
        within = ["unshare", "--mount", "bash", "-c", _MOUNT, "mount", str(site.root), str(mountpoint)]
        self.controller: Controller = site.controller(
            within=within, NFS_SERVER=NOBODY, NFS_PATH=site.export, BERTH_MOUNTED_AT=str(mountpoint)
        ).start()

    def make_class(self, **parameters: str) -> str:
        return self.site.make_class(parameters)


@pytest.fixture(scope="module")
def elsewhere(make_site: Callable[[], Site], tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    return Elsewhere(make_site(), tmp_path_factory.mktemp("mounted") / "persistentvolumes")


def test_the_whole_life_of_a_claim(elsewhere: Elsewhere) -> None:
    site = elsewhere.site
    pv = site.serve("alive", elsewhere.make_class(archiveOnDelete="false", directoryMode="0750", uid="1000"))
    assert pv["spec"]["nfs"] == {"server": NOBODY, "path": f"{site.export}/{site.path_of(pv)}"}
    about = site.directory_of(pv).stat()
    assert (about.st_mode & 0o7777, about.st_uid) == (0o750, 1000)
    deep = site.directory_of(pv) / "deep" / "deeper"
    deep.mkdir(parents=True)
    (deep / "link").symlink_to("/etc")
    site.patch_claim("alive", spec={"resources": {"requests": {"storage": "2Gi"}}})
    site.wait_event("alive", "VolumeResizeSuccessful")
    settle(site)
    site.delete_claim("alive")
    site.wait_gone(pv["metadata"]["name"])
    site.wait_purged(pv["metadata"]["name"])
    assert not site.directory_of(pv).exists()
    assert Path("/etc/passwd").exists()
    settle(site)


def test_an_archive(elsewhere: Elsewhere) -> None:
    site = elsewhere.site
    pv = site.serve("archived", elsewhere.make_class())
    text = site.plant(pv)
    site.delete_claim("archived")
    site.wait_gone(pv["metadata"]["name"])
    assert (site.root / f"archived-{site.path_of(pv)}" / "sentinel").read_text() == text
    settle(site)


def test_a_planted_link_is_not_followed(elsewhere: Elsewhere) -> None:
    site = elsewhere.site
    (site.root / "team").symlink_to("/tmp")
    site.foreign.add("team")
    before = tree(site.root)
    name = elsewhere.make_class(pathPattern="team/${.PVC.name}")
    site.file_claim("led-astray", name)
    event = site.wait_event("led-astray", "ProvisioningFailed", having="link")
    assert "team" in event["message"]
    assert not Path("/tmp/led-astray").exists()
    assert tree(site.root).keys() >= before.keys()
    site.delete_claim("led-astray")
    settle(site)


def test_other_shares_are_still_spoken_to_directly(elsewhere: Elsewhere) -> None:
    site = elsewhere.site
    other = site.root.parent / f"{site.token}-direct"
    other.mkdir()
    other.chmod(0o777)
    of_class = site.make_class(
        {"server": site.nfs.host, "share": f"{site.nfs.export}/{other.name}", "onDelete": "delete"}
    )
    site.file_claim("direct", of_class)
    pv = site.wait_bound("direct")
    assert (site.nfs.root / pv["spec"]["nfs"]["path"].removeprefix(f"{site.nfs.export}/")).is_dir()
    site.delete_claim("direct")
    site.wait_gone(pv["metadata"]["name"])


def test_a_killed_controller_goes_on_where_it_was(elsewhere: Elsewhere) -> None:
    site, controller = elsewhere.site, elsewhere.controller
    name = elsewhere.make_class(onDelete="delete")
    claims = [f"many-{number}" for number in range(30)]
    for claim in claims:
        site.file_claim(claim, name)
    controller.kill()
    controller.start()
    pvs = [site.wait_bound(claim) for claim in claims]
    settle(site)
    site.delete_claim(*claims)
    site.wait_gone(pvs[0]["metadata"]["name"])
    controller.kill()
    controller.start()
    for pv in pvs:
        site.wait_gone(pv["metadata"]["name"])
    settle(site)
