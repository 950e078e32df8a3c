"""The sentences: both languages, the same facts in both, a cause and a cure wherever something is wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import berth.doctor.share.probed
from berth.doctor.share.probed import OUTCOMES, catalogue
from berth.doctor.share.verify import ORDER

CASES = [
    (f"{probe} {case}", said)
    for probe, entry in catalogue().items()
    for case, said in entry.items()
    if probe != "skipped" and case != "title"
]
CODE = "".join(path.read_text() for path in Path(berth.doctor.share.probed.__file__).parent.glob("*.py"))


def facts_in(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("said", [pytest.param(said, id=name) for name, said in CASES])
def test_a_case(said: dict[str, Any]) -> None:
    assert said["outcome"] in OUTCOMES
    for part in ("seen", "cause", "cure"):
        if part in said:
            assert set(said[part]) == {"en", "zh"}
            assert facts_in(said[part]["en"]) == facts_in(said[part]["zh"])
            assert not re.search(r"[，。：；]", said[part]["en"])
            assert said[part]["zh"] == said[part]["zh"].strip()
    if "cause" in said:
        assert said["outcome"] in ("warning", "failed")
        assert said["cause"]["en"].endswith(".")
        assert said["cause"]["zh"].endswith("。")
        assert "cure" in said


def test_every_probe_has_a_title() -> None:
    assert set(catalogue()) == {*ORDER, "skipped"}
    for probe in ORDER:
        assert set(catalogue()[probe]["title"]) == {"en", "zh"}


def test_every_case_is_used() -> None:
    computed = {"kept", "ignored", "refused", "grace", "open", "silent", "unreachable", "failed"}
    unused = [name for name, _ in CASES if f'"{name.split()[1]}"' not in CODE and name.split()[1] not in computed]
    assert unused == []
