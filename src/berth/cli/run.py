"""`berth run`: the controller process; `berth run NAME`: that program's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import click

from berth import programs
from berth.cli.commands import BerthCommand, Unknown, alike
from berth.cli.ending import EXIT_FAILED, EXIT_USAGE, EXIT_WELL, ending
from berth.cli.manner import language
from berth.cli.output import LANGUAGE
from berth.programs.process.program import Program
from berth.programs.process.run import run as run_program
from berth.settings.errors import SettingError
from berth.settings.values import Setting
from berth.texts.lookalikes import complaint
from berth.web.serve import ListenError


def run(program: Program[Any], flags: Mapping[str, str]) -> int:
    """Runs a program until it is told to stop. flags: those given, by their name without dashes in front."""
    with ending(language(None), {SettingError: EXIT_USAGE, ListenError: EXIT_FAILED}):
        _check_typing(program)
        is_well = run_program(program, program.load(os.environ, flags))
    return EXIT_WELL if is_well else EXIT_FAILED


def _check_typing(program: Program[Any]) -> None:
    """SettingError for a variable in which a character only looks like the one that is meant, in a manifest that was
    typed on a Chinese keyboard. (Arguments were looked at before they were understood: cli/typed.)
    """
    for setting in program.settings:
        if wrong := complaint(os.environ.get(setting.variable, ""), names=True):
            raise SettingError(setting.variable, wrong.said(language(None)))


def run_command() -> click.Command:
    """The command: the controller's, unless its first argument names another program."""
    return _command(programs.DEFAULT)


class _RunCommand(BerthCommand):
    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args and args[0] in programs.program_names():
            name = args.pop(0)
            return _command(name).make_context(f"{info_name} {name}", args, parent, **extra)
        if args and not args[0].startswith("-"):
            path = f"{parent.command_path} {info_name}" if parent else str(info_name)
            raise Unknown(args[0], path, [f"{path} {each}" for each in alike(args[0], programs.program_names())])
        return super().make_context(info_name, args, parent, **extra)


def _command(name: str) -> click.Command:
    """With a flag for every setting that the program has."""
    program = programs.program(name)

    def run_with(lang: str | None, **values: str | None) -> None:
        given = {setting.flag: values[_parameter(setting)] for setting in program.settings}
        raise SystemExit(run(program, {flag: value for flag, value in given.items() if value is not None}))

    return _RunCommand(
        "run",
        params=[*(_option(setting) for setting in program.settings), LANGUAGE],
        callback=run_with,
        short_help=program.purpose,
        help=f"{program.purpose}\n\n"
        "Every flag has an environment variable of the same meaning; the flag wins. Stop it with Ctrl-C or SIGTERM: it "
        "finishes what is in flight. A second one ends it at once.",
    )


def _option(setting: Setting[Any]) -> click.Option:
    default = f" [default: {setting.default_text}]" if setting.default_text else ""
    help_text = f"{setting.help} [env: {setting.variable}]{default}"
    return click.Option([f"--{setting.flag}", _parameter(setting)], metavar="TEXT", help=help_text)


def _parameter(setting: Setting[Any]) -> str:
    return setting.variable.lower()
