"""The table of mount options against the real mount.nfs and kernel: what it refuses fails, and what it takes mounts."""

from __future__ import annotations

from pathlib import Path

import pytest

from berth.volumes.mount_options.judge import judge_options
from devcluster.kernel import run_in_kernel

pytestmark = pytest.mark.slow

SCRIPT = """
. tests/kernel/guest/start.sh
mkdir -p /mnt/tried
set +e
while IFS= read -r options; do
    said=$(timeout 20 mount -t nfs -o "$options" 127.0.0.1:/free /mnt/tried 2>&1)
    echo "$?|$options|$(grep ' /mnt/tried ' /proc/mounts | cut -d' ' -f4)|${said//$'\\n'/ }" >> "$OUT/told"
    umount /mnt/tried 2> /dev/null
done <<< "$TRIED"
"""
SERVER = "127.0.0.1"
REFUSED = (
    "nfsver=4.1", "nfsvers=5", "vers=4.3", "vers=2", "v2", "vers=3.0", "v4.3", "vers=3,nfsvers=4.1", "v3,v4",
    "NFSVERS=4.1", "nfsvers:4.1", '"nfsvers=4.1"', "nfsvers=4.1 ", " hard", "hard=true", "Hard", "timeo=60s",
    "timeo=0", "timeo=-1", "timeo", "retrans=x", "rsize=1M", "nconnect=17", "nconnect=0", "max_connect=17",
    "port=99999", "port=x", "mountport=99999,vers=3", "mountport=20048,vers=4.1", "mounthost=127.0.0.1,vers=4.1",
    "mountvers=3,vers=4.1", "mountproto=tcp,vers=4.1", "mountvers=2,vers=3", "proto=TCP", "proto=sctp", "proto=tcp6",
    "proto=udp,vers=4.1", "tcp6", "nfsvers=3,minorversion=1", "minorversion=3", "migration,vers=4.2", "sec=kerberos",
    "sec=", "local_lock=x", "lookupcache=negative", "write=sync", "dir_mode=0777", "mfsymlinks", "uid=1000",
    "username=x", "cache=none", "no_root_squash", "fsid=0", "discard", "quota", "data=ordered", "umask=022", "bind",
    "remount", "quiet", "sub", "tls", "version=4", "nfs4", "intr=1", "noatime=1",
)  # fmt: skip
TAKEN = (
    "hard,nfsvers=4.1", "vers=3,tcp", "nfsvers=4,minorversion=1", "minorversion=1", "v4.2", "bg", "soft", "softerr",
    "hard,soft", "hard,intr", "nolock,vers=3", "nolock,vers=4.1", "local_lock=all,vers=4.1", "noacl,vers=4.1",
    "namlen=255,vers=4.1", "clientaddr=127.0.0.1,vers=3", "rsize=0x10000", "rsize=100", "timeo=14", "retry=x",
    "nconnect=16", "fsc=one", "mountproto=tcp", "mounthost=127.0.0.1", "nfsprog=100003", "nofail,_netdev,noauto",
    "user", "comment=x", "loop", "x-systemd.automount", "X-mount.mkdir", "noatime", "ro", "sync", "addr=10.0.0.1",
    "a=b,sloppy", "seclabel", "noresvport", "lookupcache=pos",
)  # fmt: skip
KEPT = {
    "hard,soft": "soft",
    "user": "noexec",
    "nolock,vers=4.1": "local_lock=none",
    "nolock,vers=3": "local_lock=all",
    "rsize=100": "rsize=4096",
    "minorversion=1": "vers=4.2",
    "mountproto=tcp": "vers=3",
}
"""What the kernel says of mounts whose options don't do what they seem to."""

Told = dict[str, tuple[int, list[str], str]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """By options: mount's exit code, what the kernel says of the mount, what mount said."""
    out_dir: Path = tmp_path_factory.mktemp("guest")
    result = run_in_kernel(SCRIPT, out_dir=out_dir, deadline=290, env={"TRIED": "\n".join((*REFUSED, *TAKEN))})
    result.check()
    lines = (line.split("|", 3) for line in (out_dir / "told").read_text().splitlines())
    return {options: (int(code), mounted.split(","), said) for code, options, mounted, said in lines}


def weights(options: str) -> set[str]:
    return {fault.weight for fault in judge_options((options,), server=SERVER)}


@pytest.mark.parametrize("options", REFUSED)
def test_what_is_refused_mounts_nowhere(told: Told, options: str) -> None:
    assert "refused" in weights(options)
    code, mounted, said = told[options]
    assert code, said
    assert mounted == [""]


@pytest.mark.parametrize("options", TAKEN)
def test_what_mounts_is_not_refused(told: Told, options: str) -> None:
    assert "refused" not in weights(options)
    code, _, said = told[options]
    assert code == 0, said


@pytest.mark.parametrize("options", KEPT)
def test_what_does_something_else_is_told(told: Told, options: str) -> None:
    assert weights(options) & {"risky", "idle"} or options == "mountproto=tcp"
    assert KEPT[options] in told[options][1]
