"""`berth server`: the group."""

from __future__ import annotations

from berth.cli.commands import BerthGroup

SUBCOMMANDS = {
    "init": "berth.cli.server.init:init_command",
    "verify": "berth.cli.server.verify:verify_command",
    "status": "berth.cli.server.checks:status_command",
    "lint": "berth.cli.server.checks:lint_command",
    "export": "berth.cli.server.exports:export_command",
    "manifest": "berth.cli.server.manifest:manifest_command",
}
"""Each subcommand and the function that makes it, in the order of `berth server --help`."""


def server_command() -> BerthGroup:
    """The group with all subcommands."""
    return BerthGroup(
        "server",
        lazy=SUBCOMMANDS,
        short_help="The NFS server: set it up, check it, try its shares.",
        help="The NFS server: set it up, check it, try its shares.\n\n"
        "All but verify and manifest are about this host, or with --on another one. Those that change it take root.",
    )
