"""What is answered survives a power cut: what a server is asked for, and the kernel where the share is mounted."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from berth.nfs.xdr import uint
from berth.shares.mounted.share import MountedShare
from berth.volumes.errors import Unavailable
from berth.volumes.share import ShareAddress
from devcluster.ganesha import GaneshaServer
from tests.shares.test_wire import linked

CONTENT = b"the record of a volume " * 29 + b"."
FILE_SYNC, UNSTABLE = uint(2), uint(0)


@pytest.mark.parametrize("is_exclusive", [False, True], ids=["", "exclusive"])
async def test_a_file_is_on_stable_storage_before_it_gets_its_name(
    server: GaneshaServer, version: str, is_exclusive: bool
) -> None:
    name = f"stable-v{version}-{is_exclusive}"
    said = bytearray()

    def record(piece: bytes) -> bool:
        said.extend(piece)
        return False

    async with linked(server, version) as (share, nfs):
        nfs.holds = record
        await share.write_file(name, CONTENT, exclusive=is_exclusive)
    at = said.index(CONTENT)
    assert said[at - 8 : at - 4] == FILE_SYNC  # stable_how, and then how long the content is
    assert said.count(CONTENT) == 1
    assert name.encode() in said[at:]  # RENAME or LINK; before it there are looks at the name only


async def test_a_server_that_promises_less_has_failed(server: GaneshaServer, version: str) -> None:
    done = uint(len(CONTENT))
    async with linked(server, version) as (share, nfs):
        await share.stat("")
        nfs.rewrite = lambda said: said.replace(done + FILE_SYNC, done + UNSTABLE)
        with pytest.raises(Unavailable, match="stable storage") as caught:
            await share.write_file(f"unstable-v{version}", CONTENT)
    assert caught.value.stage == "io"
    if version == "3":  # over v4 the name is given in the same call
        assert not (server.directory_of("/free") / f"unstable-v{version}").exists()


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, frozenset[str]]]:
    """What was fsynced: where it is, and the names that were in it then."""
    seen: list[tuple[str, frozenset[str]]] = []
    original: Callable[[int], None] = os.fsync

    def fsync(descriptor: int) -> None:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        seen.append((path, frozenset(os.listdir(path) if os.path.isdir(path) else ())))
        original(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return seen


async def test_mounted_names_are_synced_with_what_they_name(
    tmp_path: Path, synced: list[tuple[str, frozenset[str]]]
) -> None:
    root = str(tmp_path)
    async with aclosing(MountedShare(root, ShareAddress("x", "/x"), requires_mount=False)) as share:
        await share.make_directory("a/b", mode=0o2777)
        assert (root, frozenset({"a"})) in synced
        assert (f"{root}/a", frozenset({"b"})) in synced
        assert (f"{root}/a/b", frozenset()) in synced
        for is_exclusive in (True, False):
            synced.clear()
            await share.write_file("a/file", CONTENT, exclusive=is_exclusive)
            file, directory = synced
            assert file[0].startswith(f"{root}/a/.tmp-")
            assert directory == (f"{root}/a", frozenset({"b", "file"}))
        await share.make_directory("c", mode=0o755)
        synced.clear()
        await share.rename("a/b", "c/moved")
        assert set(synced) == {(f"{root}/c", frozenset({"moved"})), (f"{root}/a", frozenset({"file"}))}
