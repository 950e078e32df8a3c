"""The transcripts, read: what programs print, and which failures it shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent / "transcripts"


@dataclass(frozen=True)
class Transcript:
    """One of them. failures: the ids to be found in text, sorted, with a `?` where it is asked whether it is one;
    source: where it comes from.
    """

    failures: tuple[str, ...]
    source: str
    text: str


def read_transcripts() -> Iterator[Transcript]:
    """All, file by file."""
    for file in sorted(_FOLDER.glob("*.txt")):
        for part in file.read_text("utf-8").split("@@ ")[1:]:
            head, _, text = part.partition("\n")
            failures, _, source = head.partition(" | ")
            yield Transcript(tuple(sorted(failures.split(", "))), source, text)
