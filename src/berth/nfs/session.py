"""What a client needs from one NFS version: the contract of SessionV3 and SessionV4.

Objects are named by the handle of their directory and one name in it, never by a path, so nothing that happens above
can lead a call elsewhere. Every call says whom it comes from. Failures: NfsError (the server said no), RpcError.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from berth.nfs.message import ROOT, Identity
from berth.nfs.rpc import Connection
from berth.nfs.status import NfsError

CHUNK = 65536
"""Bytes of a file, or of a directory's entries, asked for or sent in one call. Every server takes that much."""


FILE_SYNC = 2
"""How files are written: on stable storage, with all that it takes to find them, before the server answers."""


FileKind = Literal["file", "directory", "link", "other"]


@dataclass(frozen=True, slots=True)
class Attributes:
    """What is looked at of a file or directory."""

    kind: FileKind
    mode: int
    uid: int
    gid: int
    size: int
    device: int
    """Which file system it is on."""
    number: int = 0
    """The server's number for it on that file system; 0: not known."""

    @property
    def owner(self) -> Identity:
        return Identity(self.uid, self.gid)


@dataclass(frozen=True, slots=True)
class NfsNode:
    """A file or directory that was found: how to name it in calls, and what it was at that moment."""

    handle: bytes
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """One entry of a directory. node: None where the server tells its name only."""

    name: str
    node: NfsNode | None
    number: int = 0
    """The number of what stands there under this name, below whatever is mounted on it; 0: not known."""

    def is_covered(self, node: NfsNode) -> bool:
        """Whether node, which was found under this name, is mounted there: it may be on the same file system, and is
        no part of this directory all the same. Linux' NFS client tells it in this way, too.
        """
        return bool(self.number and node.attributes.number) and self.number != node.attributes.number


@dataclass(frozen=True, slots=True)
class Position:
    """Where reading a directory goes on."""

    cookie: int
    verifier: int


START = Position(0, 0)


@dataclass(frozen=True, slots=True)
class FsStat:
    """How full the file system of a root is."""

    total_bytes: int
    free_bytes: int
    total_inodes: int
    free_inodes: int


@dataclass(slots=True)
class ReadThen:
    """At the end of a walk, a small file is read in the same call."""

    most: int
    """Bytes; what is longer is not read."""
    content: bytes | None = None
    """All that is in it; None where that could not be had in this way."""


@dataclass(slots=True)
class RemoveThen:
    """At the end of a walk, a file, or a directory that is empty, is removed in the same call."""

    is_directory: bool
    is_done: bool = False


@dataclass(slots=True)
class LookThen:
    """At the end of a walk, another one is made from where it began, in the same call."""

    parts: Sequence[str]
    found: list[NfsNode] | None = None
    """All that there is on that way; None where that could not be learned in this way."""


@dataclass(slots=True)
class OpenThen:
    """Before the last step of a walk, a new file is made beside what may be there, in the same call, for put."""

    name: str
    opened: object = None
    """What put takes; None where it could not be made in this way."""
    who: Identity = ROOT
    """By whom it was made."""


Then = ReadThen | RemoveThen | LookThen | OpenThen


class Session(Protocol):
    """One export over one connection. Any number of calls at once.

    What can't be taken back (rename, remove, put in a file's place) is sent only while the connection's guard allows
    it; rpc.Withheld otherwise.
    """

    root: NfsNode

    @property
    def version(self) -> str:
        """`3` or `4.0`."""

    @property
    def is_open(self) -> bool: ...

    @property
    def calls(self) -> int:
        """How many remote procedure calls were made."""

    @property
    def heard(self) -> float:
        """Loop time of the last reply."""

    async def attributes(self, handle: bytes) -> Attributes: ...

    @property
    def does_more(self) -> bool:
        """Whether calls of walk can do more than to look: NFSv3 has none that do."""

    async def walk(
        self, start: bytes, parts: Sequence[str], who: Identity, then: Then | None = None
    ) -> tuple[list[NfsNode], NfsError | None]:
        """What is found on the way from a directory, part by part, through no link, and why it ends if it does.

        then: what to do at its end, if that can be done in the same call. It tells whether it was done.
        """

    async def make_directory(
        self, directory: bytes, name: str, *, mode: int, uid: int | None, gid: int | None, who: Identity
    ) -> NfsNode:
        """The new directory, as the server made it: its mode and owner may differ from what was asked for."""

    async def change(
        self, handle: bytes, *, mode: int | None = None, uid: int | None = None, gid: int | None = None, who: Identity
    ) -> None:
        """Sets what is not None."""

    async def put(
        self,
        directory: bytes,
        temporary: str,
        name: str,
        content: bytes,
        *,
        exclusive: bool,
        who: Identity,
        opened: object = None,
    ) -> None:
        """Writes content to a new file called temporary (0600, on stable storage), then gives it its name in one step.

        Replaces a file of that name; with exclusive it is EXIST instead, decided by the server. opened: of the OpenThen
        that has made the new file already.
        """

    async def give_up(self, directory: bytes, temporary: str, opened: object, who: Identity) -> None:
        """Removes a file that an OpenThen has made."""

    async def read(self, handle: bytes, limit: int, who: Identity) -> bytes:
        """The first limit bytes of a file."""

    async def rename(
        self, source: bytes, name: str, target: bytes, new_name: str, who: Identity, *, only: bytes | None = None
    ) -> None:
        """only: the handle of what is meant. NOT_SAME when the name stands for something else by now.

        Over NFSv4 the server itself compares, in the same call, so nothing else is ever moved, however late the call
        comes. NFSv3 has no such call: there it is for the caller to look right before.
        """

    async def remove(self, directory: bytes, name: str, *, is_directory: bool, who: Identity) -> None:
        """Removes what the caller has seen to be a directory, or not to be one. Never follows a link."""

    async def remove_files(self, directory: bytes, names: Sequence[str], who: Identity) -> list[NfsError | None]:
        """Removes many things that the caller has seen not to be directories. What each came to, in their order."""

    async def read_directory(
        self, handle: bytes, position: Position, who: Identity
    ) -> tuple[list[DirectoryEntry], Position | None]:
        """Some entries, without `.` and `..`, and where to go on; None at the end."""

    async def space(self) -> FsStat: ...

    def close(self, why: str = ..., status: str = ...) -> None:
        """Tells everybody who waits for an answer why there will be none. Can be repeated."""


class OnConnection:
    """What sessions of all versions have in common: the root, and a connection of their own."""

    def __init__(self, connection: Connection, root: NfsNode) -> None:
        self.root = root
        self._connection = connection

    @property
    def is_open(self) -> bool:
        return self._connection.is_open

    @property
    def calls(self) -> int:
        return self._connection.calls

    @property
    def heard(self) -> float:
        return self._connection.heard

    def close(self, why: str = "the connection was closed", status: str = "") -> None:
        self._connection.close(why, status)
