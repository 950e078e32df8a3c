"""The words of the probes: what is wrong is a whole finding, in both languages, and all of it is said somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import berth.doctor.share.probed
from berth.doctor.share.probed import CATALOGUE, SENTENCES, probes, skipped, wrong
from berth.doctor.share.verify import ORDER
from berth.findings.check import mistakes
from berth.texts.text import named_in

CODE = "".join(path.read_text() for path in Path(berth.doctor.share.probed.__file__).parent.glob("*.py"))
VARIANTS = [(probe, variant) for probe, entry in CATALOGUE.entries.items() for variant in entry.variants]


@pytest.mark.parametrize("probe", CATALOGUE.entries)
def test_the_words_and_facts_of_a_finding_are_as_they_must_be(probe: str) -> None:
    assert list(mistakes(CATALOGUE.entry(probe))) == []


@pytest.mark.parametrize(("probe", "variant"), VARIANTS)
def test_each_variant_can_be_told_in_whole_sentences(probe: str, variant: str) -> None:
    found = wrong(probe, variant, **dict.fromkeys(CATALOGUE.entry(probe).facts or (), "fact"))
    assert found.finding is not None
    assert found.outcome in ("warning", "failed")
    assert found.finding.why.en.endswith(".")
    assert found.finding.why.zh.endswith("。")


@pytest.mark.parametrize("key", SENTENCES.templates)
def test_what_is_seen_is_said_alike_in_both_languages(key: str) -> None:
    said = SENTENCES.templates[key]
    assert named_in(said["en"]) == named_in(said["zh"])
    assert not re.search(r"[，。：；]", said["en"])
    assert said["zh"] == said["zh"].strip()


def test_every_probe_has_a_title_and_a_place_in_the_order() -> None:
    assert sorted(probes()) == sorted(ORDER)
    assert CATALOGUE.entries.keys() <= set(ORDER)


def test_every_word_is_said_by_the_code() -> None:
    computed = {"refused", "silent", "unreachable", "failed", "ignored"}  # the state of a port, or of a lock
    said = {variant for _, variant in VARIANTS} | {key.rpartition(".")[2] for key in SENTENCES.templates}
    assert [each for each in sorted(said - computed - {"title"}) if f'"{each}"' not in CODE] == []


def test_reasons_that_errors_give_in_english_are_said_in_chinese() -> None:
    refused = "connect failed: can't connect to 10.0.0.9 port 2049 (ECONNREFUSED)"
    trash = skipped("trash", "unseen", why=f"share nfs:/srv is unavailable, {refused}").seen
    assert trash.en.endswith(refused)
    zh = "此处看不到 Berth 的回收站：共享 nfs:/srv 不可用，连接失败：无法连接 10.0.0.9 的端口 2049（ECONNREFUSED）"
    assert trash.zh == zh
    assert skipped("space", "unknown", why="no answer within 5 s").seen.zh == "服务器没有说明（5 秒内没有应答）"
    assert skipped("records", "unseen", why="no answer within 5 s").seen.zh == "无法查看 .berth：5 秒内没有应答"
    assert wrong("round-trip", "broken", count=3, why="the connection is closed").seen.zh.endswith("连接已关闭")
    assert wrong("left-behind", "left", path="a", share="n:/s", why="no answer within 5 s").seen.zh.endswith("没有应答")
    assert wrong("records", "in-the-way", path=".berth", kind="link").seen.zh == ".berth 不是目录，而是符号链接"
