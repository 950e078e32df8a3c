"""What all commands of `berth doctor` that look at a cluster take."""

from __future__ import annotations

import click

from berth.cli.cluster_options import CONTEXT, KUBECONFIG
from berth.cli.image_options import readable
from berth.cli.output import LANGUAGE, REDACTED, output_option
from berth.texts.text import Text

HEALTHY = Text("nothing wrong found", "未发现问题")
CODES = "Exit code: 0 healthy, 1 warnings, 2 failures, 3 something could not be looked at."
_ACTIVE = click.Option(
    ["--active"],
    is_flag=True,
    help="Also try it: a probe claim and short-lived pods, removed again afterwards. Only classes that give each PV a "
    "directory of its own, and delete it.",
)
WISHES: dict[str, click.Option] = {
    "leaves": click.Option(
        ["--leave-behind", "leaves"],
        is_flag=True,
        help="With --active: also classes that archive or keep. The probe's empty directory stays; how to remove it is "
        "said.",
    ),
    "all_nodes": click.Option(
        ["--all-nodes"], is_flag=True, help="With --active: also on nodes whose taints keep other pods off."
    ),
    "image": click.Option(
        ["--probe-image", "image"],
        metavar="IMAGE",
        callback=readable,
        default="",
        help="With --active: the pods' image, with sh in it. [default: that of the Berth that runs and is trusted]",
    ),
}
TRUST = click.Option(
    ["--trust", "trusted"],
    multiple=True,
    metavar="NAMESPACE/ACCOUNT",
    help="A service account that is your provisioner's, though no ClusterRoleBinding says so: what it lacks is "
    "printed. Repeatable.",
)


def cluster_options() -> list[click.Parameter]:
    """Of the group itself, and of each command about one object."""
    return [_ACTIVE, *WISHES.values(), TRUST, KUBECONFIG, CONTEXT, output_option(), REDACTED, LANGUAGE]
