"""`python3 -m release.image`: Berth's container image for this machine, made of this checkout.

Neither a container engine nor a registry is needed. What is fetched is kept below the cache, and so is the image itself
for each state of its sources: from nothing it takes a minute, after a change in `src/` some ten seconds.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from devcluster import binaries, build
from devcluster.errors import DevClusterError
from release import oci, root
from release.labels import labels
from release.machines import native

NAME = "localhost/berth:dev"
"""The image's name on a node; no registry is ever asked for it."""
SOURCES = Path(__file__).resolve().parent.parent
_MADE_OF = ("pyproject.toml", "README.md", "LICENSE", "release", "src/berth")


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 built, 1 not built after one sentence why, 130 interrupted."""
    parser = argparse.ArgumentParser(prog="python3 -m release.image", description="Builds Berth's container image.")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to put the OCI archive, too")
    options = parser.parse_args(arguments)
    try:
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
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f"berth-{_fingerprint()}.tar"
    with build.alone(binaries.cache() / "image.lock", "builds Berth's image"):
        if archive.exists():
            os.utime(archive)
            return archive
        log = binaries.cache() / "log" / "image.log"
        log.unlink(missing_ok=True)
        with tempfile.TemporaryDirectory(prefix="image-", dir=folder) as work:
            made, layout, draft = (Path(work, name) for name in ("root", "layout", "draft"))
            made.mkdir()
            root.make(native(), made, log)
            image = oci.Layout(layout)
            image.add(native(), made, labels())
            image.write(draft, NAME)
            draft.replace(archive)
        _forget_old(folder)
    return archive


def berth_if_never() -> None:
    """Makes the image unless one was made before: what takes a minute and a network is done then."""
    if not any((binaries.cache() / "image").glob("berth-*.tar")):
        berth()


def _fingerprint() -> str:
    """Changes with anything that the image is made of."""
    digest = hashlib.sha256()
    for path in (found for name in _MADE_OF for found in _files(SOURCES / name)):
        digest.update(f"{path.relative_to(SOURCES)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    yield from sorted(found for found in path.rglob("*") if found.is_file() and "__pycache__" not in found.parts)


def _forget_old(folder: Path) -> None:
    """Keeps the archives that were used last: there is one for each state of the sources that was ever built."""
    archives = sorted(folder.glob("berth-*.tar"), key=lambda path: path.stat().st_mtime)
    for archive in archives[:-3]:
        archive.unlink()


if __name__ == "__main__":
    sys.exit(main())
