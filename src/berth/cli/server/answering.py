"""What the subcommands of `berth server` have in common."""

from __future__ import annotations

from collections.abc import Sequence

import click


def wanted_options() -> list[click.Parameter]:
    """To whom something is exported, and how."""
    return [
        click.Option(["--client", "clients"], multiple=True, metavar="WHO",
                     help="Network, address or name of nodes that may mount it; root is nobody for them. Repeatable."),
        click.Option(["--provisioner", "provisioners"], multiple=True, metavar="WHO",
                     help="Where the provisioner comes from; root is root for it. Repeatable."),
        click.Option(["--option", "options"], multiple=True, metavar="OPTION",
                     help="Export option, such as insecure; it replaces a default that it contradicts. Repeatable."),
    ]  # fmt: skip


def marks(outcomes: Sequence[str]) -> list[str]:
    """The colour of each outcome or severity."""
    colours = {"passed": "green", "warning": "yellow", "failed": "red", "error": "red", "skipped": "dim", "note": "dim"}
    return [colours.get(outcome, "") for outcome in outcomes]
