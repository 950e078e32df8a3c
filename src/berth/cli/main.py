"""The command line: `berth`, and `kubectl berth`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from berth import __version__
from berth.cli.commands import BerthGroup, help_command
from berth.cli.ending import EXIT_CODES, EXIT_FAILED, complaints
from berth.cli.manner import answering
from berth.cli.output import greet, say
from berth.cli.relay import relayed
from berth.cli.typed import check_typing

COMMANDS = {
    "install": "berth.cli.install:install_command",
    "uninstall": "berth.cli.uninstall:uninstall_command",
    "takeover": "berth.cli.takeover:takeover_command",
    "class": "berth.cli.classes:class_command",
    "volume": "berth.cli.volume:volume_command",
    "server": "berth.cli.server.command:server_command",
    "image": "berth.cli.image.command:image_command",
    "plan": "berth.cli.plan:plan_command",
    "doctor": "berth.cli.doctor.command:doctor_command",
    "run": "berth.cli.run:run_command",
    "version": "berth.cli.version:version_command",
}
"""Each command and the function that makes it, in the order of `berth --help`."""
SUMMARIES = {
    "install": "Print what to apply, or apply it.",
    "uninstall": "Remove what install made; every volume stays.",
    "takeover": "Take over from an older provisioner, or go back.",
    "class": "What classes a cluster has.",
    "volume": "Volumes by hand.",
    "server": "The NFS server: set it up, check it, try its shares.",
    "image": "Berth's image: put it where your nodes find it.",
    "plan": "Say what a claim would get, or why it would be refused.",
    "doctor": "Find out what is wrong, why, and what to type.",
    "run": "Serve claims: the controller process.",
    "version": "Tell the version, and what it was built from.",
}
"""What each says of itself in short: `berth --help` is there at once, importing none of them."""


class Commands(BerthGroup):
    """The whole command line. Imports a command's file when it is asked for: the controller carries none of the
    others.
    """

    def main(self, args: Sequence[str] | None = None, *given: Any, **more: Any) -> Any:
        """As click does; complaints are Berth's own sentences, and end with its exit codes."""
        arguments = list(sys.argv[1:] if args is None else args)
        with answering(arguments), relayed(arguments), complaints():
            greet()
            check_typing(arguments)
            ended = super().main(arguments, *given, **{**more, "standalone_mode": False})
            raise SystemExit(ended if isinstance(ended, int) else 0)


def _tell_version(ctx: click.Context, _option: click.Parameter, is_asked: bool) -> None:
    if is_asked and not ctx.resilient_parsing:
        say(f"berth {__version__}")
        ctx.exit()


def _root() -> click.Command:
    return cli


cli = Commands(
    "berth",
    lazy=COMMANDS,
    summaries=SUMMARIES,
    help="NFS storage for Kubernetes and KubeSphere: every claim gets its own directory on an NFS server.\n\n"
    f"{EXIT_CODES}",
)
cli.params.append(
    click.Option(
        ["--version"], is_flag=True, expose_value=False, is_eager=True, callback=_tell_version,
        help="Tell the version.",
    )
)  # fmt: skip
cli.add_command(help_command(_root))


def main() -> None:
    """Entry point of the console scripts."""
    try:
        cli()
    except Exception:  # noqa: BLE001 - a mistake of ours: told as Python does, with the code of a failure
        sys.excepthook(*sys.exc_info())
        raise SystemExit(EXIT_FAILED) from None
