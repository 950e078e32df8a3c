"""`berth server verify`: what a client meets on its way into a share."""

from __future__ import annotations

from typing import Any

import click

from berth.cli.ending import EXIT_USAGE, end, run
from berth.cli.hosts.options import HostCommand
from berth.cli.manner import fit, language
from berth.cli.output import LANGUAGE, output_option, print_data
from berth.cli.server.report import exit_code, print_report
from berth.cli.tables import progress
from berth.doctor.share.probed import ShareReport
from berth.doctor.share.target import BadTarget, parse_target
from berth.doctor.share.verify import DEADLINE, verify
from berth.texts.text import Language
from berth.volumes.share import ShareAddress


def verify_command() -> click.Command:
    """The command with its options."""
    return HostCommand(
        "verify",
        params=[
            click.Argument(["share"], metavar="HOST:/PATH"),
            click.Option(["--from-node"], is_flag=True,
                         help="This host is a node: also try what kubelet needs here (mount.nfs, the kernel's client; "
                         "as root a real mount, read-only and unseen, which is taken away again)."),
            click.Option(["--port"], type=click.IntRange(1, 65535), help="NFS port. [default: 2049]"),
            click.Option(["--mountport"], type=click.IntRange(1, 65535),
                         help="mountd's port, for NFSv3. [default: as the portmapper says]"),
            click.Option(["--timeout"], type=click.FloatRange(0.1, 60), default=DEADLINE, show_default=True,
                         metavar="SECONDS", help="Patience for each probe."),
            output_option(),
            LANGUAGE,
        ],
        callback=_verify,
        short_help="Try a share over the network, from the name to a byte-range lock.",
        help="Try a share over the network, from the name to a byte-range lock.\n\n"
        "Speaks NFS itself: nothing is mounted, and no right is needed. What it writes goes into a scratch directory, "
        "which it removes again. Exit code: 0 all is well, 1 warnings, 2 a failure, 3 not tried to the end.",
    )  # fmt: skip


def _verify(output: str, **given: Any) -> None:
    report, spoken = look_at_share(**given)
    if output != "table":
        print_data(report.as_dict(), output)
    else:
        print_report(report, spoken)
    raise SystemExit(exit_code(report))


def look_at_share(
    share: str, from_node: bool, port: int | None, mountport: int | None, timeout: float, lang: str | None
) -> tuple[ShareReport, Language]:
    """What the options ask for, and the language to tell it in. Ends the process where share names none."""
    spoken = language(lang)
    try:
        target = parse_target(share, port=port or 0, mountport=mountport or 0)
    except BadTarget as error:
        end(error.text, EXIT_USAGE, lang=spoken)
    return look(target, timeout, from_node, spoken), spoken


def look(target: ShareAddress, deadline: float, from_node: bool, lang: Language) -> ShareReport:
    """The report, with a word on a terminal while it is made."""
    with progress(fit(f"正在检查 {target}" if lang == "zh" else f"Looking at {target}")):
        return run(verify(target, deadline=deadline, from_node=from_node), lang)
