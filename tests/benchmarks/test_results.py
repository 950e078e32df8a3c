"""What bench.json holds, and which figures count as missed."""

from __future__ import annotations

import pytest

from benchmarks.results import Results


def test_keys_are_nested_and_the_median_counts() -> None:
    results = Results()
    for rate in (300, 100, 250):
        results.add({"raw_pv_creates_per_s": 4 * rate, "provision.claims_per_s": rate})

    content = results.as_json({"cpu": "any"}, {"claims": 1000})

    assert content["raw_pv_creates_per_s"] == 1000
    assert content["provision"] == {"claims_per_s": 250}
    assert content["spread"]["provision.claims_per_s"] == {"min": 100, "median": 250, "max": 300, "samples": 3}
    assert content["machine"] == {"cpu": "any"}


def test_a_peak_is_its_highest_sample() -> None:
    results = Results()
    for peak in (80, 91, 70):
        results.add({"provision.peak_rss_mb": peak})

    assert results.as_json({}, {})["provision"]["peak_rss_mb"] == 91
    assert [measured.figure.key for measured in results.missed()] == ["provision.peak_rss_mb"]


@pytest.mark.parametrize(("rate", "is_missed"), [(199.9, True), (200, False)])
def test_a_target_is_met_at_its_value(rate: float, is_missed: bool) -> None:
    results = Results()
    results.add({"provision.claims_per_s": rate})

    assert bool(results.missed()) is is_missed
    assert results.as_json({}, {})["missed"] == (["provision.claims_per_s"] if is_missed else [])


def test_the_share_of_the_raw_rate_is_made_sample_by_sample() -> None:
    results = Results()
    results.add({"raw_pv_creates_per_s": 1000, "provision.claims_per_s": 400})
    results.add({"raw_pv_creates_per_s": 2000, "provision.claims_per_s": 400})
    results.derive()

    assert results.samples["provision.share_of_raw"] == [40, 20]


def test_only_figures_of_the_table_are_taken() -> None:
    with pytest.raises(KeyError):
        Results().add({"provision.claim_per_s": 1})
