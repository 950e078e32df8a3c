"""Text of strangers made fit to be looked at: what a terminal would obey, hide or turn round is shown as its escape.

Names, logs, Events and environments are written by whoever may make them. Everything that is printed for people goes
through `line` (the printers of `cli` do that), and facts go through `fact` before they stand in a sentence.
"""

from __future__ import annotations

import re

_IGNORABLE = (
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""What Unicode calls default ignorable, and other blanks that have an ordinary letter's category: nothing is seen."""
_HIDDEN = re.compile(f"[{_IGNORABLE}]")
_SHORT = {"\n": r"\n", "\t": r"\t", "\r": r"\r"}

FACT = 600
"""Characters of a fact that stand in a sentence at most."""
_LINE = 4000
"""Characters of a line at most."""
_RUN = re.compile(r"[^\s\u3000-\u9fff\uff00-\uffef]{301,}")
"""A word that nobody writes. Chinese sentences have no blanks, and are no words."""
_RUN_SHOWN = 200


def is_visible(text: str) -> bool:
    """Whether every character of it is seen, where it stands, and does nothing else."""
    return text.isprintable() and _HIDDEN.search(text) is None


def visible(text: str) -> str:
    """The text with the escape (`\\x1b`, `\\u202e`) of every character that is not seen; of line breaks, too."""
    return text if is_visible(text) else "".join(map(_shown, text))


def fact(text: str, limit: int = FACT) -> str:
    """A stranger's text as it may stand in a sentence of ours: visible, short, and never looking like a command there,
    which stands between backticks.
    """
    return shortened(visible(text[: limit + 1]).replace("`", "'"), limit)


def shortened(text: str, limit: int) -> str:
    """Its first characters, and a sign that there were more."""
    return text if len(text) <= limit else f"{text[:limit]}…"


def line(text: str, *, is_command: bool = False) -> str:
    """The text as one line for people: visible, and without words and ends that nobody reads to the last letter.
    Commands are never shortened: who makes them does not make them long (command.py).
    """
    if is_command:
        return visible(text)
    # What is far too long is cut first: looking at every letter of a megabyte takes time, too.
    spans = visible(shortened(text, _LINE)).split("`")
    spans[::2] = [_RUN.sub(lambda run: f"{run[0][:_RUN_SHOWN]}…", prose) for prose in spans[::2]]
    return "`".join(spans)


def _shown(char: str) -> str:
    return char if is_visible(char) else _SHORT.get(char) or char.encode("unicode_escape").decode("ascii")
