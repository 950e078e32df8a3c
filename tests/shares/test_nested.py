"""Another file system below a share: told by the device, and no directory moves between the two."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path

import pytest

from berth.nfs import Resolver
from berth.shares.direct.share import DirectShare
from berth.shares.mounted.share import MountedShare
from berth.volumes.errors import LeftBehind, Refused
from berth.volumes.share import Share, ShareAddress
from devcluster.ganesha import Export, GaneshaServer
from tests.conformance.places import address


@pytest.fixture(scope="module")
def nested(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GaneshaServer]:
    """A server whose export has a file system of its own at `pool`, mounted before the server started."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    directory = tmp_path_factory.mktemp("nested")
    pool = directory / "share/nested/pool"
    pool.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "pool", str(pool)], check=True)
    try:
        with GaneshaServer(directory, exports=[Export("/nested")]) as server:
            yield server
    finally:
        subprocess.run(["umount", "--lazy", str(pool)], check=True)


def open_share(server: GaneshaServer, kind: str) -> Share:
    if kind == "mounted":
        return MountedShare(str(server.root), ShareAddress("x", "/x"), requires_mount=False)
    return DirectShare(address(server, "/nested", kind), Resolver())


@pytest.mark.parametrize("kind", ["mounted", "3", "4"])
async def test_a_nested_file_system_has_a_device_of_its_own_and_lets_nothing_out(
    nested: GaneshaServer, kind: str
) -> None:
    async with aclosing(open_share(nested, kind)) as share:
        root = await share.stat("")
        here = (await share.make_directory(f"here-{kind}", mode=0o755)).entry
        there = (await share.make_directory(f"pool/there-{kind}", mode=0o755)).entry
        assert here.device == root.device != there.device == (await share.stat("pool")).device
        assert {entry.device for entry in await share.list("pool")} == {there.device}
        for source, target in ((f"pool/there-{kind}", "moved"), (here.name, "pool/moved")):
            with pytest.raises(Refused, match="another file system"):
                await share.rename(source, target)
        behind: Path = nested.root
        assert (behind / f"pool/there-{kind}").is_dir()
        assert (behind / here.name).is_dir()


@contextmanager
def bound(directory: Path, at: Path) -> Iterator[None]:
    if subprocess.run(["mount", "--bind", directory, at], check=False).returncode:
        pytest.skip("mounting needs root")
    try:
        yield
    finally:
        subprocess.run(["umount", at], check=True)


async def test_what_is_mounted_in_the_trash_is_left_also_of_the_same_file_system(tmp_path: Path) -> None:
    """A mount of this machine; those of a server's are tried in tests/kernel."""
    share = MountedShare(str(tmp_path), ShareAddress("x", "/x"), requires_mount=False)
    elsewhere, trash = tmp_path / "elsewhere", tmp_path / ".berth/trash/pv"
    (elsewhere / "album").mkdir(parents=True)
    (elsewhere / "album/photo").touch()
    (trash / "photos").mkdir(parents=True)
    (trash / "other").touch()
    with bound(elsewhere, trash / "photos"):
        with pytest.raises(LeftBehind) as caught:
            await share.remove_tree(".berth/trash/pv")
        assert (caught.value.first, caught.value.status) == ("photos", "EXDEV")
        assert (elsewhere / "album/photo").exists()
    assert (await share.remove_tree(".berth/trash/pv")).entries == 2
    assert (elsewhere / "album/photo").exists()
