"""Having the export handed out, over each NFS version: as mount(8) would ask, without mounting."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from typing import Literal

from berth.nfs import (
    DENIED,
    GONE,
    MOUNTD,
    NFS3,
    NFS4,
    ROOT,
    START,
    CallRejected,
    ConnectFailed,
    Connection,
    ConnectionLost,
    NfsError,
    Offered,
    Position,
    RpcError,
    Session,
    Status,
    connected,
    mount,
    ping,
    v3,
    v4,
)

VersionAnswer = Literal["spoken", "not spoken", "silent", "no NFS"]
MountEnding = Literal[
    "mounted", "not offered", "no mountd", "mountd shut", "silent", "denied", "missing", "not a directory",
    "stale", "kerberos", "refused", "broken",
]  # fmt: skip

_MEANT = 5
"""Paths that may be meant, at most."""
_AS_NEAR = 0.05
"""By how much less like a path one may be to be told beside the nearest."""


@dataclass(frozen=True, slots=True)
class Mounted:
    """What came of asking for the export over one version."""

    ending: MountEnding
    status: str = ""
    """The protocol's or system's name for it."""
    source: tuple[str, int] = ("", 0)
    """From which address and port of ours the server was asked."""
    session: Session | None = None
    """Open, where it was handed out; must be closed."""


async def ask_version(address: str, port: int, program: tuple[int, int], deadline: float) -> VersionAnswer:
    """Does a server speak this version of NFS."""
    try:
        async with asyncio.timeout(deadline), connected(address, port, program) as connection:
            await ping(connection)
    except TimeoutError:
        return "silent"
    except CallRejected as error:
        return "not spoken" if error.status == "PROG_MISMATCH" else "no NFS"
    except RpcError:
        return "no NFS"
    return "spoken"


async def ask_minors(address: str, port: int, deadline: float) -> tuple[int, ...] | None:
    """Which of NFSv4.0, 4.1 and 4.2 a server speaks; None when it does not say."""
    try:
        async with asyncio.timeout(deadline), connected(address, port, NFS4) as connection:
            spoken = await asyncio.gather(*(v4.speaks_minor(connection, minor) for minor in (0, 1, 2)))
    except (TimeoutError, RpcError):
        return None
    return tuple(minor for minor, is_spoken in enumerate(spoken) if is_spoken)


async def ask_exports(address: str, mountport: int, deadline: float) -> tuple[Offered, ...] | str:
    """What mountd exports, or why it does not tell."""
    try:
        async with asyncio.timeout(deadline), connected(address, mountport, MOUNTD) as connection:
            return await mount.exports(connection)
    except TimeoutError:
        return f"no answer within {deadline:g} s"
    except RpcError as error:
        return str(error)


async def mount_3(
    address: str, port: int, mountport: int, export: str, deadline: float, *, reserved: bool = True
) -> Mounted:
    """Over NFSv3: mountd hands the root out, the NFS server must know it."""
    if not mountport:
        return Mounted("no mountd")
    source = ("", 0)
    try:
        async with asyncio.timeout(deadline):
            mountd = Connection(address, mountport, *MOUNTD, reserved=reserved)
            try:
                await mountd.connect()
            except ConnectFailed as error:
                return Mounted("mountd shut", error.status)
            try:
                source = mountd.source
                root = await mount.mount(mountd, export)
                await mount.forget_mount(mountd, export)
            finally:
                mountd.close()
            connection = await _connect(address, port, NFS3, reserved)
            return Mounted("mounted", "", connection.source, await v3.open_session(connection, root))
    except TimeoutError:
        return Mounted("silent" if source[1] else "mountd shut", "ETIMEDOUT", source)
    except (NfsError, RpcError) as error:
        return Mounted(*_ending(error), source)


async def mount_4(address: str, port: int, export: str, deadline: float, *, reserved: bool = True) -> Mounted:
    """Over NFSv4.0: every directory on the way must let us pass."""
    source = ("", 0)
    try:
        async with asyncio.timeout(deadline):
            connection = await _connect(address, port, NFS4, reserved)
            source = connection.source
            return Mounted("mounted", "", source, await v4.open_session(connection, export))
    except TimeoutError:
        return Mounted("silent", "ETIMEDOUT", source)
    except (NfsError, RpcError) as error:
        return Mounted(*_ending(error), source)


async def list_4(address: str, port: int, export: str, deadline: float) -> tuple[str, ...]:
    """Directories over NFSv4 beside the deepest part of export that exists: what may have been meant."""
    try:
        async with asyncio.timeout(deadline), connected(address, port, NFS4) as connection:
            session = await v4.open_session(connection, "/")
            top = session.root.handle
            parts = [part for part in export.split("/") if part]
            found, _ = await session.walk(top, parts, ROOT)
            at = "/" + "".join(f"{part}/" for part in parts[: len(found)])
            entries = []
            position: Position | None = START
            while position is not None:
                some, position = await session.read_directory(found[-1].handle if found else top, position, ROOT)
                entries += [each.name for each in some if each.node and each.node.attributes.kind == "directory"]
    except (TimeoutError, NfsError, RpcError):
        return ()
    return tuple(f"{at}{name}" for name in entries)


def meant_paths(export: str, known: Sequence[str]) -> list[str]:
    """Those among known that are most likely meant: all that end alike, else all that are spelled nearly like it, as
    far as they are as near as the nearest; none where none is like it.
    """
    last = export.rstrip("/").rpartition("/")[2]
    others = list(dict.fromkeys(path for path in known if path != export))
    if same := [path for path in others if last and path.rstrip("/").rpartition("/")[2] == last]:
        return same[:_MEANT]
    close = get_close_matches(export, others, n=_MEANT, cutoff=0.7)
    likeness = {path: SequenceMatcher(None, export, path).ratio() for path in close}
    return [path for path in close if likeness[path] >= likeness[close[0]] - _AS_NEAR]


def above(export: str, known: Sequence[str]) -> str:
    """The path among known that export lies below; empty when it does not."""
    candidates = [path for path in known if export.startswith(path.rstrip("/") + "/")]
    return max(candidates, key=len, default="")


async def _connect(address: str, port: int, program: tuple[int, int], reserved: bool) -> Connection:
    connection = Connection(address, port, *program, reserved=reserved)
    await connection.connect()
    return connection


def _ending(error: NfsError | RpcError) -> tuple[MountEnding, str]:
    if isinstance(error, NfsError):
        endings: dict[int, MountEnding] = {
            Status.NOENT: "missing",
            Status.NOTDIR: "not a directory",
            Status.SYMLINK: "not a directory",
            Status.MINOR_VERS_MISMATCH: "not offered",
            Status.WRONGSEC: "kerberos",
            **dict.fromkeys(DENIED, "denied"),
            **dict.fromkeys(GONE, "stale"),
        }
        return endings.get(error.code, "refused"), error.name
    if isinstance(error, CallRejected):
        if error.status in ("PROG_MISMATCH", "PROG_UNAVAIL"):
            return "not offered", error.status
        if error.status == "MSG_DENIED":
            return "denied", error.status
    return "broken", error.status if isinstance(error, ConnectionLost | ConnectFailed) and error.status else str(error)
