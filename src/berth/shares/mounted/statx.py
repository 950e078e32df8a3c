"""What os.stat does not tell of something on a file system: when it was made, and whether it is mounted. Blocking."""

from __future__ import annotations

import ctypes
import os
import struct

_LIBC = ctypes.CDLL(None, use_errno=True)
_EMPTY_PATH, _NO_FOLLOW = 0x1000, 0x100
_BIRTH = 0x800
_MOUNT_ROOT = 0x2000
_SIZE, _ATTRIBUTES_AT, _SUPPORTED_AT, _BIRTH_AT = 256, 8, 56, 80
_MASK, _FLAGS, _TIME = struct.Struct("=I"), struct.Struct("=Q"), struct.Struct("=qI")
_NFS = 0x6969


def born(directory: int, name: str = "") -> int:
    """When a name in an open directory was made, or without a name what was opened itself, in nanoseconds.

    0 where the file system does not keep that, or the system may not be asked.
    """
    answer = _statx(directory, name, _BIRTH)
    if answer is None or not _MASK.unpack_from(answer)[0] & _BIRTH:
        return 0
    seconds, nanoseconds = _TIME.unpack_from(answer, _BIRTH_AT)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)


def may_be_mounted(directory: int) -> bool:
    """Whether an open directory, which has another number than its parent has for it, is what is mounted there.

    False only where this system would know of the mount: on NFS it is the server's, and overlays just number twice.
    """
    answer = _statx(directory, "", 0)
    if answer is None or not _FLAGS.unpack_from(answer, _SUPPORTED_AT)[0] & _MOUNT_ROOT or _is_on_nfs(directory):
        return True
    return bool(_FLAGS.unpack_from(answer, _ATTRIBUTES_AT)[0] & _MOUNT_ROOT)


def _statx(directory: int, name: str, mask: int) -> ctypes.Array[ctypes.c_char] | None:
    """What the system answers; None where it does not."""
    answer = ctypes.create_string_buffer(_SIZE)
    flags = _NO_FOLLOW if name else _EMPTY_PATH
    if not hasattr(_LIBC, "statx") or _LIBC.statx(directory, os.fsencode(name), flags, mask, answer) != 0:
        return None
    return answer


def _is_on_nfs(directory: int) -> bool:
    answer = ctypes.create_string_buffer(_SIZE)
    return _LIBC.fstatfs(directory, answer) != 0 or ctypes.c_long.from_buffer(answer).value == _NFS
