"""Help of every command, in both languages; what a group says by itself; suggestions for what was misspelt."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner, Result

from berth.cli.commands import BerthGroup, Helpful, contexts_of
from berth.cli.helping import summary_of, texts_of
from berth.cli.main import COMMANDS, cli
from berth.cli.manner import _HELP, both
from berth.texts.command import spelled

WORDS = re.compile(r"[A-Za-z]{2,} [A-Za-z`]")
"""More than a name or a value."""
HAN = re.compile(r"[\u4e00-\u9fff]")


def contexts() -> list[click.Context]:
    return list(contexts_of(cli, click.Context(cli, info_name="berth")))


PATHS = [context.command_path.split()[1:] for context in contexts()]
GROUPS = [context.command_path.split()[1:] for context in contexts() if isinstance(context.command, click.Group)]


def run(*arguments: str, lang: str = "C.UTF-8") -> Result:
    return CliRunner().invoke(cli, arguments, env={"LC_ALL": lang, "KUBECONFIG": "/nonexistent", "COLUMNS": None})


def texts(context: click.Context) -> Iterator[str]:
    """All that the help of a command has words for."""
    command = context.command
    yield summary_of(command)
    yield from (each for each in (command.help or "").split("\n\n") if not each.startswith("    "))
    for option in command.get_params(context):
        if isinstance(option, click.Option) and (record := option.get_help_record(context)):
            yield from texts_of(record[1])


def every_text() -> set[str]:
    found = {" ".join(each.split()) for context in contexts() for each in texts(context)}
    return {"Usage:", "Options:", "Commands:", "required", "default", "env"} | found


def test_no_text_of_help_lacks_its_chinese() -> None:
    missing = [each for each in every_text() if WORDS.search(each) and not HAN.search(both(each).zh)]
    assert sorted(missing) == []


def test_what_a_help_says_of_commands_without_importing_them_is_what_they_say_themselves() -> None:
    told = {
        (context.command.name, name): (summary, summary_of(below))
        for context in contexts()
        if isinstance(context.command, BerthGroup)
        for name, summary in context.command.summaries.items()
        if (below := context.command.get_command(context, name)) is not None
    }
    assert {("berth", name) for name in COMMANDS} | {("doctor", "node")} <= set(told)
    assert [where for where, (summary, own) in told.items() if summary != own] == []


def test_the_first_help_imports_no_command() -> None:
    code = "import sys; from berth.cli.main import cli; cli(['--help'], standalone_mode=False)"
    ends = "; print('\\n'.join(sys.modules), file=sys.stderr)"
    argv = [sys.executable, "-c", f"try:\n    {code}\nfinally:\n    import sys{ends}"]
    told = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    assert "version" in told.stdout
    assert {"berth.cli.install", "lightkube", "structlog"} & {*told.stderr.split()} == set()


def test_no_chinese_is_left_of_a_help_that_is_gone() -> None:
    assert sorted(_HELP.table.keys() - every_text()) == []


@pytest.mark.parametrize("context", contexts(), ids=lambda context: context.command_path)
def test_every_command_is_helpful(context: click.Context) -> None:
    assert isinstance(context.command, Helpful)
    assert summary_of(context.command)


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_help_is_on_stdout_and_in_the_language_asked_for(path: list[str]) -> None:
    for answer in (run(*path, "--help"), run("help", *path)):
        assert (answer.exit_code, answer.stderr) == (0, "")
        assert answer.stdout.startswith("Usage: berth")
        assert not HAN.search(answer.stdout)
    spoken = [
        run(*path, "--help", lang="zh_CN.UTF-8"),
        run(*path, "--help", "--lang", "zh"),
        run("--lang=zh", *path, "-h"),
    ]
    assert len({each.stdout for each in spoken}) == 1
    assert spoken[0].stdout.startswith("用法：")
    assert run(*path, "--help", "--lang=en", lang="zh_CN.UTF-8").stdout == run(*path, "--help").stdout


@pytest.mark.parametrize("path", [path for path in GROUPS if path != ["doctor"]], ids=" ".join)
def test_a_group_alone_shows_its_help(path: list[str]) -> None:
    answer = run(*path)
    assert (answer.exit_code, answer.stdout, answer.stderr) == (0, run(*path, "--help").stdout, "")


@pytest.mark.parametrize("path", GROUPS, ids=" ".join)
def test_a_misspelt_command_gets_a_suggestion_at_every_level(path: list[str]) -> None:
    (group,) = (each for each in contexts() if each.command_path.split()[1:] == path)
    assert isinstance(group.command, click.Group)
    for name in group.command.list_commands(group):
        wrong = name[:-2] + name[-1] + name[-2] if name[-1] != name[-2] else name[:-1]
        answer = run(*path, wrong)
        assert (answer.exit_code, answer.stdout) == (64, ""), wrong
        assert f"`{spelled('berth', *path, name)}`" in answer.stderr, answer.stderr
        assert len(answer.stderr.splitlines()) == 1
        assert "没有命令" in run(*path, wrong, "--lang", "zh").stderr


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["explain"], "berth doctor explain"),
        (["verify"], "berth server verify"),
        (["help", "doctr"], "berth doctor"),
        (["doctor", "verify"], "berth server verify"),
        (["run", "controler"], "berth run controller"),
        (["doctor", "claim", "a/b", "--activ"], "--active"),
    ],
    ids=" ".join,
)
def test_what_is_meant_is_named(typed: list[str], meant: str) -> None:
    answer = run(*typed)
    assert (answer.exit_code, answer.stdout) == (64, "")
    assert meant in answer.stderr


def test_help_knows_where_it_stands() -> None:
    assert run("help", "doctor", "claim").stdout == run("doctor", "claim", "--help").stdout
    assert run("help").stdout == run().stdout
