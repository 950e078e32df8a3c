"""What was typed, before it is understood: a Chinese keyboard's `／` in an argument is told by its name and place."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace

from berth.cli.ending import EXIT_USAGE, end
from berth.texts.lookalikes import lookalikes, told
from berth.texts.text import Text

_DASHES = "–—―"
"""What editors make of `--`."""
_ARGUMENT = Text("argument {}", "第 {} 个参数")


def check_typing(arguments: Sequence[str]) -> None:
    """Ends the process at the first argument in which a character only looks like the one that is meant. The names of
    files that exist are what they are.
    """
    for wrong in _wrong(arguments):
        end(wrong, EXIT_USAGE)


def _wrong(arguments: Sequence[str]) -> Iterator[Text]:
    for at, argument in enumerate(arguments):
        option, equals, value = argument.partition("=")
        if os.path.lexists(argument) or (equals and option.startswith("-") and os.path.lexists(value)):
            continue
        found = lookalikes(argument, names=True)
        if not found:
            continue
        if option.isascii() and option.startswith("-"):
            sentence = told(value, lookalikes(value, names=True))
            yield Text(f"{option}: {sentence.en}", f"{option}：{sentence.zh}")
            continue
        if found[0].at == 0 and found[0].char in _DASHES and argument[1:3].isalpha():
            found = (replace(found[0], meant="--"), *found[1:])
        sentence = told(argument, found)
        before = arguments[at - 1] if at else ""
        if before.startswith("-") and "=" not in before:
            yield Text(f"{before}: {sentence.en}", f"{before}：{sentence.zh}")
        else:
            yield Text(f"{_ARGUMENT.en.format(at + 1)}: {sentence.en}", f"{_ARGUMENT.zh.format(at + 1)}：{sentence.zh}")
