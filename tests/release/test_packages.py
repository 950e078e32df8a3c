"""The Debian package: what it installs runs on a system that has a shell and nothing else."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path

import pytest

from berth import __version__
from release import packages
from release.machines import native

pytestmark = pytest.mark.slow


def test_what_it_installs_runs_without_python_or_proc(native_root: Path, tmp_path: Path) -> None:
    made, installed, output = (tmp_path / name for name in ("made", "installed", "output"))
    for folder in (made, output):
        folder.mkdir()
    packages.lay_out(native(), native_root, made)
    packages.deb(native(), made, output, tmp_path / "log")
    (package,) = output.iterdir()
    subprocess.run(["dpkg-deb", "--extract", str(package), str(installed)], check=True)
    (installed / "bin").mkdir()
    shutil.copy("/bin/busybox", installed / "bin/sh")
    for name in ("berth", "kubectl-berth"):
        told = subprocess.run(
            ["/usr/sbin/chroot", str(installed), f"/usr/bin/{name}", "--version"],
            env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert (told.stdout, told.stderr) == (f"berth {__version__}\n", "")
    pages = installed / "usr/share/man/man1"
    assert (pages / "berth-server-init.1.gz").exists()
    heading = gzip.decompress((pages / "berth.1.gz").read_bytes()).splitlines()[0].decode()
    assert heading == f'.TH "BERTH" "1" "{__version__}" "{__version__}" "berth Manual"'  # no day, no build
    completion = installed / "usr/share/bash-completion/completions/berth"
    assert subprocess.run(["bash", "-n", str(completion)], check=False).returncode == 0
