"""Names that servers keep for themselves, in any spelling and at any depth; and Berth's own, however written."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.volumes.errors import Refused
from berth.volumes.naming import fold, volume_path
from berth.volumes.reserved import NAMES, new_volume_path
from tests.volumes.builders import EXPORT, answer_of, plan, release_plan


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("around", ["{}", "a/{}", "{}/b", "a/{}/b"])
def test_a_name_that_belongs_to_the_server_is_refused_and_told_whose_it_is(name: str, around: str) -> None:
    written = name.replace("*", "0001")
    for spelled in (written, written.upper(), written.title()):
        with pytest.raises(Refused, match="belongs to the server"):
            new_volume_path(around.format(spelled))


@pytest.mark.parametrize(
    "path",
    ["snapshot", ".snapshot-of-mine", "my.snapshot", "lost+found2", "zfs", "photos/recycle", "nfs", "trash", ".what"],
)  # fmt: skip
def test_names_that_only_look_a_bit_like_them_are_fine(path: str) -> None:
    assert new_volume_path(path) == path


@pytest.mark.parametrize("end", ["delete", "archive"])
def test_a_volume_that_lies_there_all_the_same_is_kept(end: str) -> None:
    for path in ("lost+found", "x/.snapshot/hourly.0"):
        with pytest.raises(Refused, match=r"belongs to the server .* it is kept"):
            release_plan(plan(), on_delete=end, absolute_path=f"{EXPORT}/{path}")
        assert release_plan(plan(), on_delete="retain", absolute_path=f"{EXPORT}/{path}").end == "retain"


@pytest.mark.parametrize(
    "path",
    [".berth", ".BERTH/x", ".berth ", ".berth.", ".berth. .", ".berth::$INDEX_ALLOCATION", ".berth:x/y", "BERTH~1",
     "berth~12/x", ".be\u200brth", ".\u202eberth", ".b\ufeffERTH/x", ".\uff42erth", ".berth\u00ad"],
)  # fmt: skip
def test_whatever_some_server_takes_for_berths_own_directory_is_refused(path: str) -> None:
    with pytest.raises(Refused, match="where Berth keeps its own records"):
        volume_path(path)


@pytest.mark.parametrize("path", ["a\u200bb", "a/\u202egpj.exe", "\u2066x", "x\u2069", "a\U000e0041", "caf\xe9\ufeff"])
def test_characters_that_are_not_seen_are_refused_and_shown(path: str) -> None:
    with pytest.raises(Refused, match=r"\\[uU]\w+.*is not seen") as refusal:
        new_volume_path(path)
    assert str(refusal.value).isascii()


@pytest.mark.parametrize(
    ("one", "other"),
    [("Data", "data"), ("caf\u00e9", "cafe\u0301"), ("STRASSE", "stra\u00dfe"), ("name", "name."), ("name", "name "),
     ("\ufb01le", "FILE"), ("\u03a3\u03b1\u03c2", "\u03c3\u03b1\u03c3"), ("a\u200db", "ab")],
)  # fmt: skip
def test_spellings_that_some_server_takes_for_one_fold_to_one(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("data", "date"), ("a-b", "a.b"), ("a b", "ab"), (".", "x"), (" ", "x")])
def test_other_names_stay_apart(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@given(st.text(min_size=1).filter(lambda text: "/" not in text))
def test_folding_twice_changes_nothing_more_and_never_leaves_nothing(part: str) -> None:
    assert fold(part)
    for form in ("NFC", "NFD"):
        again = fold(unicodedata.normalize(form, part))
        assert again == fold(part)
    assert isinstance(answer_of(lambda: volume_path(part)), str | Refused)
