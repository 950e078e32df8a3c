"""COMPOUND: several NFSv4 operations in one call, carried out in order until one fails.

An operation is its number and its arguments, encoded. A reply's results come as a list, one per operation that
succeeded: None, or what _DECODERS makes of it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from berth.nfs.message import Identity
from berth.nfs.names import decode_name, encode_name
from berth.nfs.rpc import Connection
from berth.nfs.session import FILE_SYNC
from berth.nfs.status import NfsError, NotStable, status_name
from berth.nfs.v4_attributes import (
    FILEHANDLE,
    LOOKED_AT,
    SIZE,
    SPACE,
    TYPE,
    decode_attributes,
    looked_at,
    mask,
    read_raw,
)
from berth.nfs.xdr import Malformed, Reader, hyper, opaque, uint

COMPOUND = 1
_HEAD = struct.Struct(">III")
"""Of a call: the length of its tag, the minor version, and how many operations come."""
_RESULT = struct.Struct(">II")
_CHANGE = struct.Struct(">IQQ")
_STATE = struct.Struct(">I12s")

# Operations, RFC 7530 section 16.2.
CLOSE, CREATE, GETATTR, GETFH, LINK, LOOKUP, OPEN, OPEN_CONFIRM, PUTFH, PUTROOTFH = 4, 6, 9, 10, 11, 15, 18, 20, 22, 24
READ, READDIR, REMOVE, RENAME, SAVEFH, SETATTR, SETCLIENTID, SETCLIENTID_CONFIRM = 25, 26, 28, 29, 32, 34, 35, 36
LOCK, LOCKT, LOCKU, RESTOREFH, VERIFY, WRITE = 12, 13, 14, 31, 37, 38


class Operation:
    """One of a compound, as it is sent."""

    __slots__ = ("accepted", "decode", "encoded", "number")

    def __init__(self, number: int, arguments: bytes = b"", decode: Callable[[Reader], Any] | None = None) -> None:
        """decode: of what stands behind its status in the reply, where _DECODERS says nothing better."""
        self.number = number
        self.encoded = uint(number) + arguments
        self.accepted = _RESULT.pack(number, 0)
        """How its result begins, if it succeeded."""
        self.decode = decode or _DECODERS.get(number)


class OpenState(NamedTuple):
    """What the server calls an open file."""

    seqid: int
    other: bytes

    def encoded(self) -> bytes:
        return uint(self.seqid) + self.other


NO_STATE = OpenState(0, bytes(12))
"""Reading and changing attributes without having opened the file."""


def _change(reader: Reader) -> None:
    """How a directory's change counter moved."""
    reader.take(_CHANGE)


def _state(reader: Reader) -> OpenState:
    return OpenState(*reader.take(_STATE))


def _changes(reader: Reader) -> None:
    """Which attributes were set."""
    reader.words(8)


def _create(reader: Reader) -> None:
    _change(reader)
    _changes(reader)


def _rename(reader: Reader) -> None:
    reader.take(_CHANGE)
    reader.take(_CHANGE)


def _open(reader: Reader) -> tuple[OpenState, int]:
    """The state and the flags."""
    state = _state(reader)
    _change(reader)
    flags = reader.uint()
    _changes(reader)
    if reader.uint():
        raise Malformed("it delegates a file that nobody wanted")
    return state, flags


def _read(reader: Reader) -> tuple[bytes, bool]:
    is_end = reader.flag()
    return reader.opaque(), is_end


def _write(reader: Reader) -> None:
    reader.uint()
    if reader.uint() != FILE_SYNC:
        raise NotStable("NFS4ERR")
    reader.hyper()


def _readdir(reader: Reader) -> tuple[list[tuple[int, str, dict[int, Any]]], int, bool]:
    """Entries (cookie, name, attributes), the verifier, and whether that was all."""
    verifier = reader.hyper()
    entries = []
    while reader.flag():
        entries.append((reader.hyper(), decode_name(reader.opaque()), decode_attributes(read_raw(reader))))
    return entries, verifier, reader.flag()


_DECODERS: dict[int, Callable[[Reader], Any]] = {
    CLOSE: _state,
    CREATE: _create,
    GETFH: Reader.opaque,
    LINK: _change,
    LOCK: _state,
    LOCKU: _state,
    OPEN: _open,
    OPEN_CONFIRM: _state,
    READ: _read,
    READDIR: _readdir,
    REMOVE: _change,
    RENAME: _rename,
    SETATTR: _changes,
    SETCLIENTID: lambda reader: (reader.hyper(), reader.hyper()),
    WRITE: _write,
}
"""What stands behind the status of each operation; nothing for the others."""

LOOK = Operation(GETATTR, LOOKED_AT, lambda reader: looked_at(read_raw(reader)))
LOOK_AT_SPACE = Operation(GETATTR, SPACE, lambda reader: decode_attributes(read_raw(reader)))
GET_HANDLE = Operation(GETFH)
SAVE_HANDLE = Operation(SAVEFH)
RESTORE_HANDLE = Operation(RESTOREFH)
GO_TO_TOP = Operation(PUTROOTFH)


@lru_cache(maxsize=256)
def on(handle: bytes) -> Operation:
    """What follows is done to this file or directory."""
    return Operation(PUTFH, opaque(handle))


@lru_cache(maxsize=256)
def named(number: int, name: str) -> Operation:
    """An operation whose argument is one name: LOOKUP, REMOVE, LINK."""
    return Operation(number, opaque(encode_name(name)))


def renamed(name: str, new_name: str) -> Operation:
    """From the saved directory to the current one."""
    return Operation(RENAME, opaque(encode_name(name)) + opaque(encode_name(new_name)))


def size_is(size: int) -> Operation:
    """Fails where the file has another size."""
    return Operation(VERIFY, mask(SIZE) + opaque(hyper(size)))


def kind_is(*, is_directory: bool) -> Operation:
    """Fails where it is no directory, or no regular file."""
    return _IS_DIRECTORY if is_directory else _IS_FILE


def handle_is(handle: bytes) -> Operation:
    """Fails where the file or directory is another one."""
    return Operation(VERIFY, mask(FILEHANDLE) + opaque(opaque(handle)))


_IS_FILE, _IS_DIRECTORY = (Operation(VERIFY, mask(TYPE) + opaque(uint(kind))) for kind in (1, 2))


def encode(operations: Sequence[Operation], minor: int = 0) -> bytes:
    """The arguments of a COMPOUND without a tag, of NFSv4.minor."""
    return _HEAD.pack(0, minor, len(operations)) + b"".join([operation.encoded for operation in operations])


async def run(
    connection: Connection, operations: Sequence[Operation], who: Identity, *, guarded: bool = False
) -> list[Any]:
    """The results of all operations; NfsError when one failed, in which case those before it were done."""
    results, error = await attempt(connection, operations, who, guarded=guarded)
    if error is not None:
        raise error
    return results


async def attempt(
    connection: Connection, operations: Sequence[Operation], who: Identity, *, guarded: bool = False
) -> tuple[list[Any], NfsError | None]:
    """The results of the operations that succeeded, and why the next one did not."""
    arguments = encode(operations)
    return await connection.call(COMPOUND, arguments, lambda reader: _decode(reader, operations), who, guarded=guarded)


def _decode(reader: Reader, operations: Sequence[Operation]) -> tuple[list[Any], NfsError | None]:
    status = reader.uint()
    reader.opaque()
    count = reader.uint()
    results: list[Any] = []
    error = NfsError(status, status_name("NFS4ERR", status)) if status else None
    has = reader.has
    for operation in operations[:count]:
        if not has(operation.accepted):
            number, failed = reader.take(_RESULT)
            if number != operation.number or not failed:
                raise Malformed("it answers what was not asked")
            return results, error or NfsError(1, "NFS4ERR_PERM")
        decode = operation.decode
        results.append(decode(reader) if decode is not None else None)
    if error is None and len(results) < len(operations):
        raise Malformed("it is incomplete")
    return results, error
