"""A metric's series, as many as may be: labels come from objects that anybody can make."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from prometheus_client import Counter, Gauge, Histogram

M = TypeVar("M", Counter, Gauge, Histogram)

MOST = 1000
"""Series of one metric. Prometheus keeps every series that it ever saw, for as long as it keeps data."""
OTHER = "other"


class Series(Generic[M]):
    """Called with the values of the metric's labels, it answers their series: looked up once, not anew for every claim.

    Once there are too many, all that are new are one series, whose labels say `other`.
    """

    def __init__(self, metric: M, *, most: int = MOST) -> None:
        self._metric: Any = metric
        self._most = most
        self._known: dict[tuple[str, ...], M] = {}

    def __call__(self, *labels: str) -> M:
        known = self._known.get(labels)
        if known is not None:
            return known
        if len(self._known) >= self._most:
            labels = (OTHER,) * len(labels)
        return self._known.setdefault(labels, self._metric.labels(*labels))

    def forget(self, **labels: str) -> None:
        """Drops every series with these labels: what they name is gone."""
        at = [(self._metric._labelnames.index(name), value) for name, value in labels.items()]
        for known in [known for known in self._known if all(known[index] == value for index, value in at)]:
            del self._known[known]
            self._metric.remove(*known)
