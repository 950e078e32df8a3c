"""`berth server export add|remove|list`."""

from __future__ import annotations

import click

from berth.cli.commands import BerthGroup
from berth.cli.ending import run
from berth.cli.hosts.options import HostCommand
from berth.cli.manner import language
from berth.cli.output import LANGUAGE, output_option, print_data, say
from berth.cli.server.answering import wanted_options
from berth.cli.tables import print_table
from berth.nfsserver.exports.change import ExportChange
from berth.nfsserver.exports.exporting import add_export, list_exports, remove_export
from berth.nfsserver.exports.table import ExportRow, brief
from berth.nfsserver.exports.wanted import WantedExport
from berth.nfsserver.setup.status import export_as_dict
from berth.texts.text import Language, Text

STATES = {
    "live": Text("live", "已生效"),
    "not live": Text("not live", "未生效"),
    "differs": Text("differs", "与文件不同"),
    "only live": Text("only live", "仅在生效表中"),
}
_COLOURS = {"live": "green", "not live": "red", "differs": "yellow", "only live": "yellow"}
_HEADINGS = Text("STATE|PATH|CLIENT|OPTIONS|WRITTEN IN", "状态|路径|客户端|选项|来源")
_NONE = Text("Nothing is exported.", "没有任何导出。")
_ADDED = Text("exported: {export}", "已导出：{export}")
_REMOVED = Text("no longer exported: {export}", "不再导出：{export}")
_UNCHANGED = Text("Nothing to change.", "无需改动。")
_WARNED = Text("exportfs said: {said}", "exportfs 提示：{said}")


def export_command() -> click.Group:
    """The group of the three."""
    group = BerthGroup("export", help="Add, remove and list exports. Changes touch Berth's own file only.")
    group.add_command(
        HostCommand(
            "add",
            params=[click.Argument(["path"], metavar="PATH"), *wanted_options(), output_option(), LANGUAGE],
            callback=_add,
            short_help="Export an existing directory, and make it live.",
            help="Export an existing directory, and make it live.\n\n"
            "Other clients of the path stay. When exportfs does not take it, everything is as before.",
        )
    )
    group.add_command(
        HostCommand(
            "remove",
            params=[
                click.Argument(["path"], metavar="PATH"),
                click.Option(["--client"], metavar="WHO", help="To this client only. [default: to everybody]"),
                output_option(),
                LANGUAGE,
            ],
            callback=_remove,
            short_help="End an export of Berth's own file.",
            help="End an export of Berth's own file. The directory and what is in it stay.",
        )
    )
    group.add_command(
        HostCommand(
            "list",
            params=[output_option(), LANGUAGE],
            callback=_list,
            short_help="All exports, of the files and live.",
            help="All exports: what /etc/exports and /etc/exports.d say, and what is really live (etab).",
        )
    )
    return group


def print_exports(rows: tuple[ExportRow, ...], lang: Language) -> None:
    """The exports as a table."""
    if not rows:
        say(_NONE.said(lang))
        return
    cells = [
        (
            STATES[row.state].said(lang),
            row.path,
            row.client,
            options_text(row),
            f"{row.source}:{row.line}" if row.source else "-",
        )
        for row in rows
    ]
    print_table(_HEADINGS.said(lang).split("|"), cells, [_COLOURS[row.state] for row in rows])


def options_text(row: ExportRow) -> str:
    """The options that people look for; where file and table differ, both."""
    wanted, live = (brief(each) if each else "" for each in (row.wanted, row.live))
    return f"{wanted} ≠ {live}" if row.state == "differs" else wanted or live


def _add(
    path: str,
    clients: tuple[str, ...],
    provisioners: tuple[str, ...],
    options: tuple[str, ...],
    output: str,
    lang: str | None,
) -> None:
    spoken = language(lang)
    _print_change(run(add_export(WantedExport(path, clients, provisioners, options)), spoken), output, spoken)


def _remove(path: str, client: str | None, output: str, lang: str | None) -> None:
    spoken = language(lang)
    _print_change(run(remove_export(path, client), spoken), output, spoken)


def _list(output: str, lang: str | None) -> None:
    spoken = language(lang)
    rows = run(list_exports(), spoken)
    if output != "table":
        print_data([export_as_dict(row) for row in rows], output)
    else:
        print_exports(rows, spoken)


def _print_change(change: ExportChange, output: str, lang: Language) -> None:
    if output != "table":
        print_data(change.as_dict(), output)
        return
    for sentence, exports in ((_ADDED, change.added), (_REMOVED, change.removed)):
        for export in exports:
            told = f"{export.path} {export.client}({brief(export.options)})"
            say(sentence.said(lang).format(export=told))
    if not change.is_change:
        say(_UNCHANGED.said(lang))
    for said in change.warnings:
        say(_WARNED.said(lang).format(said=said))
