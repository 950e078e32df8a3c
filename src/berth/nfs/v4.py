"""NFSv4.0 (RFC 7530). Most of what Berth does is one COMPOUND: a call that carries several operations in order.

Writing a file needs state on the server: a client id, made on first use and again when the server forgot it, and an
open owner, whose calls must come in order. An owner is lent to one write at a time, and not used again if that fails.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from berth.nfs import v4_compound as compound
from berth.nfs.errors import Withheld
from berth.nfs.message import ROOT, Identity, encode_call, encode_credential
from berth.nfs.names import encode_name, is_name
from berth.nfs.programs import NFS4
from berth.nfs.rpc import Connection
from berth.nfs.session import CHUNK, FILE_SYNC, Attributes, DirectoryEntry, FsStat, NfsNode, OnConnection, Position
from berth.nfs.status import NfsError, Status
from berth.nfs.v4_compound import (
    GET_HANDLE,
    GO_TO_TOP,
    LOOK,
    LOOK_AT_SPACE,
    NO_STATE,
    SAVE_HANDLE,
    OpenState,
    Operation,
    attempt,
    attributes_of,
    handle_is,
    named,
    new_attributes,
    on,
    run,
    size_is,
)
from berth.nfs.v4_removals import Removals
from berth.nfs.xdr import Reader, hyper, opaque, uint

STEPS_AT_ONCE = 5
"""Parts of a path walked in one COMPOUND: with three operations each they stay below 16, older Linux servers' limit."""
_DIRECTORY = 2
_ACCESS_BOTH, _DENY_NONE, _CLAIM_NULL = 3, 0, 0
_CREATE_FILE, _GUARDED = 1, 1
_MUST_CONFIRM = 2
"""OPEN4_RESULT_CONFIRM: the server wants to hear again from an owner that is new to it."""
_FORGOTTEN = frozenset({Status.STALE_CLIENTID, Status.EXPIRED})


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


async def open_session(connection: Connection, export: str) -> SessionV4:
    """A session on a connection to the NFS program, at the export. Takes the connection over, also when it fails."""
    try:
        top, attributes = (await run(connection, [GO_TO_TOP, GET_HANDLE, LOOK], ROOT))[1:]
        session = SessionV4(connection, NfsNode(top, attributes_of(attributes)))
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
        self._client = 0
        self._registering = asyncio.Lock()
        self._client_name = f"berth {uuid.uuid4()}".encode()
        self._verifier = random.getrandbits(64)
        self._owners: list[_Owner] = []
        self._owner_count = 0
        self._removals = Removals(connection)

    @property
    def version(self) -> str:
        return "4.0"

    async def attributes(self, handle: bytes) -> Attributes:
        return attributes_of((await self._run(ROOT, on(handle), LOOK))[-1])

    async def walk(self, start: bytes, parts: Sequence[str], who: Identity) -> tuple[list[NfsNode], NfsError | None]:
        found: list[NfsNode] = []
        for first in range(0, len(parts), STEPS_AT_ONCE):
            operations = [on(start)]
            for part in parts[first : first + STEPS_AT_ONCE]:
                operations += [named(compound.LOOKUP, part), GET_HANDLE, LOOK]
            results, error = await attempt(self._connection, operations, who)
            # Looking something up in what is no directory is the next step's error: the walk ended one before.
            for handle, values in zip(results[2::3], results[3::3], strict=False):
                found.append(NfsNode(handle, attributes_of(values)))
                start = handle
                if found[-1].attributes.kind != "directory":
                    return found, None
            if error is not None:
                return found, error
        return found, None

    async def make_directory(
        self, directory: bytes, name: str, *, mode: int, uid: int | None, gid: int | None, who: Identity
    ) -> NfsNode:
        arguments = uint(_DIRECTORY) + opaque(encode_name(name)) + new_attributes(mode, uid, gid)
        creating = Operation(compound.CREATE, arguments)
        handle, values = (await self._run(who, on(directory), creating, GET_HANDLE, LOOK))[-2:]
        return NfsNode(handle, attributes_of(values))

    async def change(
        self, handle: bytes, *, mode: int | None = None, uid: int | None = None, gid: int | None = None, who: Identity
    ) -> None:
        arguments = NO_STATE.encoded() + new_attributes(mode, uid, gid)
        await self._run(who, on(handle), Operation(compound.SETATTR, arguments))

    async def put(
        self, directory: bytes, temporary: str, name: str, content: bytes, *, exclusive: bool, who: Identity
    ) -> None:
        pieces = [content[at : at + CHUNK] for at in range(0, len(content), CHUNK)] or [b""]
        owner, handle, state = await self._open(directory, temporary, who)
        try:
            for index, piece in enumerate(pieces[:-1]):
                await self._run(who, on(handle), _write(state, index * CHUNK, piece))
            operations = [
                on(handle),
                _write(state, len(content) - len(pieces[-1]), pieces[-1]),
                _close(owner, state),
                # A short write is no error: without this, a part of the content would get the name.
                size_is(len(content)),
            ]
            if exclusive:
                operations += [
                    SAVE_HANDLE,
                    on(directory),
                    named(compound.LINK, name),
                    named(compound.REMOVE, temporary),
                ]
            else:
                operations += [on(directory), SAVE_HANDLE, _rename(temporary, name)]
            await self._run(who, *operations, guarded=not exclusive)
        except (NfsError, Withheld):
            with suppress(NfsError):
                await self._run(who, on(handle), _close(owner, state))
            with suppress(NfsError):
                await self._run(who, on(directory), named(compound.REMOVE, temporary))
            raise
        self._owners.append(owner)

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
        move = (on(source), SAVE_HANDLE, on(target), _rename(name, new_name))
        await self._run(who, *check, *move, guarded=True)

    async def remove(self, directory: bytes, name: str, *, is_directory: bool, who: Identity) -> None:
        await self._run(who, on(directory), named(compound.REMOVE, name), guarded=True)

    async def remove_files(self, directory: bytes, names: Sequence[str], who: Identity) -> list[NfsError | None]:
        return await self._removals.remove(directory, names, who)

    async def read_directory(
        self, handle: bytes, position: Position, who: Identity
    ) -> tuple[list[DirectoryEntry], Position | None]:
        arguments = hyper(position.cookie) + hyper(position.verifier) + uint(CHUNK) + uint(CHUNK) + compound.LISTED
        reading = Operation(compound.READDIR, arguments)
        entries, verifier, is_end = (await self._run(who, on(handle), reading))[-1]
        found: list[DirectoryEntry] = []
        cookie = position.cookie
        for cookie, name, values in entries:  # noqa: B007 - the last one is where to go on
            if is_name(name):
                is_known = compound.FILEHANDLE in values and not values.get(
                    compound.RDATTR_ERROR
                )  # Linux sends it when all is well, too
                node = NfsNode(values[compound.FILEHANDLE], attributes_of(values)) if is_known else None
                found.append(DirectoryEntry(name, node, values.get(compound.MOUNTED_ON_FILEID, 0)))
        # An answer without entries that is not the end would be asked for again for ever.
        return found, None if is_end or cookie == position.cookie else Position(cookie, verifier)

    async def space(self) -> FsStat:
        values = (await self._run(ROOT, on(self.root.handle), LOOK_AT_SPACE))[-1]
        numbers = (compound.SPACE_TOTAL, compound.SPACE_AVAIL, compound.FILES_TOTAL, compound.FILES_AVAIL)
        return FsStat(*(values.get(number, 0) for number in numbers))

    async def _run(self, who: Identity, *operations: Operation, guarded: bool = False) -> list[Any]:
        return await run(self._connection, operations, who, guarded=guarded)

    async def _open(self, directory: bytes, name: str, who: Identity) -> tuple[_Owner, bytes, OpenState]:
        """Makes a new file (0600) and opens it. Who opened it, its handle, and the state to write with."""
        owner = await self._lend_owner(forgotten=0)
        try:
            results = await self._run(who, on(directory), _create(owner, name), GET_HANDLE)
        except NfsError as error:
            if error.code not in _FORGOTTEN:
                raise
            owner = await self._lend_owner(forgotten=owner.client)
            results = await self._run(who, on(directory), _create(owner, name), GET_HANDLE)
        (state, flags), handle = results[1:]
        if flags & _MUST_CONFIRM:
            confirming = Operation(compound.OPEN_CONFIRM, state.encoded() + uint(owner.next()))
            state = (await self._run(who, on(handle), confirming))[-1]
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
        nowhere = uint(0) + opaque(b"tcp") + opaque(b"0.0.0.0.0.0") + uint(0)
        introduction = Operation(compound.SETCLIENTID, hyper(self._verifier) + opaque(self._client_name) + nowhere)
        client, verifier = (await self._run(ROOT, introduction))[-1]
        await self._run(ROOT, Operation(compound.SETCLIENTID_CONFIRM, hyper(client) + hyper(verifier)))
        return int(client)


def _create(owner: _Owner, name: str) -> Operation:
    """Makes a new regular file and opens it for writing."""
    who = uint(owner.next()) + uint(_ACCESS_BOTH) + uint(_DENY_NONE) + hyper(owner.client) + opaque(owner.name)
    how = uint(_CREATE_FILE) + uint(_GUARDED) + new_attributes(0o600, None, None)
    return Operation(compound.OPEN, who + how + uint(_CLAIM_NULL) + opaque(encode_name(name)))


def _write(state: OpenState, offset: int, content: bytes) -> Operation:
    return Operation(compound.WRITE, state.encoded() + hyper(offset) + uint(FILE_SYNC) + opaque(content))


def _close(owner: _Owner, state: OpenState) -> Operation:
    return Operation(compound.CLOSE, uint(owner.next()) + state.encoded())


def _rename(name: str, new_name: str) -> Operation:
    """From the saved directory to the current one."""
    return Operation(compound.RENAME, opaque(encode_name(name)) + opaque(encode_name(new_name)))
