"""Why a job ended before it was done."""

from __future__ import annotations

from berth.texts.text import Text


class Stopped(Exception):  # noqa: N818 - says what happened
    """What stands in the way and what to do about it, in both languages. Nothing more was changed."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text
