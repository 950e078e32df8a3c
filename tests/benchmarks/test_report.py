"""The tables fit a narrow terminal, judge what is portable, and say when the machine was busy."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.figures import FIGURES
from benchmarks.report import NARROW, WIDE, Report
from benchmarks.results import Results


def machine(**changed: Any) -> dict[str, Any]:
    facts = {
        "cpu": "A CPU of some name",
        "cores": 2,
        "cores_there": 64,
        "calibration_ms": 12.3,
        "kubernetes": "1.20",
        "python": "3.11.2",
        "berth": "0.1.0",
        "others_percent": 3.0,
    }
    return {**facts, **changed}


@pytest.fixture
def everything() -> Results:
    """Two samples of every figure, as large as they get."""
    results = Results()
    for figure in FIGURES:
        for value in (1234.567, 9999.0):
            results.add({figure.key: value})
    results.parts["provision.requests"] = {f"create resources-of-kind-{number}": [1.0, 1.0] for number in range(9)}
    return results


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_no_line_is_longer_than_the_terminal(everything: Results, width: int) -> None:
    lines = Report(width).lines(everything, machine(others_percent=77.7), is_judged=True)
    assert [line for line in lines if len(line) > width] == []
    assert all(any(line.startswith(figure.title) for line in lines) for figure in FIGURES)


def test_the_verdict_is_told_where_it_is_wanted() -> None:
    results = Results()
    results.add({"purge.speedup": 19.0, "purge.speedup_v3": 21.0, "provision.per_s": 0.1})
    judged = Report(NARROW).lines(results, machine(), is_judged=True)
    assert [line.split()[-1] for line in judged if line.startswith("purge")] == ["MISSED", "ok"]
    assert not any("MISSED" in line or "ok" in line for line in judged if line.startswith("claims served"))
    quiet = "\n".join(Report(NARROW).lines(results, machine(), is_judged=False))
    assert "MISSED" not in quiet


@pytest.mark.parametrize(("percent", "is_told"), [(3.0, False), (43.0, True)])
def test_a_busy_machine_stands_beside_the_rates_and_below(percent: float, is_told: bool) -> None:
    results = Results(was_busy=is_told)
    results.add({"provision.per_s": 100, "purge.speedup": 1})
    text = "\n".join(Report(WIDE).lines(results, machine(others_percent=percent), is_judged=True))
    assert f"others using up to {percent:.0f} % of it (not judged)" in text
    assert ("The machine was busy" in text) is is_told
    assert ("MISSED" in text) is not is_told
