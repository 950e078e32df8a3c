"""Kubernetes quantities (`10Gi`, `500M`, `1e9`, `1500m`) as whole bytes, rounded up as Kubernetes rounds them."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache

_FORM = re.compile(
    r"([+-]?[0-9]+(?:\.[0-9]*)?|[+-]?\.[0-9]+)(?:([eE][+-]?[0-9]{1,3})|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei))?"
)
_FACTORS = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"),
    "k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9),
    "T": Decimal(10**12), "P": Decimal(10**15), "E": Decimal(10**18),
    "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30),
    "Ti": Decimal(2**40), "Pi": Decimal(2**50), "Ei": Decimal(2**60),
}  # fmt: skip


@lru_cache(maxsize=1024)  # most claims of a cluster ask for one of a few sizes
def to_bytes(quantity: str) -> int:
    """The quantity in bytes; ValueError for what is none."""
    match = _FORM.fullmatch(quantity)
    if match is None:
        raise ValueError(f"{quantity!r} is not a quantity such as 10Gi")
    number, exponent, suffix = match.groups()
    value = Decimal(number) * _FACTORS.get(suffix or "", Decimal(1))
    if exponent:
        value = value.scaleb(int(exponent[1:]))
    return int(value.to_integral_value(ROUND_CEILING))


_BINARY = ("Ei", "Pi", "Ti", "Gi", "Mi", "Ki")


def from_bytes(size: int) -> str:
    """So many bytes as Kubernetes writes them: in the largest binary unit of which they are a whole number."""
    unit = next((unit for unit in _BINARY if size and size % int(_FACTORS[unit]) == 0), "")
    return f"{size // int(_FACTORS[unit])}{unit}" if unit else str(size)
