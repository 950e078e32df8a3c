"""Each pattern against what the real program prints."""

from __future__ import annotations

import io

import pytest

from berth.doctor.explain import Explainer
from berth.doctor.known import entries
from berth.findings.finding import Finding
from tests.doctor.reading import Transcript, read_transcripts

TRANSCRIPTS = tuple(read_transcripts())


def findings_in(text: str) -> dict[str, Finding]:
    explainer = Explainer()
    explainer.read(io.BytesIO(text.encode()))
    return {finding.id: finding for finding in explainer.explain().report.findings}


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda each: f"{'+'.join(each.failures)} {each.source[:30]}")
def test_a_transcript_is_explained_by_what_it_shows_and_nothing_else(transcript: Transcript) -> None:
    assert tuple(sorted(findings_in(transcript.text))) == transcript.failures
    assert transcript.source


def test_every_pattern_has_a_transcript_that_needs_it() -> None:
    for entry in entries().values():
        lines = [line for each in TRANSCRIPTS if entry.id in each.failures for line in each.text.splitlines()]
        for pattern in entry.patterns:
            said = [match[0] for line in lines if (match := pattern.regex.search(line.replace('\\"', '"')))]
            assert said, (entry.id, pattern.regex.pattern)
            assert all(pattern.needle in match for match in said), (entry.id, pattern.needle)
