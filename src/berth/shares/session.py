"""What a share needs from one NFS version: the contract of nfs3.Session and nfs4.Session.

Objects are named by the handle of their directory and one name in it, never by a path, so nothing that happens above
can lead a call elsewhere. Every call says whom it comes from. Failures: NfsError (the server said no), rpc.RpcError.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from berth.shares.rpc import Identity
from berth.volumes.share import Entry, Kind, Space

CHUNK = 65536
"""Bytes of a file, or of a directory's entries, asked for or sent in one call. Every server takes that much."""


FILE_SYNC = 2
"""How files are written: on stable storage, with all that it takes to find them, before the server answers."""


class Status(enum.IntEnum):
    """The numbers that Berth acts on; NFSv3 and v4 share them."""

    PERM = 1
    NOENT = 2
    IO = 5
    ACCES = 13
    EXIST = 17
    XDEV = 18
    NOTDIR = 20
    ISDIR = 21
    INVAL = 22
    NOSPC = 28
    ROFS = 30
    NAMETOOLONG = 63
    NOTEMPTY = 66
    DQUOT = 69
    STALE = 70
    BADHANDLE = 10001
    BAD_COOKIE = 10003
    NOTSUPP = 10004
    DELAY = 10008
    """NFS3ERR_JUKEBOX, NFS4ERR_DELAY: the server asks to be asked again."""
    EXPIRED = 10011
    GRACE = 10013
    FHEXPIRED = 10014
    WRONGSEC = 10016
    MINOR_VERS_MISMATCH = 10021
    STALE_CLIENTID = 10022
    NOT_SAME = 10027
    SYMLINK = 10029
    BADCHAR = 10040
    BADNAME = 10041


DENIED = frozenset({Status.PERM, Status.ACCES})
GONE = frozenset({Status.STALE, Status.BADHANDLE, Status.FHEXPIRED})


_NAMES = {
    1: "PERM", 2: "NOENT", 5: "IO", 6: "NXIO", 13: "ACCES", 17: "EXIST", 18: "XDEV", 19: "NODEV", 20: "NOTDIR",
    21: "ISDIR", 22: "INVAL", 27: "FBIG", 28: "NOSPC", 30: "ROFS", 31: "MLINK", 63: "NAMETOOLONG", 66: "NOTEMPTY",
    69: "DQUOT", 70: "STALE", 71: "REMOTE", 10001: "BADHANDLE", 10002: "NOT_SYNC", 10003: "BAD_COOKIE",
    10004: "NOTSUPP", 10005: "TOOSMALL", 10006: "SERVERFAULT", 10007: "BADTYPE", 10008: "JUKEBOX",
}  # fmt: skip
"""Of NFSv3 and MOUNT, RFC 1813."""
_NAMES_4 = {
    13: "ACCESS", 10008: "DELAY", 10009: "SAME", 10010: "DENIED", 10011: "EXPIRED", 10012: "LOCKED", 10013: "GRACE",
    10014: "FHEXPIRED", 10015: "SHARE_DENIED", 10016: "WRONGSEC", 10017: "CLID_INUSE", 10018: "RESOURCE",
    10019: "MOVED", 10020: "NOFILEHANDLE", 10021: "MINOR_VERS_MISMATCH", 10022: "STALE_CLIENTID",
    10023: "STALE_STATEID", 10024: "OLD_STATEID", 10025: "BAD_STATEID", 10026: "BAD_SEQID", 10027: "NOT_SAME",
    10029: "SYMLINK", 10030: "RESTOREFH", 10031: "LEASE_MOVED", 10032: "ATTRNOTSUPP", 10033: "NO_GRACE",
    10036: "BADXDR", 10038: "OPENMODE", 10039: "BADOWNER", 10040: "BADCHAR", 10041: "BADNAME", 10042: "BAD_RANGE",
    10044: "OP_ILLEGAL", 10046: "FILE_OPEN", 10047: "ADMIN_REVOKED", 10048: "CB_PATH_DOWN",
}  # fmt: skip
"""What NFSv4.0 calls otherwise or adds, RFC 7530."""


def status_name(prefix: str, status: int) -> str:
    """`NFS3ERR_ACCES`, `NFS4ERR_ACCESS`, `MNT3ERR_ACCES`: as the protocol spells it; a number where it has no name."""
    name = _NAMES_4.get(status) if prefix == "NFS4ERR" else None
    return f"{prefix}_{name or _NAMES.get(status, status)}"


class NfsError(Exception):
    """The server carried out a call and said no. name: the status as the server's protocol spells it."""

    def __init__(self, code: int, name: str) -> None:
        super().__init__(name)
        self.code = code
        self.name = name


class NotStable(NfsError):  # noqa: N818
    """A file was written, but not to stable storage, though that was asked for."""

    def __init__(self, prefix: str) -> None:
        super().__init__(Status.IO, f"{prefix}_IO, as it was not put on stable storage")


class RootGone(NfsError):  # noqa: N818
    """The share's root, as the session knows it, is a directory that was removed: nothing can be made in it."""

    def __init__(self, name: str) -> None:
        super().__init__(Status.STALE, name)


@dataclass(frozen=True, slots=True)
class Attributes:
    """What Berth looks at of a file or directory."""

    kind: Kind
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
class Node:
    """A file or directory that was found: how to name it in calls, and what it was at that moment."""

    handle: bytes
    attributes: Attributes

    def entry(self, name: str) -> Entry:
        seen = self.attributes
        return Entry(name, seen.kind, seen.mode, seen.uid, seen.gid, seen.device, self.handle)


@dataclass(frozen=True, slots=True)
class Found:
    """One entry of a directory. node: None where the server tells its name only."""

    name: str
    node: Node | None
    number: int = 0
    """The number of what stands there under this name, below whatever is mounted on it; 0: not known."""

    def is_covered(self, node: Node) -> bool:
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


class Session(Protocol):
    """One share over one connection. Any number of calls at once.

    What can't be taken back (rename, remove, put in a file's place) is sent only while the connection's guard allows
    it; rpc.Withheld otherwise.
    """

    root: Node

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

    async def walk(self, start: bytes, parts: Sequence[str], who: Identity) -> tuple[list[Node], NfsError | None]:
        """What is found on the way from a directory, part by part, through no link, and why it ends if it does."""

    async def make_directory(
        self, directory: bytes, name: str, *, mode: int, uid: int | None, gid: int | None, who: Identity
    ) -> Node:
        """The new directory, as the server made it: its mode and owner may differ from what was asked for."""

    async def change(
        self, handle: bytes, *, mode: int | None = None, uid: int | None = None, gid: int | None = None, who: Identity
    ) -> None:
        """Sets what is not None."""

    async def put(
        self, directory: bytes, temporary: str, name: str, content: bytes, *, exclusive: bool, who: Identity
    ) -> None:
        """Writes content to a new file called temporary (0600, on stable storage), then gives it its name in one step.

        Replaces a file of that name; with exclusive it is EXIST instead, decided by the server.
        """

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

    async def read_directory(
        self, handle: bytes, position: Position, who: Identity
    ) -> tuple[list[Found], Position | None]:
        """Some entries, without `.` and `..`, and where to go on; None at the end."""

    async def space(self) -> Space: ...

    def close(self, why: str = ..., status: str = ...) -> None:
        """Tells everybody who waits for an answer why there will be none. Can be repeated."""


def is_name(name: str) -> bool:
    """Whether a server's answer may be taken for the name of an entry: a hostile one could answer `../x`."""
    return name not in ("", ".", "..") and "/" not in name


def decode_name(name: bytes) -> str:
    """A name as Python spells it. Names need not be UTF-8; what is not comes back unchanged by encode_name."""
    return name.decode("utf-8", "surrogateescape")


def encode_name(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
