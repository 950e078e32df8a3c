"""The catalogue of installing and of single volumes is whole, and the code finds what is in it, no more and no less."""

from __future__ import annotations

import pytest

import berth.operations
from berth.findings.check import mistakes
from berth.findings.entry import SUBJECT_FACTS, CatalogueEntry
from berth.findings.finding import Subject
from berth.findings.render import in_a_sentence
from berth.operations.errors import Stopped
from berth.operations.findings import CATALOGUE, find
from berth.texts.text import Text
from tests.findings.in_code import found_by_code

ENTRIES = CATALOGUE.entries
FOUND = found_by_code(berth.operations)


def test_its_entries_are_those_that_the_code_finds() -> None:
    assert set(FOUND) == set(ENTRIES)


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_its_variants_and_facts_are_those_that_the_code_gives(entry: CatalogueEntry) -> None:
    assert FOUND[entry.id].variants == set(entry.variants)
    assert (entry.facts or set()) == FOUND[entry.id].facts


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_its_words_facts_and_commands_are_as_they_must_be(entry: CatalogueEntry) -> None:
    assert list(mistakes(entry)) == []


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_each_variant_is_one_whole_sentence(entry: CatalogueEntry) -> None:
    facts = dict.fromkeys((entry.facts or frozenset()) | SUBJECT_FACTS, "x")
    for variant in entry.variants or [""]:
        told = in_a_sentence(entry.variant(variant).finding((), facts))
        for said in (told.en, told.zh):
            assert "{" not in said
            assert not said.endswith((".", "。"))
            assert "  " not in said


def test_what_stopped_a_job_is_told_by_attributes() -> None:
    found = find("namespace-missing", Subject("namespace", "a"), variant="volume")
    stopped = Stopped(found)
    assert (stopped.finding, stopped.about) == (found, (Subject("namespace", "a"),))
    assert str(stopped) == (
        "namespace a does not exist; make it with `kubectl create namespace a` and try again. Nothing was made"
    )
    plain = Stopped(Text("no", "否"), Subject("volume", "pv-1"))
    assert (plain.finding, plain.about, plain.text.zh) == (None, (Subject("volume", "pv-1"),), "否")


def test_a_cause_stands_between_what_was_seen_and_what_to_do() -> None:
    found = find("second-berth", Subject("workload", "a/berth"), provisioners="x")
    assert in_a_sentence(found).en.startswith(
        "Berth runs as a/berth already and answers to x: two would serve the same claims. Change that one with"
    )
    assert in_a_sentence(found).zh.startswith("Berth 已作为 a/berth 运行，并响应 x：两个会争抢同样的 PVC。请用")
