"""From a share's address to a session on its server: name, port, mount, and which of these failed.

Without a version in the mount options NFSv4 comes first, then v3, as mount(8) does it, so that Berth works in the same
directory as the pods: a server's v4 paths need not be its v3 paths.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import TypeVar

from berth.nfs import (
    DENIED,
    GONE,
    MOUNTD,
    NFS3,
    NFS4,
    NFS_PORT,
    PORTMAPPER,
    PORTMAPPER_PORT,
    CallRejected,
    ConnectFailed,
    Connection,
    ConnectionLost,
    NfsError,
    Resolver,
    Session,
    Status,
    Unresolved,
    mount,
    portmapper,
    v3,
    v4,
)
from berth.volumes.errors import FailureStage, Refused, Unavailable
from berth.volumes.share import Guard, ShareAddress, always

T = TypeVar("T")

PATIENCE = 3.0
"""Seconds for one of several addresses of a server to take a connection, before the next is tried."""

_FARTHEST: tuple[FailureStage, ...] = ("dns", "connect", "timeout", "mount")
"""Of several failed attempts, the one that came farthest is told."""


class Dialer:
    """Makes sessions for one share, one at a time. Remembers which version worked."""

    def __init__(self, address: ShareAddress, resolver: Resolver, deadline: float, guard: Guard = always) -> None:
        """deadline: seconds for one attempt, all steps and versions together. guard: of the sessions."""
        self._address = address
        self._resolver = resolver
        self._deadline = deadline
        self._guard = guard
        self._versions = _versions(address)
        self._stage: FailureStage = "dns"
        self._doing = ""

    async def dial(self) -> Session:
        """A session whose root is the export. Unavailable says how far it got."""
        try:
            async with asyncio.timeout(self._deadline):
                return await self._dial()
        except TimeoutError as error:
            why = f"no answer to {self._doing} within {self._deadline:g} s"
            raise self._unavailable(self._stage, why, "ETIMEDOUT") from error

    async def _dial(self) -> Session:
        self._at("dns", f"the question for the address of {self._address.server}")
        try:
            addresses = await self._resolver.addresses(self._address.server)
        except Unresolved as error:
            raise self._unavailable("dns", str(error), error.status) from error
        failures: list[Unavailable] = []
        for version in self._versions:
            try:
                session = await (self._dial_4(addresses) if version == "4" else self._dial_3(addresses))
            except Unavailable as failure:
                failures.append(failure)
            else:
                self._versions = (version,)
                return session
        if any(isinstance(failure.__cause__, CallRejected) for failure in failures):
            self._versions = _versions(self._address)  # the server no longer speaks what it spoke
        raise max(failures, key=lambda failure: _FARTHEST.index(failure.stage))

    async def _dial_4(self, addresses: tuple[str, ...]) -> Session:
        connection = await self._connect(addresses, self._address.port or NFS_PORT, NFS4)
        return await self._mounting("NFSv4", v4.open_session(connection, self._address.export))

    async def _dial_3(self, addresses: tuple[str, ...]) -> Session:
        port, mountport = self._address.port, self._address.mountport
        if not mountport or not port:
            mapper = await self._connect(addresses, PORTMAPPER_PORT, PORTMAPPER)
            addresses = (mapper.address,)
            try:
                self._at("timeout", "the question for the port of mountd")
                mountport = mountport or await self._port(mapper, *MOUNTD)
                port = port or await self._port(mapper, *NFS3)
            finally:
                mapper.close()
        mountd = await self._connect(addresses, mountport, MOUNTD)
        try:
            root = await self._mounting("NFSv3", mount.mount(mountd, self._address.export))
            with suppress(ConnectionLost):
                await mount.forget_mount(mountd, self._address.export)
        finally:
            mountd.close()
        connection = await self._connect((mountd.address,), port, NFS3)
        return await self._mounting("NFSv3", v3.open_session(connection, root))

    async def _port(self, mapper: Connection, program: int, version: int) -> int:
        try:
            port = await portmapper.port_of(mapper, program, version)
        except (CallRejected, ConnectionLost) as error:
            raise self._unavailable("connect", f"the server's portmapper: {error.why}", error.status) from error
        if port:
            return port
        name = "NFSv3" if program == NFS3[0] else "mount service for NFSv3"
        raise self._unavailable("connect", f"the server's portmapper knows no {name}")

    async def _connect(self, addresses: tuple[str, ...], port: int, program: tuple[int, int]) -> Connection:
        failure = ConnectFailed("no address to connect to")
        for address in addresses:
            self._at("connect", f"the attempt to connect to {address} port {port}")
            connection = Connection(address, port, *program, guard=self._guard)
            try:
                async with asyncio.timeout(PATIENCE if len(addresses) > 1 else None):
                    await connection.connect()
            except TimeoutError:
                failure = ConnectFailed(f"{address} port {port} does not answer", "ETIMEDOUT")
            except ConnectFailed as error:
                failure = error
            else:
                return connection
        raise self._unavailable("connect", failure.why, failure.status) from failure

    async def _mounting(self, protocol: str, step: Awaitable[T]) -> T:
        self._at("timeout", f"the {protocol} mount, though the server takes connections,")
        try:
            return await step
        except NfsError as error:
            raise self._unavailable("mount", _why_not(protocol, self._address.export, error), error.name) from error
        except CallRejected as error:
            raise self._unavailable("mount", _why_rejected(protocol, error), error.status) from error
        except ConnectionLost as error:
            raise self._unavailable("connect", f"during the {protocol} mount {error.why}", error.status) from error

    def _at(self, stage: FailureStage, doing: str) -> None:
        """What is being waited for, should the deadline pass."""
        self._stage, self._doing = stage, doing

    def _unavailable(self, stage: FailureStage, why: str, status: str = "") -> Unavailable:
        return Unavailable(str(self._address), stage, why, status=status)


def _versions(address: ShareAddress) -> tuple[str, ...]:
    """Which versions to try, in order. Refused for one that can't be spoken."""
    version = address.version
    if not version:
        return ("4", "3")
    if version in ("3", "4"):
        return (version,)
    if version in ("4.0", "4.1", "4.2"):
        return ("4",)  # nearly every server of 4.1 and 4.2 speaks 4.0 too
    raise Refused("mountOptions", f"NFS version {version!r} can't be used; 3, 4, 4.1 and 4.2 can")


_INSECURE = "the export needs `insecure`, where Berth may not use ports below 1024"


def _why_rejected(protocol: str, error: CallRejected) -> str:
    if error.status in ("PROG_MISMATCH", "PROG_UNAVAIL"):
        return f"the server does not speak {protocol}"
    if error.status == "MSG_DENIED":
        return f"the server takes no {protocol} calls from us: it wants Kerberos, or {_INSECURE}"
    return f"{protocol}: {error.why}"


def _why_not(protocol: str, export: str, error: NfsError) -> str:
    """What to do about a mount that was refused."""
    if error.code in DENIED:
        return f"the server does not hand out {export} to this client, which is not on its list, or {_INSECURE}"
    match error.code:
        case Status.NOENT if protocol == "NFSv4":
            return f"the server has no {export}, or hides it from a client that is not on its list, or {_INSECURE}"
        case Status.NOENT:
            return f"the server has no {export} to mount"
        case Status.NOTDIR | Status.SYMLINK:
            return f"{export} is no directory on the server, or a symbolic link leads to it; use its real path"
        case Status.MINOR_VERS_MISMATCH:
            return (
                "the server refuses NFSv4.0, the only NFSv4 that can be spoken without a mount; put nfsvers=3 into the "
                "class's mountOptions, or mount the share into Berth's pod"
            )
        case Status.WRONGSEC:
            return (
                f"{export} wants another security flavour than sys (Kerberos), which Berth does not speak: export it "
                f"to Berth's host with sec=sys as well, or mount it there and set BERTH_MOUNTED_AT"
            )
        case code if code in GONE:
            return f"the directory behind {export} was replaced; the server must reload its exports (exportfs -r)"
    return f"the server refused the {protocol} mount of {export}"
