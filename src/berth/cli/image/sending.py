"""How a push goes on: a line for each blob on stdout, and on a terminal how far the one under way is."""

from __future__ import annotations

import sys

from berth.cli.output import Styled, complain, say
from berth.cli.tables import overwrite
from berth.cli.wrapping import is_terminal
from berth.images.archive import Blob
from berth.images.errors import Lost
from berth.texts.text import Language, Text

_SENDING = Text("sending {} of {}  {}", "正在发送 {} / {}  {}")
_SENT, _WAS_THERE = Text("sent", "已发送"), Text("was there", "已存在")
_AGAIN = Text("trying again", "正在重试")
_LEAST = 1 << 20
"""Bytes between two looks at the line."""


class Sending:
    """What a push tells (berth.images.push.Watching)."""

    def __init__(self, lang: Language, *, is_quiet: bool) -> None:
        """is_quiet: the answer is for programs."""
        self._lang = lang
        self._is_quiet = is_quiet
        self._is_shown = is_terminal(sys.stderr)
        self._blob: Blob | None = None
        self._moved = self._shown = 0

    def tell(self, text: Text, **facts: object) -> None:
        """A line about what is done, with these facts."""
        if not self._is_quiet:
            say(text.said(self._lang).format(**facts))

    def begins(self, blob: Blob) -> None:
        """A blob is sent, from its beginning."""
        self._blob, self._moved, self._shown = blob, 0, 0
        self._show()

    def moved(self, number: int) -> None:
        """So many more bytes of it are sent."""
        self._moved += number
        if self._moved - self._shown >= _LEAST:
            self._show()

    def done(self, blob: Blob, *, was_there: bool) -> None:
        """It is there."""
        self._wipe()
        if not self._is_quiet and blob.size >= _LEAST:  # what describes them is too small to speak of
            words = [each.said(self._lang) for each in (_SENT, _WAS_THERE)]
            say(Styled(words[was_there].ljust(max(map(len, words))), "green"), f" {size(blob.size):>8}  {blob.label}")

    def again(self, error: Lost) -> None:
        """What was under way is tried once more."""
        self._wipe()
        complain(f"{error.text.said(self._lang)}{'；' if self._lang == 'zh' else '; '}{_AGAIN.said(self._lang)}")

    def close(self) -> None:
        """Nothing more comes, be it well or not."""
        self._wipe()

    def _show(self) -> None:
        self._shown = self._moved
        if self._is_shown and self._blob is not None:
            overwrite(_SENDING.said(self._lang).format(size(self._moved), size(self._blob.size), self._blob.label))

    def _wipe(self) -> None:
        if self._is_shown and self._blob is not None:
            overwrite("")
        self._blob = None


def size(number: int) -> str:
    """Bytes as people read them."""
    return f"{number / 1e6:.1f} MB"
