"""The command line: `berth`, and `kubectl berth`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

from berth import __version__
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
        """As click does; what was typed is shown in its complaints so that a terminal only shows it."""
        with _visible_complaints():
            return super().make_context(*given, **more)

    def invoke(self, ctx: click.Context) -> Any:
        """As click does; complaints as in make_context."""
        with _visible_complaints():
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
def _visible_complaints() -> Iterator[None]:
    try:
        yield
    except click.ClickException as error:
        error.message = visible(error.message)  # type: ignore[misc] # final for subclasses' sake
        raise


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="NFS storage for Kubernetes and KubeSphere: every claim gets its own directory on an NFS server.",
)
@click.version_option(__version__, prog_name="berth", message="%(prog)s %(version)s")
def cli() -> None:
    """The whole command line."""


def main() -> None:
    """Entry point of the console scripts."""
    cli()
