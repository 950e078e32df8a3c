"""Delays double from 1 s to 5 min, per key, with jitter, and start again when forgotten."""

from __future__ import annotations

from berth.kube.backoff import Backoff


def test_delays_double_up_to_the_limit_and_keep_half_to_whole() -> None:
    backoff = Backoff(first=1, limit=300)
    delays = [backoff.next("a") for _ in range(2000)]
    for number, delay in enumerate(delays):
        whole = min(300.0, 2.0 ** min(number, 20))
        assert whole / 2 <= delay <= whole
    assert backoff.failures("a") == 2000


def test_equal_failures_do_not_come_back_together() -> None:
    backoff = Backoff()
    assert len({backoff.next(f"claim-{number}") for number in range(100)}) > 90


def test_keys_are_independent_and_forgotten_ones_start_again() -> None:
    backoff = Backoff()
    for _ in range(8):
        backoff.next("a")
    assert backoff.next("b") <= 1
    backoff.forget("a")
    assert backoff.failures("a") == 0
    assert backoff.next("a") <= 1
    backoff.forget("never seen")
    assert len(backoff) == 2
