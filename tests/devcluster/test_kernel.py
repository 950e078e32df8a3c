"""The kernel that brings what this machine's lacks: its NFS server and client, and what a script can rely on."""

from __future__ import annotations

import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from devcluster.kernel import KernelFailed, run_in_kernel

SMOKE = """
set -e
start_nfsd
exportfs -o rw,no_root_squash,no_subtree_check,insecure,fsid=0 '*:/srv/xfs'
mkdir /srv/xfs/volume
mkdir -p /mnt/3 /mnt/4
mount -t nfs -o vers=3 127.0.0.1:/srv/xfs/volume /mnt/3
mount -t nfs -o vers=4.2 127.0.0.1:/volume /mnt/4
echo "over v3" > /mnt/3/first
echo "over v4.2" > /mnt/4/second
cat /srv/xfs/volume/first /srv/xfs/volume/second
grep /mnt/ /proc/mounts > "$OUT/mounts"
"$PYTHON" -c 'import berth; print(berth.__name__)'
echo "$GREETING"
exit 7
"""


def commands_that_name(path: Path) -> list[bytes]:
    """The command lines, of all running processes, that have path in them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            found.append((process / "cmdline").read_bytes())
    return [line for line in found if bytes(path) in line]


def test_a_kernels_nfs_server_is_mounted_by_its_client(tmp_path: Path) -> None:
    env = {"GREETING": 'it\'s "here"', "PYTHON": sys.executable}
    result = run_in_kernel(SMOKE, out_dir=tmp_path, deadline=120, env=env)
    assert result.output.splitlines() == ["over v3", "over v4.2", "berth", 'it\'s "here"']
    assert result.exit_code == 7
    mounts = (tmp_path / "mounts").read_text()
    assert "vers=3" in mounts
    assert "vers=4.2" in mounts


def test_nothing_of_the_machine_is_changed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    result = run_in_kernel(f"rm {victim} && touch /etc/new-in-the-guest", out_dir=tmp_path / "out", deadline=120)
    result.check()
    assert victim.read_text() == "untouched"
    assert not Path("/etc/new-in-the-guest").exists()


def test_a_guest_whose_time_is_up_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(KernelFailed, match=r"did not end within 4 s"):
        run_in_kernel("sleep 1000", out_dir=tmp_path / "out", deadline=4)
    assert not commands_that_name(tmp_path)  # as those of all the guest's processes do
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_guest_that_crashes_is_told_from_a_script_that_fails(tmp_path: Path) -> None:
    with pytest.raises(KernelFailed, match="died without an exit code") as caught:
        run_in_kernel("echo so far, so good; echo c > /proc/sysrq-trigger", out_dir=tmp_path, deadline=120)
    assert caught.value.output.startswith("so far, so good")
    assert "Kernel panic" in caught.value.output
