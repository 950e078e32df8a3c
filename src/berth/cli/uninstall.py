"""`berth uninstall`."""

from __future__ import annotations

import dataclasses
import json

import click

from berth.cli.cluster import CONTEXT, KUBECONFIG, applied_line, on_cluster
from berth.cli.output import LANGUAGE, language, output_option
from berth.operations.apply import Applied
from berth.operations.takeover.remark import several
from berth.operations.uninstall import Uninstalled, uninstall
from berth.settings.install import NAME, NAMESPACE
from berth.texts.text import Text


def uninstall_command() -> click.Command:
    """The command with all its options."""
    return click.Command(
        "uninstall",
        params=[
            click.Option(["--name"], default=NAME, show_default=True, help="The installation's name."),
            click.Option(["-n", "--namespace"], default=NAMESPACE, show_default=True, help="Where it is."),
            output_option(), KUBECONFIG, CONTEXT, LANGUAGE,
        ],
        callback=_uninstall,
        short_help="Remove what install made; every volume stays.",
        help="Remove the controller, its rights and its classes.\n\n"
        "Volumes, claims and PVs stay, every one of them, and pods go on using them. Installing again with the same "
        "provisioner name goes on where it ended.",
    )  # fmt: skip


def _uninstall(name: str, namespace: str, output: str, kubeconfig: str, context: str, lang: str | None) -> None:
    chosen = language(lang)

    def told(done: Applied) -> None:
        if output == "text":
            click.echo(applied_line(done, chosen))

    done = on_cluster(
        lambda api: uninstall(api, name=name, namespace=namespace, told=told),
        kubeconfig=kubeconfig, context=context, lang=chosen,
    )  # fmt: skip
    if output == "json":
        click.echo(json.dumps(dataclasses.asdict(done), indent=2))
        return
    for text in _what_stays(done):
        click.echo(text.said(chosen))


def _what_stays(done: Uninstalled) -> list[Text]:
    texts = [
        Text(
            f"kept: all data, all claims, and {several(done.pvs, 'PV')} that Berth made or answered for",
            f"已保留：全部数据、全部 PVC，以及 Berth 创建或接管的 {done.pvs} 个 PV",
        )
    ]
    if done.held:
        texts.append(
            Text(
                f"PVs with Berth's finalizer: {done.held}. Once their claims are deleted they wait, with their "
                f"directories, until Berth is installed again with the same --provisioner-name",
                f"其中 {done.held} 个 PV 带有 Berth 的 finalizer：此后删除 PVC，这些 PV 和目录都会原样等待，"
                f"直到以相同的 --provisioner-name 重新安装 Berth",
            )
        )
    if done.namespace:
        texts.append(
            Text(
                f"namespace {done.namespace} is kept too, for what else may live in it",
                f"命名空间 {done.namespace} 也已保留，其中可能还有别的东西",
            )
        )
    return texts
