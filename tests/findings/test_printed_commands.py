"""Every command that a finding prints can be typed: a shell reads it, the programs are there, and Berth and kubectl
take the options.
"""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import click
import pytest

from berth.cli.main import cli
from devcluster.binaries import find
from devcluster.errors import DevClusterError
from tests.findings.printed import PROGRAMS, printed, simple_commands

COMMANDS = printed()


def test_there_are_many() -> None:
    assert len(COMMANDS) > 300
    assert any(each.text.startswith("berth volume end ") for each in COMMANDS)


def test_a_shell_reads_each() -> None:
    script = "\n".join(f"f{number}() {{\n{each.text}\n}}" for number, each in enumerate(COMMANDS))
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, timeout=30)
    lines = script.splitlines()
    blamed = [lines[int(number) - 1] for number in re.findall(r"line (\d+):", done.stderr)]
    assert done.stderr == "", blamed


def test_each_calls_programs_that_there_are() -> None:
    called = {words[0]: each for each in COMMANDS for words in simple_commands(each.text)}
    assert {name: each for name, each in called.items() if name not in {*PROGRAMS, "${EDITOR:-vi}"}} == {}


def test_berth_takes_each_of_its_own() -> None:
    own = [(each, words[1:]) for each in COMMANDS for words in simple_commands(each.text) if words[0] == "berth"]
    own = [(each, words) for each, words in own if "COMMAND" not in words]  # a help text, of any of them
    assert len(own) > 40
    wrong = {" ".join(words): (why, each.where) for each, words in own if (why := refusal(words))}
    assert wrong == {}


def refusal(words: list[str]) -> str:
    """Why the command line does not take these words; empty where it does. Nothing is run."""
    command: click.Command = cli
    context: click.Context | None = None
    name = "berth"
    try:
        while True:
            context = command.make_context(name, list(words), parent=context, resilient_parsing=False)
            rest = [*context._protected_args, *context.args]
            if not isinstance(command, click.Group) or not rest:
                return ""
            told, found, words = command.resolve_command(context, rest)
            if found is None:
                return f"no command {rest[0]}"
            name, command = told or "", found
    except click.exceptions.Exit:
        return ""  # --help and --version
    except click.MissingParameter as error:
        return "" if not words else error.format_message()  # prose names a command by its words alone
    except click.ClickException as error:
        return error.format_message()


@cache
def kubectl() -> Path:
    """The real one."""
    try:
        return find().kubectl
    except DevClusterError as error:
        pytest.skip(str(error))


@cache
def helped(*words: str) -> str:
    """What kubectl says of one of its commands."""
    return subprocess.run([kubectl(), *words], capture_output=True, text=True, timeout=30).stdout


@cache
def flags_of(verb: str) -> frozenset[str]:
    """The options that a kubectl command takes."""
    said = helped(*verb.split(), "--help") + helped("options")
    return (
        frozenset(re.findall(r"(?m)^\s+(--[a-z-]+)=", said))
        | frozenset(re.findall(r"(?m)^\s+(-\w), --", said))
        | (frozenset(re.findall(r"(?m)^\s+-\w, (--[a-z-]+)=", said)))
    )


def test_kubectl_takes_each_of_its_own() -> None:
    own = [(each, words[1:]) for each in COMMANDS for words in simple_commands(each.text) if words[0] == "kubectl"]
    assert len(own) > 100
    wrong = [(each, why) for each, words in own if (why := _kubectl_refusal(words))]
    assert wrong == []


_GLOBAL_WITH_VALUE = {"-n", "--namespace", "--context", "--kubeconfig"}


def _kubectl_refusal(words: list[str]) -> str:
    at = 0
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in _GLOBAL_WITH_VALUE else 1
    if at == len(words):
        return "no command"
    verb = words[at]
    known = re.findall(r"(?m)^  ([a-z-]+) +[A-Z]", helped("--help"))
    if verb not in known:
        return f"no command {verb}"
    verb = " ".join(words[at : at + 2]) if verb in ("auth", "rollout", "set", "create") else verb
    before_dashes = words[: words.index("--")] if "--" in words else words
    flags = [each.partition("=")[0] for each in before_dashes if re.match(r"--?[a-zA-Z]", each)]
    strange = [each for each in flags if each not in flags_of(verb) and each[:2] not in flags_of(verb)]
    return f"no options {strange} of {verb}" if strange else ""
