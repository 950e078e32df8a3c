"""How many calls NFS servers get from this process, read when somebody looks, so that counting costs a call nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector


class CallMetrics(Collector):
    """Of all shares together."""

    def __init__(self, registry: CollectorRegistry, calls: Callable[[], int]) -> None:
        """calls: how many there were so far."""
        self._calls = calls
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        yield CounterMetricFamily(
            "berth_nfs_calls",
            "Remote procedure calls made to NFS servers, those of mounting left out.",
            value=self._calls(),
        )
