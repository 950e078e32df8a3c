"""NFSv4.0 (RFC 7530). Most of what Berth does is one COMPOUND: a call that carries several operations in order.

Writing a file needs state on the server: a client id, made on first use and again when the server forgot it, and an
open owner, whose calls must come in order. An owner is lent to one write at a time, and not used again if that fails.
"""

from __future__ import annotations

import asyncio
import ctypes
import random
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from berth.shares import nfs4_types as wire
from berth.shares.nfs4_compound import (
    FILEHANDLE,
    FILES_AVAIL,
    FILES_TOTAL,
    GETATTR,
    GETATTR_SPACE,
    GETFH,
    LISTED,
    PUTROOTFH,
    RDATTR_ERROR,
    SAVEFH,
    SPACE_AVAIL,
    SPACE_TOTAL,
    Operation,
    attempt,
    attributes_of,
    named,
    new_attributes,
    on,
    run,
    size_is,
    text,
)
from berth.shares.rpc import ROOT, Connection, Identity
from berth.shares.session import (
    CHUNK,
    Attributes,
    Found,
    NfsError,
    Node,
    Position,
    Status,
    encode_name,
    is_name,
)
from berth.volumes.share import Space

STEPS_AT_ONCE = 5
"""Parts of a path walked in one COMPOUND: with three operations each they stay below 16, older Linux servers' limit."""
WRITE_AT_ONCE = 2048
"""Bytes of a file in one COMPOUND: libnfs 4 encodes it into a buffer of 4096."""
_FORGOTTEN = frozenset({Status.STALE_CLIENTID, Status.EXPIRED})


@dataclass(slots=True)
class _Owner:
    """An open owner of one client id."""

    client: int
    name: bytes
    seqid: int = 0

    def next(self) -> int:
        """The number of its next call."""
        self.seqid += 1
        return self.seqid


async def open_session(connection: Connection, export: str) -> Session:
    """A session on a connection to the NFS program, at the export. Takes the connection over, also when it fails."""
    try:
        top, attributes = (await run(connection, [PUTROOTFH, GETFH, GETATTR], ROOT))[1:]
        session = Session(connection, Node(top, attributes_of(attributes)))
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


class Session:
    """See session.Session for the contract."""

    def __init__(self, connection: Connection, root: Node) -> None:
        self.root = root
        self._connection = connection
        self._client = 0
        self._registering = asyncio.Lock()
        self._client_name = f"berth {uuid.uuid4()}".encode()
        self._verifier = random.getrandbits(64)
        self._owners: list[_Owner] = []
        self._owner_count = 0

    @property
    def version(self) -> str:
        return "4.0"

    @property
    def is_open(self) -> bool:
        return self._connection.is_open

    @property
    def calls(self) -> int:
        return self._connection.calls

    @property
    def heard(self) -> float:
        return self._connection.heard

    def close(self, why: str = "the connection was closed", status: str = "") -> None:
        self._connection.close(why, status)

    async def attributes(self, handle: bytes) -> Attributes:
        return attributes_of((await self._run(ROOT, on(handle), GETATTR))[-1])

    async def walk(self, start: bytes, parts: Sequence[str], who: Identity) -> tuple[list[Node], NfsError | None]:
        found: list[Node] = []
        for first in range(0, len(parts), STEPS_AT_ONCE):
            operations = [on(start)]
            for part in parts[first : first + STEPS_AT_ONCE]:
                operations += [named(wire.LOOKUP, part), GETFH, GETATTR]
            results, error = await attempt(self._connection, operations, who)
            # Looking something up in what is no directory is the next step's error: the walk ended one before.
            for handle, values in zip(results[2::3], results[3::3], strict=False):
                found.append(Node(handle, attributes_of(values)))
                start = handle
                if found[-1].attributes.kind != "directory":
                    return found, None
            if error is not None:
                return found, error
        return found, None

    async def make_directory(
        self, directory: bytes, name: str, *, mode: int, uid: int | None, gid: int | None, who: Identity
    ) -> Node:
        no_device = (ctypes.c_uint64 * 2)()
        arguments = wire.CREATE_args(wire.DIRECTORY, no_device, text(encode_name(name)), new_attributes(mode, uid, gid))
        handle, values = (await self._run(who, on(directory), (wire.CREATE, arguments), GETFH, GETATTR))[-2:]
        return Node(handle, attributes_of(values))

    async def change(
        self, handle: bytes, *, mode: int | None = None, uid: int | None = None, gid: int | None = None, who: Identity
    ) -> None:
        arguments = wire.SETATTR_args(wire.state(), new_attributes(mode, uid, gid))
        await self._run(who, on(handle), (wire.SETATTR, arguments))

    async def put(
        self, directory: bytes, temporary: str, name: str, content: bytes, *, exclusive: bool, who: Identity
    ) -> None:
        pieces = [content[at : at + WRITE_AT_ONCE] for at in range(0, len(content), WRITE_AT_ONCE)] or [b""]
        owner, handle, state = await self._open(directory, temporary, who)
        try:
            for index, piece in enumerate(pieces[:-1]):
                await self._run(who, on(handle), _write(state, index * WRITE_AT_ONCE, piece))
            operations = [
                on(handle),
                _write(state, len(content) - len(pieces[-1]), pieces[-1]),
                (wire.CLOSE, wire.CLOSE_args(owner.next(), state)),
                # A short write is no error: without this, a part of the content would get the name.
                (wire.VERIFY, size_is(len(content))),
            ]
            if exclusive:
                operations += [SAVEFH, on(directory), named(wire.LINK, name), named(wire.REMOVE, temporary)]
            else:
                operations += [on(directory), SAVEFH, _rename(temporary, name)]
            await self._run(who, *operations)
        except NfsError:
            with suppress(NfsError):
                await self._run(who, on(handle), (wire.CLOSE, wire.CLOSE_args(owner.next(), state)))
            with suppress(NfsError):
                await self.remove(directory, temporary, is_directory=False, who=who)
            raise
        self._owners.append(owner)

    async def read(self, handle: bytes, limit: int, who: Identity) -> bytes:
        content = b""
        while len(content) < limit:
            count = min(CHUNK, limit - len(content))
            # The state of zeros: reading without having opened, which needs no state on the server.
            arguments = wire.READ_args(wire.state(), len(content), count)
            data, is_end = (await self._run(who, on(handle), (wire.READ, arguments)))[-1]
            content += data
            if is_end or not data:
                break
        return content[:limit]

    async def rename(self, source: bytes, name: str, target: bytes, new_name: str, who: Identity) -> None:
        await self._run(who, on(source), SAVEFH, on(target), _rename(name, new_name))

    async def remove(self, directory: bytes, name: str, *, is_directory: bool, who: Identity) -> None:
        await self._run(who, on(directory), named(wire.REMOVE, name))

    async def read_directory(
        self, handle: bytes, position: Position, who: Identity
    ) -> tuple[list[Found], Position | None]:
        arguments = wire.READDIR_args(position.cookie, position.verifier, CHUNK, CHUNK, LISTED)
        entries, verifier, is_end = (await self._run(who, on(handle), (wire.READDIR, arguments)))[-1]
        found: list[Found] = []
        cookie = position.cookie
        for cookie, name, values in entries:  # noqa: B007 - the last one is where to go on
            if is_name(name):
                is_known = FILEHANDLE in values and not values.get(RDATTR_ERROR)  # Linux sends it when all is well, too
                found.append(Found(name, Node(values[FILEHANDLE], attributes_of(values)) if is_known else None))
        # An answer without entries that is not the end would be asked for again for ever.
        return found, None if is_end or cookie == position.cookie else Position(cookie, verifier)

    async def space(self) -> Space:
        values = (await self._run(ROOT, on(self.root.handle), GETATTR_SPACE))[-1]
        numbers = (SPACE_TOTAL, SPACE_AVAIL, FILES_TOTAL, FILES_AVAIL)
        return Space(*(values.get(number, 0) for number in numbers))

    async def _run(self, who: Identity, *operations: Operation) -> list[Any]:
        return await run(self._connection, operations, who)

    async def _open(self, directory: bytes, name: str, who: Identity) -> tuple[_Owner, bytes, ctypes.Structure]:
        """Makes a new file (0600) and opens it. Who opened it, its handle, and the state to write with."""
        owner = await self._lend_owner(forgotten=0)
        try:
            results = await self._run(who, on(directory), _create(owner, name), GETFH)
        except NfsError as error:
            if error.code not in _FORGOTTEN:
                raise
            owner = await self._lend_owner(forgotten=owner.client)
            results = await self._run(who, on(directory), _create(owner, name), GETFH)
        (state, flags), handle = results[1:]
        if flags & wire.MUST_CONFIRM:
            confirm = wire.OPEN_CONFIRM_args(state, owner.next())
            state = (await self._run(who, on(handle), (wire.OPEN_CONFIRM, confirm)))[-1]
        return owner, handle, state

    async def _lend_owner(self, forgotten: int) -> _Owner:
        """An owner that nobody else uses. forgotten: a client id that the server no longer knows."""
        async with self._registering:
            if self._client in (0, forgotten):
                self._owners.clear()
                self._client = await self._register()
        if self._owners:
            return self._owners.pop()
        self._owner_count += 1
        return _Owner(self._client, f"{self._owner_count}".encode())

    async def _register(self) -> int:
        """A client id. No address for callbacks is given, so the server hands out no delegations."""
        arguments = wire.SETCLIENTID_args(self._verifier, text(self._client_name), 0, b"tcp", b"0.0.0.0.0.0", 0)
        client, verifier = (await self._run(ROOT, (wire.SETCLIENTID, arguments)))[-1]
        await self._run(ROOT, (wire.SETCLIENTID_CONFIRM, wire.SETCLIENTID_CONFIRM_args(client, verifier)))
        return int(client)


def _create(owner: _Owner, name: str) -> Operation:
    """Makes a new regular file and opens it for writing."""
    how = wire.create_how(wire.GUARDED, new_attributes(0o600, None, None))
    return wire.OPEN, wire.OPEN_args(
        owner.next(),
        wire.ACCESS_BOTH,
        wire.DENY_NONE,
        owner.client,
        text(owner.name),
        wire.CREATE_FILE,
        how,
        wire.CLAIM_NULL,
        text(encode_name(name)),
    )


def _write(state: ctypes.Structure, offset: int, content: bytes) -> Operation:
    return wire.WRITE, wire.WRITE_args(state, offset, wire.FILE_SYNC, text(content))


def _rename(name: str, new_name: str) -> Operation:
    """From the saved directory to the current one."""
    return wire.RENAME, wire.RENAME_args(text(encode_name(name)), text(encode_name(new_name)))
