"""Lines of interest out of a big text, at the speed of searching for literals; memory for one block only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

BLOCK = 1 << 20
"""Bytes at a time. A line that is longer is cut there."""
_LINE = 16384
"""Bytes of a line that are looked at, around the needle."""
_BEFORE = 4096
"""Bytes before a line that are looked at for names."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A line that has a needle. before: makes the lines before it, the nearest last; at most `most`."""

    line: str
    needles: tuple[int, ...]
    """Which ones, by their place in what sift was given."""
    before: Callable[[int], Sequence[str]]


def sift(stream: BinaryIO, needles: Sequence[str], begun: bytes = b"") -> Iterator[Hit]:
    """The lines of stream that hold a needle, in their order. begun: what was read of it already."""
    wanted = [needle.encode() for needle in needles]
    rest, head = begun, b""
    while True:
        read = stream.read(BLOCK)
        block = rest + read
        end = len(block) if not read or len(block) >= 2 * BLOCK else block.rfind(b"\n") + 1
        yield from _sift_block(head, block[:end], wanted)
        if not read:
            return
        head, rest = (head + block[:end])[-_BEFORE:], block[end:]


def _sift_block(head: bytes, block: bytes, wanted: Sequence[bytes]) -> Iterator[Hit]:
    found: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for number, needle in enumerate(wanted):
        at = block.find(needle)
        while at >= 0:
            start = block.rfind(b"\n", 0, at) + 1
            end = block.find(b"\n", at)
            end = len(block) if end < 0 else end
            found.setdefault((start, end), []).append((number, at))
            at = block.find(needle, end)
    for (start, end), hits in sorted(found.items()):
        first = min(at for _, at in hits)
        shown = block[start:end] if end - start <= _LINE else block[max(start, first - _LINE // 2) : first + _LINE // 2]
        line = shown.decode("utf-8", "replace").rstrip("\r")
        yield Hit(line, tuple(number for number, _ in hits), _looking_back(head, block, start))


def _looking_back(head: bytes, block: bytes, start: int) -> Callable[[int], Sequence[str]]:
    def before(most: int) -> Sequence[str]:
        said = block[max(0, start - _BEFORE) : start]
        if start < _BEFORE:
            said = head[-(_BEFORE - start) :] + said
        return said.decode("utf-8", "replace").splitlines()[-most:]

    return before
