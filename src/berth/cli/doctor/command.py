"""`berth doctor`: the group."""

from __future__ import annotations

from typing import Any

import click

from berth.cli.commands import BerthGroup
from berth.cli.doctor.options import CODES, cluster_options

SUBCOMMANDS = {
    "claim": "berth.cli.doctor.cluster:claim_command",
    "volume": "berth.cli.doctor.cluster:volume_command",
    "pod": "berth.cli.doctor.cluster:pod_command",
    "share": "berth.cli.doctor.share:share_command",
    "node": "berth.cli.doctor.node:node_command",
    "explain": "berth.cli.explain:explain_command",
    "list": "berth.cli.doctor.known:list_command",
}
"""Each subcommand and the function that makes it, in the order of `berth doctor --help`."""
SUMMARIES = {
    "claim": "One claim: why it is Pending, Terminating or does not grow.",
    "volume": "One PV: why it is Released, Failed or can't be mounted.",
    "pod": "One pod: why it does not start or end, as far as its volumes are to blame.",
    "share": "One share, over the network: from the name to a byte-range lock.",
    "node": "This host as an NFS client.",
    "explain": "A log, events or an error message in; what they mean out.",
    "list": "Every check, and every failure that is known.",
}
"""What each says of itself in short."""


def doctor_command() -> click.Group:
    """The group: by itself it looks at the whole cluster."""
    return BerthGroup(
        "doctor",
        lazy=SUBCOMMANDS,
        summaries=SUMMARIES,
        params=cluster_options(),
        callback=_doctor,
        short_help="Find out what is wrong, why, and what to type.",
        help=f"Find out what is wrong with NFS storage in the cluster, why, and what to type.\n\n{CODES}",
    )


@click.pass_context
def _doctor(context: click.Context, /, **given: Any) -> None:
    if context.invoked_subcommand is None:
        from berth.cli.doctor.cluster import look  # its subcommands start sooner without the cluster's checks

        look(None, **given)
    # What stands before the subcommand holds for it, too.
    source = context.get_parameter_source
    said = {name: value for name, value in given.items() if source(name) is click.core.ParameterSource.COMMANDLINE}
    context.default_map = {str(context.invoked_subcommand): said}
