"""The answer to a person: short, the worst first, with real names and commands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from berth.doctor.known import entries, find
from berth.findings.finding import Finding, Question, Report, Subject, Unseen, report
from berth.findings.render import LINES, say, say_finding, say_question
from berth.texts.text import Language, Text, same
from tests.doctor.reading import read_transcripts
from tests.doctor.test_transcripts import OWN, report_of

HEALTHY = Text("nothing wrong found", "未发现问题")
SAID = [*(each.text for each in read_transcripts()), *(each.text for each in OWN)]
REPORTS = [report_of(text) for text in SAID]
FOUND = [finding for each in REPORTS for finding in each.findings]
ASKED = [question for each in REPORTS for question in each.questions]


def told(told_of: Report, language: Language = "en") -> list[str]:
    return [f"{line.label}  {line.text}" if line.label else line.text for line in say(told_of, language, HEALTHY)]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_finding_takes_more_than_six_lines_and_none_holds_a_placeholder(language: Language) -> None:
    for finding in FOUND:
        lines = [line.text for line in say_finding(finding, language)]
        assert 3 <= len(lines) <= LINES
        assert not any("\n" in line for line in lines)
        assert not any("{" in line and "}" in line and "json" not in line and '{"' not in line for line in lines[:3])


def test_every_failure_that_logs_can_show_is_said_somewhere() -> None:
    said = {finding.id for finding in FOUND} | {question.if_so.id for question in ASKED}
    assert said == {entry.id for entry in entries().values() if entry.patterns or entry.ambiguous}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_question_has_a_command_that_answers_it(language: Language) -> None:
    for question in ASKED:
        first, *others = [line.text for line in say_question(question, language)]
        assert first.split(" [")[0].endswith("？" if language == "zh" else "?")
        assert any(line.startswith("    $ ") for line in others)
        assert not any("\n" in line for line in (first, *others))


def asked() -> Question:
    (question,) = report_of("umount: /mnt: target is busy\n").questions
    return question


def test_a_question_is_told_with_what_it_is_if_so_and_counts_for_nothing() -> None:
    lines = told(report([], questions=[asked()]))
    assert lines[0] == "nothing wrong found, 1 question"
    assert lines[2] == "QUESTION  is /mnt an NFS mount? [unmount-busy]"
    assert lines[4] == "    $ findmnt -T /mnt"
    assert "If so: /mnt can't be unmounted: something still uses it. A process" in lines[5]
    assert told(report([], questions=[asked()]), "zh")[2] == "待确认  /mnt 是 NFS 挂载点吗？ [unmount-busy]"


def test_for_programs_a_question_is_apart_from_findings() -> None:
    said = report([], questions=[asked()])
    assert said.exit_code == 0
    content = said.as_dict()
    assert content["findings"] == []
    question = content["questions"][0]  # type: ignore[index] # a list
    assert (question["id"], question["commands"]) == ("unmount-busy", ["findmnt -T /mnt"])
    assert question["ifSo"]["severity"] == "warning"


def test_a_healthy_report_is_one_line() -> None:
    assert told(Report()) == ["nothing wrong found"]
    assert told(Report(), "zh") == ["未发现问题"]


def volume(name: str, *others: str, count: int = 1) -> Finding:
    return find("volume-no-deleter", *(Subject("volume", each) for each in (name, *others)), count=count)


def test_the_counts_stand_on_top() -> None:
    unseen = Unseen(Text("leases", "租约"), Text("not allowed", "没有权限"))
    some = report([volume("a"), volume("b"), find("client-throttled", waited="1s")], [unseen])
    assert told(some)[0] == "2 failures, 1 note, 1 thing could not be looked at"
    assert told(some, "zh")[0] == "2 个故障，1 个提示，1 项未能检查"
    assert told(some)[-1] == "NOT SEEN  leases: not allowed"
    assert told(some, "zh")[-1] == "未检查  租约：没有权限"


def test_a_finding_reads_as_seen_why_what_to_do_and_its_commands() -> None:
    lines = told(report([volume("pv-a")]))[2:]
    assert lines[0] == (
        "FAILURE  PV pv-a is Failed: its policy is Delete, but it was made by hand, so nobody knows how "
        "[volume-no-deleter]"
    )
    assert lines[1].startswith("  Kubernetes itself deletes no NFS directories")
    assert lines[2].startswith("  Say what is true: Retain.")
    assert lines[3].startswith("    $ kubectl patch pv pv-a -p ")


def test_other_objects_and_repetitions_are_said_behind_it() -> None:
    first = told(report([volume("a1", "b2", "c3", "d4", "e5", "f6", count=7)]))[2]
    assert " (also volume b2, volume c3, volume d4 and 2 more; seen 7 times) [" in first
    chinese = told(report([volume("a1", "b2", "c3", "d4", "e5", "f6", count=7)]), "zh")[2]
    assert "（另有 PV b2、PV c3、PV d4 等 5 个；出现 7 次）" in chinese


def test_what_shows_it_is_quoted_where_there_is_room() -> None:
    finding = find("volume-no-deleter", Subject("volume", "a"), evidence=["x" * 500])
    quoted = [line for line in told(report([finding])) if line.startswith("    > ")]
    assert quoted == [f"    > {'x' * 150}…"]


def test_the_same_finding_is_told_once() -> None:
    assert len(report([volume("a"), volume("a")]).findings) == 1


def test_json_holds_both_languages_and_the_exit_code() -> None:
    content = report([volume("a")], [Unseen(same("x"), same("y"), "z")], ["z"]).as_dict()
    assert content["exitCode"] == 2
    assert content["checks"] == ["z"]
    told_of = volume("a").as_dict()
    assert content["findings"] == [told_of]
    assert told_of["about"] == [{"kind": "volume", "name": "a"}]
    assert told_of["seen"] == volume("a").seen.as_dict()
    assert content["unseen"] == [{"check": "z", "what": {"en": "x", "zh": "x"}, "reason": {"en": "y", "zh": "y"}}]


def test_a_subject_of_an_unknown_kind_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="'clown' is not among"):
        Subject("clown", "x")


def test_a_finding_without_a_cause_is_a_line_shorter() -> None:
    finding = replace(volume("pv-a"), why=Text("", ""))
    assert [line.text[:9] for line in say_finding(finding, "en")][:2] == ["PV pv-a i", "  Say wha"]
