"""What a server may send that no honest one would, and how much Berth sends."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress

import pytest

from berth.nfs import Resolver
from berth.shares.direct.share import DirectShare
from berth.volumes.errors import Unavailable, VolumeError
from berth.volumes.share import ShareAddress
from devcluster.ganesha import GaneshaServer
from tests.shares.link import Link
from tests.shares.watch import answers

OpenShare = Callable[..., DirectShare]
TREE = ".berth/trash/pv"


@asynccontextmanager
async def linked(server: GaneshaServer, version: str, **options: float) -> AsyncIterator[tuple[DirectShare, Link]]:
    """A share on the server's `/free`, through a link to its NFS port."""
    async with Link(server.host, server.port) as nfs, Link(server.host, server.mountport) as mountd:
        target = ShareAddress("127.0.0.1", "/free", version=version, port=nfs.port, mountport=mountd.port)
        async with aclosing(DirectShare(target, Resolver(), **options)) as share:  # type: ignore[arg-type]
            yield share, nfs


@pytest.mark.parametrize("name", ["../other", "./other-x", "/other-xx", "a/b"])
async def test_names_that_lead_elsewhere_are_not_believed(server: GaneshaServer, version: str, name: str) -> None:
    tree = server.directory_of("/free") / TREE
    tree.mkdir(parents=True, exist_ok=True)
    stand_in = "N" * len(name)
    (tree / stand_in).touch()
    (tree.parent / "other").mkdir(exist_ok=True)
    async with linked(server, version) as (share, nfs):
        await share.stat("")
        nfs.rewrite = lambda said: said.replace(stand_in.encode(), name.encode())
        assert await share.list(TREE) == []
        with pytest.raises(Unavailable, match="could not be removed"):
            await share.remove_tree(TREE)
        nfs.rewrite = lambda said: said
        assert (await share.remove_tree(TREE)).entries == 2
    assert (tree.parent / "other").is_dir()


async def test_replies_of_noise_break_nothing(server: GaneshaServer, version: str) -> None:
    chance = random.Random(4711)

    def spoil(said: bytes) -> bytes:
        spoiled = bytearray(said)
        for _ in range(chance.randrange(1, 6)):
            spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
        return bytes(spoiled)

    async with linked(server, version, deadline=0.3) as (share, nfs):
        await share.make_directory("noisy", mode=0o755)
        nfs.rewrite = spoil
        for number in range(60):
            for call in (share.list(""), share.stat("noisy"), share.make_directory(f"noisy/{number % 5}", mode=0o700)):
                with suppress(VolumeError):
                    await call
        nfs.rewrite = lambda said: said
        async with asyncio.timeout(100):
            while not await answers(share, "noisy"):
                pass
        assert (await share.stat("noisy")).kind == "directory"
        for number in range(5):
            await share.remove_directory(f"noisy/{number}")
        await share.remove_directory("noisy")


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x80\x00\x00\x00" * 100,
        b"\x80\x00\x00\x04\x00\x00\x00\x00",
        b"\xff\xff\xff\xff",
        b"\x00",
    ],
    ids=["another protocol", "empty records", "a short record", "a record of 2 GiB", "one byte"],
)
async def test_what_is_no_nfs_server_is_unavailable(version: str, said: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(said)
        writer.write_eof()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    target = ShareAddress("127.0.0.1", "/free", version=version, port=port, mountport=port)
    async with server, aclosing(DirectShare(target, Resolver(), deadline=1.0)) as share:
        with pytest.raises(Unavailable) as caught:
            await share.stat("")
    assert caught.value.stage in {"connect", "timeout"}


async def test_how_many_calls_each_operation_takes(open_share: OpenShare, version: str) -> None:
    """The figures that throughput rests on: more than these is a defect."""
    async with aclosing(open_share("/free", version)) as share:
        for directory in (".berth", ".berth/volumes", ".berth/trash"):
            await share.make_directory(directory, mode=0o700)
        await share.write_file(".berth/volumes/first.json", b"")  # over v4, the first write introduces us
        taken = {}

        async def count(name: str, call: object) -> None:
            before = share.calls
            await call  # type: ignore[misc]
            taken[name] = share.calls - before

        await count("make_directory", share.make_directory("volume", mode=0o777))
        await count("write_file", share.write_file(".berth/volumes/pv.json", b"x" * 600))
        await count("read_file", share.read_file(".berth/volumes/pv.json"))
        await count("rename", share.rename("volume", ".berth/trash/pv"))
        await count("remove_tree", share.remove_tree(".berth/trash/pv"))
        await count("remove_file", share.remove_file(".berth/volumes/pv.json"))
        await share.remove_file(".berth/volumes/first.json")
    most = {
        "3": {
            "make_directory": 1,
            "write_file": 6,
            "read_file": 4,
            "rename": 5,
            "remove_tree": 5,
            "remove_file": 4,
        },
        "4": {
            "make_directory": 1,
            "write_file": 2,
            "read_file": 1,
            "rename": 2,
            "remove_tree": 1,
            "remove_file": 1,
        },
    }[version]
    assert taken == most


async def test_over_a_long_link_a_tree_goes_many_times_faster_than_one_call_after_another(
    server: GaneshaServer, version: str
) -> None:
    took = {}
    for concurrency in (1, 64):
        tree = server.directory_of("/free") / TREE
        for number in range(400):
            directory = tree / f"d{number % 8}"
            directory.mkdir(parents=True, exist_ok=True)
            (directory / str(number)).touch()
        async with linked(server, version, concurrency=concurrency) as (share, nfs):
            await share.stat("")
            nfs.delay = 0.005
            began = asyncio.get_running_loop().time()
            assert (await share.remove_tree(TREE)).entries == 409
            took[concurrency] = asyncio.get_running_loop().time() - began
    assert took[1] > 5 * took[64]


async def test_a_tree_that_breaks_off_in_the_middle_says_why(server: GaneshaServer, version: str) -> None:
    tree = server.directory_of("/free") / TREE
    tree.mkdir(parents=True, exist_ok=True)
    for number in range(300):
        (tree / str(number)).touch()
    async with linked(server, version) as (share, nfs):
        await share.stat("")
        nfs.delay = 0.01
        removing = asyncio.create_task(share.remove_tree(TREE))
        while len(os.listdir(tree)) == 300:  # noqa: ASYNC110 - the file system sets no event
            await asyncio.sleep(0)
        nfs.cut()
        with pytest.raises(Unavailable, match="connection") as caught:
            await removing
        assert caught.value.path == TREE
        nfs.delay = 0
        await share.remove_tree(TREE)
    assert not tree.exists()


async def test_entries_that_can_not_be_removed_are_counted_and_named(
    server: GaneshaServer, open_share: OpenShare, version: str
) -> None:
    root = server.directory_of("/squashed")
    os.chown(root, 1000, 1000)
    tree = root / TREE
    (tree / "of-root/deep").mkdir(parents=True)
    for owned in (root / ".berth", root / ".berth/trash", tree):
        os.chown(owned, 1000, 1000)
    for name in ("a", "b"):
        (tree / "of-root/deep" / name).touch()
    (tree / "of-the-owner").touch()
    async with aclosing(open_share("/squashed", version)) as share:
        with pytest.raises(Unavailable, match="2 entries could not be removed, such as 'pv/of-root/deep/") as caught:
            await share.remove_tree(TREE)
        assert caught.value.stage == "permission"
        assert {entry.name for entry in tree.iterdir()} == {"of-root"}
        os.chown(tree / "of-root/deep", 1000, 1000)
        os.chown(tree / "of-root", 1000, 1000)
        assert (await share.remove_tree(TREE)).entries == 5
