"""What bench.json holds, which figures are judged, and which count as missed."""

from __future__ import annotations

import pytest

from benchmarks.figures import FIGURES
from benchmarks.results import Results


def test_keys_are_nested_and_the_median_counts() -> None:
    results = Results()
    for rate in (300, 100, 250):
        results.add({"raw.creates_per_s": 4 * rate, "provision.per_s": rate})

    content = results.as_json({"cpu": "any"}, {"claims": 1000})

    assert content["raw"] == {"creates_per_s": 1000}
    assert content["provision"] == {"per_s": 250}
    assert content["spread"]["provision.per_s"] == {"min": 100, "median": 250, "max": 300, "samples": 3}
    assert content["machine"] == {"cpu": "any"}


def test_a_peak_is_its_highest_sample() -> None:
    results = Results()
    for peak in (80, 91, 70):
        results.add({"provision.peak_rss_mb": peak})

    assert results.as_json({}, {})["provision"]["peak_rss_mb"] == 91
    assert results.judged("MISSED") == ["provision.peak_rss_mb"]


@pytest.mark.parametrize(("times", "is_missed"), [(19.9, True), (20, False)])
def test_a_target_is_met_at_its_value(times: float, is_missed: bool) -> None:
    results = Results()
    results.add({"purge.speedup": times})

    assert results.judged("ok") == ([] if is_missed else ["purge.speedup"])
    assert results.as_json({}, {})["missed"] == (["purge.speedup"] if is_missed else [])


def test_only_what_holds_on_any_machine_has_a_target_and_goes_into_the_history() -> None:
    assert [figure.key for figure in FIGURES if figure.target and not figure.is_portable] == []
    results = Results()
    results.add({"provision.per_s": 1, "provision.of_raw": 0.75})
    assert results.judged("MISSED") == []
    assert results.portable() == {"provision.of_raw": 0.75}


def test_ratios_of_times_are_not_judged_on_a_busy_machine_and_counts_are() -> None:
    results = Results(was_busy=True)
    results.add({"purge.speedup": 5, "provision.of_raw": 0.9, "provision.requests": 9, "release.requests": 2})
    assert results.judged("busy") == ["provision.of_raw", "purge.speedup"]
    assert results.judged("MISSED") == ["provision.requests"]
    assert results.judged("ok") == ["release.requests"]
    content = results.as_json({}, {})
    assert (content["missed"], content["undecided"]) == (["provision.requests"], ["provision.of_raw", "purge.speedup"])


def test_a_sum_is_told_with_its_parts_and_what_was_not_there_was_nothing() -> None:
    results = Results()
    results.add_sum("provision.requests", {"create persistentvolumes": 1.0, "create events": 1.0})
    results.add_sum("provision.requests", {"create persistentvolumes": 1.0, "create events": 0.5, "get nodes": 0.25})
    results.add_sum("provision.requests", {"create persistentvolumes": 1.0, "create events": 0.9})

    assert results.samples["provision.requests"] == [2.0, 1.75, 1.9]
    assert results.as_json({}, {})["parts"] == {
        "provision.requests": {"create events": 0.9, "create persistentvolumes": 1.0}
    }


def test_only_figures_of_the_table_are_taken() -> None:
    with pytest.raises(KeyError):
        Results().add({"provision.claims": 1})


def test_each_figure_is_there_once() -> None:
    keys = [figure.key for figure in FIGURES]
    assert len(keys) == len(set(keys))
