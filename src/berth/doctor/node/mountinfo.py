"""/proc/…/mountinfo, read; and what an NFS mount says of itself there."""

from __future__ import annotations

import re
from dataclasses import dataclass

_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """One mount."""

    device: str
    """`major:minor`: equal for all mounts of one file system."""
    root: str
    """What of the file system is mounted; other than `/` for bind mounts, such as subPaths."""
    point: str
    options: tuple[str, ...]
    kind: str
    """The file system's type: `nfs`, `nfs4`, `ext4`."""
    source: str
    """For NFS `server:/path`."""
    super_options: tuple[str, ...]

    @property
    def is_nfs(self) -> bool:
        """A kernel mount of NFS, of any version."""
        return self.kind in ("nfs", "nfs4")

    @property
    def server(self) -> str:
        """The server's name or address, as it was mounted; without brackets."""
        server = self.source.partition(":/")[0]
        return server.removeprefix("[").removesuffix("]")

    @property
    def version(self) -> str:
        """`3`, `4.1`, …; empty where it is not said."""
        return next((option[5:] for option in self.super_options if option.startswith("vers=")), "")

    @property
    def is_writable(self) -> bool:
        """Neither the mount nor its file system is read-only."""
        return "ro" not in self.options and "ro" not in self.super_options

    def first_of(self, *options: str) -> str | None:
        """The first of these options that it has."""
        return next((option for option in options if option in self.super_options), None)


def parse_mountinfo(text: str) -> tuple[Mount, ...]:
    """All mounts; lines that are not understood are left out."""
    found = []
    for line in text.splitlines():
        before, separator, after = line.partition(" - ")
        head, tail = before.split(" "), after.split(" ")
        if separator and len(head) >= 6 and len(tail) >= 3:
            kind, source, *rest = tail
            options, super_options = tuple(head[5].split(",")), tuple(" ".join(rest).split(","))
            found.append(Mount(head[2], _plain(head[3]), _plain(head[4]), options, kind, _plain(source), super_options))
    return tuple(found)


def _plain(word: str) -> str:
    return _OCTAL.sub(lambda octal: chr(int(octal[1], 8)), word).encode("latin-1", "replace").decode("utf-8", "replace")
