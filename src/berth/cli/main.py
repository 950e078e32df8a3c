"""The command line: `berth`, and `kubectl berth`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

from berth import __version__
from berth.cli.ending import EXIT_CODES, EXIT_FAILED, EXIT_USAGE, interrupted
from berth.cli.output import language
from berth.texts.visible import visible

COMMANDS = {
    "run": "berth.cli.run:run_command",
    "install": "berth.cli.install:install_command",
    "uninstall": "berth.cli.uninstall:uninstall_command",
    "class": "berth.cli.classes:class_command",
    "takeover": "berth.cli.takeover:takeover_command",
    "volume": "berth.cli.volume:volume_command",
    "server": "berth.cli.server.command:server_command",
    "doctor": "berth.cli.doctor:doctor_command",
}
"""Each command and the function that makes it, in the order of `berth --help`."""


class Commands(click.Group):
    """Imports a command's file when it is asked for: the controller carries none of the others."""

    def make_context(self, *given: Any, **more: Any) -> click.Context:
        """As click does; its complaints are made fit for a terminal, and end with Berth's exit codes."""
        with _complaints():
            return super().make_context(*given, **more)

    def invoke(self, ctx: click.Context) -> Any:
        """As click does; complaints as in make_context."""
        with _complaints():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All of them, without importing any."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, function = COMMANDS[cmd_name].split(":")
        made: click.Command = getattr(import_module(module), function)()
        return made


@contextmanager
def _complaints() -> Iterator[None]:
    try:
        yield
    except click.ClickException as error:
        error.message = visible(error.message)  # type: ignore[misc] # final for subclasses' sake
        error.exit_code = EXIT_USAGE  # type: ignore[misc] # click reads it of the error itself
        raise
    except (click.Abort, KeyboardInterrupt):
        interrupted(language(None))


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="NFS storage for Kubernetes and KubeSphere: every claim gets its own directory on an NFS server.\n\n"
    f"{EXIT_CODES}",
)
@click.version_option(__version__, prog_name="berth", message="%(prog)s %(version)s")
def cli() -> None:
    """The whole command line."""


def main() -> None:
    """Entry point of the console scripts."""
    try:
        cli()
    except Exception:  # noqa: BLE001 - a mistake of ours: told as Python does, with the code of a failure
        sys.excepthook(*sys.exc_info())
        raise SystemExit(EXIT_FAILED) from None
