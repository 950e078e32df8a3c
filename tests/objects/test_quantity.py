"""Kubernetes' quantities, by Kubernetes' rules (k8s.io/apimachinery/pkg/api/resource): every spelling that its API
server stores is understood, and rounded up as its Quantity.Value() rounds.
"""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from berth.objects.quantity import from_bytes, to_bytes

BINARY = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        ("10Gi", 10 * 2**30),
        ("10G", 10**10),
        ("1.5Gi", 3 * 2**29),
        ("1Ei", 2**60),
        ("8191Pi", 8191 * 2**50),
        ("0", 0),
        ("1", 1),
        ("1e9", 10**9),
        ("1E9", 10**9),
        ("1e+3", 1000),
        ("15e-1", 2),
        ("2E", 2 * 10**18),
        ("1500m", 2),
        ("1m", 1),
        ("1n", 1),
        ("999u", 1),
        (".5Gi", 2**29),
        ("5.", 5),
        ("+5", 5),
        ("0.1Ki", 103),
        ("-1.5", -1),
    ],
)
def test_understood(quantity: str, expected: int) -> None:
    assert to_bytes(quantity) == expected


@pytest.mark.parametrize(
    "quantity",
    ["", " ", "Gi", "10 Gi", " 10Gi", "10Gi\n", "10gi", "10GiB", "10GB", "10K", "10ki", "1e", "1e1.5", "1e3Gi", "--1",
     "1,5Gi", "0x10", "NaN", "Infinity", "1_000", "١٠", "10Gi10", "1.2.3", ".", "e3"],
)  # fmt: skip
def test_no_quantity_names_itself(quantity: str) -> None:
    with pytest.raises(ValueError, match="is not a quantity such as 10Gi") as caught:
        to_bytes(quantity)
    assert repr(quantity) in str(caught.value)


numbers = st.from_regex(r"[0-9]{1,19}(\.[0-9]{0,9})?", fullmatch=True)


def check(quantity: str, value: Fraction) -> None:
    """The value rounded up, wherever Kubernetes itself knows it: up to 2**63 - 1, beyond which it stops counting."""
    assume(value < 2**63 - 1)
    assert to_bytes(quantity) == -(-value.numerator // value.denominator)


@given(number=numbers, power=st.integers(0, len(BINARY) - 1))
def test_binary_suffixes_are_powers_of_1024(number: str, power: int) -> None:
    check(number + BINARY[power], Fraction(number.rstrip(".")) * 1024 ** (power + 1))


@given(number=numbers, suffix=st.sampled_from(sorted(DECIMAL)))
def test_decimal_suffixes_are_powers_of_1000(number: str, suffix: str) -> None:
    check(number + suffix, Fraction(number.rstrip(".")) * Fraction(10) ** DECIMAL[suffix])


@given(number=numbers, exponent=st.integers(-9, 18), letter=st.sampled_from("eE"), sign=st.sampled_from(["", "+"]))
def test_exponents_are_powers_of_ten(number: str, exponent: int, letter: str, sign: str) -> None:
    written = f"{number}{letter}{sign if exponent >= 0 else ''}{exponent}"
    check(written, Fraction(number.rstrip(".")) * Fraction(10) ** exponent)


@given(st.text(max_size=12))
def test_any_text_is_a_number_or_a_value_error(text: str) -> None:
    try:
        assert isinstance(to_bytes(text), int)
    except ValueError:
        return


@given(st.text(alphabet="0123456789.eE+-kKMGTPimnu", max_size=200))
def test_what_looks_like_one_costs_no_time(text: str) -> None:
    try:
        to_bytes(text)
    except ValueError:
        return


@given(st.integers(0, 2**70))
def test_what_is_written_is_read_as_the_same(size: int) -> None:
    assert to_bytes(from_bytes(size)) == size


@pytest.mark.parametrize(
    ("size", "written"),
    [
        (1 << 30, "1Gi"),
        (1536 << 20, "1536Mi"),
        (10**9, "1000000000"),
        (5 << 40, "5Ti"),
        (0, "0"),
        (1, "1"),
        (1 << 10, "1Ki"),
    ],
)
def test_bytes_are_written_in_the_largest_unit_that_fits(size: int, written: str) -> None:
    assert from_bytes(size) == written
