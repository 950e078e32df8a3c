"""What can go wrong with `--on`: each is told in one sentence, in both languages, and nothing is left half done."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.command import PROGRAM, environment
from tests.cli.hosts.conftest import Client, interrupted
from tests.running import running
from tests.ssh_host import SshHost, client_config, make_key

pytestmark = pytest.mark.slow

LIST = ("server", "export", "list", "--on")
ADD = ("server", "export", "add", "/srv/slow", "--client", "10.0.0.0/8", "--on", "root@nas1")
ZH = "zh_CN.UTF-8"


def test_a_host_key_that_is_not_known(client: Client) -> None:
    unknown = (*LIST, "root@nas1", "--ssh-option", "UserKnownHostsFile=/dev/null")
    told = client.sentence(*unknown)
    assert told.startswith("ssh does not know the host key of root@nas1 (")
    assert "Host key verification failed)" in told
    assert told.endswith(f"`ssh -F {client.config} -o UserKnownHostsFile=/dev/null root@nas1 true`")
    assert "手工连接一次" in client.sentence(*unknown, lang=ZH)
    # With --ask-pass the password is no answer to that question either.
    assert "does not know the host key" in client.sentence(*unknown, "--ask-pass", typed="yes\n")


def test_a_host_key_that_has_changed(client: Client, nas: SshHost, tmp_path: Path) -> None:
    make_key(tmp_path / "other")
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{nas.port} {(tmp_path / 'other.pub').read_text()}")
    changed = (*LIST, "root@nas1", "--ssh-option", f"UserKnownHostsFile={known}")
    told = client.sentence(*changed)
    assert told.startswith("the host key of root@nas1 is another one than before (")
    assert "has changed" in told
    assert "SHA256:" in told
    cure = f"ssh-keygen -f {known} -R '[127.0.0.1]:{nas.port}'"
    assert f"`{cure}`" in told
    assert f"`{cure}`" in client.sentence(*changed, lang=ZH)
    # It does what it says.
    subprocess.run(["sh", "-c", cure], check=True, capture_output=True, timeout=60)
    assert "does not know the host key" in client.sentence(*changed)


def test_a_host_that_is_not_there(client: Client) -> None:
    assert "takes no ssh connection" in client.sentence(*LIST, "root@127.0.0.9")
    assert "不接受 ssh 连接" in client.sentence(*LIST, "root@127.0.0.9", lang=ZH)
    assert "nothing is known of a host root@no.such.invalid" in client.sentence(*LIST, "root@no.such.invalid")
    with socket.create_server(("127.0.0.1", 0), backlog=1) as deaf:
        port = str(deaf.getsockname()[1])
        silent = (*LIST, "root@127.0.0.1", "-p", port, "--ssh-option", "ConnectTimeout=1")
        assert "root@127.0.0.1 does not answer (" in client.sentence(*silent)
        assert "没有应答" in client.sentence(*silent, lang=ZH)


def test_no_ssh_here(client: Client, tmp_path: Path) -> None:
    argv = client.argv(*LIST, "root@nas1")
    env = {**environment({}), "PATH": str(tmp_path)}
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, env=env)
    assert done.returncode == 3
    assert "there is no program ssh; install OpenSSH's client" in done.stderr


def test_a_login_that_runs_nothing(client: Client, nas: SshHost) -> None:
    nas.write("/usr/bin/nobody", "#!/bin/sh\necho 'Please log in as admin.'\n", 0o755)
    assert nas.inside("sed -i '/^root/s#/bin/sh#/bin/nobody#' /etc/passwd").returncode == 0
    try:
        told = client.sentence(*LIST, "root@nas1")
        assert told.startswith("root@nas1 let us in and ran no command (Please log in as admin.); ")
        assert "没有执行命令" in client.sentence(*LIST, "root@nas1", lang=ZH)
    finally:
        nas.inside("sed -i '/^root/s#/bin/nobody#/bin/sh#' /etc/passwd")


def test_the_command_is_missing_or_the_wrong_one(client: Client, tmp_path: Path) -> None:
    listing = (*LIST, "root@nas1")
    nothing = Client(client.config, None)
    shutil.copytree(PROGRAM.parent, tmp_path / "bin", symlinks=True)
    wrong = tmp_path / "wrong"
    wrong.write_text("#!/bin/sh\necho berth\n")
    assert f"{wrong} is not the self-contained command" in nothing.sentence(*listing, "--command", str(wrong))
    assert "不是要传到" in nothing.sentence(*listing, "--command", str(wrong), lang=ZH)
    assert "No such file" in nothing.sentence(*listing, "--command", str(tmp_path / "none"))
    assert client.command is not None
    head = client.command.read_bytes()[:400]
    wrong.write_bytes(head.replace(b"# Berth 0", b"# Berth 9"))
    assert "is Berth 9." in nothing.sentence(*listing, "--command", str(wrong))
    wrong.write_bytes(head.replace(b"x86_64", b"sparc64").replace(b"aarch64", b"sparc64"))
    assert f"{wrong} is for sparc64, and root@nas1 is " in nothing.sentence(*listing, "--command", str(wrong))
    assert "每种机器可各给一次" in nothing.sentence(*listing, "--command", str(wrong), lang=ZH)
    # One of another kind beside the right one does no harm.
    assert client(*listing, "--command", str(wrong)).returncode == 0


_FULL = "for place in root tmp var; do mount -t tmpfs -o size={} none $root/$place; done"


@pytest.mark.parametrize(
    ("prepare", "is_bare", "en", "zh"),
    [
        (_FULL.format("1m"), True, "there is no room for berth, which takes 100 MB", "没有空间存放 berth"),
        (_FULL.format("40m"), True, "there is no room for berth, which takes 100 MB", "没有空间存放 berth"),
        (_FULL.format("99% -o noexec"), True, "these are mounted noexec", "以 noexec 挂载"),
        ("wrapper='setarch i686'", True, "root@odd is Linux on i686; there is a berth", "root@odd 是 i686 上的 Linux"),
        ("rm $root/bin/gzip", False, "berth does not start on root@odd (", "berth 无法在 root@odd 上启动（"),
    ],
    ids=["full", "full while unpacking", "noexec", "another machine", "no gzip"],
)
def test_a_host_that_can_not_have_it(
    client: Client, tmp_path: Path, prepare: str, is_bare: bool, en: str, zh: str
) -> None:
    with SshHost(tmp_path, "odd", prepare=prepare, is_bare=is_bare) as odd:
        here = Client(client_config(tmp_path, [odd]), client.command)
        assert en in here.sentence(*LIST, "root@odd")
        assert zh in here.sentence(*LIST, "root@odd", lang=ZH)
        assert odd.inside("ls -A /root/.cache/berth /var/cache/berth /var/tmp /tmp").stdout.count("berth") == 0


def test_where_one_folder_lets_nothing_run_another_is_taken(client: Client, tmp_path: Path) -> None:
    with SshHost(tmp_path, "odd", prepare="mount -o remount,noexec $root/root", is_bare=True) as odd:
        here = Client(client_config(tmp_path, [odd]), client.command)
        assert here(*LIST, "root@odd").returncode == 0
        assert odd.inside("ls /root/.cache/berth").stdout == ""
        assert "berth-" in odd.inside("ls /var/cache/berth").stdout


_SLOW = """\
#!/bin/sh
case $* in -a)
    # For ever, when it is asked for the first time.
    mkdir /srv/asked 2>/dev/null && echo begun >/srv/begun && exec sleep 1000 ;;
esac
exec /usr/sbin/exportfs.real "$@"
"""


@pytest.fixture
def slow(nas: SshHost) -> Path:
    """A pipe that tells, to who reads it, that exportfs has begun on the host, which never ends, this time."""
    begin = (
        "rm -rf /srv/begun /srv/asked /srv/slow /etc/exports.d; mkdir -p /srv/slow; mkfifo /srv/begun;"
        "[ -e /usr/sbin/exportfs.real ] || cp /usr/sbin/exportfs /usr/sbin/exportfs.real; exportfs.real -ua"
    )
    assert nas.inside(begin).returncode == 0
    nas.write("/usr/sbin/exportfs", _SLOW, 0o755)
    return nas.seen("/srv/begun")


def test_a_connection_that_is_lost_on_the_way_and_the_same_again(client: Client, nas: SshHost, slow: Path) -> None:
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with running(client.argv(*ADD), **pipes, text=True, env=environment({})) as process:
        slow.read_text()
        nas.cut()
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    (sentence,) = err.splitlines()
    assert sentence.startswith("berth: the connection to root@nas1 was lost (")
    assert "it goes on from there" in sentence
    again = client(*ADD)
    assert (again.returncode, again.stderr) == (0, "")
    assert "10.0.0.0/8" in nas.inside("exportfs.real -s").stdout


def test_ctrl_c_here_interrupts_it_there_and_its_outcome_is_told(client: Client, nas: SshHost, slow: Path) -> None:
    done = interrupted(client.argv(*ADD), slow)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "berth: passing the interrupt on to root@nas1\nberth: interrupted\n"
    assert nas.inside("pgrep -f 'export[ ]add'").stdout == ""
    assert "/srv/slow" not in nas.inside("cat /etc/exports.d/berth.exports").stdout
    assert client(*ADD).returncode == 0


def test_who_does_not_want_to_wait_any_more_is_told_that_it_may_go_on(client: Client, nas: SshHost, slow: Path) -> None:
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    try:
        with running(client.argv(*ADD), **pipes, text=True, env=environment({})) as process:
            slow.read_text()
            assert nas.inside("pkill -STOP -f 'command.*[e]xport add'").returncode == 0
            assert process.stderr is not None
            process.send_signal(signal.SIGINT)
            assert process.stderr.readline() == "berth: passing the interrupt on to root@nas1\n"
            while process.poll() is None:
                process.send_signal(signal.SIGINT)
                time.sleep(0.2)
            assert "it may still be at work there" in process.stderr.read()
        assert process.returncode in (130, -signal.SIGINT)  # the last of them may come when all is said
    finally:
        nas.inside("pkill -KILL -f 'command.*[e]xport add'; pkill -KILL sleep")


def test_what_is_killed_there_is_told(client: Client, nas: SshHost, slow: Path) -> None:
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with running(client.argv(*ADD), **pipes, text=True, env=environment({})) as process:
        slow.read_text()
        assert nas.inside("pkill -KILL -f 'command.*[e]xport add'; pkill -KILL sleep").returncode == 0
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err.startswith("berth: berth was killed on root@nas1 (")
    assert client(*ADD).returncode == 0


def test_ctrl_c_while_it_connects(client: Client, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = str(deaf.getsockname()[1])
        pipe = tmp_path / "begun"
        os.mkfifo(pipe)
        proxy = f"ProxyCommand=sh -c 'echo begun >{pipe}; exec sleep 1000'"  # ssh puts an exec before it
        done = interrupted(client.argv(*LIST, "root@127.0.0.1", "-p", port, "--ssh-option", proxy), pipe)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "berth: interrupted; nothing was done on root@127.0.0.1\n"
