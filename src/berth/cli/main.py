"""The command line: `berth`, and `kubectl berth`."""

from __future__ import annotations

from typing import Annotated

import click
import typer

from berth import __version__
from berth.cli.run import run_command

app = typer.Typer(
    help="NFS storage for Kubernetes and KubeSphere: every claim gets its own directory on an NFS server.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"berth {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Options of `berth` itself."""


def make_command() -> click.Group:
    """The whole command line."""
    group = typer.main.get_group(app)
    group.add_command(run_command())
    return group


def main() -> None:
    """Entry point of the console scripts."""
    make_command()()
