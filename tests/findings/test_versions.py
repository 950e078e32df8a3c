"""Versions of Kubernetes and ranges of them."""

from __future__ import annotations

import pytest

from berth.findings.versions import Version, parse_range, parse_version


@pytest.mark.parametrize("text", ["1.23", "v1.23", "v1.23.4", "1.23.4+k3s1", "v1.23.4-rc.1", "1.23+", "v1.23.4-gke.1"])
def test_versions_are_read_as_distributions_write_them(text: str) -> None:
    assert parse_version(text) == Version(1, 23)


@pytest.mark.parametrize("text", ["", "1", "latest", "1.x", "v1.23.4.5x y"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a version of Kubernetes"):
        parse_version(text)


def test_a_range_holds_from_its_first_version_to_below_its_last() -> None:
    some = parse_range(">=1.20 <1.24")
    assert [minor for minor in range(18, 26) if some.holds(Version(1, minor))] == [20, 21, 22, 23]
    assert not some.holds(None)
    assert not some.holds(Version(0, 22))


def test_no_bounds_hold_always() -> None:
    assert parse_range("").holds(None)
    assert parse_range("").holds(Version(1, 99))


@pytest.mark.parametrize("text", ["1.20", ">1.20", ">=1.20 >=1.21"])
def test_other_bounds_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a bound"):
        parse_range(text)
