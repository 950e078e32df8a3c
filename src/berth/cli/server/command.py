"""`berth server`: the group."""

from __future__ import annotations

from importlib import import_module

import click

SUBCOMMANDS = {
    "init": "init:init_command",
    "verify": "verify:verify_command",
    "status": "checks:status_command",
    "lint": "checks:lint_command",
    "export": "exports:export_command",
    "manifest": "manifest:manifest_command",
}
"""Each subcommand and the function that makes it, in the order of `berth server --help`."""


class _Subcommands(click.Group):
    """Imports a subcommand's file when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUBCOMMANDS:
            return None
        module, function = SUBCOMMANDS[cmd_name].split(":")
        made: click.Command = getattr(import_module(f"berth.cli.server.{module}"), function)()
        return made


def server_command() -> click.Group:
    """The group with all subcommands."""
    return _Subcommands(
        "server",
        short_help="The NFS server: set it up, check it, try its shares.",
        help="The NFS server: set it up, check it, try its shares.\n\n"
        "All but verify and manifest are about this host. Those that change it take root.",
    )
