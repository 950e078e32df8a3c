"""A host that one can log in to over ssh: a real sshd on loopback, in a root and a mount namespace of its own. It has
other files, users and keys than this machine, of which nothing is changed. Needs root.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from devcluster.ports import free_port

PASSWORD = "correct horse"
SSHD = Path("/usr/sbin/sshd")
_APPLETS = ("sh", "tail", "gzip", "tar", "mkdir", "mv", "rm", "id", "uname", "env", "cat", "wc", "chmod", "mount")
_USERS = {
    "root": (0, "/root"),
    "sshd": (100, "/run/sshd"),
    "admin": (1000, "/home/admin"),
    "guest": (1001, "/home/guest"),
}

_START = """\
set -e
root={root} wrapper=
mount --make-rprivate /
{mounts}
mkdir -p $root/dev $root/proc $root/run $root/tmp $root/var/tmp $root/root $root/home/admin $root/home/guest
mount --rbind /dev $root/dev
mount -t proc proc $root/proc
for place in run tmp var/tmp root; do mount -t tmpfs -o mode=0755 none $root/$place; done
chmod 1777 $root/tmp $root/var/tmp
mkdir -p $root/run/sshd
cp -r {etc}/. $root/etc/
chown -R 1000:1000 $root/home/admin
chown -R 1001:1001 $root/home/guest
{prepare}
exec $wrapper chroot $root {sshd} -D -e -f /etc/ssh/sshd_config
"""
_OVERLAY = """\
mount -t tmpfs none {below}/layer
mkdir {below}/layer/upper {below}/layer/work
mount -t overlay none $root -o lowerdir=/,upperdir={below}/layer/upper,workdir={below}/layer/work
rm -rf $root/home/admin $root/home/guest $root/etc/exports.d $root/var/cache/berth
"""
_CONFIG = """\
ListenAddress 127.0.0.1
Port {port}
HostKey /etc/ssh/host_key
AuthorizedKeysFile /etc/ssh/keys/%u
PidFile none
UsePAM no
StrictModes no
PermitRootLogin yes
PasswordAuthentication yes
KbdInteractiveAuthentication no
LogLevel VERBOSE
"""


class SshHost:
    """The host while it runs: users root, admin (of group sudo) and guest, all with PASSWORD.

    below: an empty folder, of a test. prepare: a script that is run before sshd starts, with the host's root as $root;
    as $wrapper it may set what sshd is started with.
    is_bare: it has a busybox and an sshd, and nothing else; else it has this machine's programs.
    """

    def __init__(self, below: Path, name: str, *, prepare: str = "", is_bare: bool = False) -> None:
        self.below, self.name = below / name, name
        self.port = free_port()
        self.root = self.below / "root"
        self.log = self.below / "log"
        self._prepare, self._is_bare = prepare, is_bare
        self._sshd: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        etc = self.below / "etc"
        for made in (self.root, self.below / "layer", etc / "ssh/keys"):
            made.mkdir(parents=True)
        self._write_etc(etc)
        if self._is_bare:
            self._fill()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Starts it, and waits until it can be logged in to."""
        mounts = "" if self._is_bare else _OVERLAY.format(below=self.below)
        script = _START.format(root=self.root, etc=self.below / "etc", mounts=mounts, prepare=self._prepare, sshd=SSHD)
        argv = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script]
        with self.log.open("ab") as log:
            self._sshd = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + 60
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5):
                return
            assert self._sshd.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        """Ends it and all that runs on it: whoever is logged in loses the connection."""
        assert self._sshd is not None
        with suppress(ProcessLookupError):
            os.killpg(self._sshd.pid, signal.SIGKILL)
        self._sshd.wait(60)

    def inside(self, script: str) -> subprocess.CompletedProcess[str]:
        """Runs a script on it, past ssh."""
        assert self._sshd is not None
        (init,) = Path(f"/proc/{self._sshd.pid}/task/{self._sshd.pid}/children").read_text().split()
        argv = ["nsenter", "--target", init, "--mount", "--pid", "--root", "--wd", "--", "sh", "-c", script]
        env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, env=env)

    def seen(self, path: str) -> Path:
        """Where a file of the host's is seen from here."""
        assert self._sshd is not None
        (init,) = Path(f"/proc/{self._sshd.pid}/task/{self._sshd.pid}/children").read_text().split()
        return Path(f"/proc/{init}/root{path}")

    def write(self, path: str, content: str, mode: int = 0o644) -> None:
        """Makes content a file of the host's, root's own."""
        file = self.seen(path)
        file.unlink(missing_ok=True)
        file.write_text(content)
        file.chmod(mode)

    def cut(self) -> None:
        """Cuts all connections that there are; new ones are taken."""
        done = self.inside("pkill -KILL -f '^sshd: '")
        assert done.returncode == 0, done

    @property
    def key(self) -> str:
        """Its public host key."""
        return (self.below / "etc/ssh/host_key.pub").read_text()

    def _write_etc(self, etc: Path) -> None:
        argv = ["openssl", "passwd", "-6", "-stdin"]
        digest = subprocess.run(argv, input=PASSWORD, capture_output=True, text=True, check=True).stdout.strip()
        users = "".join(f"{user}:x:{uid}:{uid}::{home}:/bin/sh\n" for user, (uid, home) in _USERS.items())
        (etc / "passwd").write_text(f"{users}nobody:x:65534:65534::/:/bin/false\n")
        (etc / "shadow").write_text("".join(f"{user}:{digest}:19000:0:99999:7:::\n" for user in _USERS))
        (etc / "group").write_text("root:x:0:\nsudo:x:27:admin\nadmin:x:1000:\nguest:x:1001:\nnogroup:x:65534:\n")
        (etc / "hostname").write_text(f"{self.name}\n")
        (etc / "exports").write_text("")
        (etc / "ssh/sshd_config").write_text(_CONFIG.format(port=self.port))
        make_key(etc / "ssh/host_key")

    def _fill(self) -> None:
        libraries = subprocess.run(["ldd", str(SSHD)], capture_output=True, text=True, check=True).stdout.split()
        for path in (SSHD, *(Path(each) for each in libraries if each.startswith("/"))):
            target = self.root / str(path).lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
        for name in ("bin", "etc"):
            (self.root / name).mkdir(exist_ok=True)
        shutil.copy("/bin/busybox", self.root / "bin/busybox")
        for name in _APPLETS:
            (self.root / "bin" / name).symlink_to("busybox")


def make_key(path: Path) -> None:
    """A new pair of keys: path, and path.pub."""
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, timeout=60)


def client_config(folder: Path, hosts: Sequence[SshHost], *, more: str = "") -> Path:
    """A configuration of ssh's that knows the hosts by name, with their keys, and has a key that root and the others of
    them take. The machine's own configuration is not read.
    """
    key = folder / "id"
    if not key.exists():
        make_key(key)
    known = [f"[127.0.0.1]:{host.port} {host.key}" for host in hosts]
    (folder / "known_hosts").write_text("".join(known))
    sections = [f"Host {host.name}\n  HostName 127.0.0.1\n  Port {host.port}\n" for host in hosts]
    common = (
        f"Host *\n{more}  UserKnownHostsFile {folder}/known_hosts\n  GlobalKnownHostsFile /dev/null\n"
        f"  IdentityFile {key}\n  IdentitiesOnly yes\n  IdentityAgent none\n"
    )
    config = folder / "config"
    config.write_text("".join(sections) + common)
    for host in hosts:
        let_in(host, key)
    return config


def let_in(host: SshHost, key: Path) -> None:
    """Root of that host takes this key."""
    for user in ("root", "admin"):
        line = shlex.quote(key.with_suffix(".pub").read_text().strip())
        done = host.inside(f"mkdir -p /etc/ssh/keys && echo {line} > /etc/ssh/keys/{user}")
        assert done.returncode == 0, done
