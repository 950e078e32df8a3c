"""`berth volume end`: what becomes of one volume when its claim is gone."""

from __future__ import annotations

import click

from berth.cli.asking import confirm
from berth.cli.cluster import on_cluster
from berth.cli.cluster_options import CONTEXT, KUBECONFIG
from berth.cli.commands import BerthCommand
from berth.cli.manner import language
from berth.cli.output import LANGUAGE, output_option, print_data, say
from berth.cli.volume_restore import DEADLINE, SHARE
from berth.kube.manifest import ManifestApi
from berth.operations.ends import EndChange, look, set_end
from berth.operations.pvs import parse_share
from berth.shares.choose import Shares
from berth.texts.text import Language, Text
from berth.volumes.request import End

_ENDS = ("delete", "archive", "retain")
_NAMES = {"delete": "删除", "archive": "归档", "retain": "保留"}
_NOTHING = Text("nothing was changed", "没有做任何改动")


def end_command() -> click.Command:
    """The command with all its options."""
    return BerthCommand(
        "end",
        params=[
            click.Argument(["pv"], metavar="PV"),
            click.Argument(["end"], type=click.Choice(_ENDS)),
            click.Option(["--dry-run"], is_flag=True, help="Say what would be changed, and change nothing."),
            click.Option(["--yes"], is_flag=True, help="Don't ask, begin."),
            SHARE, output_option(), KUBECONFIG, CONTEXT, LANGUAGE,
        ],
        callback=_end,
        short_help="Change what becomes of a volume when its claim is gone.",
        help="Change what becomes of a volume's directory when its claim is gone: on the PV and in its record.\n\n"
        "For a directory that a class adopted, which Berth did not make, this is the one way to have it ever deleted "
        "or archived; it is asked before. A PV made by hand, such as by `berth volume static`, is always kept.",
    )  # fmt: skip


def _end(
    pv: str, end: End, dry_run: bool, yes: bool, share: str, output: str, kubeconfig: str, context: str,
    lang: str | None,
) -> None:  # fmt: skip
    chosen = language(lang)

    async def job(api: ManifestApi) -> EndChange:
        shares = Shares(timeout=DEADLINE)
        try:
            change = await look(api, shares, pv, end, parse_share(share))
            if output == "table":
                say(_planned(change).said(chosen))
            if not dry_run and not change.is_none:
                if end != "retain" and not yes:
                    _ask(change, chosen)
                await set_end(api, shares, change)
            return change
        finally:
            await shares.aclose()

    change = on_cluster(job, kubeconfig=kubeconfig, context=context, lang=chosen)
    if output == "json":
        is_changed = not (dry_run or change.is_none)
        print_data(
            {"pv": pv, "before": change.before, "after": end, "adopted": change.adopted, "isChanged": is_changed},
            output,
        )
    elif not dry_run and not change.is_none:
        say(
            Text(f"PV {pv} says {end} now, and so does its record", f"PV {pv} 及其记录现在为{_NAMES[end]}").said(chosen)
        )


def _planned(change: EndChange) -> Text:
    record = change.known.record
    where, claim = f"{change.known.address}/{record.path}", record.owner
    if change.is_none:
        return Text(
            f"PV {record.pv}: the end of {where} is {change.after} already",
            f"PV {record.pv}：{where} 在 PVC 删除之后的处理方式已经是{_NAMES[change.after]}",
        )
    after, before = _PAST[change.after], _PAST[change.before]
    en = f"PV {record.pv}: when claim {claim} is gone, {where} is to be {after}, not {before}"
    zh = f"PV {record.pv}：PVC {claim} 删除后，{where} 将{_NAMES[change.after]}，不再{_NAMES[change.before]}"
    if change.adopted and change.after != "retain":
        since = "" if change.adopted == "true" else f" on {change.adopted}"
        zh_since = "" if change.adopted == "true" else f"于 {change.adopted} "
        en += f". Berth did NOT make this directory: it was there before, and was adopted{since}"
        zh += f"。注意：该目录不是 Berth 创建的：它原已存在，{zh_since}被收养"
    return Text(en, zh)


_PAST = {"delete": "deleted", "archive": "archived", "retain": "kept"}


def _ask(change: EndChange, lang: Language) -> None:
    """Returns if somebody at the terminal agrees; ends the process otherwise."""
    confirm(
        Text("Do it?", "确定吗？"),
        Text(
            "nobody is there to be asked; say --yes if that is what you want",
            "没有终端可供确认；如确实要这样做，请加 --yes",
        ),
        lang,
    )
