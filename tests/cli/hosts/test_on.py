"""`berth server … --on` and `berth doctor node --on`, over a real sshd: what people see, and what is done there."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from berth import __version__
from tests.cli.command import environment
from tests.cli.hosts.conftest import Client
from tests.cli.test_output_schema import check
from tests.ssh_host import PASSWORD, SshHost

pytestmark = pytest.mark.slow

PATH = "/srv/nfs/k8s"
INIT = ("server", "init", PATH, "--client", "127.0.0.0/8")
NO_KEY = ("--ssh-option", "PubkeyAuthentication=no")


@pytest.fixture
def fresh(nas: SshHost) -> SshHost:
    """The host with nothing exported."""
    done = nas.inside(f"rm -rf {PATH} /etc/exports.d && exportfs -ua && exportfs -f; true > /var/lib/nfs/etab")
    assert done.returncode == 0, done
    return nas


def test_a_host_with_a_shell_and_nothing_else_answers(client: Client, bare: SshHost) -> None:
    done = client("server", "status", "--on", "root@bare")
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout.startswith("NFS server: ")
    assert "Nothing is exported." in done.stdout
    zh = client("server", "status", "--on", "root@bare", "--lang", "zh")
    assert (zh.returncode, zh.stderr) == (2, "")
    assert "没有任何导出" in zh.stdout
    (lies,) = bare.inside("ls /root/.cache/berth").stdout.split()[:1]
    assert lies.startswith((f"{__version__}-", f"berth-{__version__}-"))


def test_it_is_brought_once(client: Client, bare: SshHost) -> None:
    client("server", "export", "list", "--on", "root@bare")
    look = "ls -i /root/.cache/berth; ls -ld /root/.cache/berth"
    before = bare.inside(look).stdout
    assert "drwx------" in before
    assert client("server", "export", "list", "--on", "root@bare").returncode == 0
    assert bare.inside(look).stdout == before
    # What lies there and is not whole is brought again.
    assert bare.inside("for file in /root/.cache/berth/berth-*; do : >$file; done").returncode == 0
    assert client("server", "export", "list", "--on", "root@bare").returncode == 0


def test_the_doctor_looks_at_that_host(client: Client) -> None:
    done = client("doctor", "node", "--on", "root@bare", "-o", "json")
    report = json.loads(done.stdout)
    check(report, "berth doctor node")
    assert "mount-helper-missing" in [each["id"] for each in report["findings"]]
    assert done.returncode == report["exitCode"]


def test_paths_are_that_hosts(client: Client, nas: SshHost) -> None:
    nas.inside("mkdir -p '/srv/of nas' && echo '/srv/x *(rw,no_root_sqash)' > '/srv/of nas/exports'")
    done = client("server", "lint", "/srv/of nas/exports", "--on", "root@nas1")
    assert done.returncode == 2
    assert "no_root_sqash" in done.stdout
    assert client("doctor", "node", "--root", "/srv/of nas", "--on", "root@nas1").returncode != 64


def test_a_plan_is_shown_and_nothing_done(client: Client, fresh: SshHost) -> None:
    done = client(*INIT, "--dry-run", "--on", "root@nas1")
    assert f"make {PATH}: mode 0755, owner 65534:65534" in done.stdout
    assert done.stdout.endswith("Nothing was done (--dry-run).\n")
    told = json.loads(client(*INIT, "--dry-run", "--on", "root@nas1", "-o", "json").stdout)
    check(told, "berth server init")
    assert {"directory", "exports"} <= {step["kind"] for step in told["plan"]}
    assert fresh.inside(f"ls -d {PATH}").returncode != 0


def test_without_somebody_to_ask_nothing_is_done(client: Client, fresh: SshHost) -> None:
    done = client(*INIT, "--on", "root@nas1")
    assert done.returncode == 64
    assert done.stderr.endswith("nothing was done; add --yes to do it\n")
    assert fresh.inside(f"ls -d {PATH}").returncode != 0


def test_it_is_done_there_and_again_changes_nothing(client: Client, fresh: SshHost) -> None:
    done = client(*INIT, "--yes", "--on", "root@nas1")
    assert done.stderr == ""
    assert f"done  make {PATH}: mode 0755, owner 65534:65534" in done.stdout
    assert "done  export" in done.stdout
    assert fresh.inside(f"stat -c %a:%u {PATH}; exportfs -s").stdout.startswith(f"755:65534\n{PATH}  127.0.0.0/8(")
    told = json.loads(client(*INIT, "--yes", "--on", "root@nas1", "-o", "json").stdout)
    check(told, "berth server init")
    assert [each["kind"] for each in told["done"]] == []
    assert not os.path.exists(PATH)
    rows = json.loads(client("server", "export", "list", "--on", "root@nas1", "-o", "json").stdout)
    assert [(row["path"], row["state"]) for row in rows] == [(PATH, "live")]


def test_several_hosts_at_once(client: Client, fresh: SshHost, bare: SshHost) -> None:
    done = client("server", "export", "list", "--on", "root@nas1", "--on", "root@bare")
    assert (done.returncode, done.stderr) == (0, "")
    *lines, empty, heading, first, second = done.stdout.splitlines()
    assert sorted(lines) == ["root@bare  Nothing is exported.", "root@nas1  Nothing is exported."]
    assert (empty, heading.split()) == ("", ["HOST", "RESULT"])
    assert (first.split(), second.split()) == (["root@nas1", "well"], ["root@bare", "well"])
    # One of them fails: the others are told all the same, and the code is the worst one.
    some = client("server", "export", "list", "--on", "root@nas1", "--on", "root@bare", "--on", "root@127.0.0.9")
    assert some.returncode == 3
    assert len(some.stderr.splitlines()) == 1
    assert "root@127.0.0.9" in some.stderr
    assert some.stdout.splitlines()[-1].split() == ["root@127.0.0.9", "could", "not", "be", "looked", "at"]


def test_several_hosts_answer_programs_in_one_list(client: Client, fresh: SshHost) -> None:
    done = client("server", "status", "--on", "root@nas1", "--on", "root@127.0.0.9", "-o", "json")
    assert done.stderr == ""
    told = json.loads(done.stdout)
    check(told, "onHosts")
    assert [(each["host"], each["exitCode"]) for each in told] == [("root@nas1", 2), ("root@127.0.0.9", 3)]
    check(told[0]["answer"], "berth server status")
    check(told[1]["answer"], "error")
    assert told[1]["answer"]["error"]["finding"]["id"] == "connection-refused"
    assert done.returncode == 2  # as docs/exit-codes.md has it: what fails is worse than what can't be looked at


def test_several_are_exported_on_each(client: Client, fresh: SshHost) -> None:
    """Two people, or two commands, at once: the host's own lock lets one wait for the other."""
    fresh.inside("mkdir -p /srv/a /srv/b")
    argvs = [client.argv("server", "export", "add", f"/srv/{name}", "--client", "10.0.0.0/8", "--on", "root@nas1")
             for name in "ab"]  # fmt: skip
    both = [subprocess.Popen(argv, stdin=subprocess.DEVNULL, env=environment({})) for argv in argvs]
    assert [process.wait(120) for process in both] == [0, 0]
    shown = fresh.inside("exportfs -s").stdout
    assert "/srv/a " in shown
    assert "/srv/b " in shown


def test_a_password_opens_ssh(client: Client, nas: SshHost) -> None:
    listing = ("server", "export", "list", "--on", "root@nas1", *NO_KEY)
    assert client(*listing, "--ask-pass", typed=f"{PASSWORD}\n").returncode == 0
    assert "the password is wrong" in client.sentence(*listing, "--ask-pass", typed="wrong\n")
    assert "give --ask-pass" in client.sentence(*listing)
    assert "请加 --ask-pass" in client.sentence(*listing, lang="zh_CN.UTF-8")
    nobody = ("server", "export", "list", "--on", "nosuch@nas1", "--ask-pass")
    assert "there is no such user" in client.sentence(*nobody, typed=f"{PASSWORD}\n")


def test_a_password_is_in_no_command_line_environment_or_file(client: Client, nas: SshHost) -> None:
    """Every process that was started meanwhile is asked: here, and there, where sudo takes it, too."""
    spy = (
        "#!/bin/sh\nfor process in /proc/[0-9]*; do cat $process/cmdline $process/environ; done 2>/dev/null |"
        " tr '\\0' ' ' >/root/seen\nexec /usr/sbin/exportfs.real \"$@\"\n"
    )
    assert nas.inside("cp /usr/sbin/exportfs /usr/sbin/exportfs.real").returncode == 0
    nas.write("/usr/sbin/exportfs", spy, 0o755)
    try:
        done = client(
            "server", "export", "add", "/srv", "--client", "10.0.0.0/8", "--on", "admin@nas1", "--ask-pass", *NO_KEY,
            typed=f"{PASSWORD}\n",
        )  # fmt: skip
        assert done.returncode == 0, done
        seen = nas.inside("cat /root/seen").stdout
        assert "sudo -S" in seen
        assert "exportfs" in seen
        assert PASSWORD not in seen
        assert nas.inside(f"grep -rl '{PASSWORD}' /root /home /tmp /var/tmp /run /etc").stdout == ""
    finally:
        assert nas.inside("mv /usr/sbin/exportfs.real /usr/sbin/exportfs").returncode == 0


def test_sudo_makes_others_root(client: Client, nas: SshHost) -> None:
    listing = ("server", "export", "list", "--on")
    assert "sudo does not make admin root (sudo: a password is required)" in client.sentence(*listing, "admin@nas1")
    assert "sudo 不让 admin 变成 root" in client.sentence(*listing, "admin@nas1", lang="zh_CN.UTF-8")
    assert client(*listing, "admin@nas1", "--ask-pass", typed=f"{PASSWORD}\n").returncode == 0
    wrong = client.sentence(*listing, "admin@nas1", "--ask-pass", typed="wrong\n")
    assert "is the password right, and may he use sudo?" in wrong
    told = client.sentence(*listing, "guest@nas1", "--ask-pass", typed=f"{PASSWORD}\n")
    assert "guest is not in the sudoers file" in told
    assert "there is no sudo" in client.sentence(*listing, "admin@bare")
    nas.inside("echo 'guest ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/guest; chmod 440 /etc/sudoers.d/guest")
    assert client(*listing, "guest@nas1", "--ask-pass", *NO_KEY, typed=f"{PASSWORD}\n").returncode == 0


def test_a_jump_host_and_ssh_s_own_form(client: Client, nas: SshHost) -> None:
    assert client("server", "export", "list", "--on", "root@nas1", "-J", "root@bare").returncode == 0
    assert client("server", "export", "list", "--on", f"ssh://root@127.0.0.1:{nas.port}").returncode == 0
    assert client("server", "export", "list", "--on", "root@127.0.0.1", "-p", str(nas.port)).returncode == 0


def test_what_says_how_to_get_there_wants_a_host(client: Client) -> None:
    told = client.sentence("server", "status", "--ask-pass", code=64)
    assert told.startswith("--ask-pass says how to get to a host")
    assert "PATH is missing" in client.sentence("server", "init", "--on", "root@nas1", code=64)
    assert "ssh://root@nas1:22" in client.sentence("server", "status", "--on", "root@nas1:22", code=64)


def test_what_a_login_prints_is_no_answer(client: Client, nas: SshHost) -> None:
    nas.write("/usr/bin/greeter", "#!/bin/sh\necho 'berth: welcome'\necho uid=5\nexec /bin/sh \"$@\"\n", 0o755)
    nas.inside("sed -i '/^root/s#/bin/sh#/bin/greeter#' /etc/passwd")
    try:
        done = client("server", "export", "list", "--on", "root@nas1", "-o", "json")
        assert (done.returncode, done.stderr) == (0, "")
        assert isinstance(json.loads(done.stdout), list)
    finally:
        nas.inside("sed -i 's#/bin/greeter#/bin/sh#' /etc/passwd")
