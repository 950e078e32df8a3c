"""What a restored backup leaves behind: figures that ought to be 0."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from prometheus_client import CollectorRegistry, Gauge

STATES = ("trashed", "archived", "gone", "taken")


class DisplacedMetrics:
    """Gauges, as the last sweep saw it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._displaced = cache(
            Gauge(
                "berth_displaced_volumes",
                "PVs whose directories are not in their places: in the trash, archived, gone, or taken by others.",
                ["share", "state"],
                registry=registry,
            ).labels
        )
        self._doubtful = cache(
            Gauge(
                "berth_share_doubtful",
                "1 where .berth is missing, knows nothing of this cluster, or is another than before.",
                ["share"],
                registry=registry,
            ).labels
        )

    def displaced(self, share: str, by_state: Mapping[str, int]) -> None:
        """So many PVs on share are not in their places, by where they are."""
        for state in STATES:
            self._displaced(share, state).set(by_state.get(state, 0))

    def doubtful(self, share: str, is_so: bool) -> None:
        """Whether share is not what it was."""
        self._doubtful(share).set(int(is_so))
