"""The documentation is made from the catalogue, and up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from berth.doctor.docs_page import FILES, document
from berth.doctor.known import entries
from berth.findings.pattern import readable
from berth.texts.text import Language

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("language", FILES)
def test_it_is_up_to_date(language: Language) -> None:
    assert (DOCS / FILES[language]).read_text("utf-8") == document(language), (
        "run: python -m berth.doctor.docs_page docs"
    )


@pytest.mark.parametrize("language", FILES)
def test_every_failure_is_in_it(language: Language) -> None:
    text = document(language)
    assert all(f"\n### {failure}\n" in text for failure in entries())


def test_a_pattern_is_shown_as_a_person_reads_it() -> None:
    assert readable(r"mount\.nfs4?: denied (?P<share>[^ ]+) by (a|b)\(c\)") == "mount.nfs: denied … by …(c)"
