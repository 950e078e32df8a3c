"""Lines for a terminal of some width: prose breaks between words and keeps its indent, commands never break."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import IO, Any

from rich.cells import cell_len

from berth.cli.relay import relay

_UNKNOWN = 80
"""Columns of a terminal that does not say."""
_NARROWEST = 20
_WIDE = r"\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6"
_PIECE = re.compile(rf"`[^`]*`|[{_WIDE}]|[^\s`{_WIDE}]+|`|\s+")
_CLOSING = frozenset("，。；：！？、）》」』”’】,.;:!?)]}…")
_OPENING = frozenset("（《「『“‘【([{")
_HEAD = re.compile(r"\s*(?:(?:[-→>•]|\d+\.)\s+)?")
"""What stands before the first word of a line, below which the others begin."""


def is_terminal(stream: IO[Any] | None) -> bool:
    """Whether a person looks at it, here or where this process was started from. A stream that the shell closed is
    none."""
    if known := relay():
        return known.is_terminal(stream)
    return stream is not None and stream.isatty()


def width_of(stream: IO[Any]) -> int:
    """Columns of the terminal behind this very stream, else those of $COLUMNS, else 80."""
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    told = os.environ.get("COLUMNS", "")
    return max(columns or (int(told) if told.isdecimal() else 0) or _UNKNOWN, _NARROWEST)


def indent_of(text: str) -> int:
    """Columns before the first word: blanks, and the dash or number of a list."""
    found = _HEAD.match(text)
    return cell_len(found[0]) if found else 0


def breaks(text: str, width: int, indent: int) -> Iterator[tuple[int, int]]:
    """Where the lines of a text begin and end; all but the first have that much less room."""
    words = list(_words(text))
    if not words:
        yield 0, len(text)
        return
    room, begin, end = width, 0, words[0][1]
    for start, stop in words[1:]:
        if cell_len(text[begin:stop]) > room:
            yield begin, end
            begin, room = start, width - indent
        end = stop
    yield begin, end


def wrapped(text: str, width: int, indent: int | None = None) -> list[str]:
    """The text in lines; those after the first are indented by that many columns, or as the first one's words are."""
    hang = indent_of(text) if indent is None else indent
    if cell_len(text) <= width:
        return [text]
    return [" " * (hang if at else 0) + text[begin:end] for at, (begin, end) in enumerate(breaks(text, width, hang))]


def _words(text: str) -> Iterator[tuple[int, int]]:
    """Begin and end of what must not be torn apart, such as a word, a sign with its comma, a command in backticks."""
    begin = end = -1
    for found in _PIECE.finditer(text):
        if found[0].isspace():
            if begin >= 0:
                yield begin, end
            elif end < 0:  # the indent of the first line belongs to its first word
                begin, end = 0, found.end()
                continue
            begin = -1
            continue
        if begin >= 0 and _may_part(text, end, found):
            yield begin, end
            begin = -1
        if begin < 0:
            begin = found.start()
        end = found.end()
    if begin >= 0:
        yield begin, end


def _may_part(text: str, end: int, follower: re.Match[str]) -> bool:
    before, after = text[end - 1], follower[0][0]
    if before.isspace() or after in _CLOSING or before in _OPENING:
        return False
    return cell_len(before) > 1 or cell_len(after) > 1
