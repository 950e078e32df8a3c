"""Makes this machine ready for a job, and skips what is ready (then it takes 0.2 s): `python3 -m devcluster.setup JOB`.

Runs on a fresh Debian 12 with nothing but its Python: packages, then `.venv/`, then the control plane, then the image.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
from pathlib import Path

from devcluster import binaries, build, packages, progress, systems
from devcluster.errors import DevClusterError
from release import image

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 when the machine is ready, 1 after a sentence on what is in the way."""
    parser = argparse.ArgumentParser(prog="python3 -m devcluster.setup", description=__doc__)
    parser.add_argument(
        "job",
        choices=["lint", "release", "cluster", "test"],
        help="lint: Python only; release: what packs it; cluster: a dev cluster; test: a node and a kernel too",
    )
    job = parser.parse_args(arguments).job
    try:
        needed = packages.needed_for_venv()
        if job == "release":
            needed += packages.RELEASE
        if job in ("cluster", "test"):
            needed += packages.needed_for_cluster()
        if job == "test":
            needed += [
                *packages.KERNEL,
                *packages.MONITORING,
                *packages.RELEASE,
                *packages.RELEASED,
                *packages.REGISTRY,
                *packages.SSH,
                *packages.TERMINAL,
                *packages.needed_for_node(),
            ]
        packages.install(needed)
        make_venv()
        if job in ("cluster", "test"):
            build.control_plane(binaries.CONTROL_PLANE + (binaries.NODE if job == "test" else ()))
        if job == "test":
            image.berth_if_never()
            systems.make()
    except DevClusterError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("setup: interrupted; what was finished stays, the next run goes on from there", file=sys.stderr)
        return 130
    return 0


def make_venv() -> None:
    """`.venv/` with Berth (editable) and its development tools, at the versions of constraints.txt."""
    stamp = VENV / "berth-installed"
    wanted = _fingerprint()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    log = ROOT / "build" / "log" / "venv.log"
    # From scratch: what an older list of packages left behind could hide that one is missing now.
    shutil.rmtree(VENV, ignore_errors=True)
    progress.run("Creating .venv", [sys.executable, "-m", "venv", str(VENV)], log=log)
    pip = [f"{VENV}/bin/python", "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar=off"]
    wanted_packages = ["--constraint", f"{ROOT}/constraints.txt", "--editable", f"{ROOT}[dev]"]
    progress.run("Installing Python packages into .venv", [*pip, *wanted_packages], log=log)
    stamp.write_text(wanted)


def _fingerprint() -> str:
    """Changes when .venv must be made anew: other requirements, another Python, or another place (a moved checkout)."""
    digest = hashlib.sha256()
    for part in (ROOT / "pyproject.toml", ROOT / "constraints.txt"):
        digest.update(part.read_bytes())
    digest.update(f"{sys.version} {os.path.realpath(sys.executable)} {ROOT}".encode())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
