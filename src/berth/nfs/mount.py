"""MOUNT, version 3 (RFC 1813, appendix I): the protocol that hands out an export's root for NFSv3."""

from __future__ import annotations

from contextlib import suppress

from berth.nfs.names import encode_name
from berth.nfs.rpc import CallRejected, Connection
from berth.nfs.status import NfsError, status_name
from berth.nfs.xdr import Reader, opaque

MNT, UMNT = 1, 3


async def mount(mountd: Connection, export: str) -> bytes:
    """The handle of an export's root. NfsError with mountd's status (MNT3ERR_…) when it is not handed out."""

    def decode(reader: Reader) -> bytes:
        status = reader.uint()
        if status:
            raise NfsError(status, status_name("MNT3ERR", status))
        return reader.opaque(64)

    return await mountd.call(MNT, opaque(encode_name(export)), decode)


async def forget_mount(mountd: Connection, export: str) -> None:
    """Has mountd strike us from its list of those who mounted (`showmount -a`). What it handed out stays good."""
    with suppress(CallRejected):
        await mountd.call(UMNT, opaque(encode_name(export)), lambda _: None)
