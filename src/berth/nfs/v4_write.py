"""Files that NFSv4 writes: that needs state on the server, which has to be told who opens them.

It is a client id, made on first use and again when the server forgot it, and an open owner, whose calls must come in
order. An owner is lent to one write at a time, and not used again if that fails.
"""

from __future__ import annotations

import asyncio
import random
import struct
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from berth.nfs import v4_compound as compound
from berth.nfs.errors import Withheld
from berth.nfs.message import ROOT, Identity
from berth.nfs.names import encode_name
from berth.nfs.rpc import Connection
from berth.nfs.session import CHUNK, FILE_SYNC
from berth.nfs.status import NfsError, Status
from berth.nfs.v4_attributes import new_attributes
from berth.nfs.v4_compound import GET_HANDLE, SAVE_HANDLE, OpenState, Operation, named, on, renamed, run, size_is
from berth.nfs.xdr import hyper, opaque, uint

_ACCESS_BOTH, _DENY_NONE, _CLAIM_NULL = 3, 0, 0
_CREATE_FILE, _GUARDED = 1, 1
_MUST_CONFIRM = 2
"""OPEN4_RESULT_CONFIRM: the server wants to hear again from an owner that is new to it."""
_FORGOTTEN = frozenset({Status.STALE_CLIENTID, Status.EXPIRED})
_OPENING = struct.Struct(">IIIQ")
_HOW = uint(_CREATE_FILE) + uint(_GUARDED) + new_attributes(0o600, None, None) + uint(_CLAIM_NULL)


@dataclass(slots=True)
class OpenOwner:
    """An open owner of one client id."""

    client: int
    name: bytes
    seqid: int = 0

    def next(self) -> int:
        """The number of its next call."""
        self.seqid += 1
        return self.seqid


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A new file that is open for writing."""

    owner: OpenOwner
    handle: bytes
    state: OpenState
    flags: int


class Writer:
    """Writes files over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._client = 0
        self._registering = asyncio.Lock()
        self._client_name = f"berth {uuid.uuid4()}".encode()
        self._verifier = random.getrandbits(64)
        self._owners: list[OpenOwner] = []
        self._owner_count = 0

    async def lend_owner(self, forgotten: int = 0) -> OpenOwner:
        """An owner that nobody else uses. forgotten: a client id that the server no longer knows."""
        if self._client in (0, forgotten):
            async with self._registering:
                if self._client in (0, forgotten):
                    self._owners.clear()
                    self._client = await self._register()
        if self._owners:
            return self._owners.pop()
        self._owner_count += 1
        return OpenOwner(self._client, f"{self._owner_count}".encode())

    async def open(self, directory: bytes, name: str, who: Identity) -> OpenFile:
        """Makes a new file (0600) and opens it."""
        owner = await self.lend_owner()
        try:
            results = await self._run(who, on(directory), creating(owner, name), GET_HANDLE)
        except NfsError as error:
            if error.code not in _FORGOTTEN:
                raise
            owner = await self.lend_owner(forgotten=owner.client)
            results = await self._run(who, on(directory), creating(owner, name), GET_HANDLE)
        (state, flags), handle = results[1:]
        return OpenFile(owner, handle, state, flags)

    async def write(
        self,
        file: OpenFile,
        directory: bytes,
        names: tuple[str, str],
        content: bytes,
        *,
        exclusive: bool,
        who: Identity,
    ) -> None:
        """Writes content into a file in that directory. names: what it is called, and what it is to be called then."""
        temporary, name = names
        owner, handle, state = file.owner, file.handle, await self._confirmed(file, who)
        pieces = [content[at : at + CHUNK] for at in range(0, len(content), CHUNK)] or [b""]
        try:
            for index, piece in enumerate(pieces[:-1]):
                await self._run(who, on(handle), _writing(state, index * CHUNK, piece))
            operations = [
                on(handle),
                _writing(state, len(content) - len(pieces[-1]), pieces[-1]),
                _closing(owner, state),
                # A short write is no error: without this, a part of the content would get the name.
                size_is(len(content)),
            ]
            if exclusive:
                link, remove = named(compound.LINK, name), named(compound.REMOVE, temporary)
                operations += [SAVE_HANDLE, on(directory), link, remove]
            else:
                operations += [on(directory), SAVE_HANDLE, renamed(temporary, name)]
            await self._run(who, *operations, guarded=not exclusive)
        except (NfsError, Withheld):
            await self._discard(file, state, directory, temporary, who)
            raise
        self._owners.append(owner)

    async def give_up(self, file: OpenFile, directory: bytes, temporary: str, who: Identity) -> None:
        """Closes and removes a file that is called temporary in that directory."""
        await self._discard(file, await self._confirmed(file, who), directory, temporary, who)

    async def _discard(self, file: OpenFile, state: OpenState, directory: bytes, temporary: str, who: Identity) -> None:
        with suppress(NfsError):
            await self._run(who, on(file.handle), _closing(file.owner, state))
        with suppress(NfsError):
            await self._run(who, on(directory), named(compound.REMOVE, temporary))

    async def _confirmed(self, file: OpenFile, who: Identity) -> OpenState:
        """The state to write with."""
        if not file.flags & _MUST_CONFIRM:
            return file.state
        confirming = Operation(compound.OPEN_CONFIRM, file.state.encoded() + uint(file.owner.next()))
        state: OpenState = (await self._run(who, on(file.handle), confirming))[-1]
        return state

    async def _register(self) -> int:
        """A client id. No address for callbacks is given, so the server hands out no delegations."""
        nowhere = uint(0) + opaque(b"tcp") + opaque(b"0.0.0.0.0.0") + uint(0)
        introduction = Operation(compound.SETCLIENTID, hyper(self._verifier) + opaque(self._client_name) + nowhere)
        for is_last in (False, False, True):
            client, verifier = (await self._run(ROOT, introduction))[-1]
            try:
                await self._run(ROOT, Operation(compound.SETCLIENTID_CONFIRM, hyper(client) + hyper(verifier)))
                break
            except NfsError as error:
                # The server has just come to an earlier introduction, of a call that was cancelled.
                if is_last or error.code not in _FORGOTTEN:
                    raise
        return int(client)

    async def _run(self, who: Identity, *operations: Operation, guarded: bool = False) -> list[Any]:
        return await run(self._connection, operations, who, guarded=guarded)


def creating(owner: OpenOwner, name: str) -> Operation:
    """Makes a new regular file and opens it for writing."""
    who = _OPENING.pack(owner.next(), _ACCESS_BOTH, _DENY_NONE, owner.client) + opaque(owner.name)
    return Operation(compound.OPEN, who + _HOW + opaque(encode_name(name)))


def _writing(state: OpenState, offset: int, content: bytes) -> Operation:
    return Operation(compound.WRITE, state.encoded() + hyper(offset) + uint(FILE_SYNC) + opaque(content))


def _closing(owner: OpenOwner, state: OpenState) -> Operation:
    return Operation(compound.CLOSE, uint(owner.next()) + state.encoded())
