"""A share is looked through for what a crash left behind: trash that nobody purges, directories that nobody got.

Trash that is nobody's to purge is told of, and left alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace

import structlog

from berth.aio.slices import in_slices
from berth.kube.outcome import Done, Note, Outcome, Reference
from berth.kube.permissions import Permission
from berth.metrics.volumes import VolumeMetrics
from berth.objects import translation
from berth.reconcilers.cluster import Cluster
from berth.reconcilers.displaced import Displacements
from berth.reconcilers.stuck import StuckVolumes
from berth.shares.choose import Shares
from berth.volumes.errors import Refused, Unavailable
from berth.volumes.lifecycle import Lifecycle
from berth.volumes.parameters import parse_parameters, share_address
from berth.volumes.plan import DefaultShare
from berth.volumes.release import share_of
from berth.volumes.share import ShareAddress
from berth.volumes.trash import Trashed

PERMISSIONS: tuple[Permission, ...] = ()

log = structlog.get_logger()

ANOTHERS = 2 * 3600.0
"""Seconds in which another cluster that lives would have purged what it put into the trash, or told what keeps it."""


class Sweep:
    """Key: a share, `server:/export`, as shares_in_use names them."""

    name = "sweep"

    def __init__(
        self,
        *,
        cluster: Cluster,
        shares: Shares,
        lifecycle: Lifecycle,
        default: DefaultShare,
        metrics: VolumeMetrics,
        trashed: Callable[[ShareAddress, str], None],
        stuck: StuckVolumes,
        lock: Callable[[], Reference] | None = None,
        displacements: Displacements | None = None,
    ) -> None:
        """trashed: told (share, PV) of each volume that waits to be purged. lock: the object by which this process
        leads, if it was elected. displacements: compares PVs with shares.
        """
        self._cluster = cluster
        self._shares = shares
        self._lifecycle = lifecycle
        self._default = default
        self._metrics = metrics
        self._trashed = trashed
        self._stuck = stuck
        self._lock = lock
        self._displacements = displacements
        self._addresses: dict[str, ShareAddress] = {}
        self._anothers: dict[str, dict[str, float]] = {}
        """By share: what other clusters have in the trash -> when it was seen there first."""

    def key_for(self, address: ShareAddress) -> str:
        """The key to queue for one share."""
        self._addresses[str(address)] = address
        return str(address)

    async def shares_in_use(self) -> list[str]:
        """Keys of all shares that classes, PVs and the settings name."""
        found: dict[str, ShareAddress] = {}
        async for address in self._addresses_in_use():
            found.setdefault(str(address), address)
        self._addresses.update(found)
        return list(found)

    async def _addresses_in_use(self) -> AsyncIterator[ShareAddress]:
        """One share may come several times, as several classes speak to it; the settings, which can't say how, last."""
        async for of_class in self._cluster.classes.each():
            if of_class.provisioner in self._cluster.provisioners:
                with suppress(Refused):  # its claims are told why
                    parameters = parse_parameters(
                        of_class.parameters or {}, server=self._default.server, export=self._default.export
                    )
                    if parameters.server and parameters.export:
                        options = tuple(of_class.mountOptions or ())
                        yield share_address(parameters.server, parameters.export, options)
        async for said in in_slices(self._cluster.shares_named()):
            if said and (address := await self._address_of(said)) is not None:
                yield address
        if self._default.server and self._default.export:
            yield share_address(self._default.server, self._default.export, ())

    async def _address_of(self, said: str) -> ShareAddress | None:
        """The share that PVs name so, spoken to as the first of them says that makes sense."""
        async for pv in in_slices(self._cluster.volumes_naming(said)):
            volume = self._cluster.volumes.get(pv)
            if volume is not None:
                with suppress(Refused):
                    return share_of(translation.release_request_of(volume, None), self._default)
        return None

    async def __call__(self, key: str) -> Outcome:
        """Looks through one share."""
        address = self._addresses.get(key)
        if address is None:
            return Done()
        share = await self._shares.get(address)
        notes = await self._displacements.look(key, share) if self._displacements is not None else ()
        trash = await self._lifecycle.trash(share)
        for each in trash:
            if self._lifecycle.is_own(each) and each.name not in self._cluster.volumes:  # else see I4: not through yet
                self._trashed(address, each.name)
        try:
            left = await self._lifecycle.sweep(share)
        finally:
            self._metrics.contested(key, bool(self._lifecycle.rivals(address)))
        notes = (*notes, *self._stuck.unowned(key, self._unowned(key, trash)))
        self._metrics.left(key, len(left))
        for found in left:
            log.warning(
                "a directory has neither claim nor PV",
                share=key,
                path=found.record.path,
                claim=str(found.record.owner),
                why=found.why,
            )
        return Done(notes=notes)

    def _unowned(self, key: str, trash: list[Trashed]) -> list[Trashed]:
        """What nobody will purge: things without a record, and what a cluster left that must be gone."""
        now = asyncio.get_running_loop().time()
        before = self._anothers.get(key, {})
        others = [each for each in trash if each.record is not None and not self._lifecycle.is_own(each)]
        seen = self._anothers[key] = {each.name: before.get(each.name, now) for each in others}
        left = [
            replace(each, why=f"of cluster {each.record.cluster}, which does not purge it")
            for each in others
            if each.record is not None and now - seen[each.name] > ANOTHERS
        ]
        return [*(each for each in trash if each.record is None), *left]

    def blame(self, key: str, error: Exception) -> tuple[Note, ...]:
        """The Event for a sweep that failed: on the lock, while another controller acts in this cluster's name, since
        the lock's annotations settle that. Nothing else gets one: no object stands for a share, and its claims have
        Events of their own.
        """
        address = self._addresses.get(key)
        why = "" if address is None else self._lifecycle.rivals(address)
        if self._lock is None or not why:
            return ()
        # Whatever the error was: what has to be told is the contest, with the command that ends it.
        told = Unavailable(str(address), "lease", why)
        return (Note(self._lock(), "Warning", "ShareContested", str(told)),)
