"""COMPOUND: several NFSv4 operations in one call, carried out in order until one fails; and the attributes they carry.

A reply's results come as a list, one per operation that succeeded: None, or what _DECODERS makes of it.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Sequence
from typing import Any

from berth.shares import libnfs
from berth.shares import nfs4_types as wire
from berth.shares.rpc import CallRejected, Connection, Identity
from berth.shares.session import Attributes, NfsError, decode_name, encode_name
from berth.volumes.share import Kind

PROGRAM, VERSION = 100003, 4

Operation = tuple[int, ctypes.Structure | None]

TYPE, SIZE, FSID, RDATTR_ERROR, FILEHANDLE, FILES_AVAIL, FILES_TOTAL, MODE = 1, 4, 8, 11, 19, 21, 23, 33
OWNER, OWNER_GROUP, SPACE_AVAIL, SPACE_TOTAL = 36, 37, 42, 44
"""Attributes' numbers, RFC 7530 section 5."""

_KINDS: dict[int, Kind] = {1: "file", 2: "directory", 5: "link"}
NOBODY = 65534
"""Stands for an owner that the server spells as a name, which only the server's domain could translate."""


def text(value: bytes) -> ctypes.Structure:
    return wire.text(len(value), value)


def on(handle: bytes) -> Operation:
    """What follows is done to this file or directory."""
    return wire.PUTFH, text(handle)


def named(number: int, name: str) -> Operation:
    """An operation whose argument is one name: LOOKUP, REMOVE, LINK."""
    return number, text(encode_name(name))


class _Mask:
    """A set of attributes to ask for. Lives as long as the module, since replies and calls point into it."""

    def __init__(self, *numbers: int) -> None:
        words = [0] * (max(numbers) // 32 + 1)
        for number in numbers:
            words[number // 32] |= 1 << (number % 32)
        self._words = (ctypes.c_uint32 * len(words))(*words)
        self.bitmap = wire.bitmap(len(words), ctypes.addressof(self._words))


_BASIC = _Mask(TYPE, SIZE, FSID, MODE, OWNER, OWNER_GROUP)
_LISTED = _Mask(TYPE, SIZE, FSID, RDATTR_ERROR, FILEHANDLE, MODE, OWNER, OWNER_GROUP)
_SIZE = _Mask(SIZE)
_SPACE = _Mask(FILES_AVAIL, FILES_TOTAL, SPACE_AVAIL, SPACE_TOTAL)
_SETTABLE = {
    numbers: _Mask(*numbers)
    for numbers in [
        (MODE,), (OWNER,), (OWNER_GROUP,), (MODE, OWNER), (MODE, OWNER_GROUP), (OWNER, OWNER_GROUP),
        (MODE, OWNER, OWNER_GROUP),
    ]
}  # fmt: skip

GETFH: Operation = (wire.GETFH, None)
SAVEFH: Operation = (wire.SAVEFH, None)
PUTROOTFH: Operation = (wire.PUTROOTFH, None)
GETATTR: Operation = (wire.GETATTR, _BASIC.bitmap)
GETATTR_SPACE: Operation = (wire.GETATTR, _SPACE.bitmap)
LISTED = _LISTED.bitmap


def new_attributes(mode: int | None, uid: int | None, gid: int | None) -> ctypes.Structure:
    """Attributes to set: those that are not None. Owners go as numbers, which servers take under AUTH_SYS."""
    numbers: list[int] = []
    values = b""
    if mode is not None:
        numbers.append(MODE)
        values += struct.pack(">I", mode)
    for number, value in ((OWNER, uid), (OWNER_GROUP, gid)):
        if value is not None:
            numbers.append(number)
            spelled = str(value).encode()
            values += struct.pack(">I", len(spelled)) + spelled + bytes(-len(spelled) % 4)
    return wire.attributes(_SETTABLE[tuple(numbers)].bitmap, text(values))


def size_is(size: int) -> ctypes.Structure:
    """What VERIFY compares a file with."""
    return wire.attributes(_SIZE.bitmap, text(struct.pack(">Q", size)))


async def run(connection: Connection, operations: Sequence[Operation], who: Identity) -> list[Any]:
    """The results of all operations; NfsError when one failed, in which case those before it were done."""
    results, error = await attempt(connection, operations, who)
    if error is not None:
        raise error
    return results


async def attempt(
    connection: Connection, operations: Sequence[Operation], who: Identity
) -> tuple[list[Any], NfsError | None]:
    """The results of the operations that succeeded, and why the next one did not."""
    buffer = (ctypes.c_char * (wire.ARGUMENT_SIZE * len(operations)))()
    first = ctypes.addressof(buffer)
    for index, (number, value) in enumerate(operations):
        place = first + index * wire.ARGUMENT_SIZE
        ctypes.c_uint32.from_address(place).value = number
        if value is not None:
            ctypes.memmove(place + wire.UNION_OFFSET, ctypes.addressof(value), ctypes.sizeof(value))
    arguments = wire.COMPOUND_args(text(b""), 0, wire.operations(len(operations), first))
    numbers = [number for number, _ in operations]
    start = libnfs.load().rpc_nfs4_compound_async
    address = ctypes.addressof(arguments)
    # libnfs has encoded the arguments when start returns; until then operations and buffer keep them alive.
    return await connection.call(
        lambda context, callback, token: start(context, callback, address, token),
        lambda reply: _decode(reply, numbers),
        who,
    )


def _decode(reply: int, numbers: list[int]) -> tuple[list[Any], NfsError | None]:
    answer: Any = wire.COMPOUND.from_address(reply)
    results: list[Any] = []
    try:
        for index in range(min(answer.count, len(numbers))):
            place = answer.results + index * wire.RESULT_SIZE
            if ctypes.c_uint32.from_address(place).value != numbers[index]:
                break
            body = place + wire.UNION_OFFSET
            if ctypes.c_uint32.from_address(body).value:
                break
            decoder = _DECODERS.get(numbers[index])
            results.append(decoder(body) if decoder else None)
    except struct.error as error:
        raise CallRejected("the server's reply makes no sense", "REPLY_UNREADABLE") from error
    if answer.status:
        name = (libnfs.load().nfsstat4_to_str(answer.status) or b"").decode(errors="replace")
        return results, NfsError(answer.status, name)
    if len(results) < len(numbers):
        raise CallRejected("the server's reply is incomplete", "REPLY_UNREADABLE")
    return results, None


def decode_attributes(reply: Any) -> dict[int, Any]:
    """Values by attribute's number; CallRejected when the server sends one that was not asked for."""
    words = [ctypes.c_uint32.from_address(reply.mask.words + 4 * index).value for index in range(reply.mask.size)]
    numbers = [32 * index + bit for index, word in enumerate(words) for bit in range(32) if word >> bit & 1]
    data = libnfs.bytes_at(reply.values.bytes, reply.values.size)
    values: dict[int, Any] = {}
    at = 0
    for number in numbers:
        if number in (TYPE, RDATTR_ERROR, MODE):
            (values[number],) = struct.unpack_from(">I", data, at)
            at += 4
        elif number in (SIZE, FILES_AVAIL, FILES_TOTAL, SPACE_AVAIL, SPACE_TOTAL):
            (values[number],) = struct.unpack_from(">Q", data, at)
            at += 8
        elif number == FSID:
            major, minor = struct.unpack_from(">QQ", data, at)
            values[number] = major << 64 | minor
            at += 16
        elif number in (FILEHANDLE, OWNER, OWNER_GROUP):
            (size,) = struct.unpack_from(">I", data, at)
            (values[number],) = struct.unpack_from(f">{size}s", data, at + 4)
            at += 4 + size + -size % 4
        else:
            raise CallRejected(f"the server's reply holds an attribute ({number}) that was not asked for")
    return values


def attributes_of(values: dict[int, Any]) -> Attributes:
    return Attributes(
        kind=_KINDS.get(values.get(TYPE, 0), "other"),
        mode=values.get(MODE, 0) & 0o7777,
        uid=_owner(values.get(OWNER, b"")),
        gid=_owner(values.get(OWNER_GROUP, b"")),
        size=values.get(SIZE, 0),
        device=values.get(FSID, 0),
    )


def _owner(spelled: bytes) -> int:
    """An owner's number: servers send `1000`, `1000@domain`, or a name."""
    name = spelled.partition(b"@")[0]
    if name.isdigit():
        return min(int(name), 0xFFFFFFFF)
    return 0 if name == b"root" else NOBODY


def _state(address: int) -> ctypes.Structure:
    return wire.state.from_buffer_copy(ctypes.string_at(address, ctypes.sizeof(wire.state)))


def _getfh(body: int) -> bytes:
    handle: Any = wire.GETFH_result.from_address(body)
    return libnfs.bytes_at(handle.ok.handle.bytes, handle.ok.handle.size)


def _getattr(body: int) -> dict[int, Any]:
    answer: Any = wire.GETATTR_result.from_address(body)
    return decode_attributes(answer.ok.attributes)


def _open(body: int) -> tuple[ctypes.Structure, int]:
    answer: Any = wire.OPEN_result.from_address(body)
    return _state(ctypes.addressof(answer.ok)), answer.ok.flags


def _open_confirm(body: int) -> ctypes.Structure:
    answer: Any = wire.OPEN_CONFIRM_result.from_address(body)
    return _state(ctypes.addressof(answer.ok))


def _read(body: int) -> tuple[bytes, bool]:
    answer: Any = wire.READ_result.from_address(body)
    return libnfs.bytes_at(answer.ok.data.bytes, answer.ok.data.size), bool(answer.ok.eof)


def _write(body: int) -> int:
    answer: Any = wire.WRITE_result.from_address(body)
    return int(answer.ok.count)


def _setclientid(body: int) -> tuple[int, int]:
    answer: Any = wire.SETCLIENTID_result.from_address(body)
    return answer.ok.client, answer.ok.verifier


def _readdir(body: int) -> tuple[list[tuple[int, str, dict[int, Any]]], int, bool]:
    """Entries (cookie, name, attributes), the verifier, and whether that was all."""
    answer: Any = wire.READDIR_result.from_address(body)
    entries = []
    address = answer.ok.entries
    while address:
        entry: Any = wire.entry.from_address(address)
        name = decode_name(libnfs.bytes_at(entry.name.bytes, entry.name.size))
        entries.append((entry.cookie, name, decode_attributes(entry.attributes)))
        address = entry.next
    return entries, answer.ok.verifier, bool(answer.ok.eof)


_DECODERS: dict[int, Callable[[int], Any]] = {
    wire.GETFH: _getfh,
    wire.GETATTR: _getattr,
    wire.OPEN: _open,
    wire.OPEN_CONFIRM: _open_confirm,
    wire.READ: _read,
    wire.WRITE: _write,
    wire.SETCLIENTID: _setclientid,
    wire.READDIR: _readdir,
}
