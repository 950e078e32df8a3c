"""The number of series is bounded, and what is gone is no longer told of."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from berth.metrics.series import Counters, Histograms
from berth.metrics.volumes import VolumeMetrics
from berth.reconcilers.provision import kind_of_field
from berth.volumes.errors import ParameterField, Refused


def test_a_thousand_series_and_then_one_for_all_others() -> None:
    registry = CollectorRegistry()
    series = Counters("refused_total", "x", ["class", "field"], registry=registry, most=3)
    for number in range(100):
        series("nfs", f"field-{number}").inc()
    series("nfs", "field-1").inc()
    text = generate_latest(registry).decode()
    assert 'refused_total{class="nfs",field="field-1"} 2.0' in text
    assert 'refused_total{class="other",field="other"} 97.0' in text
    assert text.count("refused_total{") == 4
    series.forget(**{"class": "nfs"})
    assert generate_latest(registry).decode().count("refused_total{") == 1
    series("nfs", "field-5").inc()
    assert 'refused_total{class="nfs",field="field-5"} 1.0' in generate_latest(registry).decode()


def test_a_histogram_says_what_prometheus_clients_own_would_say() -> None:
    own, theirs, bounds = CollectorRegistry(), CollectorRegistry(), (0.5, 1, 2.5)
    seconds = Histograms("seconds", "x", ["share"], registry=own, bounds=bounds)
    reference = Histogram("seconds", "x", ["share"], buckets=bounds, registry=theirs)
    assert _exported(own) == _exported(theirs)
    for value in (0, 0.5, 0.50001, 1, 2, 2.5, 3, 1e9):
        seconds("nas:/a").observe(value)
        reference.labels("nas:/a").observe(value)
    assert _exported(own) == _exported(theirs)
    assert own.get_sample_value("seconds_bucket", {"share": "nas:/a", "le": "+Inf"}) == 8
    with pytest.raises(ValueError, match="Duplicated timeseries"):
        Counters("seconds", "x", ["share"], registry=own)


def _exported(registry: CollectorRegistry) -> list[str]:
    return [line for line in generate_latest(registry).decode().splitlines() if "_created" not in line]


def test_a_class_that_is_gone_leaves_no_series_behind() -> None:
    registry = CollectorRegistry()
    metrics = VolumeMetrics(registry)
    for number in range(50):
        metrics.provisioned(f"class-{number}", 0.1)
        metrics.provision_refused(f"class-{number}", "parameter pathPattern")
        metrics.class_gone(f"class-{number}")
    assert "class-" not in generate_latest(registry).decode()


def test_no_path_that_a_claim_makes_up_becomes_a_label() -> None:
    known = ("spec.selector", "mountOptions", ParameterField("pathPattern"), "metadata.name")
    assert [kind_of_field(Refused(field, "why")) for field in known] == [*known]
    made_up = ("team/data-1", ".berth/volumes/pvc-1.json", "spec.mine", "x" * 250_000, "archive")
    assert {kind_of_field(Refused(field, "why")) for field in made_up} == {"path"}
    assert len(kind_of_field(Refused(ParameterField("x" * 250_000), "why"))) <= 100
