"""Which NFS calls change something on the server, read off the wire. Pure; knows what Berth sends, and no more."""

from __future__ import annotations

import struct

_NFS = 100003
_V3_CHANGES = {
    2: "SETATTR", 7: "WRITE", 8: "CREATE", 9: "MKDIR", 10: "SYMLINK", 11: "MKNOD", 12: "REMOVE", 13: "RMDIR",
    14: "RENAME", 15: "LINK",
}  # fmt: skip
_V4_CHANGES = {6: "CREATE", 11: "LINK", 28: "REMOVE", 29: "RENAME", 34: "SETATTR", 38: "WRITE"}
_OPEN, _OPEN_CREATES = 18, 1
_OPAQUE, _BITMAP = "opaque", "bitmap"
_V4_ARGUMENTS: dict[int, tuple[int | str, ...]] = {
    3: (4,), 4: (4, 16), 9: (_BITMAP,), 10: (), 15: (_OPAQUE,), 16: (), 22: (_OPAQUE,), 24: (), 25: (16, 8, 4),
    26: (8, 8, 4, 4, _BITMAP), 30: (8,), 31: (), 32: (), 37: (_BITMAP, _OPAQUE), 36: (8, 8),
}  # fmt: skip
"""Operations that change nothing, by number: what their arguments take up, in bytes where that is fixed."""


class _Reader:
    """XDR, as far as it has to be skipped."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self) -> int:
        (value,) = struct.unpack_from(">I", self._data, self._at)
        self._at += 4
        return int(value)

    def skip(self, what: int | str) -> None:
        if what == _OPAQUE:
            size = self.number()
            self._at += size + -size % 4
        elif what == _BITMAP:
            words = self.number()
            self._at += 4 * words
        else:
            self._at += int(what)


def transaction(record: bytes) -> int:
    """The number that ties a reply to its call."""
    return int.from_bytes(record[:4], "big")


def change_in(call: bytes) -> str:
    """What the call changes (`MKDIR`), empty when it changes nothing."""
    reader = _Reader(call)
    reader.skip(4)
    if reader.number() != 0:  # no call
        return ""
    reader.skip(4)
    program, version, procedure = reader.number(), reader.number(), reader.number()
    for _ in ("credential", "verifier"):
        reader.skip(4)
        reader.skip(_OPAQUE)
    if program != _NFS:
        return ""
    if version == 3:
        return _V3_CHANGES.get(procedure, "")
    return _change_in_compound(reader) if procedure == 1 else ""


def _change_in_compound(reader: _Reader) -> str:
    reader.skip(_OPAQUE)
    reader.skip(4)
    for _ in range(reader.number()):
        operation = reader.number()
        if operation in _V4_CHANGES:
            return _V4_CHANGES[operation]
        if operation == _OPEN:
            for skipped in (4, 4, 4, 8, _OPAQUE):
                reader.skip(skipped)
            return "OPEN" if reader.number() == _OPEN_CREATES else ""
        arguments = _V4_ARGUMENTS.get(operation)
        if arguments is None:  # about clients and their state, not about files
            return ""
        for argument in arguments:
            reader.skip(argument)
    return ""
