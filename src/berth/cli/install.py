"""`berth install`: prints the manifests of an installation, or applies them."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click

from berth.cli.cluster import applied_line, on_cluster
from berth.cli.install_options import (
    apply_options,
    as_option,
    class_options,
    controller_options,
    settings_from,
    share_options,
)
from berth.cli.output import EXIT_FAILED, EXIT_USAGE, complain, language
from berth.kube.config import load
from berth.manifests.install import install_manifests
from berth.manifests.yaml_text import to_yaml
from berth.operations.apply import Applied
from berth.operations.install import Installed, Rollout, install
from berth.programs.controller import PERMISSIONS
from berth.settings.install import InstallSettings
from berth.texts.text import Language, Text
from berth.volumes.errors import Refused

_NOTHING_FOUND = Text("the doctor finds nothing wrong", "医生检查未发现问题")


def install_command() -> click.Command:
    """The command with all its options."""
    return click.Command(
        "install",
        params=[*share_options(), *class_options(), *controller_options(), *apply_options()],
        callback=_install,
        short_help="Print what to apply, or apply it.",
        help="Print the manifests of a whole installation, or apply them.\n\n"
        "Without --apply nothing is asked of any cluster: pipe the output to `kubectl apply --server-side -f -`, or "
        "keep it in git. With it, objects are applied and the command waits until the pods serve. It can be repeated; "
        "options that are left out go back to their defaults, but for provisioner names: losing one is refused.",
    )


def _install(
    is_applied: bool, timeout: float, output: str, kubeconfig: str, context: str, lang: str | None, **values: Any
) -> None:
    chosen = language(lang)
    try:
        settings = settings_from(**values)
        manifests = install_manifests(settings, PERMISSIONS)
    except Refused as refusal:
        complain(f"{as_option(refusal.field)}: {refusal.why}")
        raise SystemExit(EXIT_USAGE) from None
    if not is_applied:
        listed = {"apiVersion": "v1", "kind": "List", "items": manifests}
        click.echo(json.dumps(listed, indent=2) if output == "json" else to_yaml(manifests), nl=output == "json")
        return

    is_told = output == "text"

    def told(done: Applied) -> None:
        if is_told:
            click.echo(applied_line(done, chosen))

    def progress(rollout: Rollout) -> None:
        if is_told:
            click.echo(rollout.text.said(chosen))

    installed = on_cluster(
        lambda api: install(
            api, settings, PERMISSIONS, patience=timeout, told=told, progress=progress,
            gives_names_up=values["provisioner_name"] is not None,
        ),
        kubeconfig=kubeconfig, context=context, lang=chosen,
    )  # fmt: skip
    if is_told:
        _tell_installed(installed, settings, timeout, chosen)
        if installed.rollout.is_complete:
            _ask_the_doctor(kubeconfig, context, chosen)
    else:
        report = {**dataclasses.asdict(installed), "ready": installed.rollout.is_complete}
        click.echo(
            json.dumps(report, indent=2, ensure_ascii=False) if output == "json" else to_yaml([report]), nl=False
        )
    if not installed.rollout.is_complete:
        raise SystemExit(EXIT_FAILED)


def _tell_installed(installed: Installed, settings: InstallSettings, timeout: float, lang: Language) -> None:
    if not installed.rollout.is_complete:
        pods = f"kubectl -n {settings.namespace} describe pod -l app.kubernetes.io/instance={settings.name}"
        text = Text(
            f"applied, but not all pods are ready after {timeout:g} s; what is in the way: `{pods}`",
            f"已应用，但 {timeout:g} 秒内 Pod 没有全部就绪；用 `{pods}` 查看原因",
        )
        complain(text.said(lang))
        return
    names = ", ".join(one.name for one in settings.classes)
    share = f"{settings.server}:{settings.export}"
    text = Text(f"Berth serves {share}", f"Berth 已就绪，共享目录为 {share}")
    if names:
        text = Text(
            f"{text.en}: claims of class {names} get their directory there", f"{text.zh}，存储类 {names} 可以使用了"
        )
    click.echo(text.said(lang))
    for other in installed.other_defaults:
        mine = next(one.name for one in settings.classes if one.default)
        hint = Text(
            f"{other} is a default class as well; `berth class default {mine}` leaves just one",
            f"{other} 也是默认存储类；执行 `berth class default {mine}` 可只保留一个",
        )
        click.echo(hint.said(lang))


def _ask_the_doctor(kubeconfig: str, context: str, lang: Language) -> None:
    """Has the cluster looked at, now that Berth serves. What is found does not make the installation a failure."""
    where = "berth.doctor.cluster.examine"
    if find_spec(where) is None:
        return
    examine = import_module(where).examine  # by its name: printing manifests carries none of the doctor's checks
    diagnosis = import_module("berth.cli.diagnosis")
    config = load(kubeconfig, context=context)
    report = asyncio.run(examine(None, config, active=False, progress=diagnosis.progress_line(lang)))
    with suppress(SystemExit):
        diagnosis.answer(report, "text", lang, _NOTHING_FOUND)
