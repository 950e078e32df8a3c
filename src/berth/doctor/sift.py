"""Lines of interest out of a big text, at the speed of searching for literals; memory for one block only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

BLOCK = 1 << 20
"""Bytes at a time. A line that is longer is cut there."""
_LINE = 16384
"""Bytes of a line that are looked at, around the needle."""
_SPOT = -1
_AROUND = 4096
"""Bytes before a line, and after it, that are looked at for names."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A line that has a needle. before, after: make the lines beside it, as they stand; at most `most`."""

    line: str
    needles: tuple[int, ...]
    """Which ones, by their place in what sift was given."""
    is_spot: bool
    """A spot is in it: it has to be looked at for what it says, not for needles."""
    before: Callable[[int], Sequence[str]]
    after: Callable[[int], Sequence[str]]


Spots = Callable[[bytes], Iterable[int]]


def sift(
    stream: BinaryIO, needles: Sequence[str], begun: bytes = b"", spots: Spots = lambda block: ()
) -> Iterator[Hit]:
    """The lines of stream that hold a needle, or a spot, in their order. begun: what was read of it already."""
    wanted = [needle.encode() for needle in needles]
    rest, head = begun, b""
    while True:
        read = stream.read(BLOCK)
        block = rest + read
        end = _end(block) if read else len(block)
        yield from _sift_block(head, block, end, wanted, spots)
        if not read:
            return
        head, rest = (head + block[:end])[-_AROUND:], block[end:]


def _end(block: bytes) -> int:
    """Up to where a block's lines are whole, and what follows them is there."""
    if len(block) >= 2 * BLOCK:
        return len(block)
    return block.rfind(b"\n", 0, max(0, len(block) - _AROUND)) + 1


def _sift_block(head: bytes, block: bytes, end: int, wanted: Sequence[bytes], spots: Spots) -> Iterator[Hit]:
    found: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for number, needle in enumerate(wanted):
        at = block.find(needle, 0, end)
        while at >= 0:
            place = _line_at(block, at, end)
            found.setdefault(place, []).append((number, at))
            at = block.find(needle, place[1], end)
    for at in spots(block[:end]):
        found.setdefault(_line_at(block, at, end), []).append((_SPOT, at))
    for (start, stop), hits in sorted(found.items()):
        first = min(at for _, at in hits)
        shown = (
            block[start:stop] if stop - start <= _LINE else block[max(start, first - _LINE // 2) : first + _LINE // 2]
        )
        line = shown.decode("utf-8", "replace").rstrip("\r")
        numbers = tuple(number for number, _ in hits if number != _SPOT)
        is_spot = len(numbers) < len(hits)
        yield Hit(line, numbers, is_spot, _looking_back(head, block, start), _looking_on(block, stop))


def _line_at(block: bytes, at: int, end: int) -> tuple[int, int]:
    stop = block.find(b"\n", at, end)
    return block.rfind(b"\n", 0, at) + 1, end if stop < 0 else stop


def _looking_back(head: bytes, block: bytes, start: int) -> Callable[[int], Sequence[str]]:
    def before(most: int) -> Sequence[str]:
        said = block[max(0, start - _AROUND) : start]
        if start < _AROUND:
            said = head[-(_AROUND - start) :] + said
        return said.decode("utf-8", "replace").splitlines()[-most:]

    return before


def _looking_on(block: bytes, stop: int) -> Callable[[int], Sequence[str]]:
    def after(most: int) -> Sequence[str]:
        return block[stop + 1 : stop + 1 + _AROUND].decode("utf-8", "replace").splitlines()[:most]

    return after
