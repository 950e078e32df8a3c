"""Paths and permissions on top of a session: finding what a path names without following links, and as whom to act.

Where root is squashed, the owner of a directory may do in it what root may not; AUTH_SYS takes our word for who we are.
So each call is made as root, and where that is denied, as the owner of the directory (or file) in question.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from berth.nfs import (
    DENIED,
    GONE,
    ROOT,
    START,
    DirectoryEntry,
    Identity,
    NfsError,
    NfsNode,
    Position,
    ReadThen,
    Session,
    Status,
    Then,
)
from berth.volumes.errors import Missing, Refused
from berth.volumes.listing import Listing
from berth.volumes.share import Entry

T = TypeVar("T")


class Denied(Exception):  # noqa: N818
    """The server lets none of these identities do it. cause: its last answer."""

    def __init__(self, tried: Sequence[Identity], error: NfsError) -> None:
        super().__init__(error.name)
        self.tried = tuple(tried)
        self.error = error


class Rights:
    """What a share has taught us about its server's squashing. Lives as long as the share."""

    def __init__(self) -> None:
        self.is_squashed = False
        """Whether being an owner has helped where being root did not: then it is tried first."""

    def identities(self, *owners: Identity) -> list[Identity]:
        """As whom to try, in order, something that root or any of these owners may do."""
        others = [owner for owner in dict.fromkeys(owners) if owner.uid != ROOT.uid]
        return [*others, ROOT] if self.is_squashed else [ROOT, *others]

    async def use(self, owners: Sequence[Identity], call: Callable[[Identity], Awaitable[T]]) -> T:
        """What call answers as the first identity that is let. Denied when none is."""
        identities = self.identities(*owners)
        denial: NfsError | None = None
        for who in identities:
            try:
                answer = await call(who)
            except NfsError as error:
                if error.code not in DENIED:
                    raise
                denial = error
            else:
                if denial is not None:
                    self.is_squashed = who != ROOT
                return answer
        assert denial is not None
        raise Denied(identities, denial)


class Tree:
    """A share's directories, for the length of one operation."""

    def __init__(self, session: Session, rights: Rights, share: str) -> None:
        self.session = session
        self.rights = rights
        self.share = share
        self.is_bare = False
        """Whether the root showed nothing of what was looked for in it: perhaps it is the root no more."""

    async def find(
        self, parts: Sequence[str], *, is_last_open: bool = False, then: Then | None = None
    ) -> list[NfsNode]:
        """What is at each part of a path, as far as it exists. Refused when a link, or a file on the way, is met.

        is_last_open: a link at the very end is an answer too. then: see Session.walk.
        """
        found: list[NfsNode] = []
        here = self.session.root
        is_end = False
        while len(found) < len(parts) and not is_end:
            nodes, is_end = await self._step(here, parts[len(found) :], then)
            for node in nodes:
                found.append(node)
                if not (is_last_open and len(found) == len(parts)):
                    refuse_detour(node, parts, len(found))
                here = node
        self.is_bare |= bool(parts) and not found
        return found

    async def get(self, parts: Sequence[str], *, is_last_open: bool = False, then: Then | None = None) -> NfsNode:
        """What is at a path. Missing when nothing is."""
        if not parts:
            return self.session.root
        found = await self.find(parts, is_last_open=is_last_open, then=then)
        if len(found) < len(parts):
            raise Missing(self.share, "/".join(parts[: len(found) + 1]))
        return found[-1]

    async def look(self, directory: NfsNode, name: str) -> NfsNode:
        """One entry of a directory, whatever it is. NfsError when it is not there."""

        async def walk(who: Identity) -> NfsNode:
            nodes, error = await self.session.walk(directory.handle, [name], who)
            if error is not None:
                raise error
            return nodes[0]

        return await self.within(directory, walk)

    async def fill(self, listing: Listing, directory: NfsNode) -> None:
        """Reads the entries of a directory into a listing, until it is full."""
        position: Position | None = START
        while position is not None:
            found, position = await self.within(directory, partial(self._read, directory, position))
            for each in found:
                if listing.is_full:
                    return
                try:
                    listing.add(entry_of(each.node or await self.look(directory, each.name), each.name))
                except NfsError as error:
                    if error.code not in (Status.NOENT, *GONE):  # it went while the directory was read
                        raise

    async def read(self, parts: Sequence[str], most: int) -> bytes:
        """The content of a small file, most bytes at most (else Refused).

        Files are replaced, never changed (Share.write_file), and a server may forget the old one at once: what can't be
        read (STALE, or with Ganesha's v4 SERVERFAULT) is looked for again, as long as another file is found there.
        """
        path, known = "/".join(parts), b""
        while True:
            reading = ReadThen(most + 1)
            node = await self.get(parts, then=reading)
            if node.attributes.kind != "file":
                raise Refused(path, "is no regular file")
            try:
                content = reading.content
                if content is None:
                    content = await self.within(node, partial(self.session.read, node.handle, most + 1))
            except NfsError:
                if node.handle == known:
                    raise
                known = node.handle
                continue
            if len(content) > most:
                raise Refused(path, f"is larger than {most >> 20} MiB")
            return content

    async def within(self, directory: NfsNode, call: Callable[[Identity], Awaitable[T]]) -> T:
        """What call answers as root or as the directory's owner, whoever is let."""
        return await self.rights.use([directory.attributes.owner], call)

    async def _read(
        self, directory: NfsNode, position: Position, who: Identity
    ) -> tuple[list[DirectoryEntry], Position | None]:
        return await self.session.read_directory(directory.handle, position, who)

    async def _step(self, here: NfsNode, rest: Sequence[str], then: Then | None) -> tuple[list[NfsNode], bool]:
        """What follows, as far as one identity gets, and whether it is known that nothing comes after."""

        async def walk(who: Identity) -> tuple[list[NfsNode], bool]:
            nodes, error = await self.session.walk(here.handle, rest, who, then)
            if error is not None and error.code != Status.NOENT and not nodes:
                raise error
            return nodes, error is not None and error.code == Status.NOENT

        return await self.within(here, walk)


def entry_of(node: NfsNode, name: str) -> Entry:
    """How a share describes what the server found."""
    seen = node.attributes
    return Entry(name, seen.kind, seen.mode, seen.uid, seen.gid, seen.device, node.handle)


def refuse_detour(node: NfsNode, parts: Sequence[str], depth: int) -> None:
    """Refuses a link at the first depth parts of a path, or a file where more parts follow."""
    path = "/".join(parts[:depth])
    if node.attributes.kind == "link":
        raise Refused(path, "is a symbolic link on the share, and links are never followed")
    if node.attributes.kind != "directory" and depth < len(parts):
        raise Refused(path, f"is a file on the share, where {'/'.join(parts)!r} needs a directory")
