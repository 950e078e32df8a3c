"""Which nfs-utils reads the exports: what its programs say, and what is in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from berth.nfsserver.errors import RequestRefused
from berth.nfsserver.exports import installed
from berth.nfsserver.exports.flags import NEWER
from berth.nfsserver.exports.installed import NfsUtils, ask_installed, of_release

Programs = Callable[..., None]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    monkeypatch.setattr(installed, "PROGRAMS", f"{tmp_path}:/bin")

    def make(**scripts: str) -> None:
        for name, script in scripts.items():
            path = tmp_path / name.replace("_", ".")
            path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
            path.chmod(0o755)

    return make


async def test_the_program_tells_its_release(programs: Programs) -> None:
    programs(exportfs="# security_label", rpc_mountd="echo rpc.mountd version 2.6.2")
    assert await ask_installed() == NfsUtils("2.6.2", frozenset({"xprtsec", "reexport"}))


async def test_what_a_distribution_added_is_seen_in_the_program(programs: Programs) -> None:
    programs(exportfs="# security_label xprtsec= reexport=", rpc_mountd="echo rpc.mountd version 2.5.4")
    assert await ask_installed() == NfsUtils("2.5.4")


async def test_another_program_is_asked_where_the_first_does_not_say(programs: Programs) -> None:
    programs(exportfs="", rpc_mountd="exit 1", mount_nfs="echo 'mount.nfs: (linux nfs-utils 1.3.4)'")
    assert await ask_installed() == NfsUtils("1.3.4", frozenset(NEWER))


async def test_none_is_installed(programs: Programs) -> None:
    programs(rpc_mountd="echo rpc.mountd version 2.6.2")
    assert await ask_installed() is None


def test_a_release_that_is_named() -> None:
    assert of_release("2.6.10").unknown == frozenset()
    assert of_release("2.6.3").unknown == {"xprtsec"}
    assert of_release("2.2").unknown == frozenset(NEWER)
    for wrong in ("", "2", "2.x", "v2.6", "2.6.2 "):
        with pytest.raises(RequestRefused, match="no release of nfs-utils"):
            of_release(wrong)
