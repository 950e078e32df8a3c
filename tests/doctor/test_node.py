"""A node as an NFS client: what is found on hosts made of files, and on this one. Real mounts: see test_node_kernel."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from berth.doctor.node.answers import ask
from berth.doctor.node.checks import CHECKS, examine
from berth.doctor.node.host import Host
from berth.doctor.run import Check, run
from berth.findings.finding import Finding, Report, Subject

LINE = (
    "36 23 0:29 / {point} rw,relatime shared:7 - nfs{kind} {source} "
    "rw,vers={vers},rsize=131072,namlen=255,{options},proto=tcp,timeo=600,retrans=2,addr=127.0.0.1\n"
)


def nfs(point: str, source: str = "10.0.0.1:/export", vers: str = "4.2", options: str = "hard,local_lock=none") -> str:
    return LINE.format(point=point, source=source, vers=vers, options=options, kind="4" if vers[0] == "4" else "")


class FakeHost:
    """A host made of files below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("/proc/filesystems", "nodev\tproc\n\text4\nnodev\tnfs\nnodev\tnfs4\n")
        self.write("/proc/sys/kernel/osrelease", "6.1.0-18\n")
        self.mounts("")
        self.process(1, "systemd")
        self.process(2, "kthreadd")
        self.write("/sbin/mount.nfs", "", mode=0o755)

    def write(self, name: str, text: str, mode: int = 0o644) -> None:
        path = self.root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def mounts(self, text: str) -> None:
        self.write("/proc/1/mountinfo", text)

    def process(self, pid: int, name: str, state: str = "S", waits_in: str = "0") -> None:
        self.write(f"/proc/{pid}/stat", f"{pid} ({name}) {state} 1 1 1 0 -1 4194560 0 0\n")
        self.write(f"/proc/{pid}/wchan", waits_in)

    def look(self, *checks: str) -> Report:
        chosen: list[Check[Host]] = [check for check in CHECKS if check.id in checks]
        assert len(chosen) == len(checks)
        return asyncio.run(run(chosen, Host(self.root)))

    def only(self, check: str) -> Finding:
        report = self.look(check)
        assert not report.unseen
        (finding,) = report.findings
        return finding


@pytest.fixture
def host(tmp_path: Path) -> FakeHost:
    return FakeHost(tmp_path)


def test_a_host_with_all_it_needs_is_healthy(host: FakeHost) -> None:
    assert host.look("node-helper", "node-kernel", "node-statd", "node-options", "node-processes").exit_code == 0


@pytest.mark.parametrize(
    ("release", "tool", "command"),
    [
        ("ID=debian\n", "apt-get", "install -y --no-install-recommends nfs-common"),
        ("ID=openEuler\n", "dnf", "dnf install -y nfs-utils"),
        ('ID="opensuse-leap"\n', "zypper", "install --no-recommends nfs-client"),
    ],
)
def test_a_missing_helper_is_cured_by_the_package_manager_that_is_there(
    host: FakeHost, release: str, tool: str, command: str
) -> None:
    (host.root / "sbin/mount.nfs").unlink()
    host.write("/etc/os-release", release)
    host.write(f"/usr/bin/{tool}", "", mode=0o755)
    host.write(f"/bin/{tool}", "", mode=0o755)
    found = host.only("node-helper")
    assert found.id == "mount-helper-missing"
    assert found.about == (Subject("host", os.uname().nodename),)
    assert command in found.commands[0]


def test_a_helper_that_may_not_be_run_is_missing(host: FakeHost) -> None:
    host.write("/sbin/mount.nfs", "", mode=0o644)
    assert host.only("node-helper").id == "mount-helper-missing"


def test_a_kernel_without_nfs_is_told(host: FakeHost) -> None:
    host.write("/proc/filesystems", "nodev\tnfsd\n\text4\n")
    assert host.only("node-kernel").seen.en.startswith("the kernel 6.1.0-18 of this host knows no NFS")


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("modules.dep", "kernel/fs/nfs/nfs.ko.xz: kernel/fs/lockd/lockd.ko.xz\n"),
        ("modules.builtin", "kernel/fs/nfs/nfs.ko\n"),
    ],
)
def test_a_kernel_with_a_module_for_nfs_will_do(host: FakeHost, table: str, line: str) -> None:
    host.write("/proc/filesystems", "\text4\n")
    host.write(f"/lib/modules/6.1.0-18/{table}", line)
    assert host.look("node-kernel").exit_code == 0


def test_nfsv3_needs_statd(host: FakeHost) -> None:
    host.mounts(nfs("/mnt/a", vers="3") + nfs("/mnt/b"))
    found = host.only("node-statd")
    assert found.id == "statd-missing"
    assert found.about == (Subject("mount", "/mnt/a"),)
    host.process(77, "rpc.statd")
    assert host.look("node-statd").exit_code == 0


@pytest.mark.parametrize(("vers", "options"), [("4.2", "hard"), ("3", "hard,nolock,local_lock=all")])
def test_other_mounts_don_t(host: FakeHost, vers: str, options: str) -> None:
    host.mounts(nfs("/mnt/a", vers=vers, options=options))
    assert host.look("node-statd").exit_code == 0


def test_in_a_container_processes_can_t_be_seen(host: FakeHost) -> None:
    host.mounts(nfs("/mnt/a", vers="3"))
    host.write("/proc/2/stat", "2 (sleep) S 1 1\n")
    report = host.look("node-statd", "node-processes")
    assert report.exit_code == 3
    assert all("run it on the node itself" in unseen.reason.en for unseen in report.unseen)


@pytest.mark.parametrize("option", ["soft", "softerr"])
def test_soft_mounts_are_told_once_for_each_server(host: FakeHost, option: str) -> None:
    host.mounts("".join(nfs(f"/mnt/{name}", options=f"{option},local_lock=none") for name in "abc"))
    found = host.only("node-options")
    assert (found.id, found.count) == ("soft-mount", 3)
    assert found.seen.en == f"/mnt/a, mounted from 10.0.0.1:/export, is writable and `{option}`"
    assert f"{option},local_lock=none" in found.evidence[0]


def test_soft_mounts_that_are_read_only_lose_nothing(host: FakeHost) -> None:
    host.mounts(nfs("/mnt/a", options="soft").replace(" rw,relatime", " ro,relatime"))
    assert host.look("node-options").exit_code == 0


def test_locks_that_stay_local_are_told(host: FakeHost) -> None:
    host.mounts(nfs("/mnt/a", vers="3", options="hard,nolock,local_lock=all"))
    assert host.only("node-options").id == "locks-local"


def test_a_mount_that_is_not_propagated_to_the_pod_is_not_called_well(host: FakeHost) -> None:
    host.mounts(nfs("/mnt/a"))
    report = host.look("node-mounts")
    assert report.exit_code == 3
    assert [unseen.what.en for unseen in report.unseen] == ["mount /mnt/a"]
    assert "HostToContainer" in report.unseen[0].reason.zh


def test_processes_that_wait_for_nfs_are_named(host: FakeHost) -> None:
    host.process(995, "stat", "D", "rpc_wait_bit_killable")
    host.process(996, "a (b) c", "D", "nfs_wait_bit_killable")
    host.process(997, "dd", "D", "blk_mq_get_tag")
    host.process(998, "sleeper", "S", "nfs_wait_bit_killable")
    found = host.only("node-processes")
    assert {subject.name for subject in found.about} == {"stat (995)", "a (b) c (996)"}
    assert "2 processes wait" in found.seen.en


def test_names_are_asked_on_the_node_only(host: FakeHost) -> None:
    host.mounts(nfs("/mnt/a", source="nas.example:/export"))
    (unseen,) = host.look("node-names").unseen
    assert unseen.reason.en == "a node's DNS can only be asked on the node"


def test_addresses_are_no_names(host: FakeHost) -> None:
    host.mounts(nfs("/mnt/a", source="[fd00::1]:/export") + nfs("/mnt/b", source="10.0.0.1:/x"))
    assert host.look("node-names").exit_code == 0


def test_this_host_is_looked_at_without_harm() -> None:
    report = asyncio.run(examine())
    assert report.checks == tuple(check.id for check in CHECKS)
    assert not any("is a bug" in unseen.reason.en for unseen in report.unseen)


def test_a_mount_that_answers_says_its_space(tmp_path: Path) -> None:
    answer = asyncio.run(ask(tmp_path))
    assert answer.state == "alive"
    assert answer.space is not None
    assert answer.space.blocks >= answer.space.blocks_free > 0
    assert 0 <= answer.space.percent_of_space <= 100


def test_a_place_that_is_not_there_fails(tmp_path: Path) -> None:
    answer = asyncio.run(ask(tmp_path / "--gone"))
    assert answer.state == "fails"
    assert "No such file or directory" in answer.why
