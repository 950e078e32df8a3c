"""The one reader of YAML: what a text says costs no more than its own length.

YAML lets a few hundred bytes stand for millions of values (an alias of a list of aliases …), and PyYAML hands them out
as if they were there. Here they are counted before anything is made of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

YamlError = yaml.YAMLError
"""A text that is no YAML."""

ALIASED = 10_000
"""Values that aliases may stand for, in a whole text."""
DEEPEST = 100
"""Levels of lists and mappings in each other: Kubernetes' own objects have a dozen."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C is ten times as fast, and not everywhere
_OPENS = (yaml.SequenceStartEvent, yaml.MappingStartEvent)
_CLOSES = (yaml.SequenceEndEvent, yaml.MappingEndEvent)


class YamlRefused(yaml.YAMLError):
    """A text that stands for more than it says."""


def read_yaml(text: str | bytes) -> Any:
    """The one document of the text. YamlError where it is none, or stands for too much."""
    return next(read_documents(text), None)


def read_documents(text: str | bytes) -> Iterator[Any]:
    """All documents of the text, one after the other. YamlError as in read_yaml."""
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    _count(text)
    yield from yaml.load_all(text, Loader=_Loader)


def what_is_wrong(error: Exception) -> str:
    """Why a text is no YAML, as one phrase, with the place where it is told."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1}: {error.problem}"
    return " ".join(str(error).split())


def _count(text: str) -> None:
    """YamlRefused where it stands for too much, or so deep that a reader's own stack ends. Takes a tenth of the time
    that reading takes.
    """
    sizes: dict[str, int] = {}
    open_: list[tuple[str | None, int]] = []
    seen = aliased = 0  # values, with all that aliases stand for; of these the latter alone
    for event in yaml.parse(text, Loader=_Loader):
        anchor = getattr(event, "anchor", None)
        if isinstance(event, yaml.AliasEvent):
            size = sizes.get(anchor or "", ALIASED + 1)  # not known yet: it lies in itself
            seen, aliased = seen + size, aliased + size
            if aliased > ALIASED:
                raise YamlRefused(f"its aliases (such as *{anchor}) stand for more than {ALIASED} values")
        elif isinstance(event, _OPENS):
            open_.append((anchor, seen))
            seen += 1
        elif isinstance(event, _CLOSES):
            opened, before = open_.pop()
            if opened:
                sizes[opened] = seen - before
        elif isinstance(event, yaml.ScalarEvent):
            seen += 1
            if anchor:
                sizes[anchor] = 1
        elif isinstance(event, yaml.DocumentStartEvent):
            sizes.clear()
        if len(open_) > DEEPEST:
            raise YamlRefused(f"its lists and mappings lie in each other more than {DEEPEST} levels deep")
