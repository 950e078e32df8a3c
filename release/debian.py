"""`python3 -m release.debian`: writes debian.lock anew, the Debian packages that the root is made of, byte for byte.

Run it when Debian has mended one of them (then the old one soon can't be fetched any more), and look at what changed.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from devcluster import binaries, progress
from devcluster.apt import Apt, archive_lines
from devcluster.errors import DevClusterError
from release.machines import MACHINES, Machine

LOCK = Path(__file__).parent / "debian.lock"
SUITE = "bookworm"
PACKAGES = {
    # Python, and what its modules are linked with.
    "python3.11-minimal": "PSF-2.0",
    "libpython3.11-minimal": "PSF-2.0",
    "libpython3.11-stdlib": "PSF-2.0",
    "libc6": "LGPL-2.1-or-later",
    "libcrypt1": "LGPL-2.1-or-later",
    "libexpat1": "MIT",
    "libffi8": "MIT",
    "libssl3": "Apache-2.0",
    "zlib1g": "Zlib",
    # The texts of the licences that Debian's packages name.
    "base-files": "GPL-2.0-or-later",
}
"""What the root takes of each machine's packages, and the licence of what it takes."""
COMMON = {
    # The same on every machine: certificates of public authorities, for registries; time zones.
    "ca-certificates": "MPL-2.0",
    "tzdata": "LicenseRef-public-domain",
}
LICENCES = PACKAGES | COMMON
_HEAD = "# Made by `python3 -m release.debian`: machine (or all), package, version and SHA-256 of its file.\n"


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """One line of debian.lock. machine: `all` for one that is the same on every machine."""

    machine: str
    name: str
    version: str
    sha256: str

    @property
    def file(self) -> str:
        """The file's name, as apt gives it."""
        return f"{self.name}_{self.version.replace(':', '%3a')}_{self.machine}.deb"


def locked(machine: Machine) -> list[Package]:
    """The packages of a machine's root."""
    lines = [line.split() for line in LOCK.read_text().splitlines() if not line.startswith("#")]
    packages = [Package(*line) for line in lines]
    return [one for one in packages if one.machine in (machine.name, "all")]


def fetched(packages: Sequence[Package], log: Path) -> list[Path]:
    """The packages' files, from the cache or from Debian; DevClusterError when one is not what it was."""
    folder = binaries.cache() / "debian"
    folder.mkdir(parents=True, exist_ok=True)
    missing = [one for one in packages if not (folder / one.file).exists()]
    if missing:
        with tempfile.TemporaryDirectory(dir=folder) as work:
            _download(Path(work), missing, log)
            for one in missing:
                (Path(work) / one.file).replace(folder / one.file)
    for one in packages:
        found = hashlib.sha256((folder / one.file).read_bytes()).hexdigest()
        if found != one.sha256:
            raise DevClusterError(f"{folder / one.file} is not the package that {LOCK.name} names: remove it, look why")
    return [folder / one.file for one in packages]


def unpack(package: Path, folder: Path) -> None:
    """Puts what a package's file holds into folder, where /bin and the like are below /usr; nothing of it is run."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE) as reading:
        # Some packages still have /lib of its own: what is in it belongs below /usr.
        tar = ["tar", "--extract", "--keep-directory-symlink", "--no-same-owner", "--directory", str(folder)]
        subprocess.run(tar, stdin=reading.stdout, check=True)
    if reading.returncode:
        raise DevClusterError(f"{package} can't be unpacked")


def merge_usr(folder: Path) -> None:
    """Makes an empty folder a root where, as in every Debian of today, /bin and the like are below /usr."""
    for name in ("bin", "lib", "lib64", "sbin"):
        (folder / "usr" / name).mkdir(parents=True)
        (folder / name).symlink_to(f"usr/{name}")


def _download(work: Path, packages: Sequence[Package], log: Path) -> None:
    apt = _apt(work / "apt", log)
    wanted = [f"{one.name}{_of(one.machine)}={one.version}" for one in packages]
    try:
        progress.run("Fetching Debian packages", [*apt.command, "download", *wanted], log=log, cwd=work)
    except progress.StepFailed as error:
        raise DevClusterError(
            f"{error}\nWhere Debian has newer ones now: `python3 -m release.debian` names them in {LOCK.name}"
        ) from error


def _apt(folder: Path, log: Path) -> Apt:
    apt = Apt(folder, [*archive_lines("deb", SUITE)], log, [machine.name for machine in MACHINES])
    apt.update()
    return apt


def _of(machine: str) -> str:
    # What is the same everywhere belongs to no machine, as apt sees it.
    return "" if machine == "all" else f":{machine}"


_NEWEST = re.compile(r"'\S+' (?P<name>[^_]+)_(?P<version>[^_]+)_(?P<machine>\w+)\.deb \d+ SHA256:(?P<sha256>\w{64})")


def _newest(apt: Apt) -> set[Package]:
    asked = [*COMMON, *(f"{name}:{machine.name}" for name in PACKAGES for machine in MACHINES)]
    command = [*apt.command, "download", "--print-uris", *asked]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise DevClusterError(f"Debian's {SUITE} has not all that the root takes: {answer.stderr.strip()}")
    return {
        Package(match["machine"], match["name"], match["version"].replace("%3a", ":"), match["sha256"])
        for match in _NEWEST.finditer(answer.stdout)
    }


def main() -> int:
    """Writes debian.lock; 1 after a sentence why not."""
    try:
        with tempfile.TemporaryDirectory() as work:
            packages = _newest(_apt(Path(work), binaries.cache() / "log" / "release.log"))
    except DevClusterError as error:
        print(f"release.debian: {error}", file=sys.stderr)
        return 1
    lines = [f"{one.machine} {one.name} {one.version} {one.sha256}\n" for one in sorted(packages)]
    LOCK.write_text(_HEAD + "".join(lines))
    print(LOCK)
    return 0


if __name__ == "__main__":
    sys.exit(main())
