"""Which spellings of server names mean one server, answered at once from what was looked up before."""

from __future__ import annotations

import asyncio

from berth.nfs.resolve import REMEMBERED, Resolver, Unresolved, spelling

_NOWHERE = frozenset({"EAI_NONAME", "EAI_NODATA"})
"""The resolver knows for sure that there is no such server."""


class Servers:
    """Looks up the names it was told, in the background, again and again, since addresses change."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._addresses: dict[str, frozenset[str] | None] = {}
        """By name; None: not known (yet)."""
        self._news = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()

    def learn(self, server: str) -> None:
        """Has a name looked up soon. Costs nothing for one that is known."""
        name = spelling(server)
        if name not in self._addresses:
            self._addresses[name] = None
            self._settled.clear()
            self._news.set()

    def is_same(self, one: str, other: str) -> bool:
        """Whether two spellings are one server. True while that is not known: what must be kept apart is kept apart."""
        first, second = spelling(one), spelling(other)
        if first == second:
            return True
        self.learn(one)
        self.learn(other)
        ours, theirs = self._addresses[first], self._addresses[second]
        return ours is None or theirs is None or not ours.isdisjoint(theirs)

    async def wait_settled(self) -> None:
        """Waits until every name that was learned has been asked for once, with success or not."""
        await self._settled.wait()

    async def run(self) -> None:
        """Keeps the answers fresh, until cancelled."""
        fresh: set[str] = set()
        while True:
            self._news.clear()
            await asyncio.gather(*(self._look_up(name) for name in self._addresses if name not in fresh))
            fresh = set(self._addresses)
            if not self._news.is_set():
                self._settled.set()
                try:
                    async with asyncio.timeout(REMEMBERED):
                        await self._news.wait()
                except TimeoutError:
                    fresh = set()

    async def _look_up(self, name: str) -> None:
        try:
            self._addresses[name] = frozenset(await self._resolver.addresses(name))
        except Unresolved as error:
            if error.status in _NOWHERE:
                self._addresses[name] = frozenset()
