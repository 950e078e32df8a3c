"""The trash is emptied in the background: deleted volumes go for good, however large, and no claim waits for it.

One volume is worked on for one turn, then others are: a directory without end costs the others a turn, not their end.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

from berth.kube.outcome import Done, Note, Outcome, RetryAfter
from berth.kube.permissions import Permission
from berth.metrics.volumes import VolumeMetrics
from berth.reconcilers.stuck import StuckVolumes
from berth.shares.choose import Shares
from berth.volumes.errors import LeftBehind, VolumeError
from berth.volumes.lifecycle import Lifecycle
from berth.volumes.records import Record
from berth.volumes.share import Budget, Share, ShareAddress

PERMISSIONS: tuple[Permission, ...] = ()

PATIENCE = 5.0
"""Seconds. Short enough that trash is purged also where PVs are released all day long."""
TURN = Budget(seconds=10.0, entries=100_000)
"""How much is purged of one volume before others have their turn."""
MOST_TURNS = 360
"""An hour of work: whatever takes longer is told, in case it has no end."""


def patience(in_line: int) -> float:
    """For how long a volume stays in the trash before its purge. in_line: PVs that wait for release, and go first."""
    return PATIENCE if in_line else 0.0


class Purge:
    """Key: `pv@server:/export`, as key_for makes it."""

    name = "purge"

    def __init__(
        self, *, shares: Shares, lifecycle: Lifecycle, metrics: VolumeMetrics, stuck: StuckVolumes, turn: Budget = TURN
    ) -> None:
        self._shares = shares
        self._lifecycle = lifecycle
        self._metrics = metrics
        self._stuck = stuck
        self._turn = turn
        self._waiting: dict[str, tuple[ShareAddress, str]] = {}
        self._turns: Counter[str] = Counter()
        self._removed: Counter[str] = Counter()
        self._notes: dict[str, tuple[Note, ...]] = {}

    def key_for(self, address: ShareAddress, pv: str) -> str:
        """The key to queue for a deleted volume."""
        key = f"{pv}@{address}"
        self._waiting[key] = (address, pv)
        return key

    def lane_of(self, key: str) -> str:
        """The share that a key is about."""
        return key.partition("@")[2]

    async def __call__(self, key: str) -> Outcome:
        """Purges one deleted volume, or a part of it. An interrupted purge goes on where it was."""
        waiting = self._waiting.get(key)
        if waiting is None:
            return Done()
        address, pv = waiting
        share = await self._shares.get(address)
        try:
            removal = await self._lifecycle.purge(pv, share, budget=self._turn)
        except LeftBehind as left:
            self._metrics.purged(left.removed)
            self._turns.pop(key, None)
            record = await self._record_of(pv, share, left)
            self._notes[key] = self._stuck.purge_failed(str(address), pv, left.status, str(left), record)
            raise
        self._metrics.purged(removal.entries)
        self._removed[key] += removal.entries
        if not removal.is_through:
            return self._next_turn(key, share, pv)
        for known in (self._waiting, self._turns, self._notes):
            known.pop(key, None)
        removed = self._removed.pop(key)
        self._stuck.purged(str(address), pv)
        return Done(did=f"purged {removed} entries" if removed > 1 else "")

    def blame(self, key: str, error: Exception) -> tuple[Note, ...]:
        """The Events for a purge that failed: on the volume's class, or else on the controller's pod, where something
        can't be removed. An outage gets none: the volume's claim and PV are gone, and the share's other claims have
        Events of their own.
        """
        return self._notes.pop(key, ()) if isinstance(error, LeftBehind) else ()

    def _next_turn(self, key: str, share: Share, pv: str) -> Outcome:
        """At the end of the line. Told on somebody once there have been very many."""
        self._turns[key] += 1
        why = "there is more than one turn takes"
        if self._turns[key] < MOST_TURNS:
            return RetryAfter(why, seconds=0.0)
        told = (
            f"share {share.address}: the purge of deleted volume {pv} comes to no end, though {self._removed[key]} "
            f"entries were removed; somebody writes into it, or the server invents them"
        )
        return RetryAfter(why, seconds=0.0, notes=self._stuck.purge_failed(str(share.address), pv, "endless", told))

    async def _record_of(self, pv: str, share: Share, left: LeftBehind) -> Record | None:
        """The volume's record, in which it is written down what keeps it; None where that can't be had now."""
        with suppress(VolumeError):
            return await self._lifecycle.mark_stuck(pv, share, left)
        return None
