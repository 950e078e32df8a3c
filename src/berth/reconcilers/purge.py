"""The trash is emptied in the background: deleted volumes go for good, however large, and no claim waits for it."""

from __future__ import annotations

from berth.kube.outcome import Done, Note, Outcome
from berth.kube.permissions import Permission
from berth.metrics.volumes import VolumeMetrics
from berth.shares.choose import Shares
from berth.volumes.lifecycle import Lifecycle
from berth.volumes.share import ShareAddress

PERMISSIONS: tuple[Permission, ...] = ()

PATIENCE = 5.0
"""Seconds. Short enough that trash is purged also where PVs are released all day long."""


def patience(in_line: int) -> float:
    """For how long a volume stays in the trash before its purge. in_line: PVs that wait for release, and go first."""
    return PATIENCE if in_line else 0.0


class Purge:
    """Key: `pv@server:/export`, as key_for makes it."""

    name = "purge"

    def __init__(self, *, shares: Shares, lifecycle: Lifecycle, metrics: VolumeMetrics) -> None:
        self._shares = shares
        self._lifecycle = lifecycle
        self._metrics = metrics
        self._waiting: dict[str, tuple[ShareAddress, str]] = {}

    def key_for(self, address: ShareAddress, pv: str) -> str:
        """The key to queue for a deleted volume."""
        key = f"{pv}@{address}"
        self._waiting[key] = (address, pv)
        return key

    async def __call__(self, key: str) -> Outcome:
        """Purges one deleted volume. An interrupted purge goes on where it was."""
        waiting = self._waiting.get(key)
        if waiting is None:
            return Done()
        address, pv = waiting
        removed = await self._lifecycle.purge(pv, await self._shares.get(address))
        self._metrics.purged(removed)
        self._waiting.pop(key, None)
        return Done(did=f"purged {removed} entries" if removed > 1 else "")

    def blame(self, key: str, error: Exception) -> tuple[Note, ...]:
        """Nobody: the claim and the PV are gone, so the log and the metrics tell."""
        return ()
