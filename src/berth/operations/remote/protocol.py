"""What a Berth that was started on another host, and the one that started it, say to each other.

The one there says records, a line each on its stdout: what it would have shown here, and what it asks. The one here
says words, a line each on its stdin. The end of that input is as an interrupt: nobody is there any more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

OPTION = "--relay="
"""As the first word of its command line, it makes a Berth speak so; behind it stand the streams that are terminals at
the other end. It is a word, and no variable, since a Berth that does not know it must refuse.
"""
STREAMS = ("stdin", "stdout", "stderr")
YES, NO, INTERRUPT = b"yes", b"no", b"interrupt"
HELLO = "hello"
"""The first record: which Berth it is."""

_MARK = "\x1e"
"""Before a record: whatever else a login prints is none."""


def encode(kind: str, facts: Mapping[str, object]) -> str:
    """A record, without the end of its line."""
    return _MARK + json.dumps([kind, facts], separators=(",", ":"))


def decode(line: bytes) -> tuple[str, dict[str, Any]] | None:
    """The record in a line; None where there is none."""
    _, mark, content = line.partition(_MARK.encode())
    if not mark:
        return None
    try:
        match json.loads(content):
            case [str(kind), dict(facts)]:
                return kind, facts
    except (ValueError, RecursionError):
        pass
    return None
