"""What a terminal would obey, hide or turn round is shown; what people write in any script is left as it is."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from berth.manifests.yaml_text import to_yaml as to_manifests
from berth.texts.exact import to_json, to_yaml
from berth.texts.text import Text, fill, fill_sentence, same
from berth.texts.visible import fact, is_visible, line, visible

HIDDEN = {
    "\x1b[31m": r"\x1b[31m", "\x9b": r"\x9b", "a\u202eb": r"a\u202eb", "\u200b": r"\u200b", "\u2066": r"\u2066",
    "\U000e0001": r"\U000e0001", "\u2028": r"\u2028", "\n\t\r": r"\n\t\r", "\x00\x7f": r"\x00\x7f",
    "\ufeff\u00ad": r"\ufeff\xad", "\u3164\ufe0f\U000e0100": r"\u3164\ufe0f\U000e0100", "\ud800": r"\ud800",
    "\u00a0": r"\xa0", "\ue000": r"\ue000",
}  # fmt: skip


@pytest.mark.parametrize("hidden", HIDDEN, ids=ascii)
def test_it_is_shown_as_its_escape(hidden: str) -> None:
    assert visible(hidden) == HIDDEN[hidden]
    assert visible(visible(hidden)) == HIDDEN[hidden]


@given(st.text())
def test_nothing_hidden_is_left(text: str) -> None:
    for shown in (visible(text), fact(text), line(text), line(text, is_command=True)):
        assert is_visible(shown)


@pytest.mark.parametrize(
    "text", ["10.0.0.1:/srv/nfs", "数据卷（一）：正常", "déjà 日本語 русский עברית", "a\\nb ~ [red]"]
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert visible(text) == line(text) == text


def test_what_is_far_too_long_is_shortened_and_commands_are_not() -> None:
    assert line(f"a {'x' * 1000} b") == f"a {'x' * 200}… b"
    assert len(line("x y " * 100_000)) < 4100
    assert line(f"see `{'x' * 500}`") == f"see `{'x' * 500}`"
    assert line("x" * 5000, is_command=True) == "x" * 5000
    assert line("数" * 900) == "数" * 900


JSON = st.recursive(
    st.none() | st.integers(-5, 5) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), JSON, max_size=3))
def test_content_for_programs_is_exact_and_yet_visible(content: dict[str, object]) -> None:
    assert json.loads(to_json(content)) == content
    assert yaml.safe_load(to_yaml(content)) == content
    assert yaml.safe_load(to_manifests([content])) == content
    for text in (to_json(content), to_yaml(content), to_manifests([content])):
        assert all(map(is_visible, text.split("\n")))


def test_facts_in_sentences_are_visible_and_words_of_the_shell_in_commands_only() -> None:
    said = fill_sentence("{a} and {a!r}: `chmod o+x {a}`, write `{a}(rw)`", {"a": "x y\n`z`"}, "en")
    assert said == r"x y\n'z' and 'x y\n'z'': `chmod o+x $'x y\n\x60z\x60'`, write `x y\n'z'(rw)`"
    assert fill({"en": "{a}", "zh": "{a}"}, {"a": Text("one", "一")}) == Text("one", "一")
    assert fill_sentence("{a}", {"a": ["x", "y"]}, "zh") == "x、y"
    assert same("`rm`\x1b") == same(r"'rm'\x1b")
