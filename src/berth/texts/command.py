"""Commands for people to paste: built from templates of ours, in which every fact is one inert word of the shell.

    command("kubectl -n {namespace} delete pod {pod}", namespace=…, pod=…)

A fact is data, whatever is written in it: quotes, `$(…)`, line breaks, dashes. What no shell could be told in one word,
and what would be taken for an option, is left to the person: the slot's name stands there in capitals.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from berth.texts.visible import is_visible

SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\}")
"""A place for a fact. Other braces, as in JSON, mean nothing."""
_LONGEST = 1000
"""Characters of a fact in a command: a longer one can't be looked over by who pastes it."""
_PLAIN = re.compile(r"[A-Za-z0-9@%+=:,./_-]+")
_ESCAPES = {"\n": r"\n", "\t": r"\t", "\\": r"\\", "'": r"\x27", "`": r"\x60"}
"""No quote among them: parsers that don't know $'…' see one word, too."""


class Shell(str):
    """A command, or a part of one, that our own code made of such templates. Never text that came from elsewhere."""

    __slots__ = ()


def command(template: str, /, **facts: object) -> Shell:
    """The command with the facts put in; see fill_command."""
    return fill_command(template, facts)


def fill_command(template: str, facts: Mapping[str, object]) -> Shell:
    """The command with the facts put in: a text or number is one word or part of one, several texts are several words,
    and a Shell stands as it is. KeyError for a fact that is missing, ValueError for a slot within quotes.
    """
    parts = []
    for literal, slot, is_start in _pieces(template):
        parts.append(literal)
        if slot:
            parts.append(_put(facts[slot], slot, is_start=is_start))
    return Shell("".join(parts))


def spelled(*argv: object) -> Shell:
    """The command of these words, which are the person's own: the one that was typed, or one made of its parts."""
    return Shell(" ".join(map(word, argv)))


def word(value: object) -> str:
    """The value as one word of the shell, or as part of one, however long it is. What can't be seen, and a backtick, is
    written as its escape, in the form that bash and zsh turn back into the very value ($'…').
    """
    text = str(value)
    if _PLAIN.fullmatch(text):
        return text
    if is_visible(text) and "`" not in text:
        return shlex.quote(text)
    return f"$'{''.join(map(_escaped, text))}'"


def slots(template: str) -> set[str]:
    """The facts that a template names."""
    return set(SLOT.findall(template))


def _put(value: object, slot: str, *, is_start: bool) -> str:
    if isinstance(value, Shell):
        return value
    if isinstance(value, Iterable) and not isinstance(value, str):
        return " ".join(_put(each, slot, is_start=is_start) for each in value)
    text = str(value)
    if len(text) > _LONGEST or (is_start and text.startswith("-")):
        return slot.upper()
    return word(text)


@cache
def _pieces(template: str) -> tuple[tuple[str, str, bool], ...]:
    """Literal text, the slot behind it, and whether that one begins a word."""
    return tuple(_cut(template))


def _cut(template: str) -> Iterator[tuple[str, str, bool]]:
    end = 0
    for found in SLOT.finditer(template):
        before = template[: found.start()]
        if _is_within_quotes(SLOT.sub("", before)):
            raise ValueError(f"{template!r}: {found[0]} stands within quotes, where nothing quotes it")
        yield template[end : found.start()], found[1], not before or before[-1].isspace()
        end = found.end()
    yield template[end:], "", False


def _is_within_quotes(text: str) -> bool:
    quote = ""
    for char in text:
        if char in "'\"" and quote in ("", char):
            quote = "" if quote else char
    return bool(quote)


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if is_visible(char):
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file's name that is no text: Python's way to keep it
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
