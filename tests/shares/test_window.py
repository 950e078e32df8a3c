"""As much is under way as the server keeps up with, however far away it is."""

from __future__ import annotations

import pytest

from berth.shares.direct.window import SLACK, Window


def serve(window: Window, *, distance: float, seconds_each: float, rounds: int = 200) -> None:
    """A server that takes so long for each of all that is under way, one after another, after the way to it."""
    now = 0.0
    for _ in range(rounds):
        took = distance + window.size * seconds_each
        for _ in range(window.size):
            window.answered(now, now + took)
        now += took


@pytest.mark.parametrize("distance", [0.0, 0.002, 0.5])
def test_a_server_that_keeps_up_gets_all_that_is_allowed(distance: float) -> None:
    window = Window(96)
    serve(window, distance=distance, seconds_each=0.0001)
    assert window.size == 96


@pytest.mark.parametrize("distance", [0.0, 0.002, 0.5])
def test_at_a_slow_server_others_wait_for_a_moment_only(distance: float) -> None:
    window = Window(96)
    window.answered(0.0, distance + 0.01)  # it was quick once
    serve(window, distance=distance, seconds_each=0.01)
    assert window.size >= 4
    assert window.size * 0.01 <= 2.5 * SLACK


def test_one_after_another_stays_so() -> None:
    window = Window(1)
    serve(window, distance=0.0, seconds_each=0.0)
    serve(window, distance=0.0, seconds_each=10.0)
    assert window.size == 1


def test_what_was_under_way_already_narrows_it_once() -> None:
    window = Window(64)
    window.answered(0.0, 0.01)
    size = window.size
    for _ in range(20):
        window.answered(0.0, 5.0)
    assert window.size == size // 2
    window.answered(5.0, 9.0)
    assert window.size == size // 4
