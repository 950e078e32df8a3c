"""Each pattern against what the real program prints."""

from __future__ import annotations

import io

import pytest

from berth.doctor.explain import Explainer
from berth.doctor.known import entries
from berth.findings.finding import Report
from tests.doctor.own_sentences import sentences
from tests.doctor.reading import Transcript, read_transcripts

TRANSCRIPTS = tuple(read_transcripts())
OWN = tuple(sentences())
"""What Berth itself says; what each is explained by is in test_own_sentences."""


def report_of(text: str) -> Report:
    """What is told of the text."""
    explainer = Explainer()
    explainer.read(io.BytesIO(text.encode()))
    return explainer.explain().report


def told_in(text: str) -> list[str]:
    """The ids of findings, and of questions, with a `?` before them."""
    report = report_of(text)
    return sorted([*(each.id for each in report.findings), *(f"?{each.if_so.id}" for each in report.questions)])


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda each: f"{'+'.join(each.failures)} {each.source[:30]}")
def test_a_transcript_is_explained_by_what_it_shows_and_nothing_else(transcript: Transcript) -> None:
    assert tuple(told_in(transcript.text)) == transcript.failures
    assert transcript.source


def test_every_pattern_has_a_transcript_that_needs_it() -> None:
    for entry in entries().values():
        texts = [each.text for each in TRANSCRIPTS if not {entry.id, f"?{entry.id}"}.isdisjoint(each.failures)]
        lines = [line for text in texts for line in text.splitlines()]
        lines += [said.text for said in OWN]
        for pattern in (*entry.patterns, *entry.ambiguous):
            said = [match[0] for line in lines if (match := pattern.regex.search(line.replace('\\"', '"')))]
            assert said, (entry.id, pattern.regex.pattern)
            assert all(pattern.needle in match for match in said), (entry.id, pattern.needle)
