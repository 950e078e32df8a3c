"""The literal by which a pattern's lines are found stands in all of them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.doctor.pattern import find_needle, read_pattern


@pytest.mark.parametrize(
    ("source", "needle"),
    [
        ("selfLink was empty, can.t make reference", "selfLink was empty, can"),
        (r"(?P<x>abc)def ghij(k|l)mnopqrs", "def ghij"),
        (r"mount\.nfs4?: access (?:is )?denied", "mount.nfs"),
        (r"[a-z(]foo\(bar\)", "foo(bar)"),
        (r"abcdefg{2}xy", "abcdef"),
        (r"abcdefg+", "abcdefg"),
        (r"\dabcdef\s", "abcdef"),
        ("abcdefg|hijklmn", ""),
        ("(abcdefg)?h", "h"),
        ('(?<!message=")waiting', "waiting"),
    ],
)
def test_the_longest_certain_literal_is_found(source: str, needle: str) -> None:
    assert find_needle(source) == needle


PIECES = ("abc", "de", r"\.", "f?", "(g|h)", "(i)?", "[jk]", r"\d", ".", "l*", "m+")


@given(st.lists(st.sampled_from(PIECES), max_size=8))
def test_it_stands_in_every_match(pieces: list[str]) -> None:
    source = "".join(pieces)
    needle = find_needle(source)
    shortest = source.replace("f?", "").replace("(g|h)", "g").replace("(i)?", "").replace("[jk]", "j")
    shortest = shortest.replace(r"\d", "0").replace(r"\.", "\0").replace(".", "~").replace("\0", ".")
    shortest = shortest.replace("l*", "").replace("m+", "m")
    assert re.fullmatch(source, shortest)
    assert needle in shortest


def test_a_pattern_without_one_is_refused() -> None:
    with pytest.raises(ValueError, match="no literal"):
        read_pattern("(?:short|long)")
