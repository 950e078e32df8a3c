"""Every command that a finding prints can be typed: a shell reads it, the programs are there, and Berth and kubectl
take the options.
"""

from __future__ import annotations

from tests.findings.accepted import berth_refusal, kubectl_refusal, unreadable
from tests.findings.printed import PROGRAMS, printed, simple_commands

COMMANDS = printed()


def test_there_are_many() -> None:
    assert len(COMMANDS) > 300
    assert any(each.text.startswith("berth volume end ") for each in COMMANDS)


def test_a_shell_reads_each() -> None:
    assert unreadable([each.text for each in COMMANDS]) == ""


def test_each_calls_programs_that_there_are() -> None:
    called = {words[0]: each for each in COMMANDS for words in simple_commands(each.text)}
    assert {name: each for name, each in called.items() if name not in {*PROGRAMS, "${EDITOR:-vi}"}} == {}


def test_berth_takes_each_of_its_own() -> None:
    own = [(each, words[1:]) for each in COMMANDS for words in simple_commands(each.text) if words[0] == "berth"]
    own = [(each, words) for each, words in own if "COMMAND" not in words]  # a help text, of any of them
    assert len(own) > 40
    wrong = {" ".join(words): (why, each.where) for each, words in own if (why := berth_refusal(words))}
    assert wrong == {}


def test_kubectl_takes_each_of_its_own() -> None:
    own = [(each, words[1:]) for each in COMMANDS for words in simple_commands(each.text) if words[0] == "kubectl"]
    assert len(own) > 100
    wrong = [(each, why) for each, words in own if (why := kubectl_refusal(words))]
    assert wrong == []
