"""`berth doctor node`."""

from __future__ import annotations

from pathlib import Path

import click

from berth.cli.diagnosis import answer, progress_line
from berth.cli.doctor.options import CODES, HEALTHY
from berth.cli.ending import run
from berth.cli.hosts.options import HostCommand
from berth.cli.manner import language
from berth.cli.output import LANGUAGE, REDACTED, output_option
from berth.doctor.node.checks import examine as examine_node


def node_command() -> click.Command:
    """The command with its options."""

    def look(root: Path, output: str, lang: str | None) -> None:
        spoken = language(lang)
        report = run(examine_node(root, progress=progress_line(spoken)), spoken)
        answer(report, output, spoken, HEALTHY)

    return HostCommand(
        "node",
        params=[
            click.Option(
                ["--root"],
                type=click.Path(exists=True, file_okay=False, path_type=Path),
                default=Path("/"),
                metavar="DIR",
                help="Where the node's / is, for a pod that has mounted it. [default: /]",
            ),
            output_option(),
            REDACTED,
            LANGUAGE,
        ],
        callback=look,
        short_help="This host as an NFS client.",
        help="This host as an NFS client: what it needs to mount, mounts that hang, are stale or lose data.\n\n"
        f"Run it on the node itself, as root. It can't hang on a mount. {CODES}",
    )
