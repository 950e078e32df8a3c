"""NFSv4.0 (RFC 7530). Most of what Berth does is one COMPOUND: a call that carries several operations in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from berth.nfs import v4_attributes as attributes
from berth.nfs import v4_compound as compound
from berth.nfs.message import ROOT, Identity, encode_call, encode_credential
from berth.nfs.names import encode_name, is_name
from berth.nfs.programs import NFS4
from berth.nfs.rpc import Connection
from berth.nfs.session import (
    CHUNK,
    Attributes,
    DirectoryEntry,
    FsStat,
    NfsNode,
    OnConnection,
    OpenThen,
    Position,
    Then,
)
from berth.nfs.status import NfsError, Status
from berth.nfs.v4_attributes import LISTED, attributes_of, new_attributes
from berth.nfs.v4_compound import (
    GET_HANDLE,
    GO_TO_TOP,
    LOOK,
    LOOK_AT_SPACE,
    NO_STATE,
    SAVE_HANDLE,
    Operation,
    attempt,
    handle_is,
    named,
    on,
    renamed,
    run,
)
from berth.nfs.v4_removals import Removals
from berth.nfs.v4_walk import Walk
from berth.nfs.v4_write import Writer
from berth.nfs.xdr import Reader, hyper, opaque, uint

STEPS_AT_ONCE = 5
"""Parts of a path walked in one COMPOUND: with three operations each they stay below 16, older Linux servers' limit."""
_DIRECTORY = 2


async def speaks_minor(connection: Connection, minor: int) -> bool:
    """Whether the server takes calls of NFSv4.minor. Asked with a COMPOUND of no operations, which leaves no trace."""
    status = await connection.call(compound.COMPOUND, compound.encode([], minor), Reader.uint)
    return status != Status.MINOR_VERS_MISMATCH


def walk_call(path: str) -> bytes:
    """One whole call, as it goes over TCP, for those who can send bytes only: from the server's top to path, as root.

    It succeeds where the server hands path out.
    """
    walk = [GO_TO_TOP, *(named(compound.LOOKUP, part) for part in path.split("/") if part)]
    return encode_call(1, NFS4, compound.COMPOUND, encode_credential(ROOT, b"probe"), compound.encode(walk))


async def open_session(connection: Connection, export: str) -> SessionV4:
    """A session on a connection to the NFS program, at the export. Takes the connection over, also when it fails."""
    try:
        top, values = (await run(connection, [GO_TO_TOP, GET_HANDLE, LOOK], ROOT))[1:]
        session = SessionV4(connection, NfsNode(top, values))
        parts = [part for part in export.split("/") if part]
        found, error = await session.walk(top, parts, ROOT)
        if error is not None:
            raise error
        if len(found) < len(parts) or (found and found[-1].attributes.kind != "directory"):
            raise NfsError(Status.NOTDIR, "NFS4ERR_NOTDIR")
        if found:
            session.root = found[-1]
    except BaseException:
        connection.close()
        raise
    return session


class SessionV4(OnConnection):
    """See nfs/session.py for the contract."""

    def __init__(self, connection: Connection, root: NfsNode) -> None:
        super().__init__(connection, root)
        self._writer = Writer(connection)
        self._removals = Removals(connection)

    @property
    def version(self) -> str:
        return "4.0"

    async def attributes(self, handle: bytes) -> Attributes:
        found: Attributes = (await self._run(ROOT, on(handle), LOOK))[-1]
        return found

    @property
    def does_more(self) -> bool:
        return True

    async def walk(
        self, start: bytes, parts: Sequence[str], who: Identity, then: Then | None = None
    ) -> tuple[list[NfsNode], NfsError | None]:
        found: list[NfsNode] = []
        for first in range(0, len(parts), STEPS_AT_ONCE):
            some = parts[first : first + STEPS_AT_ONCE]
            is_last = first + len(some) == len(parts)
            nodes, error = await self._walk(start, some, who, then if is_last else None)
            for node in nodes:
                found.append(node)
                # Looking something up in what is no directory is the next step's error: the walk ended one before.
                if node.attributes.kind != "directory":
                    return found, None
            if len(nodes) < len(some):
                return found, error
            start = found[-1].handle
        return found, None

    async def _walk(
        self, start: bytes, parts: Sequence[str], who: Identity, then: Then | None
    ) -> tuple[list[NfsNode], NfsError | None]:
        owner = await self._writer.lend_owner() if isinstance(then, OpenThen) else None
        walk = Walk(start, parts, then, owner)
        results, error = await attempt(self._connection, walk.operations, who, guarded=walk.is_guarded)
        nodes = walk.found(results, error)
        if isinstance(then, OpenThen):
            if then.opened is None and len(nodes) == len(parts) - 1:  # put will try it, and say why not
                return await self._walk(start, parts, who, None)
            then.who = who
        if then is not None and error is not None and error.code == Status.RESOURCE:  # too much for one call
            return await self._walk(start, parts, who, None)
        return nodes, error

    async def make_directory(
        self, directory: bytes, name: str, *, mode: int, uid: int | None, gid: int | None, who: Identity
    ) -> NfsNode:
        arguments = uint(_DIRECTORY) + opaque(encode_name(name)) + new_attributes(mode, uid, gid)
        creating = Operation(compound.CREATE, arguments)
        handle, values = (await self._run(who, on(directory), creating, GET_HANDLE, LOOK))[-2:]
        return NfsNode(handle, values)

    async def change(
        self, handle: bytes, *, mode: int | None = None, uid: int | None = None, gid: int | None = None, who: Identity
    ) -> None:
        arguments = NO_STATE.encoded() + new_attributes(mode, uid, gid)
        await self._run(who, on(handle), Operation(compound.SETATTR, arguments))

    async def put(
        self,
        directory: bytes,
        temporary: str,
        name: str,
        content: bytes,
        *,
        exclusive: bool,
        who: Identity,
        opened: Any = None,
    ) -> None:
        file = opened or await self._writer.open(directory, temporary, who)
        await self._writer.write(file, directory, (temporary, name), content, exclusive=exclusive, who=who)

    async def give_up(self, directory: bytes, temporary: str, opened: Any, who: Identity) -> None:
        await self._writer.give_up(opened, directory, temporary, who)

    async def read(self, handle: bytes, limit: int, who: Identity) -> bytes:
        content = b""
        while len(content) < limit:
            count = min(CHUNK, limit - len(content))
            # The state of zeros: reading without having opened, which needs no state on the server.
            arguments = NO_STATE.encoded() + hyper(len(content)) + uint(count)
            data, is_end = (await self._run(who, on(handle), Operation(compound.READ, arguments)))[-1]
            content += data
            if is_end or not data:
                break
        return content[:limit]

    async def rename(
        self, source: bytes, name: str, target: bytes, new_name: str, who: Identity, *, only: bytes | None = None
    ) -> None:
        check = [] if only is None else [on(source), named(compound.LOOKUP, name), handle_is(only)]
        move = (on(source), SAVE_HANDLE, on(target), renamed(name, new_name))
        await self._run(who, *check, *move, guarded=True)

    async def remove(self, directory: bytes, name: str, *, is_directory: bool, who: Identity) -> None:
        await self._run(who, on(directory), named(compound.REMOVE, name), guarded=True)

    async def remove_files(self, directory: bytes, names: Sequence[str], who: Identity) -> list[NfsError | None]:
        return await self._removals.remove(directory, names, who)

    async def read_directory(
        self, handle: bytes, position: Position, who: Identity
    ) -> tuple[list[DirectoryEntry], Position | None]:
        arguments = hyper(position.cookie) + hyper(position.verifier) + uint(CHUNK) + uint(CHUNK) + LISTED
        reading = Operation(compound.READDIR, arguments)
        entries, verifier, is_end = (await self._run(who, on(handle), reading))[-1]
        found: list[DirectoryEntry] = []
        cookie = position.cookie
        for cookie, name, values in entries:  # noqa: B007 - the last one is where to go on
            if is_name(name):
                is_known = attributes.FILEHANDLE in values and not values.get(
                    attributes.RDATTR_ERROR
                )  # Linux sends it when all is well, too
                node = NfsNode(values[attributes.FILEHANDLE], attributes_of(values)) if is_known else None
                found.append(DirectoryEntry(name, node, values.get(attributes.MOUNTED_ON_FILEID, 0)))
        # An answer without entries that is not the end would be asked for again for ever.
        return found, None if is_end or cookie == position.cookie else Position(cookie, verifier)

    async def space(self) -> FsStat:
        values = (await self._run(ROOT, on(self.root.handle), LOOK_AT_SPACE))[-1]
        numbers = (attributes.SPACE_TOTAL, attributes.SPACE_AVAIL, attributes.FILES_TOTAL, attributes.FILES_AVAIL)
        return FsStat(*(values.get(number, 0) for number in numbers))

    async def _run(self, who: Identity, *operations: Operation, guarded: bool = False) -> list[Any]:
        return await run(self._connection, operations, who, guarded=guarded)
