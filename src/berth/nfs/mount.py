"""MOUNT, version 3 (RFC 1813, appendix I): the protocol that hands out an export's root for NFSv3."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from berth.nfs.errors import CallRejected
from berth.nfs.names import decode_name, encode_name
from berth.nfs.rpc import Connection
from berth.nfs.status import NfsError, Status, status_name
from berth.nfs.xdr import Reader, opaque

MNT, UMNT, EXPORT = 1, 3, 5
_AUTH_NONE, _AUTH_SYS = 0, 1
_FLAVOURS = {390003: "krb5", 390004: "krb5i", 390005: "krb5p"}
"""Pseudo-flavours of RPCSEC_GSS with Kerberos (RFC 2623)."""
_MOST_FLAVOURS = 32
_LONGEST = 4096
"""Bytes of a path, or of a client's name."""


class Offered(NamedTuple):
    """One export, as `showmount -e` shows it."""

    path: str
    clients: tuple[str, ...]
    """Who may mount it; nobody named means everybody."""

    def __str__(self) -> str:
        return f"{self.path} ({', '.join(self.clients)})" if self.clients else self.path


async def mount(mountd: Connection, export: str) -> bytes:
    """The handle of an export's root. NfsError with mountd's status (MNT3ERR_…) when it is not handed out, and with
    WRONGSEC where it is, for other security flavours than ours (RFC 1813, section 5.2.1: auth_flavors); the error's
    name then lists them: `sec=krb5:krb5p`.
    """
    return await mountd.call(MNT, opaque(encode_name(export)), read_mounted)


def read_mounted(reader: Reader) -> bytes:
    """The answer to MNT: see mount."""
    status = reader.uint()
    if status:
        raise NfsError(status, status_name("MNT3ERR", status))
    handle = reader.opaque(64)
    flavours = [reader.uint() for _ in range(min(reader.uint(), _MOST_FLAVOURS))]
    # Older servers list none, and AUTH_NONE means that any will do (nfs_verify_authflavors of Linux).
    if flavours and not {_AUTH_NONE, _AUTH_SYS} & set(flavours):
        named = ":".join(_FLAVOURS.get(flavour, str(flavour)) for flavour in flavours)
        raise NfsError(Status.WRONGSEC, f"sec={named}")
    return handle


async def forget_mount(mountd: Connection, export: str) -> None:
    """Has mountd strike us from its list of those who mounted (`showmount -a`). What it handed out stays good."""
    with suppress(CallRejected):
        await mountd.call(UMNT, opaque(encode_name(export)), lambda _: None)


async def exports(mountd: Connection) -> tuple[Offered, ...]:
    """All that a server exports over NFSv3 (`showmount -e`)."""

    def decode(reader: Reader) -> tuple[Offered, ...]:
        found: list[Offered] = []
        while reader.another(found):
            path = decode_name(reader.opaque(_LONGEST))
            clients: list[str] = []
            while reader.another(clients):
                clients.append(decode_name(reader.opaque(_LONGEST)))
            found.append(Offered(path, tuple(clients)))
        return tuple(found)

    return await mountd.call(EXPORT, b"", decode)
