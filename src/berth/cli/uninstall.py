"""`berth uninstall`."""

from __future__ import annotations

from typing import Any

import click

from berth.cli.asking import YES, confirm
from berth.cli.cluster import applied_line, on_cluster
from berth.cli.cluster_options import CONTEXT, KUBECONFIG
from berth.cli.commands import BerthCommand
from berth.cli.manner import language
from berth.cli.output import LANGUAGE, complain, output_option, print_data, say
from berth.operations.apply import Applied
from berth.operations.uninstall import uninstall
from berth.operations.uninstall_plan import UninstallPlan, plan_uninstall
from berth.settings.install import NAME, NAMESPACE
from berth.texts.counting import several, some
from berth.texts.data import as_data
from berth.texts.text import Language, Text


def uninstall_command() -> click.Command:
    """The command with all its options."""
    return BerthCommand(
        "uninstall",
        params=[
            click.Option(["--name"], default=NAME, show_default=True, help="The installation's name."),
            click.Option(["-n", "--namespace"], default=NAMESPACE, show_default=True, help="Where it is."),
            click.Option(["--dry-run"], is_flag=True, help="Show what would go and what would stay, and do nothing."),
            YES, output_option(), KUBECONFIG, CONTEXT, LANGUAGE,
        ],
        callback=_uninstall,
        short_help="Remove what install made; every volume stays.",
        help="Remove the controller, its rights and its classes.\n\n"
        "Shows first what goes and what stays, and asks. Volumes, claims and PVs stay, every one of them, and pods go "
        "on using them. It can be interrupted at any time and run again. Installing again with the same provisioner "
        "name goes on where it ended.",
    )  # fmt: skip


def _uninstall(
    name: str, namespace: str, dry_run: bool, yes: bool, output: str, kubeconfig: str, context: str, lang: str | None
) -> None:
    chosen, is_told = language(lang), output == "table"
    removed: list[Applied] = []

    def told(done: Applied) -> None:
        removed.append(done)
        if is_told:
            say(applied_line(done, chosen))

    plan = on_cluster(
        lambda api: plan_uninstall(api, name=name, namespace=namespace),
        kubeconfig=kubeconfig, context=context, lang=chosen,
    )  # fmt: skip
    if not plan.goes:
        _tell_nothing(plan, output, chosen)
        return
    if is_told:
        _print_plan(plan, chosen)
    if dry_run:
        if not is_told:
            print_data(_as_dict(plan), output)
        return
    if not yes:
        _agree(chosen)
    try:
        on_cluster(
            lambda api: uninstall(api, plan, told=told), kubeconfig=kubeconfig, context=context, lang=chosen
        )  # fmt: skip
    except SystemExit:
        _tell_unfinished(len(removed), len(plan.goes), chosen)
        raise
    if is_told:
        text = Text("done; all data, claims and PVs are as they were", "完成；数据、PVC 和 PV 一如原样")
        say(text.said(chosen))
    else:
        print_data({**_as_dict(plan), "removed": removed}, output)


def _tell_nothing(plan: UninstallPlan, output: str, lang: Language) -> None:
    """What was to be is so already: that is no failure."""
    if output != "table":
        print_data({**_as_dict(plan), "removed": []}, output)
        return
    text = Text(
        f"nothing to remove: nothing that `berth install` made under the name {plan.name} is in namespace "
        f"{plan.namespace}",
        f"无需删除：命名空间 {plan.namespace} 中没有 `berth install` 以 {plan.name} 为名安装的东西",
    )
    say(text.said(lang))


def _agree(lang: Language) -> None:
    confirm(
        Text("Remove this?", "确定删除？"),
        Text(
            "nobody is there to ask; give --yes to remove this, or --dry-run to look only. Nothing was changed",
            "无法询问确认：请加上 --yes 删除，或用 --dry-run 只查看。没有做任何改动",
        ),
        lang,
    )


def _tell_unfinished(removed: int, wanted: int, lang: Language) -> None:
    complain(
        Text(
            f"{removed} of {several(wanted, 'object')} removed; the same command again goes on from there",
            f"{wanted} 个对象中已删除 {removed} 个；再次执行同一命令即可继续",
        ).said(lang)
    )


def _as_dict(plan: UninstallPlan) -> dict[str, Any]:
    whole = {**as_data(plan), "goes": [{"kind": kind, "key": key} for kind, key in plan.what_goes]}
    keeps = whole.pop("keepsNamespace")
    return {**whole, "namespaceKept": plan.namespace if keeps else ""}


def _print_plan(plan: UninstallPlan, lang: Language) -> None:
    say(Text("goes:", "将删除：").said(lang))
    for kind, key in plan.what_goes:
        say(f"  {kind} {key}")
    say(Text("stays:", "将保留：").said(lang))
    for text in _what_stays(plan):
        say(f"  {text.said(lang)}")
    for text in _what_is_left_alone(plan):
        say(text.said(lang))


def _what_stays(plan: UninstallPlan) -> list[Text]:
    texts = [
        Text(
            f"all data, all claims, and {several(plan.pvs, 'PV')} that Berth made or answered for",
            f"全部数据、全部 PVC，以及 Berth 创建或接管的 {plan.pvs} 个 PV",
        )
        if plan.provisioners
        else Text("all data, all claims, and all PVs", "全部数据、全部 PVC 和全部 PV")
    ]
    if plan.shares:
        shares = some(plan.shares)
        texts.append(
            Text(
                f"on {shares.en}: every directory, archive and record, with .berth",
                f"{shares.zh} 上的所有目录、归档和记录，包括 .berth",
            )
        )
    if plan.classes:
        classes = some(plan.classes)
        texts.append(Text(f"classes that others made: {classes.en}", f"由他人创建的 StorageClass：{classes.zh}"))
    if plan.keeps_namespace:
        texts.append(
            Text(
                f"namespace {plan.namespace}, for what else may live in it",
                f"命名空间 {plan.namespace}，其中可能还有别的东西",
            )
        )
    return texts


def _what_is_left_alone(plan: UninstallPlan) -> list[Text]:
    """What nobody takes care of any more."""
    texts = []
    claims = (*plan.waiting, *plan.bound)
    if claims:
        named = some(claims)
        texts.append(
            Text(
                f"without a provisioner then: {several(len(claims), 'claim')} ({len(plan.waiting)} of them still "
                f"waiting for a volume): {named.en}",
                f"此后没有制备器的 PVC：{len(claims)} 个（其中 {len(plan.waiting)} 个仍在等待卷）：{named.zh}",
            )
        )
    if plan.held:
        names = ",".join(plan.provisioners)
        texts.append(
            Text(
                f"PVs with Berth's finalizer: {plan.held}. Once their claims are deleted they wait, with their "
                f"directories, until Berth is installed again with --provisioner-name {names}",
                f"带有 Berth finalizer 的 PV：{plan.held} 个。此后删除 PVC，这些 PV 和目录都会原样等待，"
                f"直到以 --provisioner-name {names} 重新安装 Berth",
            )
        )
    if plan.lost_default:
        texts.append(
            Text(
                f"class {plan.lost_default} is the cluster's default: none is left then; `berth class default NAME` "
                f"makes another one",
                f"StorageClass {plan.lost_default} 是集群的默认 StorageClass：删除后将没有默认 StorageClass，"
                f"可用 `berth class default 名称` 另设",
            )
        )
    return texts
