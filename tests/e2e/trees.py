"""A directory behind the NFS server, as one value that can be compared."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Thing:
    """One entry of a tree."""

    kind: str
    mode: int
    uid: int
    gid: int
    content: str
    """Of a file: what is in it; of a link: where it leads."""


def tree(root: Path, *, without: tuple[str, ...] = ()) -> dict[str, Thing]:
    """Everything below root, by its path. without: paths left out, with all that is below them."""
    found: dict[str, Thing] = {}
    for directory, names, files in os.walk(root):
        names.sort()
        for name in (*names, *files):
            path = Path(directory, name)
            relative = str(path.relative_to(root))
            if any(relative == left_out or relative.startswith(f"{left_out}/") for left_out in without):
                continue
            with suppress(FileNotFoundError):  # it went while we looked
                found[relative] = _thing(path)
    return found


def _thing(path: Path) -> Thing:
    about = path.lstat()
    if stat.S_ISLNK(about.st_mode):
        kind, content = "link", str(path.readlink())
    elif stat.S_ISDIR(about.st_mode):
        kind, content = "directory", ""
    else:
        kind, content = "file", path.read_text(errors="replace")
    return Thing(kind, stat.S_IMODE(about.st_mode), about.st_uid, about.st_gid, content)
