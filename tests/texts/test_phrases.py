"""Every error that code makes in English has its Chinese; what is filled in stays, or is a sentence itself."""

from __future__ import annotations

import re

from berth.texts.phrases import ERRORS, bilingual
from tests.texts.errors_in_code import sentences

WORDS = re.compile(r"[A-Za-z]{2,}")
HAN = re.compile(r"[\u4e00-\u9fff]")


def test_no_error_lacks_its_chinese() -> None:
    missing = [
        f"{where}: {text}"
        for where, text in sentences()
        if WORDS.search(text.replace("{}", "")) and not ERRORS.knows(text.replace("{}", "'x'"))
    ]
    assert missing == []


def test_what_is_filled_in_stays_and_a_reason_is_translated() -> None:
    said = bilingual("GET pods: the API server https://10.0.0.1:6443 is unreachable: connection refused")
    assert said.zh == "无法访问 API 服务器 https://10.0.0.1:6443：连接被拒绝（请求：GET pods）"


def test_what_nobody_knows_stays_as_it_is() -> None:
    assert bilingual("the moon is full").zh == "the moon is full"


def test_all_that_a_table_fills_in_is_there() -> None:
    slots = re.compile(r"\{([a-z_]+)\}")
    wrong = [en for en, zh in ERRORS.table.items() if set(slots.findall(en)) != set(slots.findall(zh))]
    assert wrong == []
    assert [en for en, zh in ERRORS.table.items() if not HAN.search(zh)] == []
