"""A share spoken to directly: NFSv3 or v4.0, without a mount and without privileges, on the event loop alone.

One connection carries all calls at once. Every operation works on file handles that it has just looked up itself, part
by part and never through a link; from there on it does not matter what is renamed above. Nothing is remembered between
operations but the connection, the version that worked, and whether root is squashed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from berth.aio.deadline import Deadline
from berth.nfs import DENIED, GONE, NfsError, NfsNode, RemoveThen, Resolver, RootGone, RpcError, Session, Status
from berth.shares.circuit_breaker import CircuitBreaker
from berth.shares.direct import answers, changes
from berth.shares.direct.dial import Dialer
from berth.shares.direct.purge import DirectPurge
from berth.shares.direct.session_cache import SessionCache, Unused
from berth.shares.direct.tree import Denied, Rights, Tree, entry_of
from berth.volumes.errors import Missing, Refused, Unavailable, VolumeError
from berth.volumes.listing import Listing
from berth.volumes.naming import split_path
from berth.volumes.removal_guard import NO_LIMIT, Unfinished, left_behind, own_file, trash_entry
from berth.volumes.share import Budget, Entry, Guard, Made, NamesOf, Removal, ShareAddress, Space, always

T = TypeVar("T")
Sessions = list[Session]

MOST_READ = 1 << 20
"""Bytes of the largest file that is read."""
IDLE = 30.0
"""Seconds after which an unused connection is closed. Servers keep NFSv4 state for 60 s or more."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0
"""Seconds before a server that asks for it (JUKEBOX, DELAY) is asked again."""


class DirectShare:
    """See the module's text, and volumes/share.py for the contract."""

    def __init__(
        self,
        address: ShareAddress,
        resolver: Resolver,
        *,
        deadline: float = 10.0,
        concurrency: int = 96,
        idle: float = IDLE,
        guard: Guard = always,
        unused: Unused | None = None,
    ) -> None:
        """deadline: seconds for each operation (remove_tree: for each of its steps). concurrency: how many entries
        remove_tree removes at once at most; 1 is one after another. guard: asked before each call that can't be taken
        back, in the moment in which it leaves. unused: see SessionCache. Refused when the address asks for an unknown
        NFS version.
        """
        self._address = address
        self._name = str(address)
        self._deadline = deadline
        self._concurrency = concurrency
        self._sessions = SessionCache(Dialer(address, resolver, deadline * 0.9, guard).dial, idle=idle, unused=unused)
        self._breaker = CircuitBreaker()
        self._rights = Rights()
        self._unfinished: Unfinished[DirectPurge] = Unfinished(most=32)

    @property
    def address(self) -> ShareAddress:
        return self._address

    @property
    def calls(self) -> int:
        """How many remote procedure calls were made so far, those of mounting left out."""
        return self._sessions.calls

    async def stat(self, path: str) -> Entry:
        parts = split_path(path) if path else ()

        async def look(tree: Tree) -> Entry:
            if not parts:
                root = tree.session.root.handle
                return entry_of(NfsNode(root, await tree.session.attributes(root)), "")
            node = await tree.get(parts, is_last_open=True)
            return entry_of(node, parts[-1])

        return await self._run(path, look)

    async def names(self, path: str, kind: NamesOf = "any") -> list[str]:
        return (await self._listed(path, lambda: Listing(path, names_of=kind))).names

    async def list(self, path: str, most: int | None = None) -> list[Entry]:
        return (await self._listed(path, lambda: Listing(path, most))).entries

    async def _listed(self, path: str, make: Callable[[], Listing]) -> Listing:
        parts = split_path(path) if path else ()

        async def read(tree: Tree) -> Listing:
            listing = make()
            try:
                await tree.fill(listing, await tree.get(parts))
            except NfsError as error:
                if error.code == Status.NOENT and not parts:
                    raise RootGone(error.name) from error
                raise
            tree.is_bare = not parts and listing.is_empty
            return listing

        return await self._run(path, read)

    async def make_directory(
        self, path: str, *, mode: int, uid: int | None = None, gid: int | None = None, adopt: bool = False
    ) -> Made:
        parts = split_path(path)
        return await self._run(
            path, lambda tree: changes.make_directory(tree, parts, mode=mode, uid=uid, gid=gid, adopt=adopt)
        )

    async def read_file(self, path: str) -> bytes:
        parts = split_path(path)

        return await self._run(path, lambda tree: tree.read(parts, MOST_READ))

    async def write_file(self, path: str, content: bytes, *, exclusive: bool = False) -> None:
        parts = split_path(path)
        await self._run(path, lambda tree: changes.write_file(tree, parts, content, exclusive=exclusive))

    async def rename(self, source: str, target: str, only: Entry | None = None) -> None:
        old, new = split_path(source), split_path(target)
        await self._run(source, lambda tree: changes.rename(tree, old, new, only))

    async def remove_file(self, path: str) -> None:
        parts = own_file(path)
        await self._run(path, lambda tree: changes.remove_file(tree, parts))

    async def remove_directory(self, path: str) -> bool:
        parts = split_path(path)
        return await self._run(path, lambda tree: changes.remove_directory(tree, parts))

    async def remove_tree(self, path: str, *, budget: Budget | None = None) -> Removal:
        parts = trash_entry(path)
        removing = RemoveThen(is_directory=True)

        async def look(tree: Tree) -> list[NfsNode]:
            found = await tree.find(parts, then=removing)
            if len(found) == len(parts) and found[-1].attributes.kind != "directory":
                raise Refused(path, "is no directory")
            return found

        found = await self._run(path, look)
        purge = self._unfinished.take(path)
        if len(found) < len(parts):
            return Removal(0)
        if removing.is_done:  # it was empty, as most are that were made for a moment
            return Removal(1)
        if purge is None or not purge.is_of(found[-1]):
            purge = DirectPurge(found[-2], parts[-1], found[-1], concurrency=self._concurrency)
        before = purge.removed
        async with self._sessions.lend() as session:

            async def step(call: Callable[[], Awaitable[T]], /) -> T:
                return await self._step(session, path, call)

            await purge.run(Tree(session, self._rights, self._name), step, budget or NO_LIMIT)
        if not purge.is_through:
            self._unfinished.put(path, purge)
        elif purge.remains.count:
            raise left_behind(self._name, path, purge.remains, purge.removed - before)
        return Removal(purge.removed - before, is_through=purge.is_through)

    async def space(self) -> Space:
        found = await self._run("", lambda tree: tree.session.space())
        return Space(found.total_bytes, found.free_bytes, found.total_inodes, found.free_inodes)

    async def aclose(self) -> None:
        await self._sessions.aclose()
        await asyncio.sleep(0)  # the event loop closes a socket in its next turn

    async def _run(self, path: str, operation: Callable[[Tree], Awaitable[T]]) -> T:
        """One operation with everything around it: deadline, repeats, and what its failure means."""
        began = asyncio.get_running_loop().time()
        used: Sessions = []
        with self._breaker.passage():
            try:
                with Deadline(self._deadline):
                    return await self._repeat(path, operation, used)
            except TimeoutError as error:
                for session in used:
                    self._suspect(session, began)
                raise self._late(path) from error

    async def _repeat(self, path: str, operation: Callable[[Tree], Awaitable[T]], used: Sessions) -> T:
        """The operation; again where the server asks to wait, and once more where what was known of the root is old."""
        pause = FIRST_PAUSE
        is_refreshed = False
        while True:
            async with self._sessions.lend() as session:
                used.append(session)
                try:
                    tree = Tree(session, self._rights, self._name)
                    try:
                        answer = await operation(tree)
                        if is_refreshed or not await self._is_elsewhere(tree):
                            return answer
                        is_refreshed = True
                        continue
                    except Missing:
                        if is_refreshed or not await self._is_elsewhere(tree):
                            raise
                        is_refreshed = True
                        continue
                    except (NfsError, Denied) as error:
                        status = error.error if isinstance(error, Denied) else error
                        if status.code != Status.DELAY:
                            if is_refreshed or not await self._refresh(session, status):
                                raise self._explain(path, error) from error
                            is_refreshed = True
                            continue
                except RpcError as error:
                    raise answers.lost(self._name, path, error) from error
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _is_elsewhere(self, tree: Tree) -> bool:
        """Whether the root showed nothing of what was looked for in it because it is not what is exported any more."""
        return tree.is_bare and await self._sessions.renew(tree.session)

    async def _refresh(self, session: Session, status: NfsError) -> bool:
        """Looks at the root again after an error that may come from knowing it as it was. True: there is news."""
        if status.code not in GONE | DENIED:
            return False
        try:
            attributes = await session.attributes(session.root.handle)
        except NfsError as error:
            if error.code in GONE:
                self._sessions.drop(session)  # mounting again gets the handle of what is exported now
            return error.code in GONE
        if status.code in GONE:
            return await self._sessions.renew(session)
        is_news = attributes.owner != session.root.attributes.owner
        session.root = NfsNode(session.root.handle, attributes)
        return is_news

    async def _step(self, session: Session, path: str, call: Callable[[], Awaitable[T]]) -> T:
        """One call of a long operation, with its own deadline. NfsError and Denied are for the operation to judge."""
        began = asyncio.get_running_loop().time()
        pause = FIRST_PAUSE
        try:
            with Deadline(self._deadline):
                while True:
                    try:
                        return await call()
                    except NfsError as error:
                        if error.code != Status.DELAY:
                            raise
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
        except TimeoutError as error:
            self._suspect(session, began)
            raise self._late(path) from error
        except RpcError as error:
            raise answers.lost(self._name, path, error) from error

    def _suspect(self, session: Session, since: float) -> None:
        """Gives a session up over which nothing was heard all the while: its other calls would wait in vain too."""
        if session.is_open and session.heard < since:
            session.close("the server does not answer", "ETIMEDOUT")

    def _late(self, path: str) -> Unavailable:
        why = f"no answer within {self._deadline:g} s"
        return Unavailable(self._name, "timeout", why, status="ETIMEDOUT", path=path)

    def _explain(self, path: str, error: NfsError | Denied) -> VolumeError:
        if isinstance(error, Denied):
            return answers.denied(self._name, path, error)
        if isinstance(error, RootGone):
            return answers.root_gone(self._name, error)
        return answers.explain(self._name, path, error)
