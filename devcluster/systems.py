"""Other systems than this one, to run things in: roots of Debian's releases, unpacked, without Python."""

from __future__ import annotations

import hashlib
import sys
import tempfile
from pathlib import Path

from devcluster import binaries, build, progress
from devcluster.apt import Apt, archive_lines
from release import debian
from release.machines import native

SUITES = {"bullseye": "11", "bookworm": "12", "trixie": "13"}
"""Releases that Debian's archive still serves, and their numbers."""
_PACKAGES = (
    *("apt", "bash", "coreutils", "dash", "diffutils", "dpkg", "findutils", "grep", "gzip", "hostname", "libc-bin"),
    *("mount", "sed", "tar"),
)


def root(suite: str) -> Path:
    """The root of a release, made unless it is there. It is everybody's: nothing may be written to it."""
    how = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
    folder = binaries.cache() / "systems" / f"{suite}-{how}"
    with build.alone(binaries.cache() / "systems.lock", "unpacks other systems"):
        if not folder.exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder.parent) as work:
                _make(suite, Path(work))
                Path(work, "root").replace(folder)
    return folder


def make() -> None:
    """All of them, as far as they are served: a release that is gone stops nothing but the tests of it."""
    for suite in SUITES:
        try:
            root(suite)
        except progress.StepFailed as error:
            print(f"Debian {SUITES[suite]} can't be had: {error}", file=sys.stderr)


def _make(suite: str, work: Path) -> None:
    log = binaries.cache() / "log" / "systems.log"
    apt = Apt(work / "apt", [*archive_lines("deb", suite)], log, [native().name])
    apt.update(f"Reading the list of Debian {SUITES[suite]}'s packages")
    options = ["--yes", "--download-only", "--no-install-recommends"]
    progress.run(f"Fetching Debian {SUITES[suite]}", [*apt.command, "install", *options, *_PACKAGES], log=log)
    made = work / "root"
    made.mkdir()
    debian.merge_usr(made)
    for package in sorted((work / "apt/cache/archives").glob("*.deb")):
        debian.unpack(package, made)
    # What their installers would have made.
    for name in ("dev", "home", "proc", "root", "run", "srv", "tmp", "var/cache"):
        (made / name).mkdir(parents=True, exist_ok=True)
    if not (made / "bin/sh").exists():
        (made / "bin/sh").symlink_to("dash")
    (made / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\neve:x:1000:1000::/home/eve:/bin/sh\n")
    (made / "etc/group").write_text("root:x:0:\neve:x:1000:\n")
