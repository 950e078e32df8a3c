"""Catalogues: a variant is named by who finds it, and what does not fit is an error."""

from __future__ import annotations

import pytest

from berth.findings.catalogue import Catalogue
from berth.findings.check import mistakes
from berth.findings.entry import CatalogueError, read_entry
from berth.findings.finding import Where

WORDS = {"en": "seen of {path}", "zh": "{path} 的情况"}
ENTRY: dict[str, object] = {
    "id": "missing",
    "severity": "failure",
    "facts": ["path", "near"],
    "seen": WORDS,
    "why": {"en": "why", "zh": "原因"},
    "variants": {
        "alone": {"cure": {"en": "make {path!r}", "zh": "创建 {path!r}"}},
        "near": {"severity": "warning", "cure": {"en": "take `{near}`", "zh": "改用 `{near}`"}},
    },
}


def test_a_variant_says_what_differs_and_has_the_rest_of_its_entry() -> None:
    entry = read_entry("test.yaml", ENTRY)
    near = entry.variant("near").finding((), {"path": "/a", "near": "/b"}, where=Where("exports", 3))
    assert (near.severity, near.seen.en, near.do.zh) == ("warning", "seen of /a", "改用 `/b`")
    assert (str(near.where), dict(near.facts)) == ("exports:3", {"path": "/a", "near": "/b"})
    alone = entry.variant("alone").finding((), {"path": "/a"})
    assert (alone.severity, alone.do.en) == ("failure", "make '/a'")


@pytest.mark.parametrize("name", ["", "far"])
def test_of_an_entry_with_variants_one_has_to_be_named(name: str) -> None:
    with pytest.raises(CatalogueError):
        read_entry("test.yaml", ENTRY).variant(name)


@pytest.mark.parametrize("facts", [{}, {"near": "/b"}, {"path": "/a", "other": "/b"}], ids=["none", "one", "another"])
def test_facts_have_to_be_those_that_are_declared_and_named(facts: dict[str, str]) -> None:
    with pytest.raises(CatalogueError):
        read_entry("test.yaml", ENTRY).variant("alone").finding((), facts)


def test_a_variant_without_all_parts_can_not_be_told() -> None:
    entry = read_entry("test.yaml", ENTRY | {"variants": {**ENTRY["variants"], "far": {}}})  # type: ignore[dict-item]
    with pytest.raises(CatalogueError, match=r"missing: far says nothing for \['cure'\]"):
        entry.variant("far")


def test_a_cause_is_left_out_where_there_is_none_to_tell_but_by_no_variant_alone() -> None:
    without = {key: value for key, value in ENTRY.items() if key != "why"}
    finding = read_entry("test.yaml", without).variant("alone").finding((), {"path": "/a"})
    assert (finding.why.en, finding.as_dict()["why"]) == ("", {"en": "", "zh": ""})
    variants = {**ENTRY["variants"], "near": {"why": WORDS, "cure": WORDS}}  # type: ignore[dict-item]
    with pytest.raises(CatalogueError, match=r"alone says nothing for \['why'\]"):
        read_entry("test.yaml", without | {"variants": variants}).variant("alone")


def test_of_several_variants_those_that_hold_are_told_each_over_those_before_it() -> None:
    entry = read_entry("test.yaml", ENTRY)
    assert entry.variant({"alone": True, "near": False}).severity == "failure"
    both = entry.variant({"alone": True, "near": "/b"})
    assert (both.severity, both.cure[0].text.en) == ("warning", "take `{near}`")
    with pytest.raises(CatalogueError, match="says nothing for"):
        entry.variant({"alone": False, "near": ""})
    with pytest.raises(CatalogueError, match="none of its variants"):
        entry.variant({"alone": True, "far": False})


def test_a_text_is_told_by_the_first_variant_whose_facts_it_says() -> None:
    entry = read_entry("test.yaml", ENTRY)
    assert entry.told_by({"path": "/a", "near": "/b"}, None).cure[0].text.en == "make {path!r}"
    assert entry.told_by({"near": "/b"}, None).cure[0].text.en == "take `{near}`"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, None),
        ({"facts": ["path"]}, "near is not declared"),
        ({"why": {"en": "why", "zh": "why"}}, "no Chinese"),
        ({"why": {"en": "why {path}", "zh": "原因"}}, "other facts"),
        ({"patterns": ["cannot open (?P<near>\\S+)"]}, "seen: can't be told"),
        ({"patterns": ["cannot open (?P<path>\\S+)"]}, None),
        ({"why": {"en": "why", "zh": "原因", "commands": ['rm "{path}"']}}, "not one word"),
        ({"variants": {"alone": {"severity": "note"}}, "cure": None}, "cure"),
    ],
)
def test_a_mistake_in_an_entry_is_found_when_tests_run(change: dict[str, object], says: str | None) -> None:
    changed = {key: value for key, value in (ENTRY | change).items() if value is not None}
    try:
        found = list(mistakes(read_entry("test.yaml", changed)))
    except CatalogueError as error:
        found = [str(error)]
    assert len(found) == (says is not None), found
    assert says is None or says in found[0]


def test_one_file_may_hold_all_entries() -> None:
    catalogue = Catalogue("berth.nfsserver.lint", "findings.yaml")
    assert list(catalogue.entries) == sorted(catalogue.entries)
    assert catalogue.entry("async").id == "async"
    with pytest.raises(CatalogueError):
        catalogue.entry("nothing-of-the-kind")
