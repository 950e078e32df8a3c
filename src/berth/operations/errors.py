"""Why a job ended before it was done."""

from __future__ import annotations

from berth.findings.finding import Finding, Subject
from berth.findings.render import in_a_sentence
from berth.texts.text import Text


class Stopped(Exception):  # noqa: N818 - says what happened
    """What stands in the way: a finding where something can be done about it, else a sentence about some objects.
    Nothing more was changed.
    """

    def __init__(self, why: Finding | Text, *about: Subject) -> None:
        self.finding = why if isinstance(why, Finding) else None
        self.text = in_a_sentence(why) if isinstance(why, Finding) else why
        self.about = why.about if isinstance(why, Finding) else about
        super().__init__(self.text.en)
