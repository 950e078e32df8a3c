"""The literal by which a pattern's lines are found stands in all of them."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.doctor.explain import Explainer
from berth.doctor.known import entries
from berth.doctor.names_in_text import VERSIONS
from berth.findings.pattern import GAP, LONGEST, TextPattern, bounded, find_needle, read_pattern, readable


@pytest.mark.parametrize(
    ("source", "needle"),
    [
        ("selfLink was empty, can.t make reference", "selfLink was empty, can"),
        (r"(?P<x>abc)def ghij(k|l)mnopqrs", "abcdef ghij"),
        (r"mount\.nfs4?: access (?:is )?denied", "mount.nfs"),
        (r"[a-z(]foo\(bar\)", "foo(bar)"),
        (r"abcdefg{2}xy", "abcdef"),
        (r"abcdefg+", "abcdefg"),
        (r"\dabcdef\s", "abcdef"),
        ("abcdefg|hijklmn", ""),
        ('abcdefg "hij" kl', "abcdefg "),
        ("(abcdefg)?h", "h"),
        ("(?P<path>/srv/jenkins/[^:]+): (?:a|b)", "/srv/jenkins/"),
        ("(?:(abcdefg)|x)hij", "hij"),
        ("(?:x(abcdefg)y)?hij", "hij"),
        ("(abcdefg)+hij", "hij"),
        ("(?<!abcdefg)hij", "hij"),
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


@pytest.mark.parametrize(
    ("source", "same"),
    [
        (r"a\.b [^:]*: \S+ x", rf"a\.b [^:]{{0,{LONGEST}}}: \S{{1,{LONGEST}}} x"),
        (r"a[.*+]?\*", r"a[.*+]?\*"),
        ("ab.*cd.*?ef", f"(?>ab)(?>[\\s\\S]{{0,{GAP}}}?cd)(?>[\\s\\S]{{0,{GAP}}}?ef)"),
        ("ab.+cd", f"(?>ab.)(?>[\\s\\S]{{0,{GAP}}}?cd)"),
        ("a(?P<x>.*?), b", f"a(?P<x>.{{0,{LONGEST}}}?), b"),
    ],
)
def test_nothing_repeats_without_end(source: str, same: str) -> None:
    assert bounded(source) == same


PLAIN, LONG = 4000, 16000


def patterns() -> Iterator[TextPattern]:
    for entry in entries().values():
        yield from (*entry.patterns, *entry.settled_by)
    yield from VERSIONS


def crafted(pattern: TextPattern, length: int) -> Iterator[str]:
    """Lines in which the pattern begins over and over, and never comes to its end."""
    literals = readable(pattern.source).split("…")
    for filler in ("/a", "a", '"', "'a'", ": ", " "):
        for count in range(1, len(literals) + 1):
            unit = f"{filler.join(literals[:count])}{filler}"
            yield unit[:-1] * (length // len(unit)) + pattern.needle


def seconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


@pytest.mark.slow
def test_a_crafted_line_costs_what_its_length_says() -> None:
    for pattern in patterns():
        for short, long in zip(crafted(pattern, PLAIN), crafted(pattern, LONG), strict=True):
            taken = seconds(lambda long=long, pattern=pattern: pattern.regex.search(long))  # type: ignore[misc]
            if taken > 0.05:  # four times as long takes four times as long; twice that is noise, sixteen times is not
                usual = seconds(lambda short=short, pattern=pattern: pattern.regex.search(short))  # type: ignore[misc]
                assert taken < 10 * usual + 0.1, (pattern.source, long[:100])
            assert taken < 1, (pattern.source, long[:100])


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    ["\\", "'/a'", 'claim "a/', "\x1b[", "sqlite3.a", "selfLink was empty, ", '{"a":', "[", "a: ", '\\"'],
    ids=ascii,
)
def test_a_text_of_crafted_lines_costs_what_its_length_says(unit: str) -> None:
    needles = "".join(pattern.needle for pattern in patterns())
    line = f"{unit * (LONG // len(unit) - len(needles) // len(unit))}{needles}\n".encode()
    one, four = (seconds(lambda count=count: Explainer().read(io.BytesIO(line * count))) for count in (3, 12))  # type: ignore[misc]
    assert four < 10 * one + 0.2
    assert one < 5
