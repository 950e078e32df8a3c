"""Servers whose file systems are no ordinary ones; test_kernel_client has pytest run this in the guest.

The export `/nested` has another file system below it, at `folding`, to which `Data` and `data` are one name (XFS with
`version=ci`; it is the one file system of this kernel that does so and that its NFS server exports).
"""

from __future__ import annotations

from contextlib import aclosing

import pytest

from berth.nfs import Resolver
from berth.shares.direct.share import DirectShare
from berth.volumes.errors import Refused
from berth.volumes.share import ShareAddress
from tests.kernel.guest.kernel_places import SERVER

VERSIONS = ("3", "4")


def open_share(version: str) -> DirectShare:
    return DirectShare(ShareAddress(SERVER, "/nested", version), Resolver())


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
