"""COMPOUND: several NFSv4 operations in one call, carried out in order until one fails; and the attributes they carry.

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
from berth.nfs.session import FILE_SYNC, Attributes, FileKind
from berth.nfs.status import NfsError, NotStable, status_name
from berth.nfs.xdr import Malformed, Reader, hyper, opaque, uint

COMPOUND = 1
_RESULT = struct.Struct(">II")
_CHANGE = struct.Struct(">IQQ")
_STATE = struct.Struct(">I12s")

# Operations, RFC 7530 section 16.2.
CLOSE, CREATE, GETATTR, GETFH, LINK, LOOKUP, OPEN, OPEN_CONFIRM, PUTFH, PUTROOTFH = 4, 6, 9, 10, 11, 15, 18, 20, 22, 24
READ, READDIR, REMOVE, RENAME, SAVEFH, SETATTR, SETCLIENTID, SETCLIENTID_CONFIRM = 25, 26, 28, 29, 32, 34, 35, 36
LOCK, LOCKT, LOCKU, VERIFY, WRITE = 12, 13, 14, 37, 38

# Attributes, RFC 7530 section 5.
TYPE, SIZE, FSID, RDATTR_ERROR, FILEHANDLE, FILEID, FILES_AVAIL, FILES_TOTAL, MODE = 1, 4, 8, 11, 19, 20, 21, 23, 33
OWNER, OWNER_GROUP, SPACE_AVAIL, SPACE_TOTAL, MOUNTED_ON_FILEID = 36, 37, 42, 44, 55
_FORMS = {
    **dict.fromkeys((TYPE, RDATTR_ERROR, MODE), "I"),
    **dict.fromkeys((SIZE, FILEID, FILES_AVAIL, FILES_TOTAL, SPACE_AVAIL, SPACE_TOTAL, MOUNTED_ON_FILEID), "Q"),
    FSID: "QQ",
}
_OPAQUES = frozenset({FILEHANDLE, OWNER, OWNER_GROUP})

_KINDS: dict[int, FileKind] = {1: "file", 2: "directory", 5: "link"}
NOBODY = 65534
"""Stands for an owner that the server spells as a name, which only the server's domain could translate."""


class Operation(NamedTuple):
    """One of a compound."""

    number: int
    arguments: bytes = b""


class OpenState(NamedTuple):
    """What the server calls an open file."""

    seqid: int
    other: bytes

    def encoded(self) -> bytes:
        return uint(self.seqid) + self.other


NO_STATE = OpenState(0, bytes(12))
"""Reading and changing attributes without having opened the file."""


def mask(*numbers: int) -> bytes:
    """A set of attributes."""
    words = [0] * (max(numbers) // 32 + 1)
    for number in numbers:
        words[number // 32] |= 1 << (number % 32)
    return uint(len(words)) + b"".join(map(uint, words))


LISTED = mask(TYPE, SIZE, FSID, RDATTR_ERROR, FILEHANDLE, FILEID, MODE, OWNER, OWNER_GROUP, MOUNTED_ON_FILEID)
LOOK = Operation(GETATTR, mask(TYPE, SIZE, FSID, FILEID, MODE, OWNER, OWNER_GROUP))
LOOK_AT_SPACE = Operation(GETATTR, mask(FILES_AVAIL, FILES_TOTAL, SPACE_AVAIL, SPACE_TOTAL))
GET_HANDLE = Operation(GETFH)
SAVE_HANDLE = Operation(SAVEFH)
GO_TO_TOP = Operation(PUTROOTFH)


def on(handle: bytes) -> Operation:
    """What follows is done to this file or directory."""
    return Operation(PUTFH, opaque(handle))


def named(number: int, name: str) -> Operation:
    """An operation whose argument is one name: LOOKUP, REMOVE, LINK."""
    return Operation(number, opaque(encode_name(name)))


def size_is(size: int) -> Operation:
    """Fails where the file has another size."""
    return Operation(VERIFY, mask(SIZE) + opaque(hyper(size)))


def handle_is(handle: bytes) -> Operation:
    """Fails where the file or directory is another one."""
    return Operation(VERIFY, mask(FILEHANDLE) + opaque(opaque(handle)))


def new_attributes(mode: int | None, uid: int | None, gid: int | None) -> bytes:
    """Attributes to set: those that are not None. Owners go as numbers, which servers take under AUTH_SYS."""
    numbers: list[int] = []
    values = b""
    if mode is not None:
        numbers.append(MODE)
        values += uint(mode)
    for number, value in ((OWNER, uid), (OWNER_GROUP, gid)):
        if value is not None:
            numbers.append(number)
            values += opaque(str(value).encode())
    return mask(*numbers) + opaque(values)


def encode(operations: Sequence[Operation], minor: int = 0) -> bytes:
    """The arguments of a COMPOUND without a tag, of NFSv4.minor."""
    encoded = b"".join(uint(operation.number) + operation.arguments for operation in operations)
    return opaque(b"") + uint(minor) + uint(len(operations)) + encoded


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
    for operation in operations[:count]:
        number, failed = reader.take(_RESULT)
        if number != operation.number:
            raise Malformed("it answers what was not asked")
        if failed:
            return results, error or NfsError(1, "NFS4ERR_PERM")
        decoder = _DECODERS.get(operation.number)
        results.append(decoder(reader) if decoder else None)
    if error is None and len(results) < len(operations):
        raise Malformed("it is incomplete")
    return results, error


def decode_attributes(reader: Reader) -> dict[int, Any]:
    """Values by attribute's number. Malformed when the server sends one that was not asked for."""
    bits = reader.words(8)
    layout = _layouts.get(bits)
    if layout is None:
        layout = _layout(bits)
        if len(_layouts) < _MOST_LAYOUTS:
            _layouts[bits] = layout
    reader.uint()  # how long the values are altogether
    values: dict[int, Any] = {}
    for numbers, fixed in layout:
        if fixed is None:
            values[numbers[0]] = reader.opaque()
        else:
            values.update(zip(numbers, reader.take(fixed), strict=True))
    return values


_Layout = tuple[tuple[tuple[int, ...], struct.Struct | None], ...]
"""How values lie behind each other: numbers in one piece, by their attributes' numbers, or one opaque."""
_layouts: dict[bytes, _Layout] = {}
"""By the bits that announce them: a server answers a question in one or two ways."""
_MOST_LAYOUTS = 100


def _layout(bits: bytes) -> _Layout:
    words = struct.unpack(f">{len(bits) // 4}I", bits)
    found: list[tuple[tuple[int, ...], struct.Struct | None]] = []
    numbers: list[int] = []
    form = ">"
    for number in (32 * index + bit for index, word in enumerate(words) for bit in range(32) if word >> bit & 1):
        if number in _FORMS:
            # The two halves of an FSID have one number: the second tells file systems of one server apart.
            numbers += [number, -number][: len(_FORMS[number])]
            form += _FORMS[number]
        elif number in _OPAQUES:
            if numbers:
                found.append((tuple(numbers), struct.Struct(form)))
                numbers, form = [], ">"
            found.append(((number,), None))
        else:
            raise Malformed(f"it holds an attribute ({number}) that was not asked for")
    if numbers:
        found.append((tuple(numbers), struct.Struct(form)))
    return tuple(found)


def attributes_of(values: dict[int, Any]) -> Attributes:
    return Attributes(
        kind=_KINDS.get(values.get(TYPE, 0), "other"),
        mode=values.get(MODE, 0) & 0o7777,
        uid=_owner(values.get(OWNER, b"")),
        gid=_owner(values.get(OWNER_GROUP, b"")),
        size=values.get(SIZE, 0),
        device=values.get(FSID, 0) << 64 | values.get(-FSID, 0),
        number=values.get(FILEID, 0),
    )


@lru_cache(maxsize=1024)
def _owner(spelled: bytes) -> int:
    """An owner's number: servers send `1000`, `1000@domain`, or a name."""
    name = spelled.partition(b"@")[0]
    if name.isdigit():
        return min(int(name[:10]), 0xFFFFFFFF)
    return 0 if name == b"root" else NOBODY


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
        entries.append((reader.hyper(), decode_name(reader.opaque()), decode_attributes(reader)))
    return entries, verifier, reader.flag()


_DECODERS: dict[int, Callable[[Reader], Any]] = {
    CLOSE: _state,
    CREATE: _create,
    GETATTR: decode_attributes,
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
