"""When the output that a page shows is the real one: up to what is another each time."""

from __future__ import annotations

import re
from collections.abc import Sequence

ELISION = "…"
"""A line of this alone stands for any number of lines."""
_PATTERNS = [
    (re.compile(pattern), stands)
    for pattern, stands in (
        (r"(?<![0-9a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f])", "UID"),
        (r"\bsha256:[0-9a-f]{64}\b", "DIGEST"),
        (r"-[0-9a-f]{8,10}-[a-z0-9]{5}(?![a-z0-9])", "-POD"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", "TIME"),
        (r"\b[A-Z][a-z]{2} +\d+ +(?:\d\d:\d\d|\d{4})\b", "TIME"),
        (r"<(?:unknown|invalid)>", "AGE"),
        (r"(?<![\w.])\d[\d,.]* ?(?:[KMGT]iB|bytes|字节)(?!\w)", "SIZE"),
        (r"(?<![\w.])[\d,]+(?= inodes)|(?<=inode )[\d,]+", "COUNT"),
        (r"(?<![\w.-])(?:\d+d)?(?:\d+h)?(?:\d+m)?\d+(?:\.\d+)?(?: ?ms| ?s|m|h|d)(?!\w)", "AGE"),
        (r"\d+(?:\.\d+)? ?(?:毫秒|秒)", "AGE"),
        (r"(?<=port )\d{5}\b|(?<=端口 )\d{5}\b", "PORT"),
        (r"\b(?:198\.1[89]|10\.244)\.\d+\.\d+\b", "ADDRESS"),
        (r"[ \t]+", " "),
    )
]


def essence(line: str) -> str:
    """A line with what changes from run to run left out."""
    for pattern, stands in _PATTERNS:
        line = pattern.sub(stands, line)
    return line.rstrip()


def alike(shown: Sequence[str], real: Sequence[str]) -> bool:
    """Whether the real output is what is shown. Empty lines at the end mean nothing."""
    return _matches(_essences(shown), _essences(real))


def merged(shown: Sequence[str], real: Sequence[str]) -> list[str]:
    """The output to write into a page: the real one, in the words of the page where these are alike."""
    if alike(shown, real):
        return list(shown)
    kept = {essence(line): line for line in shown}
    return [kept.get(essence(line), line.rstrip()) for line in _trimmed(real)]


def _essences(lines: Sequence[str]) -> list[str]:
    return [ELISION if line.strip() == ELISION else essence(line) for line in _trimmed(lines)]


def _trimmed(lines: Sequence[str]) -> list[str]:
    found = list(lines)
    while found and not found[-1].strip():
        found.pop()
    return found


def _matches(shown: list[str], real: list[str]) -> bool:
    at = 0
    for number, line in enumerate(shown):
        if line == ELISION:
            rest = shown[number + 1 :]
            return not rest or any(_matches(rest, real[begin:]) for begin in range(at, len(real) + 1))
        if at == len(real) or real[at] != line:
            return False
        at += 1
    return at == len(real)
