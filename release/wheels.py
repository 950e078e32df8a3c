"""The wheels that the root is made of: fetched the way this machine's pip is set up to, and installed for any machine.

requirements.txt names every byte of them (hashes.py writes it). Berth's own is built of this checkout.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from devcluster import binaries, progress
from devcluster.errors import DevClusterError
from release import tree
from release.machines import Machine

HERE = Path(__file__).parent
SOURCES = HERE.parent
RUNNING, BUILDING = HERE / "requirements.txt", HERE / "requirements-build.txt"
PYTHON = "3.11"
_GLIBC = 36
"""Debian 12 has 2.36: pip takes wheels for any up to it."""
_ANY = ["--only-binary=:all:"]
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
    listed = ["--require-hashes", "--find-links", str(fetched(machine, log)), "--requirement", str(RUNNING)]
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


def fetched(machine: Machine, log: Path) -> Path:
    """A folder with every wheel of the machine's root but Berth's own."""
    return _fetched(machine.name, fitting(machine), RUNNING, log)


def build(folder: Path, log: Path) -> Path:
    """Berth's own wheel, of this checkout, in a new folder below folder; the same bytes from the same sources."""
    _build("wheel", folder, log)
    return next((folder / "wheel").glob("*.whl"))


def sdist(folder: Path, log: Path) -> Path:
    """Berth's sources as pip takes them, of this checkout, in a new folder below folder; the same bytes each time."""
    _build("sdist", folder, log)
    (made,) = (folder / "sdist").glob("*.tar.gz")
    unpacked, plain = folder / "unpacked", folder / "plain.tar"
    unpacked.mkdir()
    subprocess.run(["tar", "--extract", "--file", str(made), "--directory", str(unpacked)], check=True)
    with plain.open("wb") as sink:
        tree.pack(unpacked, sink)
    tree.compress(plain, made)
    return made


def _build(kind: str, folder: Path, log: Path) -> None:
    sources, tools = folder / "sources", folder / "tools"
    for name in _BUILT_OF:
        copy = shutil.copytree if (SOURCES / name).is_dir() else shutil.copyfile
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        copy(SOURCES / name, sources / name)
    for cached in [*sources.rglob("__pycache__")]:
        shutil.rmtree(cached)
    # An archive tells nothing of the umask that a checkout was made with.
    for path in sources.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    tools_from = ["--no-index", "--find-links", str(_fetched("build", _ANY, BUILDING, log))]
    listed = ["--no-deps", "--require-hashes", "--requirement", str(BUILDING)]
    tool = [*pip(), "install", "--target", str(tools), *tools_from, *listed]
    progress.run("Installing what builds wheels", tool, log=log)
    # The umask of who calls is none of the archive's affair.
    call = f"import os; os.umask(0o22); from setuptools import build_meta as m; m.build_{kind}({str(folder / kind)!r})"
    (folder / kind).mkdir()
    environment = {"PYTHONPATH": str(tools), "SOURCE_DATE_EPOCH": str(tree.EPOCH)}
    progress.run(f"Building Berth's {kind}", [sys.executable, "-c", call], log=log, env=environment, cwd=sources)


def fitting(machine: Machine) -> list[str]:
    """pip's options for wheels that the root of a machine can take, whatever machine this is."""
    platforms = [f"--platform=manylinux_2_{minor}_{machine.kernel}" for minor in range(5, _GLIBC + 1)]
    platforms += [f"--platform=manylinux2014_{machine.kernel}", f"--platform=manylinux1_{machine.kernel}"]
    return [*platforms, f"--python-version={PYTHON}", "--implementation=cp", "--only-binary=:all:"]


def _fetched(name: str, options: list[str], requirements: Path, log: Path) -> Path:
    """A folder with every wheel that requirements name, fetched once; name: whom they are for."""
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]
    folder = binaries.cache() / "wheels" / f"{name}-{digest}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as work:
            command = [*pip(), "download", "--no-deps", "--require-hashes", *options]
            command += ["--dest", f"{work}/wheels", "--requirement", str(requirements)]
            progress.run("Fetching wheels", command, log=log)
            Path(work, "wheels").replace(folder)
    return folder
