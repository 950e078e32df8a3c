"""What C libraries, mount and coreutils say in other languages, told in English, so that failures are known by it.

`spots` finds the lines of a big text that may hold such a message, and those that hide their text from a search: a
message is looked up by its first bytes, only where one may begin, so that a thousand of them cost what one does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import chain
from operator import itemgetter

_FILES = ("messages.tsv", "more.tsv")
_KEY = 6
"""Bytes by which a message is looked up; a shorter one is not known."""
_BEGINNING = itemgetter(slice(_KEY))
_MARKS = {b": ": b"", b"] ": b"[Errno ", b" - ": b"errno"}
"""After what a message begins, in any language; and what a block has that has such a message."""
_BEGINS = re.compile(rb"(?:: |\] | - )(?=([^\n]{%d}))" % _KEY)
_BEGINS_IN_LETTERS = re.compile(
    rb"(?:[:\])(>-] ?|\xef\xbc\x9a ?|(?:^|\n)[ \t]*\(?|\")(?=([\xc3-\xef][^\n]{%d}))" % (_KEY - 1)
)
"""The same for one whose first letter is none of ASCII: it may follow a mark at once, or begin a line."""
_HIDDEN = {
    b"\\u": re.compile(rb"\\u(?!00)[0-9a-fA-F]{4}"),
    b'"MESSAGE"': re.compile(rb"\"MESSAGE\" ?: ?\["),
}
"""JSON that writes letters, or whole messages, as numbers."""
_QUOTES = "'\"‘’“”«»„‚「」『』‹› "


@dataclass(frozen=True, slots=True)
class _Message:
    """One message as it is said elsewhere."""

    other: str
    english: str
    begins: bytes
    """What it begins with, if anything that is the same each time."""
    needle: str
    """Its longest part that is the same each time."""
    regex: re.Pattern[str]

    def in_english(self, text: str) -> str:
        """The text, with this message in English."""
        return self.regex.sub(self._fill, text)

    def _fill(self, match: re.Match[str]) -> str:
        if not match.groups():
            return self.english
        said = match[1].strip(_QUOTES) if self.english.endswith("%s") else match[1]
        return self.english.replace("%s", f"'{said}'" if self.english.endswith("%s") else said)


def spots(block: bytes) -> Iterator[int]:
    """Where in the block messages in other languages, or hidden ones, may begin."""
    yield from (at for at, _ in _found(block))
    for begun, hidden in _HIDDEN.items():
        at = block.find(begun)
        while at >= 0:
            if hidden.match(block, at):
                yield at
                at = block.find(b"\n", at)
            at = block.find(begun, at + 1) if at >= 0 else at


def in_english(text: str) -> str:
    """The text with the messages that are known in English; itself where there are none."""
    found = {each for _, each in _found(text.encode("utf-8", "replace"))}
    if not found:
        return text
    found.update(each for each in _messages() if "%s" in each.other and each.needle in text)
    for each in sorted(found, key=lambda each: -len(each.other)):
        text = each.in_english(text)
    return text.replace("：", ": ")


def _found(data: bytes) -> Iterator[tuple[int, _Message]]:
    """The messages that stand in data, each with its place."""
    known = _by_beginning()
    marks = [mark for mark, before in _MARKS.items() if before in data]
    begun = set(chain.from_iterable(map(_BEGINNING, data.split(mark)) for mark in marks))
    for begins in (_BEGINS, _BEGINS_IN_LETTERS):
        if begins is _BEGINS and known.keys().isdisjoint(begun):
            continue
        if begins is _BEGINS_IN_LETTERS and data.isascii():
            continue
        for match in begins.finditer(data):
            for each in known.get(match[1], ()):
                if data.startswith(each.begins, match.start(1)):
                    yield match.start(1), each


@cache
def _messages() -> tuple[_Message, ...]:
    lines = (line for name in _FILES for line in files(__package__).joinpath(name).read_text("utf-8").splitlines())
    split = (line.split("\t") for line in lines if not line.startswith("#"))
    return tuple(_message(english, other) for english, other, _where in split)


def _message(english: str, other: str) -> _Message:
    before, mark, after = other.partition(": ")
    if mark and before.strip() == "RPC":  # after which a message begins
        english, other = english.removeprefix("RPC: "), after
    parts = other.split("%s")
    regex = "(.{1,400}?)".join(re.escape(part) for part in parts)
    if not parts[-1]:
        regex = regex.removesuffix("(.{1,400}?)") + r"([^:：]{1,400})"
    if not parts[0]:
        regex = r"(?<=: )" + regex
    return _Message(other, english, parts[0].encode(), max(parts, key=len), re.compile(regex))


@cache
def _by_beginning() -> dict[bytes, list[_Message]]:
    known: dict[bytes, list[_Message]] = {}
    for each in _messages():
        if len(each.begins) >= _KEY:
            known.setdefault(each.begins[:_KEY], []).append(each)
    return known
