"""Is a byte-range lock really kept? One owner locks, another is asked about, and must be told that it can't.

Over NFSv3 that is the network lock manager's (NLM version 4) to say, over NFSv4 the NFS server's itself.
"""

from __future__ import annotations

import enum
import os
import random
import socket
from contextlib import suppress
from dataclasses import dataclass

from berth.nfs import v4_compound
from berth.nfs.message import Identity
from berth.nfs.names import encode_name
from berth.nfs.rpc import Connection
from berth.nfs.status import NfsError, Status
from berth.nfs.v3 import ASKED_AGAIN
from berth.nfs.v4_compound import GET_HANDLE, OpenState, Operation, attempt, on, run
from berth.nfs.xdr import Reader, hyper, opaque, uint

LENGTH = 10
"""Bytes that are locked, from the file's beginning."""

_TEST, _LOCK, _UNLOCK = 1, 2, 4
_GRANTED, _DENIED, _GRACE = 0, 1, 4
_WRITE_LOCK, _EXCLUSIVE = 2, 1
_ACCESS_BOTH, _DENY_NONE, _NO_CREATE, _CLAIM_NULL, _MUST_CONFIRM = 3, 0, 0, 0, 2
_LOCK_DENIED = 10010


class Kept(enum.Enum):
    """What became of the lock."""

    KEPT = "kept"
    IGNORED = "ignored"
    """A second owner could have had the same bytes."""
    REFUSED = "refused"
    """The server has no locks to give."""
    GRACE = "grace"
    """The server was restarted, and waits for the owners of old locks."""


async def try_nlm(lockd: Connection, handle: bytes) -> Kept:
    """Tries over NFSv3 whether a lock on the file with this handle is kept. Whatever it has locked is free again
    afterwards.
    """
    status = await _nlm(lockd, _LOCK, handle, 1)
    if status != _GRANTED:
        return Kept.GRACE if status == _GRACE else Kept.REFUSED
    try:
        second = await _nlm(lockd, _TEST, handle, 2)
    finally:
        await _nlm(lockd, _UNLOCK, handle, 1)
    return Kept.KEPT if second == _DENIED else Kept.IGNORED


@dataclass(slots=True)
class _Opened:
    """A file that was opened over NFSv4. Calls that name its owner are numbered."""

    client: int
    handle: bytes
    state: OpenState
    seqid: int = 1

    def next(self) -> bytes:
        self.seqid += 1
        return uint(self.seqid)


async def try_nfs4(connection: Connection, directory: bytes, name: str, who: Identity) -> Kept:
    """Tries over NFSv4.0 whether a lock is kept, on the existing file `name` in directory, which who must be allowed to
    write. Whatever it has opened is closed again afterwards.
    """
    try:
        client = await _introduce(connection, who)
        file = await _open(connection, client, directory, name, who)
        try:
            return await _lock(connection, file, who)
        finally:
            with suppress(NfsError):
                closing = Operation(v4_compound.CLOSE, file.next() + file.state.encoded())
                await run(connection, [on(file.handle), closing], who)
    except NfsError as error:
        if error.code == Status.GRACE:
            return Kept.GRACE
        raise


async def _lock(connection: Connection, file: _Opened, who: Identity) -> Kept:
    span = hyper(0) + hyper(LENGTH)
    first = uint(1) + file.next() + file.state.encoded() + uint(0) + hyper(file.client) + opaque(b"first")
    locking = Operation(v4_compound.LOCK, uint(_WRITE_LOCK) + uint(0) + span + first)
    results, error = await attempt(connection, [on(file.handle), locking], who)
    if error is not None:
        if error.code == Status.GRACE:
            raise error
        return Kept.REFUSED
    second = Operation(v4_compound.LOCKT, uint(_WRITE_LOCK) + span + hyper(file.client) + opaque(b"second"))
    _, denied = await attempt(connection, [on(file.handle), second], who)
    unlocking = uint(_WRITE_LOCK) + uint(1) + results[-1].encoded() + span
    await attempt(connection, [on(file.handle), Operation(v4_compound.LOCKU, unlocking)], who)
    return Kept.KEPT if denied is not None and denied.code == _LOCK_DENIED else Kept.IGNORED


async def _introduce(connection: Connection, who: Identity) -> int:
    """A client id of its own, without an address for callbacks."""
    nowhere = uint(0) + opaque(b"tcp") + opaque(b"0.0.0.0.0.0") + uint(0)
    name = f"berth verify {os.getpid()} {random.getrandbits(64):x}".encode()
    introduction = Operation(v4_compound.SETCLIENTID, hyper(random.getrandbits(64)) + opaque(name) + nowhere)
    client, verifier = (await run(connection, [introduction], who))[-1]
    await run(connection, [Operation(v4_compound.SETCLIENTID_CONFIRM, hyper(client) + hyper(verifier))], who)
    return int(client)


async def _open(connection: Connection, client: int, directory: bytes, name: str, who: Identity) -> _Opened:
    owner = uint(1) + uint(_ACCESS_BOTH) + uint(_DENY_NONE) + hyper(client) + opaque(b"opener")
    how = uint(_NO_CREATE) + uint(_CLAIM_NULL) + opaque(encode_name(name))
    opening = Operation(v4_compound.OPEN, owner + how)
    (state, flags), handle = (await run(connection, [on(directory), opening, GET_HANDLE], who))[-2:]
    file = _Opened(client, handle, state)
    if flags & _MUST_CONFIRM:
        confirming = Operation(v4_compound.OPEN_CONFIRM, state.encoded() + file.next())
        file.state = (await run(connection, [on(handle), confirming], who))[-1]
    return file


async def _nlm(lockd: Connection, procedure: int, handle: bytes, owner: int) -> int:
    """nlm4_stats of one call."""
    lock = opaque(socket.gethostname().encode()) + opaque(handle) + opaque(b"berth %d" % owner) + uint(owner)
    lock += hyper(0) + hyper(LENGTH)
    cookie = opaque(uint(owner))
    arguments = {
        _LOCK: cookie + uint(0) + uint(_EXCLUSIVE) + lock + uint(0) + uint(0),  # not to wait for it; no reclaim
        _TEST: cookie + uint(_EXCLUSIVE) + lock,
        _UNLOCK: cookie + lock,
    }[procedure]

    def decode(reader: Reader) -> int:
        reader.opaque(1024)
        return reader.uint()

    return await lockd.call(procedure, arguments, decode, again=ASKED_AGAIN)
