"""How many there are of something, and the first few of several names, as a sentence says it."""

from __future__ import annotations

from collections.abc import Iterable

from berth.texts.text import Text
from berth.texts.visible import fact

_NAMED = 5
"""How many of several names a sentence has; programs are given all of them."""


def several(count: int, noun: str) -> str:
    """`1 volume`, `2 volumes`, `2 classes`."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"


def counted(count: int, noun: str, measured: str) -> Text:
    """The same in both languages: counted(2, "volume", "个卷") is `2 volumes`, `2 个卷`."""
    return Text(several(count, noun), f"{count} {measured}")


def some(names: Iterable[str]) -> Text:
    """The first few of several names, and how many there are beyond them."""
    known = tuple(names)
    more = len(known) - _NAMED
    first = tuple(map(fact, known[:_NAMED]))
    if more <= 0:
        return Text(", ".join(first), "、".join(first))
    return Text(f"{', '.join(first)} and {more} more", f"{'、'.join(first)} 等 {len(known)} 个")
