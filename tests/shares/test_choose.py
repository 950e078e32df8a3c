"""Which share an address gets, and what an observer hears of it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from berth.shares.choose import Shares
from berth.volumes.errors import Missing, Refused, Unavailable
from berth.volumes.share import ShareAddress
from devcluster.ganesha import GaneshaServer
from tests.conformance.places import address

DEFAULT = ShareAddress("localhost", "/export")


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Path]:
    """A directory with something mounted at it."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(tmp_path)], check=True)
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.parametrize("server", ["localhost", "LOCALHOST.", "127.0.0.1"])
async def test_the_default_share_is_used_where_it_is_mounted_however_its_server_is_spelled(
    mount: Path, server: str
) -> None:
    async with aclosing(Shares(default=DEFAULT, mounted_at=str(mount))) as shares:
        share = await shares.get(ShareAddress(server, "/export", version="4.1"))
        await share.make_directory("made", mode=0o755)
        assert str(share.address) == f"{server}:/export"
    assert (mount / "made").is_dir()


@pytest.mark.parametrize("other", [ShareAddress("localhost", "/other"), ShareAddress("127.9.9.9", "/export")])
async def test_any_other_share_is_spoken_to_directly(mount: Path, other: ShareAddress) -> None:
    async with aclosing(Shares(default=DEFAULT, mounted_at=str(mount))) as shares:
        share = await shares.get(replace(other, version="4"))
        with pytest.raises(Unavailable, match="connect"):
            await share.stat("")


async def test_without_the_mount_the_default_share_is_spoken_to_directly(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    default = ShareAddress("127.0.0.1", "/export", version="4", port=port)
    async with aclosing(Shares(default=default, mounted_at=str(tmp_path))) as shares:
        share = await shares.get(default)
        with pytest.raises(Unavailable, match=f"127.0.0.1 port {port}"):
            await share.make_directory("made", mode=0o755)
    assert os.listdir(tmp_path) == []


async def test_each_address_has_one_share() -> None:
    async with aclosing(Shares()) as shares:
        first, again, other = await asyncio.gather(
            shares.get(DEFAULT), shares.get(DEFAULT), shares.get(replace(DEFAULT, version="3"))
        )
        assert first is again
        assert other is not first


async def test_an_unknown_version_is_refused_when_it_is_asked_for() -> None:
    async with aclosing(Shares()) as shares:
        with pytest.raises(Refused, match="mountOptions"):
            await shares.get(replace(DEFAULT, version="2"))


async def test_an_observer_hears_of_every_operation(server: GaneshaServer) -> None:
    heard: list[tuple[str, str, float, str | None]] = []
    where = address(server, "/fixed")
    async with aclosing(Shares(observer=lambda *told: heard.append(told))) as shares:
        share = await shares.get(where)
        await share.stat("")
        with pytest.raises(Missing):
            await share.stat("gone")
        with pytest.raises(Unavailable):
            await share.make_directory("d", mode=0o755)
        with pytest.raises(Refused):
            await share.read_file("../x")
    assert [(share, operation, failed) for share, operation, _, failed in heard] == [
        (str(where), "stat", None),
        (str(where), "stat", None),
        (str(where), "make_directory", "permission"),
        (str(where), "read_file", None),
    ]
    assert all(0 <= seconds < 10 for _, _, seconds, _ in heard)
