"""The wheels that the root is made of: fetched the way this machine's pip is set up to, and installed for any machine.

requirements.txt names every byte of them (hashes.py writes it). Berth's own is built of this checkout.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import sys
import tempfile
from pathlib import Path

from devcluster import binaries, progress
from devcluster.errors import DevClusterError
from release.machines import Machine

HERE = Path(__file__).parent
SOURCES = HERE.parent
RUNNING, BUILDING = HERE / "requirements.txt", HERE / "requirements-build.txt"
PYTHON = "3.11"
_GLIBC = 36
"""Debian 12 has 2.36: pip takes wheels for any up to it."""
_BUILT_OF = ("pyproject.toml", "README.md", "LICENSE", "src/berth")


def pip() -> list[str]:
    """How pip is started here: of this Python, or of the one that `make setup` has made."""
    if importlib.util.find_spec("pip"):
        python = sys.executable
    elif (made := SOURCES / ".venv" / "bin" / "python").exists():
        python = str(made)
    else:
        raise DevClusterError("this Python has no pip to fetch packages with; `make setup` makes one that has")
    return [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]


def install(machine: Machine, target: Path, log: Path) -> None:
    """Puts the wheels of requirements.txt and Berth's own into target, a folder of packages."""
    command = [*pip(), "install", "--no-compile", "--no-deps", "--no-index", "--target", str(target)]
    listed = ["--require-hashes", "--find-links", str(_fetched(machine, log)), "--requirement", str(RUNNING)]
    progress.run("Installing wheels", [*command, *fitting(machine), *listed], log=log)
    with tempfile.TemporaryDirectory() as work:
        own = build(Path(work), log)
        progress.run("Installing Berth", [*command, "--upgrade", str(own)], log=log)
    # Where a wheel came from is this machine's own affair.
    for name in ("direct_url.json", "INSTALLER", "REQUESTED"):
        for found in target.glob(f"*.dist-info/{name}"):
            found.unlink()
    for listing in target.glob("*.dist-info/RECORD"):
        kept = [line for line in listing.read_text().splitlines() if (target / line.split(",")[0].strip('"')).exists()]
        listing.write_text("".join(f"{line}\n" for line in kept))


def build(folder: Path, log: Path) -> Path:
    """Berth's own wheel, of this checkout, in a new folder below folder; the same bytes from the same sources."""
    sources, tools, made = folder / "sources", folder / "tools", folder / "wheel"
    for name in _BUILT_OF:
        copy = shutil.copytree if (SOURCES / name).is_dir() else shutil.copyfile
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        copy(SOURCES / name, sources / name)
    for cached in [*sources.rglob("__pycache__")]:
        shutil.rmtree(cached)
    tool = ["install", "--target", str(tools), "--no-deps", "--require-hashes", "--only-binary=:all:"]
    progress.run("Fetching what builds wheels", [*pip(), *tool, "--requirement", str(BUILDING)], log=log)
    command = [*pip(), "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(made), str(sources)]
    # The oldest time that a ZIP file can tell.
    environment = {"PYTHONPATH": str(tools), "SOURCE_DATE_EPOCH": "315532800"}
    progress.run("Building Berth's wheel", command, log=log, env=environment)
    return next(made.glob("*.whl"))


def fitting(machine: Machine) -> list[str]:
    """pip's options for wheels that the root of a machine can take, whatever machine this is."""
    platforms = [f"--platform=manylinux_2_{minor}_{machine.kernel}" for minor in range(5, _GLIBC + 1)]
    platforms += [f"--platform=manylinux2014_{machine.kernel}", f"--platform=manylinux1_{machine.kernel}"]
    return [*platforms, f"--python-version={PYTHON}", "--implementation=cp", "--only-binary=:all:"]


def _fetched(machine: Machine, log: Path) -> Path:
    """A folder with every wheel of the machine's root."""
    digest = hashlib.sha256(RUNNING.read_bytes()).hexdigest()[:16]
    folder = binaries.cache() / "wheels" / f"{machine.name}-{digest}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as work:
            command = [*pip(), "download", "--no-deps", "--require-hashes", *fitting(machine)]
            command += ["--dest", f"{work}/wheels", "--requirement", str(RUNNING)]
            progress.run("Fetching wheels", command, log=log)
            Path(work, "wheels").replace(folder)
    return folder
