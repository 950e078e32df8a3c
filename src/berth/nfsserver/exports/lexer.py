"""Bytes of an exports file into words with their places, exactly as nfs-utils reads them (support/nfs/xio.c).

What is not obvious, and true of the real exportfs:
* A backslash before a newline, with the blanks after it, is one blank; anywhere, also inside quotes.
* Double quotes only switch whether blanks end a word; they may start or end inside it, and are dropped.
* `\\ooo` is a byte. It is looked for in what was read so far, so `\\134040` is read twice and becomes a blank.
* `#` starts a comment only where a word could start: `host#note` is a host of that name.
* Only blanks and tabs are skipped between the words of a line. A carriage return ends a word, and where a word should
  start it is an empty one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

_SPACE = b" \t\n\v\f\r"
_NEWLINE, _BACKSLASH, _QUOTE, _HASH, _NUL = b'\n\\"#\0'
_END = -1

PATH_LIMIT = 1025
"""Longest path as exportfs reads it, plus one."""
CLIENT_LIMIT = 512
"""Longest client with its options as exportfs reads it, plus one."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of the file. value: what it means, up to a NUL; content[start:end]: how it is written."""

    start: int
    end: int
    value: bytes


class Lexer:
    """A place in a file, moved on by reading it word by word."""

    def __init__(self, content: bytes, at: int = 0) -> None:
        self.content = content
        self.at = at

    @property
    def is_at_end(self) -> bool:
        """Nothing is left, not even blanks."""
        return self.at >= len(self.content)

    def skip(self, blanks: bytes) -> None:
        """Moves over blanks (those given, NUL and continuations) and comments; stops at a newline not among them."""
        while True:
            before = self.at
            char = self._next()
            if char == _HASH:
                newline = self.content.find(b"\n", self.at)
                if newline < 0:
                    self.at = len(self.content)
                    return
                before, self.at, char = newline, newline + 1, _NEWLINE
            if char == _END:
                return
            if char != _NUL and char not in blanks:
                self.at = before
                return

    def word(self, limit: int) -> Word | Literal["empty", "too long"]:
        """The word here. "empty": there is none before the next blank, carriage return, newline or end of file.

        The blank after it is read too, a newline is not.
        """
        start = end = self.at
        value = bytearray()
        is_quoted = False
        while len(value) < limit:
            end = self.at
            char = self._next()
            if char == _END or (not is_quoted and (char == _NUL or char in _SPACE)):
                if char == _NEWLINE:
                    self.at = end
                break
            end = self.at
            if char == _QUOTE:
                is_quoted = not is_quoted
                continue
            value.append(char)
            _decode_octal(value)
        if not value:
            return "empty"
        if len(value) >= limit:
            return "too long"
        return Word(start, end, bytes(value).split(b"\0", 1)[0])

    def skip_line(self) -> None:
        """Moves to the start of the next line as an editor shows it."""
        newline = self.content.find(b"\n", self.at)
        self.at = len(self.content) if newline < 0 else newline + 1

    def _next(self) -> int:
        content, at = self.content, self.at
        if at >= len(content):
            return _END
        char = content[at]
        at += 1
        if char == _BACKSLASH and content[at : at + 1] == b"\n":
            at += 1
            while content[at : at + 1] in (b" ", b"\t"):
                at += 1
            char = 0x20
        self.at = at
        return char


def _decode_octal(value: bytearray) -> None:
    tail = value[-4:]
    if len(tail) == 4 and tail[0] == _BACKSLASH and all(0x30 <= digit <= 0x37 for digit in tail[1:]):
        code = int(tail[1:], 8)
        if code < 256:
            value[-4:] = bytes((code,))


def quote(text: str) -> bytes:
    """How a path is written so that it is read back as it is.

    Two things can't be written in an exports file at all: NUL, and a backslash before three octal digits (see above).
    """
    special = frozenset(b'"\\#') | frozenset(range(0x21)) | {0x7F}
    return b"".join(b"\\%03o" % byte if byte in special else bytes((byte,)) for byte in encode(text))


def decode(raw: bytes) -> str:
    """Bytes of a file as text; what is not UTF-8 survives the way back."""
    return raw.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The bytes that decode made text of."""
    return text.encode("utf-8", "surrogateescape")
