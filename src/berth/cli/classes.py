"""`berth class default`: which class claims get that name none."""

from __future__ import annotations

import click

from berth.cli.cluster import on_cluster
from berth.cli.cluster_options import CONTEXT, KUBECONFIG
from berth.cli.commands import BerthCommand, BerthGroup
from berth.cli.manner import language
from berth.cli.output import LANGUAGE, output_option, print_data, say
from berth.operations.classes import DefaultClass, set_default_class
from berth.texts.text import Text


def class_command() -> click.Group:
    """The group; `default` is its one command so far."""
    default = BerthCommand(
        "default",
        params=[click.Argument(["name"]), output_option(), KUBECONFIG, CONTEXT, LANGUAGE],
        callback=_default,
        short_help="Make a class the cluster's default.",
        help="Make class NAME the cluster's default, and no other.\n\n"
        "Sets both annotations that Kubernetes and KubeSphere read, and sets them to false on the class that was the "
        "default until now.",
    )
    return BerthGroup("class", commands={"default": default}, help="What classes a cluster has.")


def _default(name: str, output: str, kubeconfig: str, context: str, lang: str | None) -> None:
    chosen = language(lang)
    done = on_cluster(lambda api: set_default_class(api, name), kubeconfig=kubeconfig, context=context, lang=chosen)
    if output != "table":
        print_data(done, output)
    else:
        say(_told(done).said(chosen))


def _told(done: DefaultClass) -> Text:
    others = ", ".join(done.unset)
    if done.was_default and not others:
        return Text(f"{done.name} is the default class already", f"{done.name} 已经是默认 StorageClass")
    return Text(
        f"{done.name} is the default class now" + (f", {others} no longer is" if others else ""),
        f"{done.name} 已设为默认 StorageClass" + (f"，{others} 不再是默认" if others else ""),
    )
