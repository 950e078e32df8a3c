"""The manual pages: of every command, by click-man, in the form that man and mandoc read without a warning."""

from __future__ import annotations

import re
from pathlib import Path

import click
import click_man.core

from berth.cli.main import cli
from release import tree
from release.labels import SUMMARY, version

_CHANGELOG = Path(__file__).parent.parent / "CHANGELOG.md"
_COMMAND = re.compile(r"^\.PP\n(\\fB.+\\fP)\n  (.*)\n  (See .*)$", re.MULTILINE)
_OPTION = re.compile(r"(?<![\\\w-])--(?=\w)")


def write(folder: Path) -> None:
    """Fills folder, which is made, with the pages, compressed; the same bytes each time."""
    folder.mkdir(parents=True)
    # Of no day of a build: of the last version that was released.
    date = re.search(r"^## \[[^]]+\] - (\d{4}-\d\d-\d\d)$", _CHANGELOG.read_text(), re.MULTILINE)
    whole = _imported(cli, SUMMARY)
    click_man.core.write_man_pages(
        "berth", whole, version=f"berth {version()}", target_dir=str(folder), date=date[1] if date else "1980-01-01"
    )
    for page in [*folder.iterdir()]:
        # click-man's list of commands is a paragraph after a heading, which mandoc skips.
        text = _COMMAND.sub(r".TP\n\1\n\2\n\3", page.read_text())
        page.write_text(_OPTION.sub(r"\\-\\-", text))
        tree.compress(page, page.with_name(f"{page.name}.gz"))
        page.unlink()


def _imported(command: click.Command, short_help: str | None = None) -> click.Command:
    """The command with all that is below it: click-man does not know that our groups import theirs when asked."""
    if not isinstance(command, click.Group):
        return command
    context = click.Context(command)
    found = {name: command.get_command(context, name) for name in command.list_commands(context)}
    below = {name: _imported(one, one.short_help) for name, one in found.items() if one is not None}
    return click.Group(command.name, below, help=command.help, short_help=short_help, params=command.params)
