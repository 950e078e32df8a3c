"""What init says is said in both languages, with the same facts."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest
import yaml

import berth.nfsserver
from berth.nfsserver.exports.clients import BadClient, Fault, check
from berth.nfsserver.exports.options import BadOption, parse
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


def test_every_sentence_is_said_and_none_is_missing() -> None:
    code = "".join(path.read_text() for path in Path(berth.nfsserver.__file__).parent.rglob("*.py"))
    named = set(re.findall(r'"((?:step|why|note|refused|doing|right|not-applied|foreign)\.[a-z.-]+)"', code))
    # The rest is named by its last part: an option, or what is wrong with a client.
    options = set(re.findall(r'"([a-z_]+)"', code))
    composed = {key for key in TEXTS if key.startswith(("client.", "why."))}
    assert {key for key in composed if key.startswith("client.")} == {f"client.{fault}" for fault in get_args(Fault)}
    assert {key.partition(".")[2] for key in composed - named if key.startswith("why.")} <= options
    assert named | composed == set(TEXTS)


def test_what_is_wrong_with_an_option_or_a_client_in_both_languages() -> None:
    with pytest.raises(BadOption) as option:
        parse(["no_rootsquash"])
    assert option.value.said.zh == "'no_rootsquash' 不是导出选项；是否想写 'no_root_squash'？"
    with pytest.raises(BadClient) as client:
        check("10.0.*")
    assert client.value.said.zh == "'10.0.*' 是用在地址上的通配符，而通配符只匹配主机名；请写 10.0.0.0/16"
    assert client.value.said.en.startswith("'10.0.*' is a wildcard")


def test_a_fact_that_is_missing_is_an_error() -> None:
    with pytest.raises(KeyError):
        say("step.packages")


def test_sentences_are_joined_as_each_language_does() -> None:
    assert joined([Text("a", "甲"), Text("b", "乙")]) == Text("a; b", "甲；乙")
    assert Text("a", "甲").said("zh") == "甲"
