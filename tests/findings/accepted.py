"""Whether a command can be typed: a shell reads it, and Berth and kubectl take its words. Nothing is run."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import click
import pytest

from berth.cli.main import cli
from devcluster.binaries import find
from devcluster.errors import DevClusterError


def unreadable(texts: Sequence[str]) -> str:
    """What bash says against these, with the lines that it blames; empty where it reads them all."""
    script = "\n".join(f"f{number}() {{\n{text}\n}}" for number, text in enumerate(texts))
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, timeout=30, check=False)
    lines = script.splitlines()
    blamed = [lines[int(number) - 1] for number in re.findall(r"line (\d+):", done.stderr)]
    return f"{done.stderr}{blamed}" if done.stderr else ""


def berth_refusal(words: list[str]) -> str:
    """Why `berth` does not take these words; empty where it does."""
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


_GLOBAL_WITH_VALUE = {"-n", "--namespace", "--context", "--kubeconfig"}


def kubectl_refusal(words: list[str]) -> str:
    """Why kubectl does not take these words; empty where it does."""
    at = 0
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in _GLOBAL_WITH_VALUE else 1
    if at == len(words):
        return "no command"
    verb = words[at]
    known = re.findall(r"(?m)^  ([a-z-]+) +[A-Z]", _helped("--help"))
    if verb not in known:
        return f"no command {verb}"
    verb = " ".join(words[at : at + 2]) if verb in ("auth", "rollout", "set", "create") else verb
    before_dashes = words[: words.index("--")] if "--" in words else words
    flags = [each.partition("=")[0] for each in before_dashes if re.match(r"--?[a-zA-Z]", each)]
    strange = [each for each in flags if each not in _flags_of(verb) and each[:2] not in _flags_of(verb)]
    return f"no options {strange} of {verb}" if strange else ""


@cache
def _kubectl() -> Path:
    """The real one."""
    try:
        return find().kubectl
    except DevClusterError as error:
        pytest.skip(str(error))


@cache
def _helped(*words: str) -> str:
    """What kubectl says of one of its commands."""
    return subprocess.run([_kubectl(), *words], capture_output=True, text=True, timeout=30, check=False).stdout


@cache
def _flags_of(verb: str) -> frozenset[str]:
    """The options that a kubectl command takes."""
    said = _helped(*verb.split(), "--help") + _helped("options")
    return (
        frozenset(re.findall(r"(?m)^\s+(--[a-z-]+)=", said))
        | frozenset(re.findall(r"(?m)^\s+(-\w), --", said))
        | (frozenset(re.findall(r"(?m)^\s+-\w, (--[a-z-]+)=", said)))
    )
