"""From the server's name to open ports: whose fault is it when nothing answers."""

from __future__ import annotations

import asyncio
import errno
from dataclasses import dataclass, field
from typing import Literal

from berth.doctor.share.probed import Probed, passed, skipped, wrong
from berth.nfs import (
    NFS3,
    NFS4,
    NFS_PORT,
    PORTMAPPER,
    PORTMAPPER_PORT,
    ConnectFailed,
    Connection,
    Registration,
    Resolver,
    RpcError,
    Unresolved,
    connected,
    portmapper,
    spelling,
)
from berth.volumes.share import ShareAddress

PortState = Literal["open", "refused", "silent", "unreachable", "failed"]
_STATES: dict[str, PortState] = {
    errno.errorcode[errno.ECONNREFUSED]: "refused",
    errno.errorcode[errno.EHOSTUNREACH]: "unreachable",
    errno.errorcode[errno.ENETUNREACH]: "unreachable",
    errno.errorcode[errno.ETIMEDOUT]: "silent",
}


@dataclass(frozen=True, slots=True)
class Door:
    """One port of one address, as it was found."""

    address: str
    port: int
    state: PortState
    status: str = ""


@dataclass(frozen=True, slots=True)
class Name:
    """What the server's name leads to."""

    addresses: tuple[str, ...]
    probe: Probed


@dataclass(frozen=True, slots=True)
class Reached:
    """What is known of the server's ports."""

    nfs: tuple[Door, ...]
    """The NFS port of each address, in the resolver's order."""
    portmapper: Door | None
    """Of the address that is used; None where nobody has to ask it."""
    registered: tuple[Registration, ...] | None = None
    """What the portmapper knows; None when it can't be asked."""
    trouble: str = ""
    """Why it can't be asked, though its port is open."""
    elsewhere: int = field(default=0)
    """The port on which the portmapper knows NFS, where that is another one."""

    @property
    def best(self) -> Door:
        """The address that is used: the first that takes connections, else the first."""
        return next((door for door in self.nfs if door.state == "open"), self.nfs[0])

    def port_of(self, program: tuple[int, int]) -> int:
        """The TCP port on which a program is registered; 0 when it is not."""
        known = self.registered or ()
        return next((each.port for each in known if each.is_tcp and (each.program, each.version) == program), 0)


async def look_up(target: ShareAddress, deadline: float) -> Name:
    """The server's addresses."""
    server = spelling(target.server)
    resolver = Resolver(deadline=deadline)
    try:
        addresses = await resolver.addresses(server)
    except Unresolved as error:
        case = "unknown"
        if error.status in ("EAI_AGAIN", "ETIMEDOUT"):
            case = "no-answer"
        elif server.endswith((".svc", ".svc.cluster.local")):
            case = "cluster-name"
        return Name((), wrong("dns", case, server=server, why=error.why, status=error.status))
    finally:
        await resolver.aclose()
    if addresses == (server,):
        return Name(addresses, passed("dns", "address", server=server))
    return Name(addresses, passed("dns", "known", server=server, addresses=", ".join(addresses)))


async def look_at_ports(target: ShareAddress, addresses: tuple[str, ...], deadline: float) -> Reached:
    """Which ports take connections, and what the portmapper knows."""
    port = target.port or NFS_PORT
    doors = await asyncio.gather(*(knock(address, port, deadline) for address in addresses))
    ground = Reached(tuple(doors), None)
    if target.port and target.mountport:
        return ground
    mapper = await knock(ground.best.address, PORTMAPPER_PORT, deadline)
    registered, trouble = None, ""
    if mapper.state == "open":
        try:
            async with (
                asyncio.timeout(deadline),
                connected(mapper.address, PORTMAPPER_PORT, PORTMAPPER) as connection,
            ):
                registered = await portmapper.registrations(connection)
        except TimeoutError:
            trouble = f"no answer within {deadline:g} s"
        except RpcError as error:
            trouble = str(error)
    ground = Reached(ground.nfs, mapper, registered, trouble)
    found = ground.port_of(NFS4) or ground.port_of(NFS3)
    return Reached(ground.nfs, mapper, registered, trouble, found if found != port else 0)


async def knock(address: str, port: int, deadline: float) -> Door:
    """Whether a port takes connections."""
    connection = Connection(address, port, *PORTMAPPER)
    try:
        async with asyncio.timeout(deadline):
            await connection.connect()
    except TimeoutError:
        return Door(address, port, "silent", "ETIMEDOUT")
    except ConnectFailed as error:
        return Door(address, port, _STATES.get(error.status, "failed"), error.status)
    finally:
        connection.close()
    return Door(address, port, "open")


def judge_nfs_port(ground: Reached, deadline: float) -> Probed:
    """What the states of the NFS port mean."""
    best = ground.best
    facts: dict[str, str | int] = {
        "address": best.address,
        "port": best.port,
        "status": best.status,
        "deadline": f"{deadline:g}",
    }
    if best.state == "open":
        shut = [door.address for door in ground.nfs if door.state != "open"]
        if shut:
            return wrong("nfs-port", "some", **facts, shut=", ".join(shut))
        return passed("nfs-port", "open", **facts)
    if best.state == "refused" and ground.elsewhere:
        return wrong("nfs-port", "elsewhere", **facts, other=ground.elsewhere)
    if best.state == "silent" and ground.portmapper and ground.portmapper.state in ("open", "refused"):
        return wrong("nfs-port", "filtered", **facts)
    return wrong("nfs-port", best.state, **facts)


def judge_portmapper(ground: Reached, *, speaks_3: bool, speaks_4: bool, deadline: float) -> Probed:
    """The portmapper's port: NFSv3 needs it, NFSv4 does not; without either it only tells of the host."""
    door = ground.portmapper
    if door is None:
        return skipped("portmapper-port", "not-asked")
    facts = {"address": door.address, "status": door.status, "deadline": f"{deadline:g}"}
    if door.state == "open":
        return passed("portmapper-port", "open", **facts)
    if speaks_4:
        return skipped("portmapper-port", "not-needed", **facts)
    case = door.state if door.state in ("refused", "silent") else "failed"
    shut = wrong("portmapper-port", case, **facts)
    return shut if speaks_3 else shut.as_harmless()
