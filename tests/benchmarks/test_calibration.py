"""CPU time means the same on a slow machine as on a fast one."""

from __future__ import annotations

import pytest

from benchmarks import calibration


def test_a_machine_on_which_the_work_takes_twice_as_long_is_half_as_fast() -> None:
    assert calibration.standard(5.0, 2 * calibration.STANDARD_MS) == pytest.approx(2.5)
    assert calibration.standard(2.5, calibration.STANDARD_MS) == pytest.approx(2.5)


def test_the_work_is_always_the_same() -> None:
    """Another result is other work, and figures of before and after could not be compared."""
    assert calibration.work() == 177050


def test_it_is_measured_in_cpu_time() -> None:
    assert 0.1 < calibration.measure() < 1000
