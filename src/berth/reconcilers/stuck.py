"""Volumes whose end does not come, seen by everybody: figures for those who watch, Events for those who look.

An Event is posted once for each volume and state, and again before the API server forgets it (after an hour), so that
it is there for as long as the volume is stuck, and no more than that.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection

from berth.kube.outcome import Note, Reference
from berth.metrics.stuck import StuckMetrics
from berth.reconcilers.cluster import Cluster
from berth.volumes.records import Record
from berth.volumes.trash import Trashed, unowned_text

STUCK = "TrashStuck"
"""Reason of the Event about a deleted volume that can't be purged."""
UNOWNED = "TrashUnowned"
"""Reason of the Event about things in the trash that nobody will purge."""

AGAIN = 3000.0
"""Seconds after which the same is told again."""


class StuckVolumes:
    """What this process knows to be stuck."""

    def __init__(self, *, cluster: Cluster, metrics: StuckMetrics, pod: Reference) -> None:
        """pod: this controller's own, which Events are about where no class is left for them."""
        self._cluster = cluster
        self._metrics = metrics
        self._pod = pod
        self._in_trash: defaultdict[str, set[str]] = defaultdict(set)
        self._unowned: dict[str, int] = {}
        self._released: dict[str, str] = {}
        self._told: dict[tuple[str, str], tuple[str, float]] = {}

    def purge_failed(self, share: str, pv: str, state: str, why: str, record: Record | None = None) -> tuple[Note, ...]:
        """A deleted volume can't be purged: what to post. state: what makes the same failure another one."""
        self._in_trash[share].add(pv)
        self._count(share)
        if not self._is_news((share, pv), state):
            return ()
        whose = f'; it was the volume of claim "{record.owner}"' if record is not None else ""
        about = self._class_reference(record.class_name) if record is not None else None
        return (Note(about or self._pod, "Warning", STUCK, f"{why}{whose}"),)

    def purged(self, share: str, pv: str) -> None:
        """A deleted volume is gone."""
        self._told.pop((share, pv), None)
        if pv in self._in_trash[share]:
            self._in_trash[share].discard(pv)
            self._count(share)

    def unowned(self, share: str, found: Collection[Trashed]) -> tuple[Note, ...]:
        """These lie in the trash of share and nobody will purge them: what to post."""
        self._unowned[share] = len(found)
        self._count(share)
        if not found:
            self._told.pop((share, ""), None)
            return ()
        why = unowned_text(share, found)
        return (Note(self._pod, "Warning", UNOWNED, why),) if self._is_news((share, ""), why) else ()

    def release_failed(self, pv: str, class_name: str) -> None:
        """The end of a Released PV failed or was refused."""
        self._released[pv] = class_name
        self._count_released(class_name)

    def released(self, pv: str) -> None:
        """A PV has come to its end, or is not to come to it any more."""
        class_name = self._released.pop(pv, None)
        if class_name is not None:
            self._count_released(class_name)

    def _count(self, share: str) -> None:
        self._metrics.in_trash(share, len(self._in_trash[share]) + self._unowned.get(share, 0))

    def _count_released(self, class_name: str) -> None:
        self._metrics.released(class_name, Counter(self._released.values())[class_name])

    def _is_news(self, key: tuple[str, str], state: str) -> bool:
        now = asyncio.get_running_loop().time()
        told = self._told.get(key)
        if told is not None and told[0] == state and now < told[1] + AGAIN:
            return False
        self._told[key] = (state, now)
        return True

    def _class_reference(self, name: str) -> Reference | None:
        found = self._cluster.classes.get(name)
        if found is None:
            return None
        return Reference("storage.k8s.io/v1", "StorageClass", name, found.metadata.uid)
