"""The command that needs nothing: on a system that has a shell and no Python, and where it can't be unpacked."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from berth.cli.ending import EXIT_FAILED
from release import command, root
from release.machines import native

pytestmark = pytest.mark.slow


@pytest.fixture
def bare(tmp_path: Path, berth_command: Path) -> Path:
    """A system of busybox alone, with no library at all, and the command in it."""
    system = tmp_path / "system"
    for name in ("bin", "dev", "proc", "tmp", "root"):
        (system / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", system / "bin/busybox")
    for name in ("sh", "tail", "gzip", "tar", "mkdir", "mv", "rm", "id", "uname", "env", "cat", "ls", "mount"):
        (system / "bin" / name).symlink_to("busybox")
    shutil.copy(berth_command, system / "berth")
    return system


def run(system: Path, line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a line of shell as root of that system, with /proc and in a mount namespace of its own."""
    mounts = f"mount -t proc proc {system}/proc && mount -t tmpfs none {system}/dev"
    script = f"{mounts} && exec chroot {system} /bin/sh -c '{line}'"
    given: Mapping[str, str] = {"PATH": "/bin:/usr/bin:/sbin:/usr/sbin", **environment}
    return subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "sh", "-c", script],
        env=given, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_it_needs_neither_python_nor_libraries_and_unpacks_once(bare: Path) -> None:
    first = run(bare, "/berth --version", HOME="/root")
    assert (first.returncode, first.stdout, first.stderr) == (0, "berth 0.1.0\n", "")
    (unpacked,) = (bare / "root/.cache/berth").iterdir()
    before = unpacked.stat().st_ino
    again = run(bare, "/berth --version", HOME="/root")
    assert (again.returncode, again.stdout) == (0, "berth 0.1.0\n")
    (unpacked,) = (bare / "root/.cache/berth").iterdir()
    assert unpacked.stat().st_ino == before


def test_it_reads_the_hosts_exports(bare: Path) -> None:
    (bare / "tmp/exports").write_text("/srv/nfs *(rw,no_root_sqash)\n")
    told = run(bare, "/berth server lint /tmp/exports", HOME="/root")
    assert "no_root_sqash" in told.stdout
    assert told.returncode == EXIT_FAILED


def test_what_it_starts_has_the_hosts_environment(bare: Path) -> None:
    """The doctor asks the host's dmesg: here a script that tells what it was given."""
    program = bare / "bin/dmesg"
    program.write_text("#!/bin/sh\nenv > /tmp/environment\n")
    program.chmod(0o755)
    run(bare, "/berth doctor node", HOME="/root")
    names = {line.split("=")[0] for line in (bare / "tmp/environment").read_text().splitlines()}
    assert not {name for name in names if name.startswith(("LD_", "PYTHON"))}


def test_without_a_home_it_finds_a_place_or_says_that_there_is_none(bare: Path) -> None:
    assert run(bare, "/berth --version").returncode == 0
    assert [*(bare / "var/cache/berth").iterdir()]
    shutil.rmtree(bare / "var")
    (bare / "var").write_text("no folder")
    full = "mount -t tmpfs -o size=64k none /root && mount -t tmpfs -o noexec none /tmp"
    told = run(bare, f"{full} && BERTH_UNPACK=/root/here TMPDIR=/tmp XDG_CACHE_HOME=/proc /berth --version")
    assert told.returncode == EXIT_FAILED
    assert told.stdout == ""
    (sentence,) = told.stderr.splitlines()
    assert sentence.startswith("berth: there is no folder to unpack into: ")
    assert "noexec" in sentence
    assert sentence.endswith("Name one: BERTH_UNPACK=/DIR /berth")


def test_a_part_of_it_is_told_as_damaged(bare: Path) -> None:
    with (bare / "berth").open("r+b") as file:
        file.truncate(5_000_000)
    told = run(bare, "/berth --version", HOME="/root")
    assert told.returncode == EXIT_FAILED
    assert "unpacking into /root/.cache/berth failed" in told.stderr
    assert len(told.stderr.splitlines()) == 1
    assert [*(bare / "root/.cache/berth").iterdir()] == []


def test_another_kind_of_machine_is_told_at_once(berth_command: Path, tmp_path: Path) -> None:
    (tmp_path / "uname").write_text('#!/bin/sh\n[ "$1" = -m ] && echo riscv64 || echo Linux\n')
    (tmp_path / "uname").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": str(tmp_path)}
    told = subprocess.run(
        [berth_command, "--version"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert told.returncode == EXIT_FAILED
    assert "this machine is Linux on riscv64" in told.stderr
    assert not (tmp_path / ".cache").exists()


def test_a_folder_that_somebody_else_owns_is_not_used(bare: Path) -> None:
    theirs = bare / "tmp/theirs"
    theirs.mkdir()
    os.chown(theirs, 1000, 1000)
    told = run(bare, "/berth --version", HOME="/root", BERTH_UNPACK="/tmp/theirs")
    assert told.returncode == 0
    assert [*theirs.iterdir()] == []


def test_the_same_sources_give_the_same_bytes(native_root: Path, berth_command: Path, tmp_path: Path) -> None:
    again = tmp_path / "root"
    again.mkdir()
    root.make(native(), again, tmp_path / "log")
    command.make(native(), again, tmp_path / "berth")
    assert (tmp_path / "berth").read_bytes() == berth_command.read_bytes()
