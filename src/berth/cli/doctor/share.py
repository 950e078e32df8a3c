"""`berth doctor share`."""

from __future__ import annotations

from typing import Any

import click

from berth.cli.doctor.options import CODES
from berth.cli.hosts.options import HostCommand
from berth.cli.manner import redaction
from berth.cli.output import REDACTED, output_option, print_data
from berth.cli.server.report import exit_code, print_report
from berth.cli.server.verify import look_at_share, verify_command


def share_command() -> click.Command:
    """`berth server verify` with the doctor's forms and exit codes."""
    verify = verify_command()

    def look(output: str, **given: Any) -> None:
        report, spoken = look_at_share(**given)
        wanted = redaction()
        report = report if wanted is None else wanted.share_report(report)
        if output == "table":
            print_report(report, spoken)
        else:
            print_data({**report.as_dict(), "exitCode": exit_code(report)}, output)
        raise SystemExit(exit_code(report))

    return HostCommand(
        "share",
        params=[*(output_option() if each.name == "output" else each for each in verify.params), REDACTED],
        callback=look,
        short_help="One share, over the network: from the name to a byte-range lock.",
        help=f"{(verify.help or '').partition('Exit code:')[0]}{CODES}",
    )
