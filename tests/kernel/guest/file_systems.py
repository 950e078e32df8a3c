"""Servers whose file systems are no ordinary ones; test_kernel_client has pytest run this in the guest.

The export `/nested` has another file system below it, at `folding`, to which `Data` and `data` are one name (XFS with
`version=ci`; it is the one file system of this kernel that does so and that its NFS server exports).
"""

from __future__ import annotations

import subprocess
from contextlib import aclosing
from pathlib import Path

import pytest

from berth.nfs import Resolver
from berth.shares.direct.share import DirectShare
from berth.shares.mounted.share import MountedShare
from berth.volumes.errors import LeftBehind, Refused
from berth.volumes.share import Share, ShareAddress
from tests.kernel.guest.kernel_places import ROOT, SERVER

VERSIONS = ("3", "4")
KINDS = ("direct", "mounted")


def open_share(version: str) -> DirectShare:
    return DirectShare(ShareAddress(SERVER, "/nested", version), Resolver())


def mount_share(version: str, at: Path) -> MountedShare:
    """The same export through this kernel's NFS client."""
    at.mkdir()
    subprocess.run(["mount", "-t", "nfs", "-o", f"nfsvers={version}", f"{SERVER}:/nested", at], check=True, timeout=60)
    return MountedShare(str(at), ShareAddress(SERVER, "/nested", version))


def bind(directory: Path, at: Path) -> None:
    subprocess.run(["mount", "--bind", directory, at], check=True)


def unmount(at: Path) -> None:
    """Lazily: the server goes on holding what it has exported with crossmnt."""
    subprocess.run(["umount", "--lazy", at], check=True)


@pytest.mark.parametrize("version", VERSIONS)
async def test_spellings_that_the_server_takes_for_one_have_one_identity(version: str) -> None:
    async with aclosing(open_share(version)) as share:
        for parent, is_one in (("folding", True), (f"ordinary-{version}", False)):
            first = await share.make_directory(f"{parent}/Data-{version}", mode=0o755)
            second = await share.make_directory(f"{parent}/dATA-{version}", mode=0o755)
            assert (first.is_new, second.is_new) == (True, not is_one)
            assert (first.entry.identity == second.entry.identity) == is_one
            looked = await share.stat(f"{parent}/dATA-{version}")
            assert looked.identity == second.entry.identity
        spelled = [f"ordinary-{version}/\u00e9", f"ordinary-{version}/e\u0301"]  # composed, decomposed
        made = [(await share.make_directory(path, mode=0o755)).entry for path in spelled]
        assert made[0].identity != made[1].identity


@pytest.mark.parametrize("version", VERSIONS)
async def test_another_file_system_below_the_share_is_told(version: str) -> None:
    async with aclosing(open_share(version)) as share:
        root = await share.stat("")
        here = (await share.make_directory(f"here-{version}", mode=0o755)).entry
        there = (await share.make_directory(f"folding/there-{version}", mode=0o755)).entry
        assert here.device == root.device != there.device == (await share.stat("folding")).device
        listed = {entry.name: entry.device for entry in await share.list("")}
        assert (listed[here.name], listed["folding"]) == (root.device, there.device)
        for source, target in ((f"folding/there-{version}", "moved"), (here.name, "folding/moved")):
            with pytest.raises(Refused, match="another file system"):
                await share.rename(source, target)
        assert (await share.stat(f"folding/there-{version}")).identity == there.identity


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_is_mounted_in_a_deleted_volume_is_left_also_of_its_own_file_system(
    version: str, tmp_path: Path
) -> None:
    """`mount --bind` on the server: nothing but the directory's number tells it."""
    for kind in KINDS:
        elsewhere = ROOT / f"elsewhere-{kind}-{version}"
        (elsewhere / "album").mkdir(parents=True)
        (elsewhere / "album/photo").touch()
        top = f".berth/trash/{kind}-{version}"
        target = ROOT / "nested" / top / "a/photos"
        target.mkdir(parents=True)
        (target.parent / "file").touch()
        bind(elsewhere, target)
        share: Share = open_share(version) if kind == "direct" else mount_share(version, tmp_path / "at")
        async with aclosing(share):
            with pytest.raises(LeftBehind) as caught:
                await share.remove_tree(top)
            assert (caught.value.count, caught.value.first, caught.value.status) == (1, "a/photos", "EXDEV")
            assert (elsewhere / "album/photo").exists()
            assert [each.name for each in target.parent.iterdir()] == ["photos"]
            unmount(target)
            assert (await share.remove_tree(top)).entries == 3
        assert (elsewhere / "album/photo").exists()
