"""The catalogue of work on other hosts is whole, and the code finds what is in it, no more and no less."""

from __future__ import annotations

import pytest

import berth.operations.remote
from berth.findings.check import mistakes
from berth.findings.entry import SUBJECT_FACTS, CatalogueEntry
from berth.findings.render import in_a_sentence
from berth.operations.remote.findings import CATALOGUE
from tests.findings.in_code import found_by_code

ENTRIES = CATALOGUE.entries
FOUND = found_by_code(berth.operations.remote)


def test_its_entries_are_those_that_the_code_finds() -> None:
    assert set(FOUND) == set(ENTRIES)


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_an_entry_is_as_the_code_finds_it_and_one_whole_sentence(entry: CatalogueEntry) -> None:
    assert FOUND[entry.id].variants == set(entry.variants)
    assert (entry.facts or set()) == FOUND[entry.id].facts
    assert list(mistakes(entry)) == []
    facts = dict.fromkeys((entry.facts or frozenset()) | SUBJECT_FACTS, "x")
    for variant in entry.variants or [""]:
        told = in_a_sentence(entry.variant(variant).finding((), facts))
        for said in (told.en, told.zh):
            assert "{" not in said
            assert not said.endswith((".", "。"))
