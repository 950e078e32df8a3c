"""The take-over's catalogue is whole, and the code finds what is in it: no entry and no variant more, and none less."""

from __future__ import annotations

import shlex
from itertools import product
from pathlib import Path

import pytest

import berth.operations.takeover
from berth.findings.check import mistakes
from berth.findings.entry import SUBJECT_FACTS, CatalogueEntry, CatalogueError
from berth.findings.finding import Finding, Subject
from berth.operations.takeover.findings import CATALOGUE, by_severity, called, find
from tests.findings.in_code import found_by_code

ENTRIES = CATALOGUE.entries
HOSTILE = "x'; reboot; \"$(reboot)"


FOUND = found_by_code(berth.operations.takeover)


@pytest.mark.parametrize("page", ["takeover.md", "takeover.zh-CN.md"])
def test_the_page_says_what_each_of_them_means(page: str) -> None:
    text = (Path(berth.__file__).parents[2] / "docs" / page).read_text("utf-8")
    assert [id for id in ENTRIES if f"`{id}`" not in text] == []


def test_its_entries_are_those_that_the_code_finds() -> None:
    assert set(FOUND) == set(ENTRIES)


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_its_variants_and_facts_are_those_that_the_code_gives(entry: CatalogueEntry) -> None:
    assert FOUND[entry.id].variants == set(entry.variants)
    assert entry.facts is not None
    assert entry.facts - {"kind"} <= FOUND[entry.id].facts


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_its_words_facts_and_commands_are_as_they_must_be(entry: CatalogueEntry) -> None:
    assert list(mistakes(entry)) == []


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_whatever_holds_it_is_told_and_its_commands_are_words_of_a_shell(entry: CatalogueEntry) -> None:
    facts = dict.fromkeys((entry.facts or frozenset()) | SUBJECT_FACTS, HOSTILE)
    for said in (entry.variant(each) for each in combinations(entry)):
        finding = said.finding((), facts)
        assert "{" not in f"{finding.seen}{finding.do}{finding.seen.zh}{finding.do.zh}"
        for command in finding.commands:
            assert all(HOSTILE in word for word in shlex.split(command) if "reboot" in word)


def combinations(entry: CatalogueEntry) -> list[dict[str, bool]]:
    """Of its variants all that can hold at a time, and have all the words."""
    told = []
    for holds in product((False, True), repeat=len(entry.variants)):
        variant = dict(zip(entry.variants, holds, strict=True))
        try:
            entry.variant(variant)
        except CatalogueError:
            continue
        told.append(variant)
    assert told
    return told


def pv_at_root(*pvs: str) -> Finding:
    about = (Subject("volume", pv) for pv in pvs)
    return find("pv-at-root", Subject("share", "h:/srv"), *about, volumes=f"{len(pvs)} PVs", claims="a/b")


def test_a_workload_is_called_by_its_kind_and_volumes_alone_by_theirs() -> None:
    about = Subject("workload", "a/b")
    assert called(find("provisioner-other", about, kind="statefulset", names=["x"])) == "statefulset a/b"
    assert called(find("both-run", about, running=["x"])) == "deployment a/b"
    nested = find("pv-nested", Subject("volume", "pv-1"), volumes="1 volume")
    assert called(nested) == "volumes"


def test_what_stops_comes_first_and_the_rest_as_it_was_found() -> None:
    note = find("pv-nested", Subject("volume", "pv-1"), volumes="1 volume")
    stops = find("share-unreachable", Subject("share", "h:/srv"), reason="refused")
    first, second = pv_at_root("pv-2"), pv_at_root("pv-1")
    assert by_severity([note, first, second, stops]) == (stops, first, second, note)
