"""A regular expression with the literal by which its lines are found in a big log before anything slow is tried.

Lines are written by strangers, so the time that matching takes must grow with a line's length and no faster. What a
pattern repeats without end is bounded here: no name, path or gap between two words is that long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LONGEST = 400
"""Characters that a name, a path or a run of blanks has in a message at most."""
GAP = 1000
"""Characters between two words of one message at most."""
QUOTED = "\"\\<>&'"
"""Characters that JSON may write otherwise than they are: a needle has none of them."""
_ANY = r"[\s\S]"
"""A character of a gap: of JSON each text is a line, and a message may stand in two of them."""
LEAST = 6
"""Characters of a needle: shorter ones are in too many lines."""

_PIECE = re.compile(
    r"(?P<class>\[\^?\]?(?:\\.|[^\]\\])*\])|\\(?P<escaped>[^\w\s])|(?P<special>\\.)|(?P<open>\((?:\?(?:P<\w+>|:|<?[!=]))?)"
    r"|(?P<close>\))|(?P<repeat>[*?]|\{\d*,?\d*\})|(?P<mark>[+.^$|])|(?P<literal>.)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class TextPattern:
    """One way in which a failure shows in a text."""

    source: str
    """As the catalogue has it."""
    regex: re.Pattern[str]
    """The same, bounded."""
    needle: str
    """Stands in every text that regex matches."""
    literals: tuple[str, ...] = ()
    """All that stand there and are long enough to be needles."""


def read_pattern(source: str) -> TextPattern:
    """The pattern. ValueError: it is no regular expression, or has no literal that is long enough."""
    try:
        regex = re.compile(bounded(source))
    except re.error as error:
        raise ValueError(f"{source!r}: {error}") from error
    needle = find_needle(source)
    if len(needle) < LEAST:
        raise ValueError(f"{source!r}: no literal of {LEAST} characters that every match has")
    return TextPattern(source, regex, needle, tuple(each for each in _literals(source) if len(each) >= LEAST))


def bounded(source: str) -> str:
    """The same pattern, whose repetitions have an end, and whose gaps (`.*` outside groups) are tried once."""
    stretches, depth, last = [""], 0, ""
    for piece in _PIECE.finditer(source):
        said = piece[0]
        depth += {"open": 1, "close": -1}.get(piece.lastgroup or "", 0)
        if piece.lastgroup in ("repeat", "mark") and said in ("*", "+"):
            if last == "." and depth == 0:
                stretches[-1] = stretches[-1][:-1] + ("." if said == "+" else "")
                stretches.append("")
                said = "gap"
            else:
                stretches[-1] += f"{{{'1' if said == '+' else '0'},{LONGEST}}}"
        elif not (last == "gap" and said == "?"):
            stretches[-1] += said
        last = said
    first, *others = stretches
    if not others:
        return first
    # What comes after a gap has most room where it begins first, so the first place is the only one to try.
    return f"(?>{first})" + "".join(f"(?>{_ANY}{{0,{GAP}}}?{each})" for each in others)


def find_needle(source: str) -> str:
    """The longest literal that stands in every match: never optional, and no branch. Empty if there is none."""
    return max(_literals(source), key=len, default="")


def _literals(source: str) -> list[str]:
    if _has_branches(source):
        return []
    runs, run, depth = [""], "", 0
    pieces = list(_PIECE.finditer(source))
    always = set(_always(pieces))
    for number, piece in enumerate(pieces):
        kind, said = piece.lastgroup, piece[0]
        char = piece["escaped"] or (said if kind == "literal" else "")
        if number in always:
            continue
        if kind == "open" or kind == "close":
            depth += 1 if kind == "open" else -1
        elif kind == "repeat" and depth == 0:
            run = run[:-1]  # what it repeats may be missing
        elif char and char not in QUOTED and depth == 0:
            run += char
            continue
        if depth == 0 or kind == "open":
            runs.append(run)
            run = ""
    return [*runs, run]


def _always(pieces: Sequence[re.Match[str]]) -> Iterator[int]:
    """The brackets of groups that are there once in every match, and have no branches: as if they were not."""
    opened: list[tuple[int, bool]] = []
    for number, piece in enumerate(pieces):
        if piece.lastgroup == "open":
            opened.append((number, piece[0][:3] in ("(", "(?P", "(?:")))
        elif piece[0] == "|" and piece.lastgroup == "mark" and opened:
            opened[-1] = (opened[-1][0], False)
        elif piece.lastgroup == "close":
            begun, is_plain = opened.pop()
            following = pieces[number + 1] if number + 1 < len(pieces) else None
            if is_plain and (following is None or following.lastgroup not in ("repeat", "mark")):
                yield from (begun, number)


def readable(source: str) -> str:
    """The pattern for people: its literals, and `…` for what differs from message to message."""
    said, depth = "", 0
    for piece in _PIECE.finditer(source):
        kind = piece.lastgroup
        if kind in ("open", "close"):
            depth += 1 if kind == "open" else -1
        if depth == 0 and kind in ("literal", "escaped"):
            said += piece["escaped"] or piece[0]
        elif kind == "repeat" and depth == 0 and not said.endswith("…"):
            said = said[:-1]  # what may be missing is left out
        elif not said.endswith("…"):
            said += "…"
    return said


def _has_branches(source: str) -> bool:
    depth = 0
    for piece in _PIECE.finditer(source):
        depth += {"open": 1, "close": -1}.get(piece.lastgroup or "", 0)
        if piece[0] == "|" and depth == 0:
            return True
    return False
