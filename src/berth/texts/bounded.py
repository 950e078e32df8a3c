"""How much of a text that strangers had a hand in is kept, logged, or shown."""

from __future__ import annotations

SENTENCE = 900
"""Bytes of one sentence for people. Kubernetes takes 1,024 of an Event's message, and something may stand before it."""

VALUE = 200
"""Bytes of one value that a sentence quotes: what is wrong with it still has to fit behind."""

_CUT = "…"


def bounded(text: str, limit: int = SENTENCE, *, behind: bool = True) -> str:
    """text, in at most limit bytes of UTF-8.

    What is too long loses its middle: it is some value that got quoted, and what is said about it stands before and
    behind. behind=False: it loses its end. Takes as long as the text is; keeps nothing of a long one alive.
    """
    if len(text) * 4 <= limit:  # no character takes more
        return text
    whole = text.encode("utf-8", "backslashreplace")
    if len(whole) <= limit:
        return text
    room = limit - len(_CUT.encode())
    tail = room // 3 if behind else 0
    end = whole[len(whole) - tail :].decode(errors="ignore")
    return f"{whole[: room - tail].decode(errors='ignore')}{_CUT}{end}"


def quoted(value: str, limit: int = VALUE) -> str:
    """value in quotes, with what can't be printed spelled out, as repr does it; of a long one its beginning and end."""
    return bounded(repr(bounded(value, limit)), limit)
