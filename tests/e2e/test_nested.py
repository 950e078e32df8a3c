"""Another file system below the share's root: nothing is served there that could not be released again (I11)."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devcluster.ganesha import GaneshaServer
from tests.e2e.site import Site
from tests.e2e.waiting import until

BY_PATH = "${.PVC.annotations.nfs.io/storage-path}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GaneshaServer]:
    """An NFS server whose export has a file system of its own at `nested/pool2`, mounted before it started."""
    server = GaneshaServer(tmp_path_factory.mktemp("nfs"))
    pool = server.root / "nested" / "pool2"
    pool.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "pool2", str(pool)], check=True)
    try:
        with server:
            yield server
    finally:
        subprocess.run(["umount", "--lazy", str(pool)], check=True)
        shutil.rmtree(server.directory, ignore_errors=True)


@pytest.fixture(scope="module", params=["direct", "mounted"])
def nested(
    make_site: Callable[[], Site],
    server: GaneshaServer,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Site:
    """A site whose share has the nested file system, spoken to directly or mounted here."""
    site = make_site()
    if request.param == "direct":
        site.nfs, site.export, site.root = server, f"{server.export}/nested", server.root / "nested"
        site.controller(NFS_SERVER=server.host, NFS_PATH=site.export).start()
        return site
    (site.root / "pool2").mkdir()
    mountpoint = tmp_path_factory.mktemp("mounted")
    script = (
        'mount -t tmpfs tmpfs "$1/pool2" && mount --rbind "$1" "$2" && chmod 0777 "$1/pool2" && shift 2 && exec "$@"'
    )
    within = ["unshare", "--mount", "bash", "-c", script, "mount", str(site.root), str(mountpoint)]
    site.controller(
        within=within, NFS_SERVER=site.nfs.host, NFS_PATH=site.export, BERTH_MOUNTED_AT=str(mountpoint)
    ).start()
    return site


@pytest.mark.parametrize("end", ["delete", "archive"])
@pytest.mark.parametrize("path", ["pool2/app", "pool2/team/app"])
def test_what_could_never_be_released_is_not_served(nested: Site, end: str, path: str) -> None:
    of_class = nested.make_class(nested.parameters(pathPattern=BY_PATH, onDelete=end))
    claim = f"app-{end}-{path.count('/')}"
    nested.file_claim(claim, of_class, annotations={"nfs.io/storage-path": path})
    said = nested.wait_event(claim, "ProvisioningFailed")["message"]
    assert "lies on another file system than .berth/trash, which begins at 'pool2'" in said
    assert "a share of its own, or set onDelete: retain" in said
    nested.delete_claim(claim)
    until("nothing is left of it", lambda: not list((nested.root / ".berth" / "volumes").iterdir()))


def test_beside_it_all_is_as_ever(nested: Site) -> None:
    of_class = nested.make_class(nested.parameters(pathPattern=BY_PATH, onDelete="delete"))
    pv = nested.serve("beside", of_class, annotations={"nfs.io/storage-path": "pool3/app"})
    nested.delete_claim("beside")
    nested.wait_gone(pv["metadata"]["name"])
    nested.wait_purged(pv["metadata"]["name"])


def test_what_is_kept_at_its_end_may_be_there(nested: Site) -> None:
    of_class = nested.make_class(nested.parameters(pathPattern=BY_PATH, onDelete="retain"))
    pv = nested.serve("kept", of_class, annotations={"nfs.io/storage-path": "pool2/kept"})
    nested.delete_claim("kept")
    nested.wait_gone(pv["metadata"]["name"])
    assert '"released"' in Path(nested.record(pv["metadata"]["name"])).read_text()
