"""libnfs (Debian's libnfs13 or libnfs14) through ctypes: the calls that Berth uses, and nothing about what they mean.

Only libnfs's raw layer is used: one call is one remote procedure, on file handles instead of paths. Paths would be
walked by the library, which follows symbolic links; a handle can't be swapped by whoever owns the directory above it.
All calls are made by the event loop's thread and never block: sockets are non-blocking, names are resolved elsewhere.
PyDLL keeps the interpreter's lock during a call, which is cheaper than giving it back for a few microseconds.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import c_char_p, c_int, c_uint32, c_void_p
from functools import cache
from typing import Any

SONAMES = ("libnfs.so.14", "libnfs.so.13")
"""The versions whose structures are known: 13 is libnfs 4 (Debian 12), 14 is libnfs 5 (Debian 13)."""

SUCCESS = 0
"""RPC_STATUS_SUCCESS; anything else says that there is no reply to decode."""
READABLE, WRITABLE = 1, 4
"""POLLIN and POLLOUT, as rpc_service and rpc_which_events spell them."""

Callback = ctypes.CFUNCTYPE(None, c_void_p, c_int, c_void_p, c_void_p)
"""rpc_cb: context, status, reply (an error's text on failure), the token that the call was made with."""

Start = Callable[[int, Any, int], int]
"""Queues one call: context, callback, token. Negative when that is impossible."""


class LibraryMissing(Exception):  # noqa: N818
    """libnfs is not installed."""


def struct(name: str, /, **fields: Any) -> type[ctypes.Structure]:
    """A C structure with these members, in this order."""
    return type(name, (ctypes.Structure,), {"_fields_": list(fields.items())})


def union(name: str, /, **fields: Any) -> type[ctypes.Union]:
    """A C union of these members."""
    return type(name, (ctypes.Union,), {"_fields_": list(fields.items())})


def result(name: str, /, **fields: Any) -> type[ctypes.Structure]:
    """A procedure's result: a status, and behind it (where the status is 0) these members."""
    return struct(name, status=c_uint32, ok=struct(f"{name}ok", **fields))


def bytes_at(address: int | None, size: int) -> bytes:
    """A copy of size bytes of a reply; empty for a null pointer."""
    return ctypes.string_at(address, size) if address and size else b""


@cache
def load() -> ctypes.PyDLL:
    """The library, with the types of its calls declared. LibraryMissing tells which packages hold it."""
    for soname in SONAMES:
        try:
            library = ctypes.PyDLL(soname)
        except OSError:
            continue
        _declare(library)
        return library
    raise LibraryMissing(
        f"none of {', '.join(SONAMES)} is installed; the Debian packages libnfs13 and libnfs14 hold them"
    )


def _declare(library: ctypes.PyDLL) -> None:
    context = c_void_p
    signatures: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "rpc_init_context": (context, ()),
        "rpc_destroy_context": (None, (context,)),
        "rpc_connect_async": (c_int, (context, c_char_p, c_int, Callback, c_void_p)),
        "rpc_get_fd": (c_int, (context,)),
        "rpc_which_events": (c_int, (context,)),
        "rpc_service": (c_int, (context, c_int)),
        "rpc_get_error": (c_char_p, (context,)),
        "rpc_set_uid": (None, (context, c_int)),
        "rpc_set_gid": (None, (context, c_int)),
        "rpc_pmap2_getport_async": (c_int, (context, c_int, c_int, c_int, Callback, c_void_p)),
        "rpc_mount3_mnt_async": (c_int, (context, Callback, c_char_p, c_void_p)),
        "nfsstat3_to_str": (c_char_p, (c_int,)),
        "nfsstat4_to_str": (c_char_p, (c_int,)),
        "mountstat3_to_str": (c_char_p, (c_int,)),
    }
    procedures = [
        *(f"rpc_nfs3_{name}_async" for name in _NFS3),
        "rpc_nfs4_compound_async",
    ]
    for name in procedures:
        signatures[name] = (c_int, (context, Callback, c_void_p, c_void_p))
    for name, (answer, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype = answer
        function.argtypes = arguments


_NFS3 = (
    "getattr", "setattr", "lookup", "read", "write", "create", "mkdir", "remove", "rmdir", "rename", "link",
    "readdirplus", "fsstat",
)  # fmt: skip
