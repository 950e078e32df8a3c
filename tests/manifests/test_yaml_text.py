"""YAML for people: it reads back as the same objects, and as texts where Kubernetes wants texts."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from berth.manifests.install import install_manifests
from berth.manifests.yaml_text import to_yaml
from berth.programs.controller import WORKLOAD
from tests.manifests.settings import SETTINGS

TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn", "Co", "Zl", "Zp")), max_size=12)
VALUES = st.recursive(
    TEXT
    | st.just("two\nlines\n")
    | st.booleans()
    | st.integers()
    | st.sampled_from(["1e3", "0o17", "yes", "null", "1.20", "- a", "a: b", "~"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.dictionaries(TEXT, VALUES, min_size=1), max_size=3))
def test_it_reads_back_as_the_same(documents: list[dict[str, Any]]) -> None:
    assert list(yaml.safe_load_all(to_yaml(documents))) == documents


@pytest.mark.parametrize("wanted", SETTINGS.values(), ids=SETTINGS)
def test_installations_read_back_as_the_same(wanted: Any) -> None:
    manifests = install_manifests(wanted, WORKLOAD)
    assert list(yaml.safe_load_all(to_yaml(manifests))) == manifests


@pytest.mark.parametrize("text", ["true", "1.20", "0755", "1e3", "0o17", "+1", ".5", "~", "null", "no", "2001-01-01"])
def test_a_text_that_might_be_something_else_stands_in_quotes(text: str) -> None:
    assert to_yaml([{"value": text}]) == f'---\nvalue: "{text}"\n'


def test_short_lists_of_words_stand_in_a_line_and_objects_are_in_their_own_order() -> None:
    assert to_yaml([{"verbs": ["get", "list"], "apiGroups": [""]}]) == '---\nverbs: [get, list]\napiGroups: [""]\n'
