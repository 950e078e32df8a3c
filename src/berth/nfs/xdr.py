"""XDR (RFC 4506), as far as NFS needs it: how numbers, strings and lists of bytes are laid out in calls and replies.

Replies come from a machine that may be broken or hostile: every reading is checked against the end of the reply, and
what does not fit raises Malformed.
"""

from __future__ import annotations

import struct
from collections.abc import Sized
from typing import Any

MOST_ENTRIES = 10_000
"""Of a list in a reply. A server that sends more is broken."""
_UINT, _HYPER = struct.Struct(">I"), struct.Struct(">Q")


class Malformed(Exception):  # noqa: N818
    """A reply ends too early, or holds what it can't."""


def uint(value: int) -> bytes:
    return _UINT.pack(value & 0xFFFFFFFF)


def hyper(value: int) -> bytes:
    return _HYPER.pack(value & 0xFFFFFFFFFFFFFFFF)


def opaque(value: bytes) -> bytes:
    """Any number of bytes: their count, themselves, and zeros up to a multiple of four."""
    return _UINT.pack(len(value)) + value + bytes(-len(value) % 4)


class Reader:
    """Takes a reply apart from front to back."""

    __slots__ = ("_at", "_end", "_said")

    def __init__(self, said: bytes, at: int = 0) -> None:
        self._said = said
        self._at = at
        self._end = len(said)

    def uint(self) -> int:
        # Written out, as nearly all that is read is one of these.
        at = self._at
        self._at = at + 4
        if self._at > self._end:
            raise Malformed("the reply ends too early")
        value: int = _UINT.unpack_from(self._said, at)[0]
        return value

    def hyper(self) -> int:
        (value,) = self.take(_HYPER)
        return int(value)

    def flag(self) -> bool:
        return self.uint() != 0

    def another(self, found: Sized) -> bool:
        """Whether one more entry follows those found of a list. Malformed when it does not end."""
        if not self.flag():
            return False
        if len(found) >= MOST_ENTRIES:
            raise Malformed("the list does not end")
        return True

    def take(self, layout: struct.Struct) -> tuple[Any, ...]:
        """Several numbers, or bytes, at once, laid out as given."""
        at = self._at
        self._at = at + layout.size
        if self._at > self._end:
            raise Malformed("the reply ends too early")
        return layout.unpack_from(self._said, at)

    def has(self, expected: bytes) -> bool:
        """Takes these bytes, if they are what comes."""
        is_there = self._said.startswith(expected, self._at)
        if is_there:
            self._at += len(expected)
        return is_there

    def words(self, most: int) -> bytes:
        """A list of numbers, as it is encoded, without their count."""
        at = self._at + 4
        if at > self._end:
            raise Malformed("the reply ends too early")
        count: int = _UINT.unpack_from(self._said, at - 4)[0]
        if count > most:
            raise Malformed(f"the reply holds {count} numbers where {most} is the most")
        self._at = at + 4 * count
        if self._at > self._end:
            raise Malformed("the reply ends too early")
        return self._said[at : self._at]

    def fixed(self, size: int) -> bytes:
        """Exactly so many bytes (a multiple of four)."""
        at = self._at
        self._at = at + size
        if self._at > self._end:
            raise Malformed("the reply ends too early")
        return self._said[at : self._at]

    def opaque(self, most: int = 1 << 21) -> bytes:
        at = self._at + 4
        if at > self._end:
            raise Malformed("the reply ends too early")
        size: int = _UINT.unpack_from(self._said, at - 4)[0]
        if size > most:
            raise Malformed(f"the reply holds {size} bytes where {most} is the most")
        self._at = at + (size + 3 & ~3)
        if self._at > self._end:
            raise Malformed("the reply ends too early")
        return self._said[at : at + size]
