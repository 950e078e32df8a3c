"""What a server answers when it says no, by the numbers and names of its protocol; NFSv3 and v4 share most of them."""

from __future__ import annotations

import enum


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
    RESOURCE = 10018
    """A COMPOUND is more than the server can do at once."""
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
    """The export's root, as the session knows it, is a directory that was removed: nothing can be made in it."""

    def __init__(self, name: str) -> None:
        super().__init__(Status.STALE, name)
