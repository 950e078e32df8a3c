"""The portmapper (RFC 1833, version 2): on which port a program is."""

from __future__ import annotations

from berth.nfs.rpc import Connection
from berth.nfs.xdr import Reader, uint

GETPORT = 3
TCP = 6


async def port_of(portmapper: Connection, program: int, version: int) -> int:
    """The TCP port of a program, as the portmapper tells; 0 when it knows none."""
    arguments = uint(program) + uint(version) + uint(TCP) + uint(0)
    port = await portmapper.call(GETPORT, arguments, Reader.uint)
    return port if port < 1 << 16 else 0
