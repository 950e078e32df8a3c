"""The command on older systems: releases of Debian without Python, and a system like CentOS 7, whose kernel is 3.10.

Debian 10 and what is older is served no more. That a host's glibc does not matter is seen where it has none at all.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from berth import __version__
from berth.cli.ending import EXIT_FAILED
from devcluster import systems
from tests.release import places

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
CENTOS_7 = 'NAME="CentOS Linux"\nVERSION="7 (Core)"\nID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="7"\n'
CENTOS_7 += 'PRETTY_NAME="CentOS Linux 7 (Core)"\n'


@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize("suite", systems.SUITES)
def test_a_release_of_debian_without_python(berth_command: Path, suite: str, shell: str) -> None:
    script = """
    set -e
    [ -z "$(ls /usr/bin/python* 2>/dev/null)" ]
    SHELL berth --version
    SHELL berth server init /srv/nfs/k8s --client 127.0.0.1 --dry-run || [ $? -le 2 ]
    SHELL berth server lint
    SHELL berth doctor node || [ $? -le 2 ]
    """
    line = "cd /tmp\n" + script.replace("SHELL", f"/bin/{shell}")
    # gzip says that this variable is not what it once was; it is no failure.
    told = places.run(systems.root(suite), line, command=berth_command, HOME="/root", GZIP="-9")
    assert (told.returncode, told.stderr) == (0, "")
    version, rest = told.stdout.split("\n", 1)
    assert version == f"berth {__version__}"
    assert f"the NFS server of Debian GNU/Linux {systems.SUITES[suite]} ({suite})" in rest
    assert "Nothing was done (--dry-run).\nNo findings.\n" in rest
    assert "[mount-helper-missing]" in rest


def test_a_system_like_centos_7(tmp_path: Path, berth_command: Path) -> None:
    """Its os-release, and a kernel that knows no call which came after 3.10."""
    system = places.bare(tmp_path / "system")
    shutil.copy(berth_command, system / "berth")
    (system / "etc").mkdir()
    (system / "etc/os-release").write_text(CENTOS_7)
    (system / "bin/yum").write_text("#!/bin/sh\nexit 1\n")
    (system / "bin/yum").chmod(0o755)
    script = "/berth --version; /berth server init /srv/nfs/k8s --client 127.0.0.1 --dry-run"
    kernel = [sys.executable, str(HERE / "old_kernel.py")]
    told = places.run(system, f"{script}; /berth server lint", kernel=kernel, HOME="/root")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith(f"berth {__version__}\n")
    assert "the NFS server of CentOS Linux 7 (Core)" in told.stdout
    assert "$ yum install -y nfs-utils" in told.stdout
    told = places.run(system, "/berth doctor node", kernel=kernel, HOME="/root")
    assert told.returncode == EXIT_FAILED
    assert "[mount-helper-missing]" in told.stdout


def test_the_kernel_is_an_old_one_indeed() -> None:
    """memfd_create came with Linux 3.17."""
    probe = "import os\ntry: os.memfd_create('x')\nexcept OSError as error: print(error.strerror)"
    argv = [sys.executable, str(HERE / "old_kernel.py"), sys.executable, "-c", probe]
    assert subprocess.run(argv, capture_output=True, text=True, check=True).stdout == "Function not implemented\n"
