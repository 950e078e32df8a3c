"""When something on a file system was made, which os.stat does not tell. Blocking."""

from __future__ import annotations

import ctypes
import os
import struct

_LIBC = ctypes.CDLL(None, use_errno=True)
_EMPTY_PATH, _NO_FOLLOW = 0x1000, 0x100
_BIRTH = 0x800
_SIZE, _BIRTH_AT = 256, 80
_MASK, _TIME = struct.Struct("=I"), struct.Struct("=qI")


def born(directory: int, name: str = "") -> int:
    """When a name in an open directory was made, or without a name what was opened itself, in nanoseconds.

    0 where the file system does not keep that, or the system may not be asked.
    """
    answer = ctypes.create_string_buffer(_SIZE)
    flags = _NO_FOLLOW if name else _EMPTY_PATH
    if not hasattr(_LIBC, "statx") or _LIBC.statx(directory, os.fsencode(name), flags, _BIRTH, answer) != 0:
        return 0
    if not _MASK.unpack_from(answer)[0] & _BIRTH:
        return 0
    seconds, nanoseconds = _TIME.unpack_from(answer, _BIRTH_AT)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)
