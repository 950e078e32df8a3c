"""`python3 -m devcluster.image`: Berth's container image, where there is neither a container engine nor a registry.

buildah builds deploy/Dockerfile on a base that mmdebstrap makes of Debian's packages, in place of Debian's own. What
takes long is kept below the cache: the base, Python packages as wheels, buildah's layers, and the image itself for each
state of its sources. From nothing it takes some two minutes, after a change in `src/` some ten seconds.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from devcluster import binaries, build, packages, progress
from devcluster.errors import DevClusterError
from devcluster.node.programs import snapshotter

ROOT = Path(__file__).resolve().parent.parent
NAME = "localhost/berth:dev"
"""The image's name on a node; no registry is ever asked for it."""

_BASE = "localhost/berth-base:{}"
_DEPENDENCIES = "localhost/berth-dependencies:dev"
_SUITE = "bookworm"
_HASHES = ("deploy/requirements.txt", "deploy/requirements-build.txt")
_SOURCES = ("pyproject.toml", *_HASHES, "README.md", "LICENSE", "deploy/start.py", "src/berth")
# As debian:12-slim: what a machine without people has no use for.
_LEFT_OUT = ("/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/man/*", "/usr/share/lintian/*")
_KEPT = ("/usr/share/doc/*/copyright",)


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 built, 1 not built after one sentence why, 130 interrupted."""
    parser = argparse.ArgumentParser(prog="python3 -m devcluster.image", description="Builds Berth's container image.")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to put the OCI archive, too")
    options = parser.parse_args(arguments)
    try:
        packages.install(packages.IMAGE)
        archive = berth()
        if options.output:
            shutil.copyfile(archive, options.output)
    except (DevClusterError, OSError) as error:
        print(f"image: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("image: interrupted; what was finished stays, the next run goes on from there", file=sys.stderr)
        return 130
    print(f"{NAME} is in {options.output or archive}, an OCI archive: {archive.stat().st_size >> 20} MB.")
    return 0


def berth() -> Path:
    """The OCI archive of Berth as it is in this checkout, made unless it is there already; it holds the image NAME."""
    folder = binaries.cache() / "image"
    archive = folder / f"berth-{_fingerprint()}.tar"
    with build.alone(binaries.cache() / "image.lock", "builds Berth's image"):
        if archive.exists():
            os.utime(archive)
            return archive
        log = binaries.cache() / "log" / "image.log"
        log.unlink(missing_ok=True)
        with tempfile.TemporaryDirectory(prefix="image-", dir=_made(folder)) as work:
            _build(Path(work), folder, archive, log)
        _forget_old(folder)
    return archive


def berth_if_never() -> None:
    """Makes the image unless one was made before: what takes minutes and a network is done then."""
    if not any((binaries.cache() / "image").glob("berth-*.tar")):
        berth()


def _build(work: Path, folder: Path, archive: Path, log: Path) -> None:
    buildah = ["buildah", "--root", f"{folder}/storage", "--runroot", f"{work}/run"]
    buildah += ["--storage-driver", "overlay" if snapshotter(folder) == "overlayfs" else "vfs"]
    base = _base(buildah, work, folder, log)
    wheels = _wheels(folder, log)
    arguments = {"BASE": base, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}
    command = [*buildah, "build", "--isolation=chroot", "--layers", "--pull-never", "--timestamp=0"]
    command += [part for name, value in arguments.items() for part in ("--build-arg", f"{name}={value}")]
    command += ["--volume", f"{wheels}:/wheels:ro", "--ignorefile", f"{ROOT}/deploy/Dockerfile.dockerignore"]
    command += ["--file", f"{ROOT}/deploy/Dockerfile"]
    # What is named is kept: the next build begins where Berth's own sources come in.
    first = ["--target=dependencies", "--tag", _DEPENDENCIES, str(ROOT)]
    progress.run("Installing what Berth's image takes", [*command, *first], log=log)
    progress.run("Building Berth's image", [*command, "--tag", NAME, str(ROOT)], log=log)
    draft = work / "berth.tar"
    progress.run("Packing it", [*buildah, "push", NAME, f"oci-archive:{draft}:{NAME}"], log=log)
    draft.replace(archive)
    progress.run("Clearing away earlier ones", [*buildah, "rmi", "--prune"], log=log)


def _base(buildah: list[str], work: Path, folder: Path, log: Path) -> str:
    """The name of the base image. It is made once for each state of Debian's list that this file asks for."""
    wanted = [f"--dpkgopt=path-exclude={path}" for path in _LEFT_OUT]
    wanted += [f"--dpkgopt=path-include={path}" for path in _KEPT]
    # /bin is /usr/bin from the start: the package that makes it so afterwards brings all of Perl along.
    wanted += ["--include=usr-is-merged", "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr"]
    sources = "".join(f"{line}\n" for line in build.archive_lines("deb") if _SUITE in line)
    name = _BASE.format(_digest([*wanted, sources]))
    stamp = folder / "storage" / f"{name.rpartition(':')[2]}.base"
    if stamp.exists():
        return name
    tar = work / "base.tar"
    (work / "sources.list").write_text(sources)
    # The same packages give the same bytes, whenever they are installed.
    env = {"SOURCE_DATE_EPOCH": "0"}
    bootstrap = ["mmdebstrap", "--quiet", "--variant=minbase", *wanted, _SUITE, str(tar), str(work / "sources.list")]
    progress.run("Making a base image of Debian's packages", bootstrap, log=log, env=env)
    (work / "Dockerfile").write_text('FROM scratch\nADD base.tar /\nCMD ["/bin/bash"]\n')
    command = [*buildah, "build", "--isolation=chroot", "--timestamp=0", "--tag", name, str(work)]
    progress.run("Importing it", command, log=log)
    stamp.touch()
    return name


def _wheels(folder: Path, log: Path) -> Path:
    """A folder with every wheel that the image takes, and no byte in it that deploy/requirements*.txt doesn't know.

    Fetched out here, the way this machine's pip is set up to: in there nobody knows of its mirrors and certificates.
    """
    lists = [ROOT / name for name in _HASHES]
    wheels = folder / f"wheels-{_digest([*(one.read_text() for one in lists), sys.version])}"
    if not wheels.exists():
        draft = folder / f"{wheels.name}.{os.getpid()}"
        command = [_python(), "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        command += ["--only-binary=:all:", "--dest", str(draft)]
        for one in lists:
            command += ["--requirement", str(one)]
        progress.run("Fetching Python packages for the image", command, log=log)
        draft.replace(wheels)
    return wheels


def _python() -> str:
    """A Python that has pip: ours, or the one that `make setup` has made."""
    if importlib.util.find_spec("pip"):
        return sys.executable
    made = ROOT / ".venv" / "bin" / "python"
    if not made.exists():
        raise DevClusterError("this Python has no pip to fetch packages with; `make setup` makes one that has")
    return str(made)


def _fingerprint() -> str:
    """Changes with anything that the image is made of."""
    files = [Path(__file__), ROOT / "deploy" / "Dockerfile", ROOT / "deploy" / "Dockerfile.dockerignore"]
    for name in _SOURCES:
        files += _files(ROOT / name)
    return _digest([f"{path.relative_to(ROOT)} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files])


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    yield from sorted(found for found in path.rglob("*") if found.is_file() and "__pycache__" not in found.parts)


def _digest(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _forget_old(folder: Path) -> None:
    """Keeps the archives that were used last: there is one for each state of the sources that was ever built."""
    archives = sorted(folder.glob("berth-*.tar"), key=lambda path: path.stat().st_mtime)
    for archive in archives[:-3]:
        archive.unlink()


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())
