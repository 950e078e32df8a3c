"""How the control loop itself is doing: queues, requests to the API server, leadership. Names are client-go's."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, disable_created_metrics

from berth.metrics.series import Counters, Gauges, Histograms

disable_created_metrics()  # type: ignore[no-untyped-call] # a second series for each counter, that nobody asks for


class MachineryMetrics:
    """Fits the observers of kube's queues, loops, clients and election. Kept as in VolumeMetrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self._depth = Gauges("workqueue_depth", "Keys in line.", ["name"], registry=registry)
        self._adds = Counters("workqueue_adds_total", "Keys put in line.", ["name"], registry=registry)
        self._waited = Histograms("workqueue_queue_duration_seconds", "Time in line.", ["name"], registry=registry)
        self._worked = Histograms(
            "workqueue_work_duration_seconds", "Time of one attempt.", ["name"], registry=registry
        )
        self._retries = Counters("workqueue_retries_total", "Attempts put off by backoff.", ["name"], registry=registry)
        self._outcomes = Counters(
            "berth_reconcile_total", "Answers of reconcilers.", ["reconciler", "outcome"], registry=registry
        )
        self._requests = Counters(
            "rest_client_requests_total",
            "Requests to the API server.",
            ["code", "method", "resource"],
            registry=registry,
        )
        self._request_seconds = Histograms(
            "rest_client_request_duration_seconds", "Time to the answer.", ["method"], registry=registry
        )
        self._leader = Gauges("leader_election_master_status", "1 on the leader.", ["name"], registry=registry)

    def added(self, queue: str, depth: int) -> None:
        """A key joined queue."""
        self._adds(queue).inc()
        self._depth(queue).set(depth)

    def started(self, queue: str, depth: int, waited: float) -> None:
        """A worker took a key."""
        self._depth(queue).set(depth)
        self._waited(queue).observe(waited)

    def finished(self, queue: str, worked: float) -> None:
        """A worker handed a key back."""
        self._worked(queue).observe(worked)

    def retried(self, queue: str) -> None:
        """A key was put off."""
        self._retries(queue).inc()

    def reconciled(self, loop: str, outcome: str, seconds: float) -> None:
        """A reconciler answered."""
        self._outcomes(loop, outcome).inc()

    def requested(self, verb: str, resource: str, code: int, seconds: float) -> None:
        """The API server answered, or did not (code 0)."""
        self._requests(str(code) if code else "<error>", verb, resource).inc()
        self._request_seconds(verb).observe(seconds)

    def leads(self, name: str, is_leader: bool) -> None:
        """This process got or lost the lock called name."""
        self._leader(name).set(1 if is_leader else 0)
