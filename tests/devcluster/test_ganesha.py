"""The NFS server of the dev cluster is a whole one: standard ports, a portmapper, v3 and v4, squashing, restarts.

Looked at with independent clients: libnfs-utils and showmount.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from devcluster import ports
from devcluster.errors import ProcessFailed
from devcluster.ganesha import Export, GaneshaServer
from devcluster.identity import identify
from tests.running import running

ROOT = Path(__file__).parents[2]


def client(*argv: str) -> str:
    """What a client program prints; its whole output when it fails."""
    answer = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert answer.returncode == 0, f"{argv}: {answer.stdout}{answer.stderr}"
    return answer.stdout


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def listing(server: GaneshaServer, export: str, version: int) -> str:
    return client("nfs-ls", f"nfs://{server.host}{export}?version={version}")


@pytest.fixture(scope="module")
def server() -> Iterator[GaneshaServer]:
    exports = [Export("/data/nfs"), Export("/squashed", squash="root_squash"), Export("/fixed", read_only=True)]
    with GaneshaServer(exports=exports) as running:
        yield running


@pytest.mark.parametrize("version", [3, 4])
def test_two_servers_side_by_side_need_no_port_numbers(
    server: GaneshaServer, nfs_server: GaneshaServer, version: int
) -> None:
    (server.root / "here").touch()
    (nfs_server.root / "there").touch()
    assert (server.mount_options(), nfs_server.mount_options()) == ([], [])
    assert "here" in listing(server, "/data/nfs", version)
    assert "there" in listing(nfs_server, "/export", version)


def test_showmount_lists_the_exports(server: GaneshaServer) -> None:
    shown = client("showmount", "-e", server.host)
    assert {line.split()[0] for line in shown.splitlines()[1:]} == {"/data/nfs", "/squashed", "/fixed"}


@pytest.mark.parametrize(("export", "owner"), [("/data/nfs", 0), ("/squashed", 65534)])
def test_root_is_squashed_where_the_export_says_so(
    server: GaneshaServer, tmp_path: Path, export: str, owner: int
) -> None:
    (tmp_path / "file").write_text("content")
    client("nfs-cp", str(tmp_path / "file"), f"nfs://{server.host}{export}/by-root?version=3")
    written = server.directory_of(export) / "by-root"
    assert (written.stat().st_uid, written.read_text()) == (owner, "content")


def test_nothing_is_written_to_a_read_only_export(server: GaneshaServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")
    with pytest.raises(AssertionError, match="ROFS"):
        client("nfs-cp", str(tmp_path / "file"), f"nfs://{server.host}/fixed/file?version=3")
    assert not list(server.directory_of("/fixed").iterdir())


@pytest.mark.parametrize("version", [3, 4])
def test_a_killed_server_comes_back_at_the_same_place_with_the_same_content(
    server: GaneshaServer, version: int
) -> None:
    (server.root / "kept").touch()
    server.kill()
    assert not ports.answers_rpc(server.host, server.port, ports.NFS3)
    server.start()
    assert "kept" in listing(server, "/data/nfs", version)


def test_a_paused_server_takes_connections_and_answers_nothing(server: GaneshaServer) -> None:
    server.pause()
    try:
        assert not ports.can_listen(server.host, server.port)
        assert not ports.answers_rpc(server.host, server.port, ports.NFS3)
    finally:
        server.resume()
    server.wait_ready()


def test_what_is_changed_behind_the_servers_back_is_seen_at_once(server: GaneshaServer) -> None:
    assert "sudden" not in listing(server, "/data/nfs", 3)
    (server.root / "sudden").symlink_to("/etc")
    assert "sudden" in listing(server, "/data/nfs", 3)
    (server.root / "sudden").unlink()
    assert "sudden" not in listing(server, "/data/nfs", 3)


def test_an_export_that_can_not_be_served_is_an_error_that_says_why() -> None:
    server = GaneshaServer()
    try:
        server.start()
        server.stop()
        server.root.rmdir()
        with pytest.raises(ProcessFailed, match=r"(?s)does not export /export; .*No such file or directory"):
            server.start()
    finally:
        server.close()


def test_closing_leaves_nothing() -> None:
    server = GaneshaServer()
    server.start()
    identities = [process.identity for process in server.processes]
    server.close()
    assert len(identities) == 2
    assert not any(identity and identity.is_alive for identity in identities)
    assert not server.directory.exists()


def test_a_server_dies_with_us_and_the_next_one_clears_its_directory_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = """if True:
        import signal
        from devcluster.ganesha import GaneshaServer
        server = GaneshaServer()
        server.start()
        print(server.directory, *(process.pid for process in server.processes), flush=True)
        signal.pause()
    """
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    with running([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=env) as owner:
        assert owner.stdout is not None
        directory, *pids = owner.stdout.readline().split()
        started = [identify(pid) for pid in [*map(int, pids), *children(int(pids[0]))]]
        owner.kill()
    assert len(started) == 3  # rpcbind has a parent of its own
    assert all(process is not None and process.wait_gone(10) for process in started)
    assert Path(directory).exists()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with GaneshaServer() as later:
        assert list(tmp_path.iterdir()) == [later.directory]


def test_where_the_machine_holds_the_standard_ports_free_ones_are_used_and_told() -> None:
    code = """if True:
        import socket, subprocess
        from devcluster.ganesha import GaneshaServer
        held = [socket.create_server(("0.0.0.0", port)) for port in (111, 2049, 20048)]
        with GaneshaServer() as server:
            (server.root / "reached").touch()
            options = dict(option.split("=") for option in server.mount_options("3"))
            assert options == {"port": str(server.port), "mountport": str(server.mountport)}, options
            assert server.mount_options("4.1") == [f"port={server.port}"]
            assert not server.has_portmapper
            ways = f"nfsport={options['port']}&mountport={options['mountport']}"
            for version in 3, 4:
                url = f"nfs://{server.host}/export?version={version}&{ways}"
                print(subprocess.run(["nfs-ls", url], capture_output=True, text=True, timeout=20).stdout)
    """
    # In a network of its own, where taking these ports bothers nobody. Ganesha wants more there than 127.0.0.1.
    network = 'ip link set lo up && ip addr add 127.0.0.2/8 dev lo && exec "$0" -c "$1"'
    inside = ["unshare", "--net", "sh", "-c", network, sys.executable, code]
    answer = subprocess.run(inside, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.count("reached") == 2
