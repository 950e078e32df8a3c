"""The table of mounts, /proc/…/mountinfo, and what an NFS mount says of itself there."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

_OCTAL = re.compile(rb"\\([0-7]{3})")


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


def read_mountinfo(path: Path = Path("/proc/self/mountinfo")) -> tuple[Mount, ...]:
    """The mounts that a process sees, in the order in which they came: of several on one point the last one shows.

    Asks the kernel's table and no mount, so it never hangs. OSError when there is no such table.
    """
    return parse_mountinfo(path.read_bytes())


def parse_mountinfo(table: bytes) -> tuple[Mount, ...]:
    """All mounts of a table (proc(5)); lines that are not understood are left out.

    Paths are spelled as os.fsdecode does: bytes that are no UTF-8 come back by os.fsencode.
    """
    found = []
    for line in table.split(b"\n"):
        before, separator, after = line.partition(b" - ")
        head, tail = [[_plain(word) for word in part.split(b" ")] for part in (before, after)]
        if separator and len(head) >= 6 and len(tail) >= 3:
            kind, source, *rest = tail
            options, super_options = tuple(head[5].split(",")), tuple(" ".join(rest).split(","))
            found.append(Mount(head[2], head[3], head[4], options, kind, source, super_options))
    return tuple(found)


def is_mount_point(directory: str) -> bool:
    """Whether something is mounted at directory."""
    wanted = os.path.normpath(os.path.abspath(directory))
    with open("/proc/self/mountinfo", "rb") as table:
        return any(_plain(line.split(b" ", 5)[4]) == wanted for line in table)


def _plain(word: bytes) -> str:
    """The kernel writes blank, tab, newline, backslash and # as `\\040` and so on."""
    return os.fsdecode(_OCTAL.sub(lambda octal: bytes([int(octal[1], 8) & 0xFF]), word))
