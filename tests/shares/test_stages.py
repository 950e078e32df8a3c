"""Which step towards a direct share failed is told truthfully, with the server's or system's own name for it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path

import pytest

from berth.nfs import Resolver
from berth.shares.direct.share import DirectShare
from berth.volumes.errors import Refused, Unavailable
from berth.volumes.share import ShareAddress
from devcluster import ports
from devcluster.ganesha import GaneshaServer
from tests.conformance.places import address
from tests.shares.link import Link

OpenShare = Callable[..., DirectShare]
ROOT = Path(__file__).parents[2]


async def failure_of(target: ShareAddress, deadline: float = 3.0) -> Unavailable:
    """What looking at a share that can't be reached meets."""
    async with aclosing(DirectShare(target, Resolver(deadline=deadline / 2), deadline=deadline)) as share:
        with pytest.raises(Unavailable) as caught:
            await share.stat("")
        assert str(target) in str(caught.value)
        return caught.value


@contextmanager
def changed_settings(server: GaneshaServer, old: str, new: str) -> Iterator[None]:
    """Runs the server with other settings for a while."""
    file = server.directory / "ganesha.conf"
    before = file.read_text()
    assert old in before
    server.stop()
    file.write_text(before.replace(old, new))
    server.start(wait=False)
    try:
        deadline = time.monotonic() + 20
        while not any(ports.answers_rpc(server.host, server.port, program) for program in (ports.NFS3, ports.NFS4)):
            assert time.monotonic() < deadline, server.process.log_tail(20)
        yield
    finally:
        server.stop()
        file.write_text(before)
        server.start()


async def test_an_unknown_host_is_a_matter_of_dns(version: str) -> None:
    failure = await failure_of(ShareAddress("no-such-host.invalid", "/free", version=version))
    assert failure.stage == "dns"
    assert failure.status.startswith("EAI_")
    assert "no-such-host.invalid" in failure.why


async def test_a_port_where_nobody_listens_is_a_matter_of_connecting(version: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    failure = await failure_of(ShareAddress("127.0.0.1", "/free", version=version, port=port, mountport=port))
    assert (failure.stage, failure.status) == ("connect", "ECONNREFUSED")
    assert f"127.0.0.1 port {port}" in failure.why


async def test_a_server_without_portmapper_is_a_matter_of_connecting() -> None:
    failure = await failure_of(ShareAddress("127.77.66.55", "/free", version="3"))
    assert (failure.stage, failure.status) == ("connect", "ECONNREFUSED")
    assert "port 111" in failure.why


async def test_a_host_that_swallows_packets_is_a_matter_of_connecting() -> None:
    # A listener whose queue is full: the kernel answers no further SYN, as a firewall that drops would.
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        held = [socket.socket() for _ in range(4)]
        try:
            for each in held:
                each.setblocking(False)
                each.connect_ex(full.getsockname())
            target = ShareAddress("127.0.0.1", "/free", version="4", port=full.getsockname()[1])
            failure = await failure_of(target, deadline=1.0)
        finally:
            for each in held:
                each.close()
    assert (failure.stage, failure.status) == ("connect", "ETIMEDOUT")


async def test_a_server_that_reads_nothing_is_a_matter_of_time(version: str) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=16) as silent:
        port = silent.getsockname()[1]
        target = ShareAddress("127.0.0.1", "/free", version=version, port=port, mountport=port)
        failure = await failure_of(target, deadline=1.0)
    assert (failure.stage, failure.status) == ("timeout", "ETIMEDOUT")
    assert f"NFSv{version} mount" in failure.why


async def test_an_unknown_export_is_a_matter_of_mounting(server: GaneshaServer, version: str) -> None:
    failure = await failure_of(address(server, "/wrong", version))
    assert failure.stage == "mount"
    # Ganesha's mountd does not tell whether a path is unknown or forbidden.
    assert failure.status in {"MNT3ERR_NOENT", "MNT3ERR_ACCES", "NFS4ERR_NOENT"}
    assert "/wrong" in failure.why


async def test_an_export_for_other_clients_is_a_matter_of_mounting(server: GaneshaServer, version: str) -> None:
    with changed_settings(server, "Access_Type = RW;", "Access_Type = None;"):
        failure = await failure_of(address(server, "/free", version))
    assert failure.stage == "mount"
    assert "/free" in failure.why
    if version == "3":
        assert failure.status == "MNT3ERR_ACCES"
        assert "not on its list" in failure.why
        assert "`insecure`" in failure.why


async def test_a_server_of_newer_minor_versions_only_is_told_apart(server: GaneshaServer) -> None:
    with changed_settings(server, "Minor_Versions = 0, 1, 2;", "Minor_Versions = 1, 2;"):
        failure = await failure_of(address(server, "/free", "4.1"))
        async with aclosing(DirectShare(address(server, "/free"), Resolver())) as share:
            await share.stat("")  # without a version, v3 serves
    assert (failure.stage, failure.status) == ("mount", "NFS4ERR_MINOR_VERS_MISMATCH")
    assert "nfsvers=3" in failure.why
    assert "mount the share into Berth's pod" in failure.why


@pytest.mark.parametrize(("only", "asked"), [("3", "4"), ("4", "3")])
async def test_a_version_that_the_server_does_not_speak(server: GaneshaServer, only: str, asked: str) -> None:
    with changed_settings(server, "Protocols = 3, 4;", f"Protocols = {only};"):
        failure = await failure_of(address(server, "/free", asked))
        async with aclosing(DirectShare(address(server, "/free"), Resolver())) as share:
            await share.stat("")  # without a version, the one that is spoken serves
    if asked == "4":
        assert (failure.stage, failure.status) == ("mount", "PROG_MISMATCH")
        assert "does not speak NFSv4" in failure.why
    else:
        assert failure.stage in {"mount", "connect"}
        assert "NFSv3" in failure.why


@pytest.mark.parametrize("version", ["2", "5", "4.3", "x"])
def test_a_version_that_nobody_speaks_is_refused(version: str) -> None:
    with pytest.raises(Refused, match=r"3, 4, 4\.1 and 4\.2 can") as caught:
        DirectShare(ShareAddress("127.0.0.1", "/free", version=version), Resolver())
    assert caught.value.field == "mountOptions"


@pytest.mark.parametrize("version", ["", "3", "4", "4.0", "4.1", "4.2"])
async def test_every_spelling_of_a_version_that_servers_speak(open_share: OpenShare, version: str) -> None:
    async with aclosing(open_share("/free", version)) as share:
        assert (await share.stat("")).kind == "directory"


async def test_v3_with_both_ports_asks_no_portmapper(server: GaneshaServer) -> None:
    async with Link(server.host, server.port) as nfs, Link(server.host, server.mountport) as mountd:
        # Nothing listens at port 111 of this address.
        target = ShareAddress("127.0.0.1", "/free", version="3", port=nfs.port, mountport=mountd.port)
        async with aclosing(DirectShare(target, Resolver())) as share:
            assert (await share.stat("")).kind == "directory"
        assert (nfs.connections, mountd.connections) == (1, 1)


async def test_a_read_only_export_is_a_matter_of_permission(open_share: OpenShare, version: str) -> None:
    async with aclosing(open_share("/fixed", version)) as share:
        await share.list("")
        with pytest.raises(Unavailable, match="read-only") as caught:
            await share.make_directory("d", mode=0o777)
    assert caught.value.stage == "permission"
    assert caught.value.status.endswith("_ROFS")


async def test_squashed_root_without_another_owner_is_a_matter_of_permission(
    server: GaneshaServer, open_share: OpenShare, version: str
) -> None:
    root = server.directory_of("/squashed")
    os.chown(root, 0, 0)
    root.chmod(0o755)
    async with aclosing(open_share("/squashed", version)) as share:
        with pytest.raises(Unavailable, match="no_root_squash") as caught:
            await share.make_directory("d", mode=0o777)
        assert caught.value.stage == "permission"
        assert caught.value.status.endswith(("_ACCES", "_ACCESS", "_PERM"))
        assert caught.value.path == "d"
        # Once the administrator has given the directory away, the same share works.
        os.chown(root, 1000, 1000)
        assert (await share.make_directory("d", mode=0o777)).is_new
        assert await share.remove_directory("d")


async def test_an_export_whose_directory_was_replaced(server: GaneshaServer, version: str) -> None:
    directory = server.directory_of("/free")
    async with aclosing(DirectShare(address(server, "/free", version), Resolver())) as share:
        await share.stat("")
        shutil.rmtree(directory)
        directory.mkdir()
        with pytest.raises(Unavailable) as caught:
            await share.make_directory("d", mode=0o777)
        server.restart()
        assert (await share.make_directory("d", mode=0o777)).is_new
    assert (caught.value.stage, caught.value.status) == ("mount", f"NFS{version}ERR_STALE")
    assert "exportfs -r" in caught.value.why
    assert (directory / "d").exists()


def test_without_privileges_the_port_is_no_secret_and_works(server: GaneshaServer, version: str) -> None:
    """A user without capabilities: connects from a high port, and is told about `insecure` where that is refused."""
    target = address(server, "/free", version)
    code = f"""if True:
        import asyncio
        from berth.shares.direct.share import DirectShare
        from berth.nfs import Resolver
        from berth.volumes.share import ShareAddress
        async def main():
            share = DirectShare({target!r}, Resolver())
            try:
                print((await share.make_directory("by-user-{version}", mode=0o700)).is_new)
            except Exception as error:
                print(error)
            await share.aclose()
        asyncio.run(main())
    """
    argv = ["setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service", sys.executable, "-c", code]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    answer = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False, env=env)
    assert answer.stdout.strip() == "True", answer.stderr
    with changed_settings(server, "PrivilegedPort = false;", "PrivilegedPort = true;"):
        answer = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False, env=env)
    assert "mount failed" in answer.stdout, answer.stderr
    assert "insecure" in answer.stdout
