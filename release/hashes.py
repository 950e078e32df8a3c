"""`python3 -m release.hashes`: writes anew which wheels, byte for byte, the root is made of.

For each package that Berth takes at run time, and for what builds its wheel, at the versions of constraints.txt: the
SHA-256 of every wheel that pip may choose there, on each machine that Berth is released for. Fetched the way this
machine's pip is set up to. Run it in the environment of `make setup` after constraints.txt was changed, and look at
what changed: a hash that is another one for the same version is an alarm.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from release.machines import MACHINES
from release.wheels import BUILDING, RUNNING, fitting, pip

CONSTRAINTS = RUNNING.parent.parent / "constraints.txt"
BUILDS = ("setuptools",)
"""What makes a wheel of Berth's sources."""

HEAD = """\
# Made by `python3 -m release.hashes` from constraints.txt: the wheels that Berth's root is made of, for pip's
# --require-hashes. Several hashes: one for each kind of machine.
"""


def pins() -> dict[str, str]:
    """Versions of constraints.txt, by canonical name."""
    lines = [line.split("==") for line in CONSTRAINTS.read_text().split()]
    return {canonicalize_name(name): version for name, version in lines}


def needed(name: str = "berth-nfs") -> set[str]:
    """What the installed Berth takes at run time, and what that takes, by canonical name; Berth itself left out."""
    found: set[tuple[str, str]] = set()
    waiting = {(name, "")}
    while waiting:
        known, extra = waiting.pop()
        found.add((known, extra))
        for one in map(Requirement, requires(known) or ()):
            if one.marker is None or one.marker.evaluate({"extra": extra}):
                waiting |= {(canonicalize_name(one.name), more) for more in ("", *one.extras)} - found
    return {known for known, _ in found} - {name}


def listed(text: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Version and hashes of each package in a file that pip reads with --require-hashes."""
    joined = re.sub(r"#.*|\\\n", " ", text)
    entries = re.findall(r"(\S+)==(\S+)((?:\s+--hash=sha256:[0-9a-f]{64})+)", joined)
    return {name: (version, frozenset(re.findall(r"[0-9a-f]{64}", hashes))) for name, version, hashes in entries}


def _fetched(names: Iterable[str], folder: Path) -> None:
    known = pins()
    for machine in MACHINES:
        command = [*pip(), "download", "--no-deps", *fitting(machine), f"--dest={folder}"]
        subprocess.run([*command, *(f"{name}=={known[name]}" for name in names)], check=True)


def _written(names: Iterable[str], folder: Path) -> str:
    hashes: defaultdict[str, set[str]] = defaultdict(set)
    for wheel in folder.iterdir():
        hashes[parse_wheel_filename(wheel.name)[0]].add(hashlib.sha256(wheel.read_bytes()).hexdigest())
    known = pins()
    entries = [
        " \\\n    ".join([f"{name}=={known[name]}", *(f"--hash=sha256:{one}" for one in sorted(hashes[name]))])
        for name in sorted(names)
    ]
    return HEAD + "\n".join(entries) + "\n"


def main() -> None:
    """Writes both files."""
    for path, names in ((RUNNING, needed()), (BUILDING, set(BUILDS))):
        with tempfile.TemporaryDirectory() as folder:
            _fetched(sorted(names), Path(folder))
            path.write_text(_written(names, Path(folder)))
        print(path.relative_to(RUNNING.parent.parent))


if __name__ == "__main__":
    main()
