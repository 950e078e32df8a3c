"""What should be gone and does not go: the two figures that ought to be 0."""

from __future__ import annotations

from functools import cache

from prometheus_client import CollectorRegistry, Gauge


class StuckMetrics:
    """Gauges of volumes whose end does not come."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._trash = cache(
            Gauge(
                "berth_trash_stuck",
                "Deleted volumes in a share's trash that can't be purged, or that nobody will purge.",
                ["share"],
                registry=registry,
            ).labels
        )
        self._released = cache(
            Gauge(
                "berth_released_stuck",
                "Released PVs whose deletion or archiving failed or was refused.",
                ["class"],
                registry=registry,
            ).labels
        )

    def in_trash(self, share: str, count: int) -> None:
        """So many deleted volumes are stuck in the trash of share."""
        self._trash(share).set(count)

    def released(self, class_name: str, count: int) -> None:
        """So many Released PVs of a class can't go."""
        self._released(class_name).set(count)
