"""What is said about images is said in both languages, with the same facts, and by the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import berth
from berth.images.texts import SENTENCES, say
from berth.texts.text import named_in

HAN = re.compile(r"[一-鿿]")
CODE = "".join(
    path.read_text()
    for room in ("images", "cli/image")
    for path in Path(berth.__file__).parent.joinpath(room).glob("*.py")
)


@pytest.mark.parametrize("key", SENTENCES.templates)
def test_both_languages_say_the_same(key: str) -> None:
    said = SENTENCES.templates[key]
    assert named_in(said["en"]) == named_in(said["zh"])
    assert HAN.search(said["zh"])
    assert not HAN.search(said["en"])
    assert say(key, **dict.fromkeys(named_in(said["en"]), "fact")).en


def test_every_sentence_is_said_and_none_is_missing() -> None:
    groups = "|".join({key.partition(".")[0] for key in SENTENCES.templates})
    assert set(re.findall(rf'"((?:{groups})\.[a-z0-9-]+)"', CODE)) == SENTENCES.templates.keys()
