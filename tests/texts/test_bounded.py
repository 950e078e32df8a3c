"""However long a text is that strangers wrote: what is kept of it is bounded, readable, and says what is wrong."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from berth.texts.bounded import SENTENCE, bounded, quoted
from berth.volumes.errors import Missing, Refused, Taken, Unavailable, VolumeError
from berth.volumes.naming import volume_path
from berth.volumes.patterns import parse_path_pattern
from berth.volumes.request import Claim


@given(st.text(), st.integers(16, 400), st.booleans())
@example("\x80\u0800\u0800…\u0800\u0800", 16, False)
def test_never_more_bytes_than_asked_for_and_never_half_a_character(text: str, limit: int, behind: bool) -> None:
    short = bounded(text, limit, behind=behind)
    assert len(short.encode("utf-8", "backslashreplace")) <= limit
    if len(text.encode("utf-8", "backslashreplace")) <= limit:
        assert short == text
    else:
        whole = text.encode("utf-8", "backslashreplace").decode()
        # One of them marks the cut; the others are the text's own.
        marks = [at for at, character in enumerate(short) if character == "…"]
        assert any(whole.startswith(short[:at]) and whole.endswith(short[at + 1 :]) for at in marks)


def test_a_long_value_is_shown_by_its_beginning_and_its_end() -> None:
    shown = quoted("a" * 250_000 + "z")
    assert shown.startswith("'aaa")
    assert shown.endswith("aaz'")
    assert len(shown.encode()) <= 200
    assert len(quoted("\x00" * 250_000)) <= 200


LONG = "v" * 250_000


@pytest.mark.parametrize(
    "error",
    [
        Refused(LONG, LONG),
        Unavailable(LONG, "io", LONG, path=LONG, status=LONG),
        Missing(LONG, LONG),
        Taken(LONG, LONG),
    ],
)
def test_no_error_of_volumes_is_longer_than_an_event_may_be(error: VolumeError) -> None:
    assert len(str(error).encode()) <= SENTENCE <= 1024


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        pytest.param(LONG, "shorten it", id="long part"),
        pytest.param("a/" * 100_000 + "b", "shorten it", id="long path"),
        pytest.param("../" * 80_000, "name the directory itself", id="climbs"),
        pytest.param(".berth" + LONG, "shorten it", id="Berth's own"),
        pytest.param("a\n/" * 300, "no such thing", id="line breaks"),
        pytest.param("\0" * 250_000, "leave it out", id="NUL"),
    ],
)
def test_a_refused_path_of_any_length_says_what_would_work(value: str, advice: str) -> None:
    pattern = parse_path_pattern("${.PVC.annotations.where}")
    claim = Claim("n" * 63, "c" * 253, "uid")
    with pytest.raises(Refused) as refused:
        pattern.path(claim, "pvc-1", {}, {"where": value})
    sentence = str(refused.value)
    assert len(sentence.encode()) <= SENTENCE
    assert sentence.startswith("parameter pathPattern: '")
    assert str(claim)[-20:] in sentence
    assert sentence.endswith("annotation 'where')")
    with pytest.raises(Refused) as alone:
        volume_path(value)
    if advice != "no such thing":
        assert advice in str(alone.value)
        assert advice in sentence
