"""The command that needs nothing: one file, a shell script with the root behind it, for any Linux from kernel 3.10 on.

The root's own loader starts Python with the root's libraries, by an option and not by the environment: programs that
Berth starts find the host's. What was unpacked is run only where nobody but root and the caller could have put it.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from release import root, tree
from release.labels import version
from release.machines import Machine

_SCRIPT = Path(__file__).parent / "command.sh"
# What only a pod has a use for: who starts this command is who it runs as.
_LEFT_OUT = (
    "bin",
    "etc/group",
    "etc/nsswitch.conf",
    "etc/passwd",
    "lib",
    "lib64",
    "sbin",
    "usr/bin/berth",
    "usr/lib64",
)


def make(machine: Machine, folder: Path, target: Path) -> None:
    """Writes target, the command, of the root in folder."""
    plain, packed = target.with_name(f"{target.name}.tar"), target.with_name(f"{target.name}.tar.gz")
    with plain.open("wb") as sink:
        tree.pack(folder, sink, wanted=_wanted)
    tree.compress(plain, packed)
    plain.unlink()
    with packed.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()[:16]
    words = {
        "DIGEST": digest,
        "KERNEL": machine.kernel,
        "LOADER": root.python(machine, "$1")[0],
        "LINES": str(_lines(folder)),
        "START": root.start(machine, "$berth_home", "$0"),
        "VERSION": version(),
    }
    script = _SCRIPT.read_text()
    for word, value in words.items():
        script = script.replace(f"@{word}@", value)
    # The script's own length is in it.
    offset = len(script.encode()) - len("@OFFSET@") + 1
    offset += len(str(offset + len(str(offset))))
    with target.open("wb") as sink, packed.open("rb") as content:
        sink.write(script.replace("@OFFSET@", str(offset)).encode())
        if sink.tell() != offset - 1:
            raise AssertionError("the script is not as long as it says")
        shutil.copyfileobj(content, sink, 1 << 20)
    packed.unlink()
    target.chmod(0o755)


def _wanted(name: str) -> bool:
    return not any(f"{name}/".startswith(f"{one}/") for one in _LEFT_OUT)


def _lines(folder: Path) -> int:
    """How many lines `ls -AR` says of what is unpacked: names, a heading for each folder, and empty ones."""
    paths = [path for path in folder.rglob("*") if _wanted(path.relative_to(folder).as_posix())]
    return len(paths) + 1 + 2 * sum(path.is_dir() and not path.is_symlink() for path in paths)
