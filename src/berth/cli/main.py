"""The command line: `berth`, and `kubectl berth`."""

from __future__ import annotations

import click

from berth import __version__
from berth.cli.run import run_command


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    help="NFS storage for Kubernetes and KubeSphere: every claim gets its own directory on an NFS server.",
)
@click.version_option(__version__, prog_name="berth", message="%(prog)s %(version)s")
def cli() -> None:
    """The whole command line."""


cli.add_command(run_command())


def main() -> None:
    """Entry point of the console scripts."""
    cli()
