"""`berth install`: prints the manifests of an installation, or applies them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar

import click

from berth.cli.asking import confirm
from berth.cli.cluster import applied_line, on_cluster, release_of
from berth.cli.commands import BerthCommand
from berth.cli.ending import EXIT_FAILED, EXIT_USAGE, end, run
from berth.cli.install_changes import print_changes
from berth.cli.install_options import (
    apply_options,
    as_option,
    asked_from,
    class_options,
    controller_options,
    share_options,
)
from berth.cli.manner import language
from berth.cli.output import complain, print_data, say, say_exactly
from berth.cli.usage import missing, refused
from berth.findings.render import in_a_sentence
from berth.kube.config import load
from berth.kube.manifest import ManifestApi
from berth.manifests.install import install_manifests
from berth.manifests.yaml_text import to_yaml, with_image_notes
from berth.operations.apply import Applied
from berth.operations.asked import Asked
from berth.operations.install import Installed, Rollout, install
from berth.operations.install_plan import InstallPlan, plan_install
from berth.programs.controller import WORKLOAD
from berth.texts.images import how_to_get
from berth.texts.text import Language, Text
from berth.volumes.errors import Refused
from berth.volumes.server_name import on_server

T = TypeVar("T")

_NOTHING_FOUND = Text("the doctor finds nothing wrong", "berth doctor 未发现问题")


def install_command() -> click.Command:
    """The command with all its options."""
    return BerthCommand(
        "install",
        params=[*share_options(), *class_options(), *controller_options(), *apply_options()],
        callback=_install,
        short_help="Print what to apply, or apply it.",
        help="Print the manifests of a whole installation, or apply them.\n\n"
        "Without --apply nothing is changed, and of a cluster only its release is asked: pipe the output to "
        "`kubectl apply --server-side -f -`, or keep it in git. With it, objects are applied and the command waits "
        "until the pods serve.\n\n"
        "It can be repeated: what runs is read back, options that are left out change nothing, and what was changed by "
        "hand stays. What does change is shown, from the old value to the new. The defaults below are those of a new "
        "installation.",
    )


def _install(
    is_applied: bool, yes: bool, timeout: float, output: str, kubeconfig: str, context: str, lang: str | None,
    **values: Any,
) -> None:  # fmt: skip
    chosen = language(lang)
    try:
        asked = asked_from(**values)
        if not is_applied and "kubernetes" not in asked.settings:
            asked = _for_the_cluster(asked, kubeconfig, context, chosen)
        printable = asked.fresh()
        # A share that was not said, for an installation that has one: what is said of the class is looked at first.
        complete = replace(printable, server=printable.server or "unsaid", export=printable.export or "/unsaid")
        manifests = install_manifests(complete, WORKLOAD)
    except Refused as refusal:
        end(refused(refusal, as_option(refusal)), EXIT_USAGE, reason="Refused", lang=chosen)
    if is_applied:
        _apply(asked, yes, timeout, output, Access(kubeconfig, context), chosen)
        return
    for option, value in (("--server", printable.server), ("--path", printable.export)):
        if not value:
            end(missing(option, "berth install"), EXIT_USAGE, lang=chosen)
    listed = {"apiVersion": "v1", "kind": "List", "items": manifests}
    if output == "json":
        print_data(listed, output)
        if (how := how_to_get(printable.image)) is not None:
            say(how.said(chosen), on_stderr=True)
    else:
        say_exactly(with_image_notes(to_yaml(manifests), chosen).rstrip())


def _for_the_cluster(asked: Asked, kubeconfig: str, context: str, lang: Language) -> Asked:
    """The same for the release of the cluster that kubectl would apply it to, where there is one that answers soon."""
    found = release_of(kubeconfig, context)
    if found is None:
        return asked
    server, release = found
    said = ".".join(map(str, release))
    text = Text(
        f"the manifests are for Kubernetes {said}, as the cluster {server} runs it (--kubernetes-version for another)",
        f"清单适用于集群 {server} 的版本 Kubernetes {said}（其他版本请用 --kubernetes-version）",
    )
    say(text.said(lang), on_stderr=True)
    return replace(asked, settings={**asked.settings, "kubernetes": release})


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach the cluster."""

    kubeconfig: str
    context: str


def _apply(asked: Asked, yes: bool, timeout: float, output: str, access: Access, lang: Language) -> None:
    is_told = output == "table"

    def do(job: Callable[[ManifestApi], Awaitable[T]]) -> T:
        return on_cluster(job, kubeconfig=access.kubeconfig, context=access.context, lang=lang)

    def told(done: Applied) -> None:
        if is_told:
            say(applied_line(done, lang))

    def progress(rollout: Rollout) -> None:
        if is_told:
            say(rollout.text.said(lang))

    plan = do(lambda api: plan_install(api, asked, WORKLOAD))
    if is_told:
        print_changes(plan, asked, lang)
        for finding in plan.findings:
            say(in_a_sentence(finding).said(lang))
    if plan.default and plan.other_defaults and not yes:
        _agree_on_default(plan, lang)
    installed = do(lambda api: install(api, plan, patience=timeout, told=told, progress=progress))
    if is_told:
        _tell_installed(installed, plan, timeout, lang)
        if installed.rollout.is_complete:
            _ask_the_doctor(access.kubeconfig, access.context, lang)
    else:
        report = installed.as_dict(plan.settings, timeout)
        print_data(report, output)
    if not installed.rollout.is_complete:
        raise SystemExit(EXIT_FAILED)


def _agree_on_default(plan: InstallPlan, lang: Language) -> None:
    """Ends the process unless somebody agrees that the classes that are default now no longer are."""
    others, name = ", ".join(plan.other_defaults), plan.default
    confirm(
        Text(
            f"{others} is the default class now. Make {name} the only one?",
            f"目前的默认 StorageClass 是 {others}。改为只以 {name} 为默认？",
        ),
        Text(
            f"{others} is the default class now, and --default-class takes that from it: give --yes to agree, or leave "
            f"out --default-class. Nothing was changed",
            f"目前的默认 StorageClass 是 {others}，--default-class 会取消它：请加上 --yes 表示同意，"
            f"或去掉 --default-class。没有做任何改动",
        ),
        lang,
    )


def _tell_installed(installed: Installed, plan: InstallPlan, timeout: float, lang: Language) -> None:
    settings = plan.settings
    findings = list(installed.findings(settings, timeout))
    if not installed.rollout.is_complete:
        complain(in_a_sentence(findings[0]).said(lang))
        return
    names = ", ".join(plan.classes)
    share = on_server(settings.server, settings.export)
    text = Text(f"Berth serves {share}", f"Berth 已就绪，共享为 {share}")
    if names:
        text = Text(
            f"{text.en}: claims of class {names} get their directory there",
            f"{text.zh}，StorageClass {names} 可以使用了",
        )
    say(text.said(lang))
    for finding in findings:
        if finding not in installed.foreseen:
            say(in_a_sentence(finding).said(lang))


def _ask_the_doctor(kubeconfig: str, context: str, lang: Language) -> None:
    """Has the cluster looked at, now that Berth serves. What is found does not make the installation a failure."""
    where = "berth.doctor.cluster.examine"
    if find_spec(where) is None:
        return
    examine = import_module(where).examine  # by its name: printing manifests carries none of the doctor's checks
    diagnosis = import_module("berth.cli.diagnosis")
    config = load(kubeconfig, context=context)
    report = run(examine(None, config, active=False, progress=diagnosis.progress_line(lang)), lang)
    with suppress(SystemExit):
        diagnosis.answer(report, "table", lang, _NOTHING_FOUND)
