"""The gate in front of a share: open while it works, one scout at a time while it does not."""

from __future__ import annotations

import pytest

from berth.shares.circuit_breaker import CircuitBreaker
from berth.volumes.errors import FailureStage, Missing, Unavailable

SHARE = "nfs:/export"


def fail(gate: CircuitBreaker, stage: FailureStage) -> None:
    with pytest.raises(Unavailable), gate.passage():
        raise Unavailable(SHARE, stage, "the first failure")


@pytest.mark.parametrize("stage", ["dns", "connect", "mount", "timeout"])
def test_a_failure_of_the_whole_share_lets_one_scout_through(stage: FailureStage) -> None:
    gate = CircuitBreaker()
    fail(gate, stage)
    with gate.passage():  # the scout
        with pytest.raises(Unavailable, match="the first failure") as caught, gate.passage():
            pytest.fail("a second one passed")
        assert caught.value.stage == stage
    assert not gate.is_shut
    with gate.passage(), gate.passage():
        pass


@pytest.mark.parametrize("stage", ["permission", "io"])
def test_a_failure_of_one_operation_shuts_nothing(stage: FailureStage) -> None:
    gate = CircuitBreaker()
    fail(gate, stage)
    assert not gate.is_shut


def test_any_answer_opens_it_again() -> None:
    gate = CircuitBreaker()
    fail(gate, "timeout")
    with pytest.raises(Missing), gate.passage():
        raise Missing(SHARE, "path")
    assert not gate.is_shut


def test_a_scout_that_fails_is_followed_by_another() -> None:
    gate = CircuitBreaker()
    for _ in range(3):
        fail(gate, "timeout")
        assert gate.is_shut
    with gate.passage():
        pass


def test_a_scout_that_is_called_back_makes_room_for_another() -> None:
    gate = CircuitBreaker()
    fail(gate, "timeout")
    with pytest.raises(KeyboardInterrupt), gate.passage():
        raise KeyboardInterrupt
    assert gate.is_shut
    with gate.passage():
        pass
    assert not gate.is_shut
