"""What a line of a log says: without colours, and read as JSON where it is, whatever wrapped it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

import msgspec

_TOLD = ("kind", "name", "namespace", "host", "gitVersion", "kubeletVersion", "_HOSTNAME")
"""Keys of JSON that say what their value is."""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_ESCAPED = re.compile(r"(?<!\\)\\+(?P<what>[\"nt])")
_BYTES = 65536
"""Bytes of a message that journald writes as numbers."""


def plain(line: str) -> str:
    """What the line says; of JSON all its texts, each on a line of its own."""
    line = _COLOUR.sub("", line) if "\x1b" in line else line
    begun = line.find("{")
    if begun >= 0 and line.rstrip().endswith("}") and (begun == 0 or line[:begun].isspace() or '":' in line):
        with suppress(msgspec.DecodeError, RecursionError):
            said = _said(msgspec.json.decode(line[begun:]))
            line = "\n".join([line[:begun], *said] if line[:begun].strip() else said)
            line = _COLOUR.sub("", line) if "\x1b" in line else line
    if "\\" in line:
        line = _ESCAPED.sub(lambda found: {"n": "\n", "t": " "}.get(found["what"], '"'), line)
    return line


def _said(content: object, key: str = "") -> Sequence[str]:
    """All strings in it, each with its key in front, so that names are found beside their keys."""
    match content:
        case str():
            return [f"{key}: {content}" if key in _TOLD else content]
        case dict():
            return [part for name, value in content.items() for part in _said(value, str(name))]
        case [int(), *_] if key == "MESSAGE":  # journald, where a message has bytes that are no text
            return [bytes(each & 255 for each in content[:_BYTES] if isinstance(each, int)).decode("utf-8", "replace")]
        case list():
            return [part for value in content for part in _said(value, key)]
    return []
