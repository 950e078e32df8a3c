"""The catalogue is whole: every failure in both languages, with causes, cures that a shell understands, and sources."""

from __future__ import annotations

import re

import pytest

from berth.doctor.known import entries, entry, find
from berth.findings.check import mistakes
from berth.findings.entry import PARTS, CatalogueEntry, CatalogueError, Variant, read_entry
from berth.findings.finding import Subject
from berth.findings.versions import Version
from berth.texts.command import Shell
from berth.texts.text import Text
from tests.doctor.rows import ROWS

ALL = tuple(entries().values())
CHINESE = re.compile(r"[\u4e00-\u9fff]")
SOURCE = re.compile(r"[\w.-]+/[\w.-]+#\d+|https://\S+")


def variants(failure: CatalogueEntry) -> tuple[Variant, ...]:
    return tuple(each for part in (*PARTS, "prove") for each in failure.every(part))


def commands(failure: CatalogueEntry) -> list[str]:
    return [each for variant in variants(failure) for command in variant.commands for each in command]


def test_every_failure_that_people_met_is_in_it() -> None:
    assert len(ROWS) == 57
    assert {each for row in ROWS.values() for each in row} <= entries().keys()


def test_its_words_facts_and_commands_are_as_they_must_be() -> None:
    assert {failure.id: list(mistakes(failure)) for failure in ALL} == {failure.id: [] for failure in ALL}


def test_its_title_is_told_in_both_languages() -> None:
    for failure in ALL:
        assert failure.title.en, failure.id
        assert not CHINESE.search(failure.title.en), failure.id
        assert CHINESE.search(failure.title.zh), failure.id


def test_it_says_why_and_what_to_do_shortly() -> None:
    for failure in ALL:
        assert failure.says("why"), failure.id
        for variant in variants(failure):
            assert len(variant.text.en) <= 270, failure.id
            assert len(variant.commands) <= 3, failure.id
        assert len(failure.title.en) <= 70, failure.id


def test_its_id_and_its_sources_are_of_the_usual_form() -> None:
    for failure in ALL:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", failure.id), failure.id
        assert failure.sources, failure.id
        assert all(SOURCE.fullmatch(source) for source in failure.sources), failure.id


def test_it_yields_to_failures_that_exist() -> None:
    for failure in ALL:
        assert all(other == "*" or other in entries() for other in failure.yields_to), failure.id


def test_facts_are_put_in_and_quoted_in_commands_only() -> None:
    found = find("volume-no-deleter", Subject("volume", "a b"))
    assert found.seen.en.startswith("PV a b is Failed")
    assert found.commands[0].startswith("kubectl patch pv 'a b' -p '{\"spec\"")


def test_what_a_terminal_would_obey_is_taken_out() -> None:
    found = find("volume-no-deleter", Subject("volume", "pv\x1b[2J"), evidence=["a\x07b"])
    assert "\x1b" not in found.seen.zh
    assert "\x1b" not in found.commands[0]
    assert found.evidence == (r"a\x07b",)


def test_the_variant_that_is_named_is_said() -> None:
    found = find("soft-mount", Subject("class", "nfs"), variant="class", option="soft", edit="s/soft//")
    assert found.seen.en == "class nfs mounts with `soft`"
    assert found.facts["option"] == "soft"


def test_a_namespaced_subject_is_three_facts() -> None:
    about = Subject("claim", "ddddd/demo4nfs")
    found = find("claim-waits-for-provisioner", about, variant="claim", provisioner="nfs/x")
    assert found.seen.zh == "PVC ddddd/demo4nfs 在等待制备器 nfs/x"
    assert found.commands[0] == "berth doctor claim ddddd/demo4nfs"


def test_a_fact_that_is_none_does_not_exist_and_lists_and_texts_are_said_in_each_language() -> None:
    claim = Subject("claim", "a/b")
    found = find(
        "terminating-forever", claim, variant="claim", since=Text("today", "今天"), finalizers=("x", "y"), pod=None
    )
    assert found.seen == Text(
        "claim a/b is Terminating since today; finalizers: x, y", "PVC a/b 自 今天 起处于 Terminating；finalizer：x、y"
    )


def test_a_command_of_our_own_stands_as_it_is() -> None:
    found = find(
        "mount-helper-missing",
        variant={"missing": True, "install": True},
        missing="mount.nfs",
        install=Shell("apt-get install -y nfs-common"),
    )
    assert found.commands == ("apt-get install -y nfs-common",)


@pytest.mark.parametrize(
    ("version", "says", "does_not_say"),
    [
        (Version(1, 20), "stop-gap", "Do NOT"),
        (Version(1, 23), "stop-gap", "Do NOT"),
        (Version(1, 24), "Do NOT add --feature-gates=RemoveSelfLink=false", "stop-gap"),
        (Version(1, 36), "Do NOT add --feature-gates=RemoveSelfLink=false", "stop-gap"),
        (None, "1.20 to 1.23 only", "stop-gap"),
    ],
)
def test_the_selflink_gate_is_proposed_only_where_the_api_server_starts_with_it(
    version: Version | None, says: str, does_not_say: str
) -> None:
    found = find("selflink-empty", Subject("workload", "a/old"), variant={"claim": False}, version=version)
    assert says in found.do.en
    assert does_not_say not in found.do.en
    assert not any("RemoveSelfLink" in command for command in found.commands)


def test_an_unknown_failure_and_a_missing_fact_are_told() -> None:
    with pytest.raises(CatalogueError, match="no failure 'nothing'"):
        entry("nothing")
    with pytest.raises(CatalogueError, match="clone-empty: `seen` does not fit"):
        find("clone-empty", variant={"copy": False})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"colour": "red"}, r"unknown keys \['colour'\]"),
        ({"severity": "fatal"}, "'fatal' is none of"),
        ({"patterns": ["(a"]}, "a"),
        ({"patterns": ["ab.*"]}, "no literal of 6 characters"),
        ({"cure": {"en": "x"}}, "KeyError: 'zh'"),
        ({"versions": ">1.20"}, "'>1.20' is not a bound"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_key(change: dict[str, object], says: str) -> None:
    said = {"en": "x", "zh": "好"}
    whole = {"id": "x", "severity": "note", "harm": "one", "title": said, "seen": said, "why": said, "cure": said}
    assert read_entry("x.yaml", {**whole, "sources": []}).id == "x"
    with pytest.raises(CatalogueError, match=f"^x.yaml: .*{says}"):
        read_entry("x.yaml", {**whole, "sources": [], **change})
