"""Remote calls that only a diagnosis makes: is anybody there, which programs, which exports, which NFSv4.x.

Failures are rpc's; deadlines are the caller's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from berth.nfs.names import decode_name
from berth.nfs.portmapper import TCP
from berth.nfs.rpc import Connection
from berth.nfs.status import Status
from berth.nfs.v4_compound import COMPOUND
from berth.nfs.xdr import Reader, Unreadable, opaque, uint

NULL = 0
_DUMP, _EXPORT = 4, 5
_MOST_ENTRIES = 10_000
"""Of a list in a reply. A server that sends more is broken."""


class Program(NamedTuple):
    """One registration of the portmapper."""

    program: int
    version: int
    is_tcp: bool
    port: int


class Offered(NamedTuple):
    """One export, as `showmount -e` shows it."""

    path: str
    clients: tuple[str, ...]
    """Who may mount it; nobody named means everybody."""

    def __str__(self) -> str:
        return f"{self.path} ({', '.join(self.clients)})" if self.clients else self.path


@asynccontextmanager
async def connected(
    address: str, port: int, program: tuple[int, int], *, reserved: bool = True
) -> AsyncIterator[Connection]:
    """A connection to one program, closed at the end. ConnectFailed."""
    connection = Connection(address, port, *program, reserved=reserved)
    try:
        await connection.connect()
        yield connection
    finally:
        connection.close()


async def ping(connection: Connection) -> None:
    """The procedure that every program has and that does nothing."""
    await connection.call(NULL, b"", lambda _: None)


async def programs(portmapper: Connection) -> tuple[Program, ...]:
    """All that is registered with a portmapper (`rpcinfo -p`)."""

    def decode(reader: Reader) -> tuple[Program, ...]:
        found = []
        while reader.flag():
            number, version, protocol, port = (reader.uint() for _ in range(4))
            found.append(Program(number, version, protocol == TCP, port))
            _check_count(found)
        return tuple(found)

    return await portmapper.call(_DUMP, b"", decode)


async def exports(mountd: Connection) -> tuple[Offered, ...]:
    """All that a server exports over NFSv3 (`showmount -e`)."""

    def decode(reader: Reader) -> tuple[Offered, ...]:
        found: list[Offered] = []
        while reader.flag():
            path = decode_name(reader.opaque(4096))
            clients: list[str] = []
            while reader.flag():
                clients.append(decode_name(reader.opaque(4096)))
                _check_count(clients)
            found.append(Offered(path, tuple(clients)))
            _check_count(found)
        return tuple(found)

    return await mountd.call(_EXPORT, b"", decode)


async def speaks_minor(connection: Connection, minor: int) -> bool:
    """Whether the server takes calls of NFSv4.minor. Asked with a COMPOUND of no operations, which leaves no trace."""
    arguments = opaque(b"") + uint(minor) + uint(0)
    status = await connection.call(COMPOUND, arguments, Reader.uint)
    return status != Status.MINOR_VERS_MISMATCH


def _check_count(found: list[str] | list[Offered] | list[Program]) -> None:
    if len(found) > _MOST_ENTRIES:
        raise Unreadable("the list does not end")
