"""The real thing behind the same two hands: a mounted share, and what somebody could do behind its back."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from berth.shares.mounted.share import MountedShare
from berth.volumes.share import ShareAddress


class DirectoryShare(MountedShare):
    """A mounted share at a directory of this machine, where nothing has to be mounted."""

    def __init__(self, directory: Path, address: ShareAddress) -> None:
        super().__init__(str(directory), address, requires_mount=False)
        self._behind = directory

    def plant_link(self, path: str) -> None:
        """Puts a symbolic link where somebody with a mount could put one; it leads out of the share."""
        (self._behind / path).symlink_to(self._behind.parent)

    def take_away(self, path: str) -> None:
        """Removes whatever is at path, as somebody with a mount could."""
        place = self._behind / path
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)

    def tree(self) -> dict[str, str]:
        """All that is on the share: path -> kind, mode, owner and content."""
        return dict(_walk(self._behind, ""))


def _walk(directory: Path, path: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(os.scandir(directory), key=lambda entry: entry.name):
        below = f"{path}/{entry.name}".removeprefix("/")
        found = entry.stat(follow_symlinks=False)
        kind = "link" if entry.is_symlink() else "directory" if entry.is_dir() else "file"
        content = Path(entry.path).read_text() if kind == "file" else ""
        yield below, f"{kind} {stat.S_IMODE(found.st_mode):04o} {found.st_uid}:{found.st_gid} {content}"
        if kind == "directory":
            yield from _walk(Path(entry.path), below)
