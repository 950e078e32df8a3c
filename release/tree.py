"""Folders as archives that have the same bytes whenever, wherever and by whomever they are made."""

from __future__ import annotations

import gzip
import shutil
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

EPOCH = 315532800
"""The time of everything that is released: 1980 began, the oldest that all kinds of archives can tell."""
_NONE: Mapping[str, Mapping[str, str]] = {}


def pack(
    folder: Path,
    archive: IO[bytes],
    *,
    wanted: Callable[[str], bool] = lambda name: True,
    prefix: str = "",
    attributes: Mapping[str, Mapping[str, str]] = _NONE,
) -> None:
    """Writes what is in folder as a tar archive: root's, all of it, in the order of names.

    wanted: which paths (relative to folder) are taken; a folder that isn't wanted is left out, what is in it is asked
    for by itself. prefix: put before each path. attributes: PAX headers of single paths.
    """
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if not wanted(name):
                continue
            info = tarfile.TarInfo(prefix + name)
            info.mtime = EPOCH
            info.pax_headers = dict(attributes.get(name, {}))
            if path.is_symlink():
                info.type, info.linkname, info.mode = tarfile.SYMTYPE, str(path.readlink()), 0o777
                tar.addfile(info)
            elif path.is_dir():
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(info)
            else:
                info.size = path.stat().st_size
                info.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
                with path.open("rb") as content:
                    tar.addfile(info, content)


def compress(plain: Path, target: Path) -> None:
    """Writes target, the same content by gzip; that it was compressed, and nothing of when or of what, is in it."""
    with (
        plain.open("rb") as source,
        target.open("wb") as sink,
        gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=sink, mtime=0) as packed,
    ):
        shutil.copyfileobj(source, packed, 1 << 20)
