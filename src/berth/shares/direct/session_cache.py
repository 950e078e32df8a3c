"""Holds the one session of a share: made on first use, shared by all calls, closed when idle, replaced when broken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType

from berth.nfs import Session

TRUSTED = 5.0
"""Seconds for which the root that a session was given is not asked for again."""


MOST_UNUSED = 128
"""Sessions that are kept for the next call while nobody uses them. Each takes a port, and there are 359 where servers
want their clients, below 1024; a controller has as many shares as its classes and PVs name.
"""


class Unused:
    """The caches whose sessions nobody uses at the moment, those of all shares together."""

    def __init__(self, most: int = MOST_UNUSED) -> None:
        """most: how many of them keep their session. Beyond that, the one that was used least lately closes its own."""
        self._most = most
        self._caches: dict[SessionCache, None] = {}

    def add(self, cache: SessionCache) -> None:
        """It was used until now."""
        self._caches[cache] = None
        if len(self._caches) > self._most:
            first = next(iter(self._caches))
            del self._caches[first]
            first.let_go()

    def remove(self, cache: SessionCache) -> None:
        """It is used from now on, or has no session any more."""
        self._caches.pop(cache, None)


class SessionCache:
    """See the module's text."""

    def __init__(self, dial: Callable[[], Awaitable[Session]], *, idle: float, unused: Unused | None = None) -> None:
        """idle: seconds without a call after which the session is closed. Below every server's lease time (NFSv4).
        unused: shared by all caches of which together not too many may keep a session.
        """
        self._dial = dial
        self._idle = idle
        self._unused = unused or Unused()
        self._session: Session | None = None
        self._past_calls = 0
        self._dialing: asyncio.Task[Session] | None = None
        self._lent = 0
        self._used = 0.0
        self._confirmed = 0.0
        self._confirming = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    @property
    def calls(self) -> int:
        """How many calls were made on all sessions so far, those of dialing left out."""
        return self._past_calls + (self._session.calls if self._session is not None else 0)

    def lend(self) -> Loan:
        """Around its use: a session that is open; what dialing raises otherwise. Many may have it at once."""
        return Loan(self)

    async def take(self) -> Session:
        """A session that is open, to be given back."""
        self._lent += 1
        if self._lent == 1:
            self._unused.remove(self)
        session = self._session
        return session if session is not None and session.is_open and not self._is_closed else await self._get()

    def give_back(self) -> None:
        """It is no longer used, by one of those who took it."""
        self._lent -= 1
        self._used = asyncio.get_running_loop().time()
        if not self._lent and self._session is not None:
            self._unused.add(self)

    def let_go(self) -> None:
        """Closes the session, if there is one; for when nobody uses it."""
        if self._session is not None:
            self.drop(self._session)

    def drop(self, session: Session) -> None:
        """Closes a session that is no good any more; who waits on it is told, and the next call makes a new one."""
        session.close()
        if self._session is session:
            self._replace(None)

    async def renew(self, session: Session) -> bool:
        """Whether what is exported has another root by now than this session: then it was replaced by a new one.

        A server may know a directory for long that somebody removed behind its back, and call everything in it missing,
        while it shows to who mounts anew what took its place. So that is what is done here, at most every few seconds.
        """
        async with self._confirming:
            if session is not self._session:
                return True
            if asyncio.get_running_loop().time() < self._confirmed + TRUSTED:
                return False
            fresh = await self._dial()
            self._confirmed = asyncio.get_running_loop().time()
            if session is self._session and fresh.root.handle == session.root.handle:
                fresh.close()
                return False
            if self._is_closed or self._session is not session:
                fresh.close()
            else:
                session.close()
                self._replace(fresh)
            return True

    async def aclose(self) -> None:
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._dialing is not None:
            self._dialing.cancel()
            await asyncio.wait({self._dialing})
        self.let_go()

    async def _get(self) -> Session:
        if self._is_closed:
            raise RuntimeError("the share is closed")
        if self._session is not None and self._session.is_open:
            return self._session
        if self._dialing is None:
            self._dialing = asyncio.ensure_future(self._dial())
            self._dialing.add_done_callback(self._on_dialed)
        # Shielded: one caller's cancellation must not end what others wait for.
        return await asyncio.shield(self._dialing)

    def _on_dialed(self, task: asyncio.Future[Session]) -> None:
        self._dialing = None
        if task.cancelled() or task.exception() is not None:
            return
        if self._is_closed:
            task.result().close()
            return
        self._replace(task.result())
        self._confirmed = asyncio.get_running_loop().time()
        if not self._lent:  # who wanted it was cancelled meanwhile
            self._unused.add(self)
        if self._timer is None:
            self._watch_idleness(self._idle)

    def _replace(self, session: Session | None) -> None:
        if self._session is not None:
            self._past_calls += self._session.calls
        if session is None:
            self._unused.remove(self)
        else:
            self._past_calls -= session.calls  # those of dialing
        self._session = session

    def _watch_idleness(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if self._session is None or not self._session.is_open:
            return
        left = self._used + self._idle - asyncio.get_running_loop().time()
        if self._lent or left > 0:
            self._watch_idleness(max(left, self._idle / 4))
        else:
            self.drop(self._session)


class Loan:
    """A session that is lent by a SessionCache: a context manager."""

    __slots__ = ("_cache",)

    def __init__(self, cache: SessionCache) -> None:
        self._cache = cache

    async def __aenter__(self) -> Session:
        try:
            return await self._cache.take()
        except BaseException:
            self._cache.give_back()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cache.give_back()
