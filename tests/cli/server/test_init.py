"""`berth server init`, `status` and `verify` as people meet them."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import time

import pytest

from berth.cli.server.report import is_untried, print_report
from berth.doctor.share.judge import Handed, judge_mounts
from berth.doctor.share.mounts import Mounted
from berth.doctor.share.probed import ShareReport, barred
from berth.operations.share_out import own_address
from berth.texts.text import Text
from berth.volumes.share import ShareAddress
from devcluster.ganesha import GaneshaServer
from tests.cli.command import PROGRAM, environment
from tests.cli.server.conftest import Berth
from tests.nfsserver.room import Room
from tests.running import running

PATH = "/srv/nfs/k8s"


def test_a_dry_run_shows_the_plan_and_does_nothing(room: Room, berth: Berth) -> None:
    done = berth("init", PATH, "--client", "10.0.0.0/8", "--dry-run")
    assert done.stderr == ""
    assert f"make {PATH}: mode 0755, owner 65534:65534" in done.stdout
    assert f"export {PATH} in /etc/exports.d/berth.exports, and make it live" in done.stdout
    assert "$ exportfs -a" in done.stdout
    assert done.stdout.endswith("Nothing was done (--dry-run).\n")
    zh = berth("init", PATH, "--client", "10.0.0.0/8", "--dry-run", "--lang", "zh").stdout
    assert zh.endswith("未做任何改动（--dry-run）。\n")
    assert "创建" in zh
    told = json.loads(berth("init", PATH, "--client", "10.0.0.0/8", "--dry-run", "-o", "json").stdout)
    assert {"directory", "exports"} <= {step["kind"] for step in told["plan"]}
    assert (told["done"], told["verification"]) == ([], None)
    assert done.exit_code == (2 if told["hindrance"] else 0)
    assert not os.path.exists(PATH)
    assert room.read() == ""


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_host_that_can_not_serve_says_so_and_ends_with_a_failure(
    room: Room, berth: Berth, monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    monkeypatch.setattr("berth.nfsserver.setup.init._hindrance", lambda _machine: Text("it can't serve", "无法服务"))
    done = berth("init", PATH, "--client", "10.0.0.0/8", "--dry-run", "--lang", lang)
    assert done.exit_code == 2
    assert ("warning: it can't serve" if lang == "en" else "警告：无法服务") in done.stdout


def test_everybody_as_a_client_is_warned_of(room: Room, berth: Berth, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("berth.nfsserver.setup.init._hindrance", lambda _machine: None)
    done = berth("init", PATH, "--client", "*", "--dry-run")
    assert done.exit_code == 1
    assert "warning: --client '*' lets everybody who reaches this host mount it" in done.stdout
    assert "警告：--client '*' 允许任何" in berth("init", PATH, "--client", "*", "--dry-run", "--lang", "zh").stdout
    assert berth("init", PATH, "--client", "10.0.0.0/8", "--dry-run").exit_code == 0


def test_without_yes_nothing_is_done(room: Room, berth: Berth) -> None:
    done = berth("init", PATH, "--client", "10.0.0.0/8")
    assert (done.exit_code, done.stderr) == (64, "berth: nothing was done; add --yes to do it\n")
    assert not os.path.exists(PATH)


def test_with_yes_it_is_done_and_looked_at_and_a_second_run_changes_nothing(room: Room, berth: Berth) -> None:
    # Services are this machine's affair, and stay as they are: no service manager is found in the room.
    room.replace_program("/usr/sbin/service", "exit 0\n")
    first = json.loads(berth("init", PATH, "--client", "127.0.0.1", "--yes", "-o", "json").stdout)
    assert [each["kind"] for each in first["done"] if each["kind"] in ("directory", "exports")] == [
        "directory", "exports",
    ]  # fmt: skip
    assert first["verification"]["share"] == f"127.0.0.1:{PATH}"
    assert stat.S_IMODE(os.stat(PATH).st_mode) == 0o755
    assert room.live_pairs() == {("127.0.0.1", PATH)}
    written = room.read()
    second = berth("init", PATH, "--client", "127.0.0.1", "--yes")
    assert f"{PATH} is exported as wanted: nothing to do." in second.stdout
    assert "Seen from the client's side:" in second.stdout
    assert room.read() == written
    # The truth about a host whose kernel does not serve NFS.
    assert second.exit_code == 2
    assert "nothing listens on 127.0.0.1 port 2049" in second.stdout
    status = berth("status")
    assert status.exit_code == 2
    assert "this kernel has no NFS server" in status.stdout or "not running" in status.stdout
    assert f"live   {PATH}  127.0.0.1" in status.stdout
    told = json.loads(berth("status", "-o", "json").stdout)
    assert (told["good"], [row["state"] for row in told["exports"]]) == (False, ["live"])


def test_a_host_that_is_none_of_the_clients_says_where_to_look(room: Room, berth: Berth) -> None:
    room.replace_program("/usr/sbin/service", "exit 0\n")
    hindrance = json.loads(berth("init", PATH, "--client", "192.0.2.11", "--dry-run", "-o", "json").stdout)["hindrance"]
    done = berth("init", PATH, "--client", "192.0.2.11", "--yes")
    assert done.exit_code == (2 if hindrance else 0)
    assert f"on one of them: berth server verify {os.uname().nodename}:{PATH}" in done.stdout


@pytest.mark.parametrize(
    ("clients", "address"),
    [
        (["198.51.100.0/24", "127.0.0.0/8"], "127.0.0.1"),
        (["*"], "127.0.0.1"),
        (["127.0.0.1"], "127.0.0.1"),
        (["localhost"], "127.0.0.1"),
        (["198.51.100.7"], None),
        (["no-such-host.invalid", "@group", "*.example.com"], None),
    ],
)
def test_which_of_our_addresses_is_a_client(clients: list[str], address: str | None) -> None:
    found = own_address(clients)
    assert ("127.0.0.1" if found == "::1" else found) == address


def test_without_rights_the_missing_one_is_named() -> None:
    """As a user without any: the plan can be seen, and is not tried."""
    # Wherever the checkout is, its files can be read.
    reading = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *reading, "--"]
    argv = [*nobody, str(PROGRAM), "server", "init", PATH, "--client", "127.0.0.1", "--yes"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, env=environment({}))
    assert done.returncode == 2
    said = "setting up an NFS server is not possible: it takes root, and this is uid 65534; run it with sudo"
    assert done.stderr == f"berth: {said}\n"


PACKAGES = """\
case $0 in
*dpkg-query) exit 1 ;;
esac
trap 'echo finished > /etc/finished; exit 100' INT
echo $$ > /etc/installing
while :; do sleep 0.05; done
"""


def test_interrupted_it_lets_the_package_manager_finish_and_says_so(room: Room) -> None:
    for program in ("/usr/bin/dpkg-query", "/usr/bin/apt-get"):
        if not os.path.exists(program):
            pytest.skip("packages are installed for real on Debian only")
        room.replace_program(program, PACKAGES)
    argv = [str(PROGRAM), "server", "init", PATH, "--client", "127.0.0.1", "--yes", "--lang", "zh"]
    pipe = subprocess.PIPE
    with running(argv, stdout=pipe, stderr=pipe, text=True, env=environment({})) as process:
        end = time.monotonic() + 60
        while not (room.etc / "installing").exists():
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=60)
    said = "正在等 apt-get 完成不能中断的操作；再按一次 Ctrl-C 会强行终止它"
    assert (process.returncode, complaints) == (130, f"berth: {said}\nberth: 已中断\n")
    assert (room.etc / "finished").exists()
    assert not os.path.exists(PATH)


def test_verify_for_people(nfs_server: GaneshaServer, berth: Berth) -> None:
    ports = ["--port", str(nfs_server.port), "--mountport", str(nfs_server.mountport)]
    share = f"{nfs_server.host}:{nfs_server.export}"
    done = berth("verify", share, *ports)
    assert (done.exit_code, done.stderr) == (0, ""), done.stdout
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["RESULT", "PROBE", "SEEN"]
    assert lines[-1] == f"{share} can be used."
    zh = berth("verify", share, *ports, LANG="zh_CN.UTF-8", LC_ALL="")
    assert zh.stdout.splitlines()[-1] == f"{share} 可以使用。"
    told = json.loads(berth("verify", share, *ports, "-o", "json").stdout)
    assert (told["outcome"], told["culprit"]) == ("passed", None)
    assert all(set(probe["seen"]) == {"en", "zh"} for probe in told["probes"])


def test_verify_names_the_culprit_once(nfs_server: GaneshaServer, berth: Berth) -> None:
    ports = ["--port", str(nfs_server.port), "--mountport", str(nfs_server.mountport)]
    done = berth("verify", f"{nfs_server.host}:/exprt", *ports)
    assert done.exit_code == 2
    assert done.stdout.count("Probably /export is meant.") == 1
    assert "not tried: source ports, writing, squashing" in done.stdout
    last = done.stdout.splitlines()[-1]
    assert last == f"{nfs_server.host}:/exprt can't be used: /exprt is not exported; these are: /export."


def test_verify_from_a_node_without_the_kernels_client(nfs_server: GaneshaServer, berth: Berth) -> None:
    """Or with it, where the tests run on such a machine: then the mount is real."""
    ports = ["--port", str(nfs_server.port), "--mountport", str(nfs_server.mountport)]
    done = berth("verify", f"{nfs_server.host}:{nfs_server.export}", *ports, "--from-node", "-o", "json")
    found = {probe["id"]: probe for probe in json.loads(done.stdout)["probes"]}
    assert found["node-helper"]["outcome"] == "passed"
    if found["node-kernel"]["outcome"] == "failed":
        assert os.uname().release in found["node-kernel"]["seen"]["en"]
        assert found["node-mount"]["outcome"] == "skipped"
        assert done.exit_code == 2
    else:
        assert found["node-mount"]["outcome"] == "passed"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["verify", "nfs.example.com"], "is not HOST:/PATH"),
        (["verify", "h:/x", "--port", "70000"], "70000"),
        (["verify"], "HOST:/PATH"),
        (["init"], "PATH"),
        (["init", "srv", "--client", "*"], "write an absolute path"),
        (["sail"], "sail"),
        (["manifest"], "--image"),
        (["manifest", "--image", "x", "--path", "share"], "--path: 'share' is no plain absolute path"),
        (["manifest", "--image", "x", "--client", "10.0.0"], "--client: '10.0.0' is no network"),
        (["manifest", "--image", "x", "--size", "much"], "--size: 'much' is no size"),
        (["manifest", "--image", "x", "--cluster-ip", "nfs"], "--cluster-ip: 'nfs' is no address"),
        (["manifest", "--image", "x", "--name", "Nfs"], "--name: 'Nfs'"),
        (["manifest", "--image", "x", "--size", "much", "--lang", "zh"], "--size：'much' 不是容量，例如 100Gi"),
        (["verify", "nfs.example.com", "--lang", "zh"], "不是 主机:/路径"),
        (["init", "srv", "--client", "*", "--lang", "zh"], "srv：请写绝对路径"),
    ],
)
def test_a_wrong_command_line(berth: Berth, arguments: list[str], words: str) -> None:
    done = berth(*arguments)
    assert (done.exit_code, done.stdout) == (64, "")
    assert words in done.stderr


def test_help_is_short(berth: Berth) -> None:
    for command in ([], ["init"], ["verify"], ["status"], ["lint"], ["export"], ["export", "add"], ["manifest"]):
        done = berth(*command, "--help")
        assert done.exit_code == 0
        assert len(done.stdout.splitlines()) < 40


def test_a_share_that_could_not_be_tried_to_the_end_is_not_called_good(capsys: pytest.CaptureFixture[str]) -> None:
    """A server of NFSv4.1 alone: kernels mount it, and this probe can't speak it."""
    handed = Handed(None, (1, 2), None, Mounted("not offered"))
    probes = list(judge_mounts(ShareAddress("nfs", "/srv"), handed))
    skipped = barred("write", next(probe for probe in probes if probe.id == "mount-4.0"))
    report = ShareReport("nfs:/srv", (*probes, skipped))
    assert is_untried(report)
    assert not is_untried(ShareReport("nfs:/srv", tuple(probes)))
    print_report(report, "en")
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "nfs:/srv could not be tried to the end: the server speaks NFSv4.1 or later, and not 4.0."


def test_interrupted_it_ends_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        argv = [str(PROGRAM), "server", "verify", "127.0.0.1:/srv", "--port", port, "--mountport", port]
        pipe = subprocess.PIPE
        with running(argv, stdout=pipe, stderr=pipe, text=True, env=environment({})) as process:
            listener.accept()[0].close()  # is anybody there
            connection, _ = listener.accept()
            assert connection.recv(4)  # it has asked, and waits for an answer now
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=10)
            connection.close()
    assert (process.returncode, said) == (130, ("", "berth: interrupted\n"))
