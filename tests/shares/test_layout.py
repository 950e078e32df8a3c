"""The structures that are shared with libnfs are as large as libnfs's own (libnfs-dev 4.0.0 and 5.0.2, 64 bit)."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

from berth.shares import nfs3_types, nfs4_types

SIZES = {
    nfs3_types: {
        "handle": 16,
        "place": 24,
        "new_attributes": 64,
        "attributes": 88,
        "maybe_attributes": 96,
        "maybe_handle": 24,
        "change": 128,
        "SETATTR_args": 96,
        "READ_args": 32,
        "WRITE_args": 48,
        "CREATE_args": 96,
        "MKDIR_args": 88,
        "RENAME_args": 48,
        "LINK_args": 40,
        "READDIRPLUS_args": 40,
        "entry": 152,
    },
    nfs4_types: {
        "bitmap": 16,
        "attributes": 32,
        "state": 16,
        "CREATE_args": 72,
        "WRITE_args": 48,
        "READ_args": 32,
        "READDIR_args": 40,
        "RENAME_args": 32,
        "SETATTR_args": 48,
        "CLOSE_args": 20,
        "OPEN_CONFIRM_args": 20,
        "SETCLIENTID_args": 56,
        "SETCLIENTID_CONFIRM_args": 16,
        "COMPOUND_args": 40,
        "COMPOUND": 40,
        "entry": 64,
    },
}
OFFSETS = [
    (nfs3_types.CREATE_args, "attributes", 32),
    (nfs3_types.LOOKUP, "ok.attributes", 24),
    (nfs3_types.READ, "ok.bytes", 120),
    (nfs3_types.WRITE, "ok.committed", 140),
    (nfs3_types.CREATE, "ok.attributes", 32),
    (nfs3_types.READDIRPLUS, "ok.eof", 120),
    (nfs3_types.entry, "handle", 120),
    (nfs3_types.FSSTAT, "ok.available_files", 144),
    (nfs3_types.MNT, "ok.handle.bytes", 16),
    (nfs4_types.OPEN_args, "how.attributes", 56),
    (nfs4_types.OPEN_args, "file", 96),
    (nfs4_types.SETCLIENTID_args, "callback_ident", 48),
    (nfs4_types.OPEN_result, "ok.flags", 48),
    (nfs4_types.READ_result, "ok.data", 16),
    (nfs4_types.WRITE_result, "ok.count", 4),
    (nfs4_types.OPEN_CONFIRM_result, "ok.state", 4),
    (nfs4_types.SETCLIENTID_result, "ok.verifier", 16),
    (nfs4_types.READDIR_result, "ok.eof", 24),
    (nfs4_types.GETATTR_result, "ok.attributes.values", 24),
    (nfs4_types.GETFH_result, "ok.handle", 8),
    (nfs4_types.entry, "next", 56),
]


@pytest.mark.parametrize(
    ("module", "name", "size"),
    [(module, name, size) for module, sizes in SIZES.items() for name, size in sizes.items()],
)
def test_size(module: Any, name: str, size: int) -> None:
    assert ctypes.sizeof(getattr(module, name)) == size


@pytest.mark.parametrize(("structure", "member", "offset"), OFFSETS)
def test_offset(structure: Any, member: str, offset: int) -> None:
    at = 0
    for name in member.split("."):
        at += getattr(structure, name).offset
        structure = dict(structure._fields_)[name]
    assert at == offset
