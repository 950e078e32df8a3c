"""The attributes of NFSv4 (RFC 7530 section 5): which there are, how they are asked for, told and set."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Any, NamedTuple

from berth.nfs.session import Attributes, FileKind
from berth.nfs.xdr import Malformed, Reader, opaque, uint

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


def mask(*numbers: int) -> bytes:
    """A set of attributes."""
    words = [0] * (max(numbers) // 32 + 1)
    for number in numbers:
        words[number // 32] |= 1 << (number % 32)
    return uint(len(words)) + b"".join(map(uint, words))


LISTED = mask(TYPE, SIZE, FSID, RDATTR_ERROR, FILEHANDLE, FILEID, MODE, OWNER, OWNER_GROUP, MOUNTED_ON_FILEID)
"""What is asked for with each entry of a directory."""
LOOKED_AT = mask(TYPE, SIZE, FSID, FILEID, MODE, OWNER, OWNER_GROUP)
"""What makes Attributes."""
SPACE = mask(FILES_AVAIL, FILES_TOTAL, SPACE_AVAIL, SPACE_TOTAL)


@lru_cache(maxsize=256)
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


class Raw(NamedTuple):
    """Attributes as they are on the wire."""

    bits: bytes
    """Which they are."""
    values: bytes


def read_raw(reader: Reader) -> Raw:
    """Attributes that are to be decoded later, or that were decoded before."""
    return Raw(reader.words(8), reader.opaque())


def decode_attributes(raw: Raw) -> dict[int, Any]:
    """Values by attribute's number. Malformed when the server sends one that was not asked for."""
    bits, reader = raw.bits, Reader(raw.values)
    layout = _layouts.get(bits)
    if layout is None:
        layout = _layout(bits)
        if len(_layouts) < _MOST_LAYOUTS:
            _layouts[bits] = layout
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


@lru_cache(maxsize=1024)
def looked_at(raw: Raw) -> Attributes:
    """What LOOKED_AT tells; remembered, as most calls come by the same few directories."""
    return attributes_of(decode_attributes(raw))


def attributes_of(values: dict[int, Any]) -> Attributes:
    """What is looked at of all that was told."""
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
