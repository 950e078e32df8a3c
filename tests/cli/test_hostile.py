"""Whatever strangers call their things: what is printed is only read, and commands hold names as inert words."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from berth.cli.diagnosis import answer
from berth.cli.main import cli
from berth.cli.output import Styled, complain, print_data, say
from berth.cli.server.checks import _print_findings
from berth.cli.server.report import print_report
from berth.cli.tables import print_table
from berth.doctor.known import entries
from berth.doctor.share import probed
from berth.findings.entry import PARTS, SUBJECT_FACTS, CatalogueEntry, CatalogueError, Variant, names, names_of
from berth.findings.finding import KINDS, Finding, Report, Subject, Unseen
from berth.findings.versions import Version
from berth.images import texts as images
from berth.nfsserver import texts
from berth.nfsserver.lint import finding as lint
from berth.operations import findings as operations
from berth.operations.errors import Stopped
from berth.texts.command import SLOT
from berth.texts.text import Language, Text, same
from berth.texts.visible import is_visible
from tests.cli.command import PROGRAM, environment
from tests.cli.hostile import BAIT, NAMES, check
from tests.running import running

LANGUAGES: tuple[Language, ...] = ("en", "zh")


def printed(work: Callable[..., Any], *arguments: Any) -> str:
    """What a piece of code prints, on both streams."""

    @click.command()
    def command() -> None:
        work(*arguments)

    result = CliRunner().invoke(command)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.output


def told(entry: CatalogueEntry, hostile: str) -> Iterator[Finding]:
    """The failure's findings with every part of it in every variant, whose facts are all hostile."""
    whole = {name for variant in variants(entry) for name in slots(variant)}
    for left_out in [set(), *({name} for name in whole), whole]:
        about = [Subject(kind, hostile) for kind in KINDS if kind in whole - left_out]
        facts = {name: hostile for name in whole - left_out if name not in KINDS}
        for version in (None, Version(1, 20), Version(1, 30)):
            for said in (entry.told_by({**names_of(about), **facts}, version), *(() if left_out else worded(entry))):
                with suppress(CatalogueError):  # it does not fit these facts
                    yield said.finding(about, facts, version=version, evidence=[hostile], count=3)


def worded(entry: CatalogueEntry) -> Iterator[CatalogueEntry]:
    """An entry as each of its variants says it."""
    for name in entry.variants:
        with suppress(CatalogueError):  # it says nothing alone
            yield entry.variant(name)


def variants(entry: CatalogueEntry) -> tuple[Variant, ...]:
    return tuple(each for part in (*PARTS, "prove") for each in entry.every(part))


def slots(variant: Variant) -> set[str]:
    said = [variant.text.en, variant.text.zh, *(each for command in variant.commands for each in command)]
    return {name for each in said for name in names(each)}


@pytest.mark.parametrize("hostile", NAMES, ids=ascii)
def test_all_that_the_doctor_knows(hostile: str, tmp_path: Path) -> None:
    found = tuple(finding for entry in entries().values() for finding in told(entry, hostile))
    unseen = (Unseen(same(hostile), Text(f"not allowed: {hostile}", hostile)),)
    assert {each.id for each in found} == set(entries())
    for lang in LANGUAGES:
        commands = check(printed(answer, Report(found, unseen), "table", lang, same("well")), tmp_path)
    assert any(BAIT in command for command in commands) or BAIT not in hostile or hostile.startswith("-")
    whole = Report(found[:50], unseen).as_dict()
    for output, read in (("json", json.loads), ("yaml", yaml.safe_load)):
        exact = printed(print_data, whole, output)
        assert read(exact) == json.loads(json.dumps(whole))
        assert not [char for char in exact if ord(char) < 32 and char != "\n"]


@pytest.mark.parametrize("hostile", NAMES, ids=ascii)
def test_all_that_is_known_of_shares_and_exports(hostile: str, tmp_path: Path) -> None:
    probes = [
        probed.wrong(probe, variant, "failure", **dict.fromkeys(entry.facts or (), hostile))
        for probe, entry in probed.CATALOGUE.entries.items()
        for variant in entry.variants
    ]
    for key, said in probed.SENTENCES.templates.items():
        probe, _, case = key.rpartition(".")
        if probe and case != "title":
            probes.append(probed.passed(probe, case, **dict.fromkeys(names_in(said), hostile)))
    exports = tuple(
        lint.find(id, variant=variant, source=hostile, line=1, path=hostile,
                  **dict.fromkeys((said.facts or set()) - {"source", "line", "path"}, hostile))
        for id, entry in lint.CATALOGUE.entries.items()
        for variant in entry.variants or [""] for said in [entry.variant(variant)]
    )  # fmt: skip
    every = dict.fromkeys((name for each in texts.SENTENCES.templates.values() for name in names_in(each)), hostile)
    notes = [texts.say(key, **every) for key in texts.SENTENCES.templates]
    for lang in LANGUAGES:
        check(printed(print_report, probed.ShareReport(hostile, tuple(probes)), lang), tmp_path)
        check(printed(_print_findings, exports, lang), tmp_path)
        for note in notes:
            check(printed(say, note.said(lang)), tmp_path)


@pytest.mark.parametrize("hostile", NAMES, ids=ascii)
def test_all_that_is_said_of_images(hostile: str, tmp_path: Path) -> None:
    for key, said in images.SENTENCES.templates.items():
        told = images.say(key, **dict.fromkeys(names_in(said), hostile))
        for lang in LANGUAGES:
            check(printed(complain, told.said(lang)), tmp_path)


@pytest.mark.parametrize("hostile", NAMES, ids=ascii)
def test_all_that_stops_an_installation_or_work_on_a_volume(hostile: str, tmp_path: Path) -> None:
    for entry in operations.CATALOGUE.entries.values():
        facts = dict.fromkeys((entry.facts or frozenset()) | SUBJECT_FACTS, hostile)
        for variant in entry.variants or [""]:
            stopped = Stopped(entry.variant(variant).finding((), facts))
            for lang in LANGUAGES:
                check(printed(complain, stopped.text.said(lang)), tmp_path)


def names_in(content: object) -> set[str]:
    """The facts that sentences name."""
    return set(SLOT.findall(json.dumps(content).replace("!r}", "}")))


@pytest.mark.parametrize("hostile", NAMES, ids=ascii)
def test_printers_and_complaints(hostile: str, tmp_path: Path) -> None:
    text = hostile.replace("`", "")
    check(printed(say, text, Styled(text, "red")), tmp_path)
    check(printed(print_table, ["a", "b"], [[text, text]], ["red"]), tmp_path)
    check(printed(complain, text), tmp_path)


ARGUMENTS = (
    ["doctor", "claim", "{}"], ["doctor", "claim", "{}/{}"], ["doctor", "{}"], ["doctor", "--trust", "{}"],
    ["doctor", "explain", "{}"], ["doctor", "explain", "--kubernetes-version", "{}"], ["doctor", "share", "{}"],
    ["doctor", "node", "--root", "{}"], ["doctor", "--kubeconfig", "{}"], ["server", "verify", "{}:/{}"],
    ["server", "lint", "{}"], ["server", "manifest", "--image", "{}"], ["server", "manifest", "--image=a", "--path={}"],
    ["server", "manifest", "--image=a", "--client={}"], ["server", "init", "{}", "--client", "{}", "--dry-run"],
    ["server", "init", "/{}", "--client", "10.0.0.1", "--dry-run"], ["server", "export", "add", "{}", "--client={}"],
    ["server", "export", "remove", "{}"], ["install", "--server={}", "--path=/{}"], ["install", "--{}"],
    ["install", "--server=a", "--path=/a", "--class={}"], ["install", "--server=a", "--path=/a", "--name={}"],
    ["install", "--server=a", "--path=/a", "--image={}"], ["uninstall", "--kubeconfig={}", "--name={}"],
    ["volume", "static", "--server={}", "--path=/{}", "--claim=a/b", "--size=1Gi"],
    ["volume", "static", "--server=a", "--path=/a", "--claim={}", "--size={}"], ["class", "default", "{}"],
    ["takeover", "plan", "{}"], ["takeover", "apply", "{}/{}", "--yes"], ["takeover", "revert", "--context={}"],
)  # fmt: skip


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=" ".join)
def test_what_is_typed_comes_back_visible(arguments: list[str], tmp_path: Path) -> None:
    nothing = dict.fromkeys(("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "LC_MESSAGES", "LANG"))
    for hostile, lang in product(
        (each for each in NAMES if "`" not in each and "\0" not in each), ("C.UTF-8", "zh_CN.UTF-8")
    ):
        argv = [each.replace("{}", hostile[:300]) for each in arguments]
        environment = {**nothing, "HOME": str(tmp_path), "LC_ALL": lang}
        result = CliRunner().invoke(cli, argv, env=environment)
        assert result.exception is None or isinstance(result.exception, SystemExit), (argv, result.exception)
        check(result.output, tmp_path)


def test_on_a_terminal_only_our_own_colours_are_obeyed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    said = [f'storageclass.storage.k8s.io "{each}" not found, mkdir /{each}: permission denied' for each in NAMES]
    log.write_text("\n".join(f'claim "a/b" {each}' for each in said))
    exports = tmp_path / "exports"
    exports.write_text("".join(f'"/{json.dumps(each)[1:-1]}" {each.replace(chr(10), " ")}(rwx)\n' for each in NAMES))
    for arguments in (["doctor", "explain", str(log)], ["server", "lint", str(exports)], ["doctor", "list"]):
        shown = on_a_terminal([str(PROGRAM), *arguments])
        assert "\x1b[" in shown
        for line in re.sub(r"\x1b\[[0-9;]*m", "", shown).replace("\r\n", "\n").split("\n"):
            assert is_visible(line), ascii(line)


def on_a_terminal(argv: list[str]) -> str:
    """What a program writes to a terminal."""
    ours, its = pty.openpty()
    settings = environment({"KUBECONFIG": "/nonexistent", "TERM": "xterm-256color", "COLUMNS": "60"})
    with running(argv, stdout=its, stderr=its, stdin=subprocess.DEVNULL, env=settings):
        os.close(its)
        shown = b""
        with suppress(OSError):  # EIO: nobody writes any more
            while read := os.read(ours, 65536):
                shown += read
    os.close(ours)
    return shown.decode()
