"""The portmapper (RFC 1833, version 2): which programs a server has, and on which ports."""

from __future__ import annotations

from typing import NamedTuple

from berth.nfs.rpc import Connection
from berth.nfs.xdr import Reader, uint

GETPORT, DUMP = 3, 4
TCP = 6


class Registration(NamedTuple):
    """One program, as it is registered."""

    program: int
    version: int
    is_tcp: bool
    port: int


async def port_of(portmapper: Connection, program: int, version: int) -> int:
    """The TCP port of a program, as the portmapper tells; 0 when it knows none."""
    arguments = uint(program) + uint(version) + uint(TCP) + uint(0)
    port = await portmapper.call(GETPORT, arguments, Reader.uint)
    return port if port < 1 << 16 else 0


async def registrations(portmapper: Connection) -> tuple[Registration, ...]:
    """All that is registered (`rpcinfo -p`)."""

    def decode(reader: Reader) -> tuple[Registration, ...]:
        found: list[Registration] = []
        while reader.another(found):
            number, version, protocol, port = (reader.uint() for _ in range(4))
            found.append(Registration(number, version, protocol == TCP, port))
        return tuple(found)

    return await portmapper.call(DUMP, b"", decode)
