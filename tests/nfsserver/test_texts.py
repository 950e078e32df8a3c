"""What init says is said in both languages, with the same facts."""

from __future__ import annotations

import re
from importlib.resources import files
from string import Formatter

import pytest
import yaml

from berth.nfsserver.texts import say
from berth.texts.text import Text, joined

TEXTS: dict[str, dict[str, str]] = yaml.safe_load(files("berth.nfsserver").joinpath("texts.yaml").read_text("utf-8"))


@pytest.mark.parametrize("key", TEXTS)
def test_both_languages_say_the_same(key: str) -> None:
    names = {
        language: {name for _, name, _, _ in Formatter().parse(TEXTS[key][language]) if name} for language in TEXTS[key]
    }
    assert names["en"] == names["zh"]
    assert re.search(r"[一-鿿]", TEXTS[key]["zh"])
    assert not re.search(r"[一-鿿]", TEXTS[key]["en"])
    assert say(key, **dict.fromkeys(names["en"], "fact")).en


def test_a_fact_that_is_missing_is_an_error() -> None:
    with pytest.raises(KeyError):
        say("step.packages")


def test_sentences_are_joined_as_each_language_does() -> None:
    assert joined([Text("a", "甲"), Text("b", "乙")]) == Text("a; b", "甲；乙")
    assert Text("a", "甲").said("zh") == "甲"
