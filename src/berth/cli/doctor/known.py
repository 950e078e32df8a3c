"""`berth doctor list`."""

from __future__ import annotations

import click

from berth.cli.commands import BerthCommand
from berth.cli.manner import language
from berth.cli.output import LANGUAGE, output_option, print_data, say
from berth.cli.tables import print_table
from berth.doctor import listing
from berth.doctor.known import entries
from berth.findings.render import SEVERITY
from berth.texts.text import Text


def list_command() -> click.Command:
    """The command with its options."""

    def show(output: str, lang: str | None) -> None:
        if output != "table":
            print_data(listing.as_dict(), output)
            return
        spoken = language(lang)
        heads = Text("LOOKS AT|CHECK|WHAT", "对象|检查|内容").said(spoken).split("|")
        print_table(heads, [(each.group, each.id, each.looks_at.said(spoken)) for each in listing.checks()])
        say()
        heads = Text("FAILURE|SEVERITY|WHAT", "ID|级别|内容").said(spoken).split("|")
        rows = [(each.id, SEVERITY[each.severity].said(spoken), each.title.said(spoken)) for each in entries().values()]
        print_table(heads, rows)

    return BerthCommand(
        "list",
        params=[output_option(), LANGUAGE],
        callback=show,
        help="Every check, and every failure that is known.",
    )
