"""What NFS servers get is read when somebody looks."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from berth.metrics.calls import CallMetrics


def test_the_number_is_what_it_is_at_the_moment() -> None:
    registry, made = CollectorRegistry(), [3]
    CallMetrics(registry, lambda: made[0])
    assert b"berth_nfs_calls_total 3.0" in generate_latest(registry)
    made[0] = 8
    assert b"berth_nfs_calls_total 8.0" in generate_latest(registry)
