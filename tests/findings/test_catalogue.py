"""Catalogues: a variant is named by who finds it, and what does not fit is an error."""

from __future__ import annotations

import pytest

from berth.findings.catalogue import Catalogue
from berth.findings.entry import CatalogueError, read_entry
from berth.findings.finding import Where

WORDS = {"en": "seen of {path}", "zh": "{path} 的情况"}
ENTRY = {
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


def test_a_variant_without_all_parts_is_no_variant() -> None:
    with pytest.raises(CatalogueError, match=r"test\.yaml, alone: .* missing keys \['cure'\]"):
        read_entry("test.yaml", ENTRY | {"variants": {"alone": {}}})


def test_one_file_may_hold_all_entries() -> None:
    catalogue = Catalogue("berth.nfsserver.lint", "findings.yaml")
    assert list(catalogue.entries) == sorted(catalogue.entries)
    assert catalogue.entry("async").id == "async"
    with pytest.raises(CatalogueError):
        catalogue.entry("nothing-of-the-kind")
