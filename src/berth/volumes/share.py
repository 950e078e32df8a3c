"""What the rules need from a share, whichever way it is touched (mounted here, or spoken to directly).

Contract, checked for every implementation by tests/conformance:
* Paths are relative to the share's root and pass naming.split_path; `""`, the root itself, is for stat and list only.
* No symbolic link is followed on the way to a path. One that is met, at the path or above it, is a Refused naming it.
* Missing names the first part of a path that is not there, as far down as that part.
* Every call ends within the share's deadline, with a result or a VolumeError; it can be cancelled, and repeated.
* Nothing blocks the event loop, whatever the server does.
* What make_directory, write_file and rename have answered survives a power cut of the server, names and content:
  - Spoken to directly, a file's content goes out as WRITE with stable_how FILE_SYNC (v3 and v4) before the file gets
    its name, and an answer that promises less is a failure. CREATE, MKDIR, LINK, RENAME and SETATTR are on stable
    storage before the server answers them, by the protocol (RFC 1813, RFC 7530); COMMIT is for files only.
  - Mounted, the file is fsynced before it gets its name, and then the directories whose names have changed. On NFS the
    kernel sends the file's data and a COMMIT for that, and nothing for directories, for the reason above.
  A server that is told to lie (export option `async`) lies to both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from berth.volumes.server_name import on_server

EntryKind = Literal["directory", "file", "link", "other"]
NamesOf = EntryKind | Literal["any"]
Guard = Callable[[], str]
"""Why this process may not act now, empty while it may. A share asks right before anything leaves it that can't be
taken back: a rename, a removal, a file's replacement; a reason becomes Unavailable(lease) and nothing was done. It is
called from any thread, often, and must answer at once."""


def always() -> str:
    """A guard that never has anything against a step."""
    return ""


@dataclass(frozen=True, slots=True)
class ShareAddress:
    """One share and how to speak to it: a server, an export of it, and what the class's mount options say."""

    server: str
    """Host name or address, as the class or the environment spells it, without brackets."""
    export: str
    """Absolute path that the server exports, normal (no trailing slash, no `//`); `/` for the root."""
    version: str = ""
    """NFS version from `nfsvers`/`vers` (`3`, `4`, `4.1`, `4.2`); empty: try what the server offers."""
    port: int = 0
    """NFS port from `port`; 0: the standard way (portmapper for v3, 2049 for v4)."""
    mountport: int = 0
    """Port of mountd from `mountport` (v3 only); 0: ask the portmapper."""
    proto: str = ""
    """`tcp` or `udp` from `proto`; empty: tcp."""

    def __str__(self) -> str:
        return on_server(self.server, self.export)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is at one path."""

    name: str
    """Last part of the path; empty for the root."""
    kind: EntryKind
    mode: int
    """Permission bits (07777)."""
    uid: int
    gid: int
    device: int = field(default=0, compare=False)
    """Which file system it is on: a rename within one share works between equal ones only."""
    identity: bytes = field(default=b"", compare=False, repr=False)
    """Which object it is, whatever its name: differs from that of any other that has, had or will have the same name.

    To be compared with what the same Share answers, by the same process; it means nothing anywhere else. Equality of
    entries is that of their looks and leaves it out.
    """


@dataclass(frozen=True, slots=True)
class Made:
    """What make_directory did."""

    is_new: bool
    """Whether it was made by this call; False: a directory was there already."""
    entry: Entry
    """The directory as it is now."""


@dataclass(frozen=True, slots=True)
class Space:
    """Room on the share's file system, as the server tells it."""

    total_bytes: int
    free_bytes: int
    total_inodes: int
    free_inodes: int


@dataclass(frozen=True, slots=True)
class Budget:
    """How much of a long job is done in one turn. What is under way when it is used up is finished."""

    seconds: float
    entries: float
    """Files and directories that are looked at, whatever becomes of them."""


@dataclass(frozen=True, slots=True)
class Removal:
    """How far the removal of a tree got."""

    entries: int
    """Files and directories that went in this turn."""
    is_through: bool = True
    """Whether all is gone; else the budget was used up, and the next call goes on."""


class Share(Protocol):
    """One share that can be worked on."""

    @property
    def address(self) -> ShareAddress: ...

    async def stat(self, path: str) -> Entry:
        """What is at path, a link itself rather than its target. Missing when nothing is."""

    async def names(self, path: str, kind: NamesOf = "any") -> list[str]:
        """The names of a directory's entries, of one kind or of all; else as list, which takes three times the room."""

    async def list(self, path: str, most: int | None = None) -> list[Entry]:
        """The entries of a directory, in any order, without `.` and `..`. Missing; Refused if it is no directory.

        most: how many the caller can use. Where there are more, most + 1 of them are answered, and the rest is not
        read: a directory of millions costs no more than a small one to learn that it is not empty. Without it, a
        directory that has more entries than can be kept is Refused.
        """

    async def make_directory(
        self, path: str, *, mode: int, uid: int | None = None, gid: int | None = None, adopt: bool = False
    ) -> Made:
        """Makes path a directory with exactly this mode (whatever the umask) and, where given, this owner.

        Missing parents are made with mode 0755 (I7: they are never removed). A directory that is there already keeps
        its mode and owner, unless adopt is set: then they become as asked for (a caller that was killed between making
        the directory and setting its mode repeats the call so). Either way the answer tells what is there now.
        Refused if something else is there. Unavailable(permission) when the server does not let us.
        """

    async def read_file(self, path: str) -> bytes:
        """The content of a small regular file (at most 1 MiB, else Refused): whole, also while write_file replaces it.

        Missing.
        """

    async def write_file(self, path: str, content: bytes, *, exclusive: bool = False) -> None:
        """Puts content at path, readable by its owner only (0600), whole or not at all: a reader never sees a part.

        The parent must exist (Missing). exclusive: Taken if anything is at path already, decided by the server.
        """

    async def rename(self, source: str, target: str, only: Entry | None = None) -> None:
        """Moves a directory. Never replaces anything: Taken when something is at target. Missing without source.

        Source must be a directory, not a link. Target's parents must exist. only: the directory that is meant, as this
        share described it before; without it, the one that is there now. Missing when another has its place by then.

        Who does this may be stopped in the middle, and go on when another has long made a new directory in its place.
        Spoken to directly over NFSv4, that one is never moved: the server compares the two in the call that renames.
        NFSv3 and Linux have no such call: there the directory is looked at right before, and between the last look, the
        guard's answer and the rename nothing waits, neither a queue nor another thing to do.
        """

    async def remove_file(self, path: str) -> None:
        """Removes a regular file below `.berth/`, nowhere else (Refused). Already gone is success."""

    async def remove_directory(self, path: str) -> bool:
        """Removes an empty directory. False: it holds something and was left alone. Already gone is True."""

    async def remove_tree(self, path: str, *, budget: Budget | None = None) -> Removal:
        """Removes a directory below `.berth/trash/`, nowhere else (Refused), with all that is in it; links in it are
        removed, never followed. Can be stopped anywhere and repeated. Already gone is through, without an entry.

        What can't be removed is passed by, and the rest goes: LeftBehind tells of it once all was tried. No other file
        system that is mounted in the tree is touched.

        The one call without a deadline of its own for the whole: each step has one. With a budget it ends when that is
        used up; the next call goes on where this one stopped, so that what can't be removed is tried once in a round.
        """

    async def space(self) -> Space:
        """Room on the file system behind the share."""

    async def aclose(self) -> None:
        """Lets go of connections and threads; further calls are an error of the caller."""
