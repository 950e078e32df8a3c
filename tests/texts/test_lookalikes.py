"""Look-alikes: found by their names, and never where somebody writes Chinese."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.texts.lookalikes import complaint, corrected, lookalikes


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("10.0.0.0／8", "10.0.0.0/8"),
        ("１０。０。０。１", "10.0.0.1"),
        ("hard，nfsvers＝4.1", "hard,nfsvers=4.1"),
        ("hard、soft", "hard,soft"),
        ("“/data”", '"/data"'),
        ("‘/data’", "'/data'"),
        ("「/data」", '"/data"'),
        ("－－path", "--path"),
        ("——path", "--path"),
        ("10.0.0.5：/srv", "10.0.0.5:/srv"),
        ("［2001:db8::1］:/srv", "[2001:db8::1]:/srv"),
        ("【2001:db8::1】", "[2001:db8::1]"),
        ("￥{.PVC.name}", "${.PVC.name}"),
        ("＄｛.PVC．name｝", "${.PVC.name}"),
        ("${.PVC.namespace}／${.PVC.name}", "${.PVC.namespace}/${.PVC.name}"),
        ("数据／${.PVC.name}", "数据/${.PVC.name}"),
        ("（rw）", "(rw)"),
        ("a\u00a0b", "a b"),
        ("a\u2003b\u202fc", "a b c"),
        ("\u3000a\u3000", "a"),
        ("\ufeffa\u200bb\u2060c\u00ad", "abc"),
        ("\u202eabc\u202c", "abc"),
        ("a\u3164b", "ab"),
        ("ｒｗ", "rw"),
        ("1～9", "1~9"),
        ("a…", "a..."),
    ],
)
@pytest.mark.parametrize("names", [False, True])
def test_what_is_meant(typed: str, meant: str, names: bool) -> None:
    assert corrected(typed, lookalikes(typed, names=names)) == meant
    wrong = complaint(typed, names=names)
    assert wrong is not None
    first = lookalikes(typed, names=names)[0]
    for sentence in (wrong.en, wrong.zh):
        assert f"U+{ord(first.char):04X}" in sentence
        assert unicodedata.name(first.char) in sentence
        assert str(first.at + 1) in sentence
        assert sentence.isprintable()


@pytest.mark.parametrize(
    "name",
    [
        "/data/数据",
        "/data/资料（旧）",
        "/data/资料（v2）",
        "/data/（新）资料",
        "/data/【重要】合同",
        "/data/卡尔·马克思",
        "/data/输入／输出",
        "/data/项目，甲",
        "/data/“数据”",
        "/data/２０２４年",
        "/data/第１期",
        "/データ/テスト（新）",
        "/data/데이터",
        "/data/café/данные/½",
        "${.PVC.namespace}（数据）",
        "plain",
    ],
)
def test_names_that_people_choose_are_what_they_are(name: str) -> None:
    assert lookalikes(name, names=True) == ()


@given(st.text())
def test_a_text_that_was_corrected_holds_none(text: str) -> None:
    assert lookalikes(corrected(text, lookalikes(text))) == ()


@given(st.text(st.characters(max_codepoint=0x7F)))
def test_ascii_holds_none(text: str) -> None:
    assert complaint(text) is None
