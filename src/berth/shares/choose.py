"""The right way to touch a share: mounted where it is mounted, directly everywhere else.

One Share per address for the life of the process; a direct one holds a connection only while it is used. Asking for one
touches no server, so a share that is down holds up nobody but those who then work with it.
"""

from __future__ import annotations

from berth.host.mountinfo import is_mount_point
from berth.nfs import Resolver, Servers
from berth.shares.direct.session_cache import Unused
from berth.shares.direct.share import DirectShare
from berth.shares.mounted.share import MountedShare
from berth.shares.observed import ObservedShare, Observer
from berth.volumes.share import Guard, Share, ShareAddress, always


class Shares:
    """All shares of this process."""

    def __init__(
        self,
        *,
        default: ShareAddress | None = None,
        mounted_at: str = "",
        timeout: float = 10.0,
        concurrency: int = 96,
        observer: Observer | None = None,
        guard: Guard = always,
    ) -> None:
        """default: the share that is mounted at mounted_at, if anything is. timeout: seconds for one operation.

        concurrency: how many entries a direct share removes from the trash at once, at most. observer: told of every
        operation. guard: asked before each step on any share that can't be taken back.
        """
        self._default = default
        self._mounted_at = mounted_at
        self._timeout = timeout
        self._concurrency = concurrency
        self._observer = observer
        self._guard = guard
        self._resolver = Resolver(deadline=timeout / 2)
        self._servers = Servers(self._resolver)
        self._shares: dict[ShareAddress, Share] = {}
        self._direct: dict[ShareAddress, DirectShare] = {}
        self._unused = Unused()

    @property
    def calls(self) -> int:
        """How many remote procedure calls were made to NFS servers so far, those of mounting left out."""
        return sum(share.calls for share in self._direct.values())

    def at_hand(self, address: ShareAddress) -> Share | None:
        """The share at address, if it was asked for before."""
        return self._shares.get(address)

    async def get(self, address: ShareAddress) -> Share:
        """The share at address. Refused when its mount options ask for an NFS version that can't be spoken."""
        share = self._shares.get(address)
        if share is not None:
            return share
        self._servers.learn(address.server)
        is_mounted = await self._is_mounted(address)
        if address in self._shares:  # another task came first while this one looked a name up
            return self._shares[address]
        made: Share
        if is_mounted:
            made = MountedShare(self._mounted_at, address, deadline=self._timeout, guard=self._guard)
        else:
            made = self._direct[address] = DirectShare(
                address,
                self._resolver,
                deadline=self._timeout,
                concurrency=self._concurrency,
                guard=self._guard,
                unused=self._unused,
            )
        if self._observer is not None:
            made = ObservedShare(made, self._observer)
        self._shares[address] = made
        return made

    def learn(self, server: str) -> None:
        """Has a server's name looked up soon, so that same_server knows it when it is asked."""
        self._servers.learn(server)

    def same_server(self, one: str, other: str) -> bool:
        """Whether two spellings are one server: by name, or by address. True while that is not known.

        Never waits. run keeps what it goes by fresh, and wait_settled waits for the first look at all that was learned.
        """
        return self._servers.is_same(one, other)

    async def wait_settled(self) -> None:
        """Waits until all names that were learned have been looked up once, which has a deadline. Needs run."""
        await self._servers.wait_settled()

    async def run(self) -> None:
        """Looks server names up, again and again, until cancelled."""
        await self._servers.run()

    async def aclose(self) -> None:
        """Closes every share. Nobody may use them any more."""
        for share in self._shares.values():
            await share.aclose()
        await self._resolver.aclose()

    async def _is_mounted(self, address: ShareAddress) -> bool:
        default = self._default
        if default is None or default.export != address.export or not is_mount_point(self._mounted_at):
            return False
        return await self._resolver.is_same(default.server, address.server)
