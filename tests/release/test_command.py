"""The command that needs nothing, on a system that has a shell and no Python."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from berth import __version__
from berth.cli.ending import EXIT_FAILED
from release import command, root, sbom
from release.machines import native
from tests.release import places
from tests.release.places import run

pytestmark = pytest.mark.slow


@pytest.fixture
def bare(tmp_path: Path, berth_command: Path) -> Path:
    """A system of busybox alone, and the command in it."""
    system = places.bare(tmp_path / "system")
    shutil.copy(berth_command, system / "berth")
    return system


def test_it_needs_neither_python_nor_libraries_and_unpacks_once(bare: Path) -> None:
    first = run(bare, "/berth --version", HOME="/root")
    assert (first.returncode, first.stdout, first.stderr) == (0, f"berth {__version__}\n", "")
    (unpacked,) = (bare / "root/.cache/berth").iterdir()
    before = unpacked.stat().st_ino
    again = run(bare, "/berth --version", HOME="/root")
    assert (again.returncode, again.stdout) == (0, f"berth {__version__}\n")
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
    given = {"HOME": "/root", "LANG": "zh_CN.GB18030", "LD_PRELOAD": "/usr/lib/theirs.so", "PYTHONHOME": "/usr/theirs"}
    given |= {"folder": "/mine", "name": "mine", "new": "mine", "path": "/mine", "PYTHONPATH": "/theirs", "why": "mine"}
    told = run(bare, "/berth doctor node --lang en", given=given)
    assert told.stderr == ""
    seen = dict(line.split("=", 1) for line in (bare / "tmp/environment").read_text().splitlines())
    of_shells = {"OLDPWD", "PATH", "PWD", "SHLVL", "_"}
    assert {name: text for name, text in seen.items() if name not in of_shells} == {**given, "LC_ALL": "C"}


@pytest.mark.parametrize(
    ("kernel", "told"),
    [
        ("riscv64", "this machine is Linux riscv64; where Python is: pipx install berth-nfs"),
        ("aarch64", f"this machine is aarch64: take berth-{__version__}-linux-arm64"),
        ("x86_64", f"this machine is x86_64: take berth-{__version__}-linux-amd64"),
    ],
)
def test_another_kind_of_machine_is_told_at_once(berth_command: Path, tmp_path: Path, kernel: str, told: str) -> None:
    if kernel == native().kernel:
        return
    (tmp_path / "uname").write_text(f"#!/bin/sh\necho Linux {kernel}\n")
    (tmp_path / "uname").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": str(tmp_path)}
    answer = subprocess.run(
        [berth_command, "--version"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == EXIT_FAILED
    assert answer.stderr.endswith(f"{told}\n")
    assert not (tmp_path / ".cache").exists()


def test_the_same_sources_give_the_same_bytes(native_root: Path, berth_command: Path, tmp_path: Path) -> None:
    again = tmp_path / "root"
    again.mkdir()
    root.make(native(), again, tmp_path / "log")
    sbom.write(native(), again, tmp_path / "log")
    command.make(native(), again, tmp_path / "berth")
    assert (tmp_path / "berth").read_bytes() == berth_command.read_bytes()
