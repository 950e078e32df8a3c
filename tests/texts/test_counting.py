"""How many there are, and which, as sentences in both languages say it."""

from __future__ import annotations

import pytest

from berth.texts.counting import counted, several, some
from berth.texts.text import Text


@pytest.mark.parametrize(
    ("count", "noun", "said"),
    [
        (0, "volume", "0 volumes"),
        (1, "volume", "1 volume"),
        (2, "PV", "2 PVs"),
        (2, "class", "2 classes"),
        (3, "directory", "3 directories"),
    ],
)
def test_a_noun_is_counted(count: int, noun: str, said: str) -> None:
    assert several(count, noun) == said
    assert counted(count, noun, "个卷") == Text(said, f"{count} 个卷")


def test_the_first_few_names_are_said_and_how_many_there_are() -> None:
    assert some("ab") == Text("a, b", "a、b")
    assert some("abcde") == Text("a, b, c, d, e", "a、b、c、d、e")
    assert some("abcdefg") == Text("a, b, c, d, e and 2 more", "a、b、c、d、e 等 7 个")


def test_a_strangers_name_is_made_visible() -> None:
    assert some(["a\x1b[2J", "`reboot`"]).en == r"a\x1b[2J, 'reboot'"
