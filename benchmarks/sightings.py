"""When claims and PVs came, were bound and went, as a watch in the bench saw them.

A moment is taken when the line of the watch has arrived, claims and PVs alike, so a difference of two holds no more
than the difference of two deliveries.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence, Sized
from contextlib import asynccontextmanager

from benchmarks.errors import BenchFailed
from berth.kube.client import Api
from berth.kube.informer import Informer
from berth.objects import translation
from berth.objects.kinds import ClaimObject, VolumeObject

Moments = dict[str, float]
"""time.monotonic by the claim's UID."""


class Sightings:
    """What has happened to the claims of one namespace, and to their PVs."""

    def __init__(self, namespace: str) -> None:
        self.filed: Moments = {}
        self.asked: Moments = {}
        """When the PV controller had asked a provisioner for the claim's volume."""
        self.provisioned: Moments = {}
        self.bound: Moments = {}
        self.gone: Moments = {}
        """When the claim itself was gone."""
        self.released: Moments = {}
        self.removed: Moments = {}
        """When the claim's PV was gone."""
        self.namespace = namespace
        self._changed = asyncio.Event()

    async def until(self, seen: Sized, count: int, what: str, *, deadline: float) -> None:
        """Returns once seen, one of the tables above, has count entries. BenchFailed after deadline seconds."""
        try:
            async with asyncio.timeout(deadline):
                while len(seen) < count:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise BenchFailed(f"{len(seen)} of {count} {what} after {deadline:g} s") from None

    def between(self, earlier: Moments, later: Moments) -> list[float]:
        """Seconds from the one to the other for every claim that came so far, shortest first."""
        return sorted(moment - earlier[uid] for uid, moment in later.items())

    def claim_changed(self, old: ClaimObject | None, new: ClaimObject | None) -> None:
        """A claim of any namespace came, changed or went."""
        claim = new or old or ClaimObject()
        uid = claim.metadata.uid
        if new is None:
            self._note(self.gone, uid)
        elif old is None:
            self._note(self.filed, uid)
        if new is not None and translation.provisioner_of(new):
            self._note(self.asked, uid)
        if new is not None and new.status is not None and new.status.phase == "Bound":
            self._note(self.bound, uid)

    def volume_changed(self, old: VolumeObject | None, new: VolumeObject | None) -> None:
        """A PV came, changed or went."""
        claim = translation.former_claim(new or old or VolumeObject())
        if claim is None or claim.namespace != self.namespace:
            return
        self._note(self.removed if new is None else self.provisioned, claim.uid)
        if new is not None and translation.phase_of(new) == "Released":
            self._note(self.released, claim.uid)

    def _note(self, moments: Moments, uid: str) -> None:
        if uid not in moments:
            moments[uid] = time.monotonic()
            self._changed.set()


def percentile(ordered: Sequence[float], percent: int) -> float:
    """The value that so many percent of them don't exceed."""
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


@asynccontextmanager
async def following(api: Api, namespace: str) -> AsyncIterator[Sightings]:
    """Sightings from now on, until the end of the block."""
    seen = Sightings(namespace)
    claims = Informer(api, ClaimObject, namespace=namespace, resync=None)
    volumes = Informer(api, VolumeObject, resync=None)
    claims.add_handler(seen.claim_changed)
    volumes.add_handler(seen.volume_changed)
    tasks = [
        asyncio.create_task(claims.run(), name="claims seen by the bench"),
        asyncio.create_task(volumes.run(), name="PVs seen by the bench"),
    ]
    try:
        await asyncio.gather(claims.wait_synced(), volumes.wait_synced())
        yield seen
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
