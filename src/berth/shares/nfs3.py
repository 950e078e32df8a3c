"""NFSv3 (RFC 1813), one procedure a call, and the MOUNT protocol that hands out an export's root."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from berth.shares import libnfs
from berth.shares import nfs3_types as wire
from berth.shares.rpc import ROOT, Connection, Identity
from berth.shares.session import (
    CHUNK,
    Attributes,
    Found,
    NfsError,
    Node,
    Position,
    Status,
    decode_name,
    encode_name,
    is_name,
)
from berth.volumes.share import Kind, Space

T = TypeVar("T")

PROGRAM, VERSION = 100003, 3
MOUNT_PROGRAM, MOUNT_VERSION = 100005, 3
TCP = 6

ASKED_AGAIN = 2.0
"""Seconds after which a call that was not answered is made again. NFSv3 servers may drop calls, trusting in that:
Ganesha does so instead of answering JUKEBOX."""
_REPEATABLE = frozenset({"getattr", "lookup", "read", "readdirplus", "fsstat"})

_KINDS: dict[int, Kind] = {1: "file", 2: "directory", 5: "link"}


async def port_of(portmapper: Connection, program: int, version: int) -> int:
    """The TCP port of a program, as the portmapper tells; 0 when it knows none."""
    start = libnfs.load().rpc_pmap2_getport_async
    return await portmapper.call(
        lambda context, callback, token: start(context, program, version, TCP, callback, token),
        lambda reply: ctypes.c_uint32.from_address(reply).value,
    )


async def mount(mountd: Connection, export: str) -> bytes:
    """The handle of an export's root. NfsError with mountd's status (MNT3ERR_…) when it is not handed out."""
    library = libnfs.load()
    path = encode_name(export)

    def decode(reply: int) -> bytes:
        answer: Any = wire.MNT.from_address(reply)
        if answer.status:
            raise NfsError(answer.status, _text(library.mountstat3_to_str(answer.status)))
        return libnfs.bytes_at(answer.ok.handle.bytes, answer.ok.handle.size)

    start = library.rpc_mount3_mnt_async
    return await mountd.call(lambda context, callback, token: start(context, callback, path, token), decode)


async def open_session(connection: Connection, root: bytes) -> Session:
    """A session on a connection to the NFS program. Takes the connection over, also when it fails."""
    session = Session(connection, Node(root, Attributes("directory", 0, 0, 0, 0, 0)))
    try:
        session.root = Node(root, await session.attributes(root))
    except BaseException:
        connection.close()
        raise
    return session


class Session:
    """See session.Session for the contract."""

    def __init__(self, connection: Connection, root: Node) -> None:
        self.root = root
        self._connection = connection
        self._library = libnfs.load()

    @property
    def version(self) -> str:
        return "3"

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
        arguments = wire.GETATTR_args(_handle(handle))
        return await self._call("getattr", arguments, wire.GETATTR, lambda ok: _attributes(ok.attributes), ROOT)

    async def walk(self, start: bytes, parts: Sequence[str], who: Identity) -> tuple[list[Node], NfsError | None]:
        found: list[Node] = []
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
    ) -> Node:
        arguments = wire.MKDIR_args(_place(directory, name), _new_attributes(mode, uid, gid))
        return await self._create("mkdir", arguments, directory, name, who)

    async def change(
        self, handle: bytes, *, mode: int | None = None, uid: int | None = None, gid: int | None = None, who: Identity
    ) -> None:
        arguments = wire.SETATTR_args(_handle(handle), _new_attributes(mode, uid, gid))
        await self._do("setattr", arguments, who)

    async def put(
        self, directory: bytes, temporary: str, name: str, content: bytes, *, exclusive: bool, who: Identity
    ) -> None:
        arguments = wire.CREATE_args(_place(directory, temporary), wire.GUARDED, _new_attributes(0o600, None, None))
        node = await self._create("create", arguments, directory, temporary, who)
        try:
            await self._write(node.handle, content, who)
            if not exclusive:
                await self.rename(directory, temporary, directory, name, who)
                return
            await self._do("link", wire.LINK_args(_handle(node.handle), _place(directory, name)), who)
        except NfsError:
            with suppress(NfsError):
                await self.remove(directory, temporary, is_directory=False, who=who)
            raise
        await self.remove(directory, temporary, is_directory=False, who=who)

    async def read(self, handle: bytes, limit: int, who: Identity) -> bytes:
        content = b""
        while len(content) < limit:
            count = min(CHUNK, limit - len(content))
            data, is_end = await self._call(
                "read",
                wire.READ_args(_handle(handle), len(content), count),
                wire.READ,
                lambda ok: (libnfs.bytes_at(ok.bytes, ok.size), bool(ok.eof)),
                who,
            )
            content += data
            if is_end or not data:
                break
        return content[:limit]

    async def rename(self, source: bytes, name: str, target: bytes, new_name: str, who: Identity) -> None:
        await self._do("rename", wire.RENAME_args(_place(source, name), _place(target, new_name)), who)

    async def remove(self, directory: bytes, name: str, *, is_directory: bool, who: Identity) -> None:
        await self._do("rmdir" if is_directory else "remove", wire.REMOVE_args(_place(directory, name)), who)

    async def read_directory(
        self, handle: bytes, position: Position, who: Identity
    ) -> tuple[list[Found], Position | None]:
        def decode(ok: Any) -> tuple[list[Found], Position | None]:
            found: list[Found] = []
            cookie = position.cookie
            for name, entry in _entries(ok.entries):
                cookie = entry.cookie
                if is_name(name):
                    found.append(Found(name, _node(entry)))
            # An answer without entries that is not the end would be asked for again for ever.
            is_end = bool(ok.eof) or cookie == position.cookie
            return found, None if is_end else Position(cookie, ok.verifier)

        arguments = wire.READDIRPLUS_args(_handle(handle), position.cookie, position.verifier, CHUNK, CHUNK)
        return await self._call("readdirplus", arguments, wire.READDIRPLUS, decode, who)

    async def space(self) -> Space:
        return await self._call(
            "fsstat",
            wire.GETATTR_args(_handle(self.root.handle)),
            wire.FSSTAT,
            lambda ok: Space(ok.total_bytes, ok.available_bytes, ok.total_files, ok.available_files),
            ROOT,
        )

    async def _lookup(self, directory: bytes, name: str, who: Identity) -> Node:
        def decode(ok: Any) -> tuple[bytes, Attributes | None]:
            return libnfs.bytes_at(ok.object.bytes, ok.object.size), _maybe(ok.attributes)

        handle, attributes = await self._call(
            "lookup", wire.LOOKUP_args(_place(directory, name)), wire.LOOKUP, decode, who
        )
        return Node(handle, attributes or await self.attributes(handle))

    async def _create(self, procedure: str, arguments: Any, directory: bytes, name: str, who: Identity) -> Node:
        node = await self._call(procedure, arguments, wire.CREATE, lambda ok: _created(ok), who)
        return node or await self._lookup(directory, name, who)

    async def _write(self, handle: bytes, content: bytes, who: Identity) -> None:
        done = 0
        while done < len(content):
            part = content[done : done + CHUNK]
            arguments = wire.WRITE_args(_handle(handle), done, len(part), wire.FILE_SYNC, len(part), part)
            written = await self._call("write", arguments, wire.WRITE, lambda ok: int(ok.count), who)
            if not 0 < written <= len(part):
                raise NfsError(Status.NOSPC, f"WRITE of {written} bytes")
            done += written

    async def _do(self, procedure: str, arguments: ctypes.Structure, who: Identity) -> None:
        await self._call(procedure, arguments, wire.STATUS, lambda _: None, who)

    async def _call(
        self,
        procedure: str,
        arguments: ctypes.Structure,
        result: type[ctypes.Structure],
        decode: Callable[[Any], T],
        who: Identity,
    ) -> T:
        start = getattr(self._library, f"rpc_nfs3_{procedure}_async")

        def decode_reply(reply: int) -> T:
            answer: Any = result.from_address(reply)
            if answer.status:
                raise NfsError(answer.status, _text(self._library.nfsstat3_to_str(answer.status)))
            return decode(getattr(answer, "ok", None))

        def start_call(context: int, callback: Any, token: int) -> int:
            # libnfs has encoded the arguments when this returns, so they need not outlive it.
            return int(start(context, callback, ctypes.addressof(arguments), token))

        again = ASKED_AGAIN if procedure in _REPEATABLE else None
        return await self._connection.call(start_call, decode_reply, who, again=again)


def _handle(handle: bytes) -> ctypes.Structure:
    return wire.handle(len(handle), handle)


def _place(directory: bytes, name: str) -> ctypes.Structure:
    return wire.place(_handle(directory), encode_name(name))


def _new_attributes(mode: int | None, uid: int | None, gid: int | None) -> ctypes.Structure:
    given = [wire.optional_number(value is not None, value or 0) for value in (mode, uid, gid)]
    return wire.new_attributes(*given)


def _attributes(value: Any) -> Attributes:
    return Attributes(
        kind=_KINDS.get(value.type, "other"),
        mode=value.mode & 0o7777,
        uid=value.uid,
        gid=value.gid,
        size=value.size,
        device=value.fsid,
    )


def _maybe(attributes: Any) -> Attributes | None:
    return _attributes(attributes.value) if attributes.follow else None


def _created(ok: Any) -> Node | None:
    attributes = _maybe(ok.attributes)
    if not ok.object.follow or attributes is None:
        return None
    return Node(libnfs.bytes_at(ok.object.value.bytes, ok.object.value.size), attributes)


def _entries(address: int | None) -> Iterator[tuple[str, Any]]:
    while address:
        entry: Any = wire.entry.from_address(address)
        yield decode_name(ctypes.string_at(entry.name)) if entry.name else "", entry
        address = entry.next


def _node(entry: Any) -> Node | None:
    attributes = _maybe(entry.attributes)
    if not entry.handle.follow or attributes is None:
        return None
    return Node(libnfs.bytes_at(entry.handle.value.bytes, entry.handle.value.size), attributes)


def _text(name: bytes | None) -> str:
    return (name or b"").decode(errors="replace")
