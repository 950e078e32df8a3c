"""NFSv3 (RFC 1813), one procedure a call, from the root that MOUNT handed out."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from berth.nfs.errors import Withheld
from berth.nfs.message import ROOT, Identity
from berth.nfs.names import decode_name, encode_name, is_name
from berth.nfs.rpc import Connection
from berth.nfs.session import (
    CHUNK,
    FILE_SYNC,
    Attributes,
    DirectoryEntry,
    FileKind,
    FsStat,
    NfsNode,
    OnConnection,
    Position,
    Then,
)
from berth.nfs.status import NfsError, NotStable, Status, status_name
from berth.nfs.xdr import Reader, hyper, opaque, uint

T = TypeVar("T")


# Procedures.
GETATTR, SETATTR, LOOKUP, READ, WRITE, CREATE, MKDIR = 1, 2, 3, 6, 7, 8, 9
REMOVE, RMDIR, RENAME, LINK, READDIRPLUS, FSSTAT = 12, 13, 14, 15, 17, 18

ASKED_AGAIN = 2.0
"""Seconds without an answer after which a call is made again. NFSv3 servers may drop calls and trust in that: Ganesha
does so instead of answering JUKEBOX."""
_REPEATABLE = frozenset({GETATTR, LOOKUP, READ, READDIRPLUS, FSSTAT})

_GUARDED = 1
_KINDS: dict[int, FileKind] = {1: "file", 2: "directory", 5: "link"}
# type mode nlink uid gid size used rdev fsid fileid atime mtime ctime
_ATTRIBUTES = struct.Struct(">IIIIIQQIIQQIIIIII")
_BEFORE = struct.Struct(">QIIII")


async def open_session(connection: Connection, root: bytes) -> SessionV3:
    """A session on a connection to the NFS program. Takes the connection over, also when it fails."""
    session = SessionV3(connection, NfsNode(root, Attributes("directory", 0, 0, 0, 0, 0)))
    try:
        session.root = NfsNode(root, await session.attributes(root))
    except BaseException:
        connection.close()
        raise
    return session


class SessionV3(OnConnection):
    """See nfs/session.py for the contract."""

    @property
    def version(self) -> str:
        return "3"

    async def attributes(self, handle: bytes) -> Attributes:
        return await self._call(GETATTR, opaque(handle), _attributes, ROOT)

    @property
    def does_more(self) -> bool:
        return False

    async def walk(
        self, start: bytes, parts: Sequence[str], who: Identity, then: Then | None = None
    ) -> tuple[list[NfsNode], NfsError | None]:
        found: list[NfsNode] = []
        for part in parts:
            try:
                node = await self._lookup(start, part, who)
            except NfsError as error:
                return found, error
            found.append(node)
            if node.attributes.kind != "directory":
                break
            start = node.handle
        return found, None

    async def make_directory(
        self, directory: bytes, name: str, *, mode: int, uid: int | None, gid: int | None, who: Identity
    ) -> NfsNode:
        return await self._create(MKDIR, directory, name, _new_attributes(mode, uid, gid), who)

    async def change(
        self, handle: bytes, *, mode: int | None = None, uid: int | None = None, gid: int | None = None, who: Identity
    ) -> None:
        await self._do(SETATTR, opaque(handle) + _new_attributes(mode, uid, gid) + uint(0), who)

    async def put(
        self,
        directory: bytes,
        temporary: str,
        name: str,
        content: bytes,
        *,
        exclusive: bool,
        who: Identity,
        opened: object = None,
    ) -> None:
        how = uint(_GUARDED) + _new_attributes(0o600, None, None)
        node = await self._create(CREATE, directory, temporary, how, who)
        try:
            await self._write(node.handle, content, who)
            if not exclusive:
                await self.rename(directory, temporary, directory, name, who)
                return
            await self._do(LINK, opaque(node.handle) + _place(directory, name), who)
        except (NfsError, Withheld):
            with suppress(NfsError):
                await self._do(REMOVE, _place(directory, temporary), who)
            raise
        await self._do(REMOVE, _place(directory, temporary), who)

    async def give_up(self, directory: bytes, temporary: str, opened: object, who: Identity) -> None:
        """Nothing was made."""

    async def read(self, handle: bytes, limit: int, who: Identity) -> bytes:
        def decode(reader: Reader) -> tuple[bytes, bool]:
            _maybe_attributes(reader)
            reader.uint()  # the count, once more
            is_end = reader.flag()
            return reader.opaque(), is_end

        content = b""
        while len(content) < limit:
            arguments = opaque(handle) + hyper(len(content)) + uint(min(CHUNK, limit - len(content)))
            data, is_end = await self._call(READ, arguments, decode, who)
            content += data
            if is_end or not data:
                break
        return content[:limit]

    async def rename(
        self, source: bytes, name: str, target: bytes, new_name: str, who: Identity, *, only: bytes | None = None
    ) -> None:
        await self._do(RENAME, _place(source, name) + _place(target, new_name), who, guarded=True)

    async def remove(self, directory: bytes, name: str, *, is_directory: bool, who: Identity) -> None:
        await self._do(RMDIR if is_directory else REMOVE, _place(directory, name), who, guarded=True)

    async def remove_files(self, directory: bytes, names: Sequence[str], who: Identity) -> list[NfsError | None]:
        removals = (self._do(REMOVE, _place(directory, name), who, guarded=True) for name in names)
        results = await asyncio.gather(*removals, return_exceptions=True)
        for error in results:
            if error is not None and not isinstance(error, NfsError):
                raise error
        return [error if isinstance(error, NfsError) else None for error in results]

    async def read_directory(
        self, handle: bytes, position: Position, who: Identity
    ) -> tuple[list[DirectoryEntry], Position | None]:
        def decode(reader: Reader) -> tuple[list[DirectoryEntry], Position | None]:
            found: list[DirectoryEntry] = []
            cookie = position.cookie
            _maybe_attributes(reader)
            verifier = reader.hyper()
            while reader.flag():
                number = reader.hyper()
                name = decode_name(reader.opaque())
                cookie = reader.hyper()
                attributes, node = _maybe_attributes(reader), _maybe_handle(reader)
                if is_name(name):
                    node_there = NfsNode(node, attributes) if node and attributes else None
                    found.append(DirectoryEntry(name, node_there, number))
            # An answer without entries that is not the end would be asked for again for ever.
            is_end = reader.flag() or cookie == position.cookie
            return found, None if is_end else Position(cookie, verifier)

        arguments = opaque(handle) + hyper(position.cookie) + hyper(position.verifier) + uint(CHUNK) + uint(CHUNK)
        return await self._call(READDIRPLUS, arguments, decode, who)

    async def space(self) -> FsStat:
        def decode(reader: Reader) -> FsStat:
            _maybe_attributes(reader)
            total, _, available, files, _, available_files = (reader.hyper() for _ in range(6))
            return FsStat(total, available, files, available_files)

        return await self._call(FSSTAT, opaque(self.root.handle), decode, ROOT)

    async def _lookup(self, directory: bytes, name: str, who: Identity) -> NfsNode:
        def decode(reader: Reader) -> tuple[bytes, Attributes | None]:
            return reader.opaque(64), _maybe_attributes(reader)

        handle, attributes = await self._call(LOOKUP, _place(directory, name), decode, who)
        return NfsNode(handle, attributes or await self.attributes(handle))

    async def _create(self, procedure: int, directory: bytes, name: str, how: bytes, who: Identity) -> NfsNode:
        def decode(reader: Reader) -> NfsNode | None:
            handle, attributes = _maybe_handle(reader), _maybe_attributes(reader)
            return NfsNode(handle, attributes) if handle and attributes else None

        node = await self._call(procedure, _place(directory, name) + how, decode, who)
        return node or await self._lookup(directory, name, who)

    async def _write(self, handle: bytes, content: bytes, who: Identity) -> None:
        def decode(reader: Reader) -> int:
            if reader.flag():
                reader.take(_BEFORE)
            _maybe_attributes(reader)
            count, committed = reader.uint(), reader.uint()
            if committed != FILE_SYNC:
                raise NotStable("NFS3ERR")
            return count

        done = 0
        while done < len(content):
            part = content[done : done + CHUNK]
            arguments = opaque(handle) + hyper(done) + uint(len(part)) + uint(FILE_SYNC) + opaque(part)
            written = await self._call(WRITE, arguments, decode, who)
            if not 0 < written <= len(part):
                raise NfsError(Status.NOSPC, f"WRITE of {written} bytes")
            done += written

    async def _do(self, procedure: int, arguments: bytes, who: Identity, *, guarded: bool = False) -> None:
        await self._call(procedure, arguments, lambda _: None, who, guarded=guarded)

    async def _call(
        self, procedure: int, arguments: bytes, decode: Callable[[Reader], T], who: Identity, *, guarded: bool = False
    ) -> T:
        def decode_reply(reader: Reader) -> T:
            status = reader.uint()
            if status:
                raise NfsError(status, status_name("NFS3ERR", status))
            return decode(reader)

        again = ASKED_AGAIN if procedure in _REPEATABLE else None
        return await self._connection.call(procedure, arguments, decode_reply, who, again=again, guarded=guarded)


def _place(directory: bytes, name: str) -> bytes:
    return opaque(directory) + opaque(encode_name(name))


def _new_attributes(mode: int | None, uid: int | None, gid: int | None) -> bytes:
    given = b"".join(uint(0) if value is None else uint(1) + uint(value) for value in (mode, uid, gid))
    return given + bytes(12)  # size and both times stay as they are


def _attributes(reader: Reader) -> Attributes:
    kind, mode, _, uid, gid, size, _, _, _, fsid, number, *_ = reader.take(_ATTRIBUTES)
    return Attributes(_KINDS.get(kind, "other"), mode & 0o7777, uid, gid, size, fsid, number)


def _maybe_attributes(reader: Reader) -> Attributes | None:
    return _attributes(reader) if reader.flag() else None


def _maybe_handle(reader: Reader) -> bytes | None:
    return reader.opaque(64) if reader.flag() else None
