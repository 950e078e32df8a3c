"""A metric's series, as many as may be: labels come from objects that anybody can make.

Counting happens some forty times in the life of a volume, always on the event loop, so it takes no locks and no loop
over buckets here: what is exported is made when somebody looks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Generic, Protocol, TypeVar

from prometheus_client import CollectorRegistry, Histogram, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

MOST = 1000
"""Series of one metric. Prometheus keeps every series that it ever saw, for as long as it keeps data."""
OTHER = "other"
DEFAULT_BOUNDS = tuple(Histogram.DEFAULT_BUCKETS[:-1])
"""Seconds: prometheus_client's own, which dashboards know. The last bucket takes whatever is longer."""

Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily


class One(Protocol):
    """A single series."""

    def add_to(self, family: Family, labels: Sequence[str]) -> None:
        """Tells how it stands at this moment."""


S = TypeVar("S", bound=One)


class Tally:
    """One number."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def inc(self, amount: float = 1.0) -> None:
        """Raises it."""
        self.value += amount

    def set(self, value: float) -> None:
        """Makes it this."""
        self.value = value

    def add_to(self, family: Family, labels: Sequence[str]) -> None:
        family.add_metric(labels, self.value)  # type: ignore[arg-type, call-arg] # never a histogram's


class Spread:
    """How often values were seen, by buckets."""

    __slots__ = ("_bounds", "_seen", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._seen = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Counts value, which belongs to the first bucket that is not below it."""
        self._seen[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def add_to(self, family: Family, labels: Sequence[str]) -> None:
        names = (*map(floatToGoString, self._bounds), "+Inf")
        buckets = list(zip(names, map(float, accumulate(self._seen)), strict=True))
        family.add_metric(labels, buckets, self._sum)  # type: ignore[arg-type] # always a histogram's


class Series(Collector, Generic[S]):
    """Called with the values of the metric's labels, it answers their series: looked up once, not anew for every claim.

    Once there are too many, all that are new are one series, whose labels say `other`.
    """

    _family: type[Family]

    def __init__(
        self, name: str, text: str, labels: Sequence[str], *, registry: CollectorRegistry, most: int = MOST
    ) -> None:
        self._name = name
        self._text = text
        self._labels = tuple(labels)
        self._most = most
        self._known: dict[tuple[str, ...], S] = {}
        registry.register(self)

    def __call__(self, *labels: str) -> S:
        known = self._known.get(labels)
        if known is not None:
            return known
        if len(self._known) >= self._most:
            labels = (OTHER,) * len(labels)
        if len(labels) != len(self._labels):
            raise ValueError(f"{self._name} has the labels {self._labels}")
        return self._known.setdefault(labels, self._new())

    def forget(self, **labels: str) -> None:
        """Drops every series with these labels: what they name is gone."""
        at = [(self._labels.index(name), value) for name, value in labels.items()]
        for known in [known for known in self._known if all(known[index] == value for index, value in at)]:
            del self._known[known]

    def describe(self) -> Iterable[Metric]:
        """Without its series, for the registry to tell metrics of one name apart."""
        yield self._family(self._name, self._text, labels=self._labels)

    def collect(self) -> Iterable[Metric]:
        family = self._family(self._name, self._text, labels=self._labels)
        for labels, one in list(self._known.items()):  # it may be another thread that looks
            one.add_to(family, labels)
        yield family

    def _new(self) -> S:
        raise NotImplementedError


class Counters(Series[Tally]):
    """Numbers that go up."""

    _family = CounterMetricFamily

    def _new(self) -> Tally:
        return Tally()


class Gauges(Series[Tally]):
    """Numbers that go up and down."""

    _family = GaugeMetricFamily

    def _new(self) -> Tally:
        return Tally()


class Histograms(Series[Spread]):
    """Durations."""

    _family = HistogramMetricFamily

    def __init__(
        self,
        name: str,
        text: str,
        labels: Sequence[str],
        *,
        registry: CollectorRegistry,
        bounds: Sequence[float] = DEFAULT_BOUNDS,
    ) -> None:
        super().__init__(name, text, labels, registry=registry)
        self._bounds = tuple(bounds)

    def _new(self) -> Spread:
        return Spread(self._bounds)
