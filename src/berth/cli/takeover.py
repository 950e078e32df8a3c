"""`berth takeover`: from a reference provisioner to Berth, and back."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from berth.cli.asking import confirm
from berth.cli.cluster import on_cluster
from berth.cli.cluster_options import CONTEXT, KUBECONFIG
from berth.cli.commands import BerthCommand, BerthGroup
from berth.cli.ending import EXIT_FAILED, EXIT_USAGE, EXIT_WARNINGS, EXIT_WELL, end
from berth.cli.image_options import image_options
from berth.cli.manner import both, language
from berth.cli.output import LANGUAGE, output_option, print_data, say
from berth.cli.takeover_report import print_plan, print_reverted, print_taken
from berth.kube.manifest import ManifestApi
from berth.operations.takeover.apply import take_over
from berth.operations.takeover.plan import TakeoverPlan, Wanted, make_plan
from berth.operations.takeover.revert import revert
from berth.operations.takeover.step import Stage, Step, where_it_stands
from berth.programs.controller import WORKLOAD
from berth.settings.install import IMAGE, NAME, NAMESPACE, InstallSettings
from berth.shares.choose import Shares
from berth.texts.command import Shell, spelled
from berth.texts.text import Language, Text

T = TypeVar("T")

_PATIENCE, _MOST_PATIENCE = 180.0, 3600.0
"""Seconds for each wait."""


def takeover_command() -> click.Group:
    """The group with its commands."""
    return BerthGroup(
        "takeover",
        commands={one.name or "": one for one in (_plan_command(), _apply_command(), _revert_command())},
        help="Take over from nfs-client-provisioner or nfs-subdir-external-provisioner, and go back.\n\n"
        "Volumes, claims and PVs stay as they are, and pods notice nothing. Begin with `berth takeover plan`, which "
        "changes nothing.",
        short_help="Take over from an older provisioner, or go back.",
    )


def _plan_command() -> click.Command:
    return BerthCommand(
        "plan",
        params=[_only(), *_berth_options(), *_common_options()],
        callback=_plan,
        short_help="Show who provisions, what is wrong, and what apply would do.",
        help="Show every provisioner of the known kinds, whatever it is called, what is wrong with its volumes and "
        "classes, and what apply would do.\n\nChanges nothing. NAMESPACE/DEPLOYMENT: only these.",
    )


def _apply_command() -> click.Command:
    return BerthCommand(
        "apply",
        params=[
            _only(),
            click.Option(["--yes"], is_flag=True, help="Don't ask, begin."),
            *_berth_options(),
            click.Option(["--pull-secret", "pull_secrets"], multiple=True, metavar="NAME",
                         help="Secret for a private registry; repeatable."),
            click.Option(["--replicas"], type=click.IntRange(1, 10), default=2, show_default=True,
                         help="Pods: one leads, the others stand by."),
            click.Option(["--mount"], is_flag=True,
                         help="Mount the export into Berth's pods: for servers without NFS 3 and 4.0. Runs as root."),
            click.Option(["--use-existing"], is_flag=True,
                         help="Berth's namespace may be one that it did not make: the administrators' alone."),
            *_common_options(),
        ],
        callback=_apply,
        short_help="Start Berth, scale the old provisioner down, hand over its names, check every volume.",
        help="Start Berth beside the old provisioner, wait until it is ready, only then scale the old one down, hand "
        "its names to Berth, and check every volume.\n\nWhat goes wrong, or is interrupted, before Berth serves puts "
        "the old provisioner back. It can be run again at any time. `berth takeover revert` goes back later. "
        "NAMESPACE/DEPLOYMENT: only these.",
    )  # fmt: skip


def _revert_command() -> click.Command:
    return BerthCommand(
        "revert",
        params=[
            _only(),
            click.Option(["--yes"], is_flag=True, help="Don't ask, begin."),
            *_common_options(),
        ],
        callback=_revert,
        short_help="Stop Berth and scale the old provisioner up again.",
        help="Stop Berth and scale the old provisioner up again, with the pods that it had.\n\nVolumes stay, those "
        "that Berth made in between as well, and the old provisioner can delete them. It can be interrupted at any "
        "time and run again. NAMESPACE/DEPLOYMENT: only these.",
    )


def _only() -> click.Parameter:
    return click.Argument(["only"], nargs=-1, metavar="[NAMESPACE/DEPLOYMENT]...")


def _berth_options() -> list[click.Parameter]:
    return [
        click.Option(["--name"], default=NAME, show_default=True,
                     help="Name of the installation of Berth; a second share's gets -2 behind it, and so on."),
        click.Option(["-n", "--namespace"], default=NAMESPACE, show_default=True, help="Where it runs."),
        click.Option(["--no-install"], is_flag=True, help="Install nothing: Berth is run by Helm, git or otherwise."),
        *image_options(),
    ]  # fmt: skip


def _common_options() -> list[click.Parameter]:
    return [
        click.Option(["--without-share"], is_flag=True,
                     help="Ask nothing of NFS servers: where they can't be reached from here."),
        click.Option(["--timeout"], type=click.FloatRange(1, _MOST_PATIENCE), default=_PATIENCE, metavar="SECONDS",
                     help="Patience for each wait. [default: 180]"),
        output_option(), KUBECONFIG, CONTEXT, LANGUAGE,
    ]  # fmt: skip


def _plan(
    only: tuple[str, ...], timeout: float, output: str, kubeconfig: str, context: str, lang: str | None, **of_berth: Any
) -> None:
    chosen = language(lang)
    wanted = _wanted(only, **of_berth)
    plan = _look(wanted, kubeconfig, context, chosen)
    if output != "table":
        print_data(plan, output)
    else:
        print_plan(plan, wanted, chosen)
    if plan.stops:
        raise SystemExit(EXIT_FAILED)
    if any(one.severity == "warning" for one in plan.every_finding):
        raise SystemExit(EXIT_WARNINGS)


def _apply(
    only: tuple[str, ...], yes: bool, pull_secrets: tuple[str, ...], replicas: int, mount: bool, use_existing: bool,
    timeout: float, output: str, kubeconfig: str, context: str, lang: str | None, **of_berth: Any,
) -> None:  # fmt: skip
    chosen = language(lang)
    wanted = dataclasses.replace(_wanted(only, **of_berth), uses_namespace=use_existing)
    if not yes:
        _agree(_look(wanted, kubeconfig, context, chosen), wanted, chosen)
    settings = InstallSettings(
        image=wanted.image or IMAGE, pull_secrets=pull_secrets, replicas=replicas, mount=mount, classes=()
    )
    taken = _go(
        lambda api, shares, told: take_over(
            api, shares, wanted, settings, WORKLOAD, patience=timeout, told=told, given=_given("image", "replicas")
        ),
        kubeconfig, context, chosen, output, on=_again(timeout), back=_spelled("revert", only, kubeconfig, context),
    )  # fmt: skip
    if output != "table":
        print_data(taken, output)
    else:
        print_taken(taken, _spelled("revert", only, kubeconfig, context), chosen)
    if any(one.lost for one in taken):
        raise SystemExit(EXIT_FAILED)


def _revert(
    only: tuple[str, ...], yes: bool, without_share: bool, timeout: float, output: str, kubeconfig: str, context: str,
    lang: str | None,
) -> None:  # fmt: skip
    chosen = language(lang)
    keys = _keys(only)
    if not yes:
        _confirm(Text("Stop Berth and scale the old provisioner up again?", "停止 Berth，恢复旧制备器？"), chosen)
    back = _go(
        lambda api, shares, told: revert(
            api, shares, only=keys, with_share=not without_share, patience=timeout, told=told
        ),
        kubeconfig, context, chosen, output, on=_again(timeout), back=_spelled("apply", only, kubeconfig, context),
    )  # fmt: skip
    if output != "table":
        print_data(back, output)
    else:
        print_reverted(back, chosen)
    if any(one.waits_for for one in back):
        raise SystemExit(EXIT_FAILED)


def _look(wanted: Wanted, kubeconfig: str, context: str, lang: Language) -> TakeoverPlan:
    async def job(api: ManifestApi) -> TakeoverPlan:
        shares = Shares()
        try:
            return await make_plan(api, shares, wanted)
        finally:
            await shares.aclose()

    return on_cluster(job, kubeconfig=kubeconfig, context=context, lang=lang)


def _go(
    work: Callable[[ManifestApi, Shares, Callable[[Step], None]], Awaitable[list[T]]],
    kubeconfig: str, context: str, lang: Language, output: str, *, on: Shell, back: Shell,
) -> list[T]:  # fmt: skip
    """Does it, step by step on the terminal. When it ends early, however, it says where things stand."""
    stage: Stage = "nothing"

    def told(step: Step) -> None:
        nonlocal stage
        stage = step.stage
        with suppress(OSError):  # a terminal that went away is no reason to leave things half done
            say(step.text.said(lang), on_stderr=output != "table")

    async def job(api: ManifestApi) -> list[T]:
        shares = Shares()
        try:
            return await work(api, shares, told)
        finally:
            await shares.aclose()

    try:
        return on_cluster(_ended_gently(job), kubeconfig=kubeconfig, context=context, lang=lang)
    except SystemExit:
        say(where_it_stands(stage, on=on, back=back).said(lang), on_stderr=True)
        raise


def _ended_gently(job: Callable[[ManifestApi], Awaitable[T]]) -> Callable[[ManifestApi], Awaitable[T]]:
    """SIGTERM, and a terminal that goes away, end the job as Ctrl-C does: with time to put things back."""

    async def do(api: ManifestApi) -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, task.cancel)
        try:
            return await job(api)
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None

    return do


def _agree(plan: TakeoverPlan, wanted: Wanted, lang: Language) -> None:
    print_plan(plan, wanted, lang)
    if plan.stops or not plan.groups:
        raise SystemExit(EXIT_FAILED if plan.stops else EXIT_WELL)
    say()
    _confirm(Text("Take over now?", "现在接管？"), lang)


def _confirm(question: Text, lang: Language) -> None:
    confirm(question, Text("nobody is there to ask; give --yes to begin", "无法询问确认，请加上 --yes 开始"), lang)


def _wanted(
    only: tuple[str, ...], *, name: str, namespace: str, no_install: bool, image: str | None, image_is_there: bool,
    without_share: bool,
) -> Wanted:  # fmt: skip
    is_named = bool(_given("name", "namespace"))
    return Wanted(
        _keys(only), name, namespace, is_named, not no_install, not without_share,
        image=image or "", has_image=image_is_there,
    )  # fmt: skip


def _given(*names: str) -> frozenset[str]:
    """Which of these options were typed."""
    context = click.get_current_context()
    return frozenset(one for one in names if context.get_parameter_source(one) is ParameterSource.COMMANDLINE)


def _keys(only: tuple[str, ...]) -> tuple[str, ...]:
    for one in only:
        if one.count("/") != 1 or not all(one.split("/")):
            said = f"{one!r} is not NAMESPACE/DEPLOYMENT, such as kube-system/nfs-client-provisioner"
            end(both(said), EXIT_USAGE)
    return only


def _again(timeout: float) -> Shell:
    """This very command, to be typed again, with more time than was not enough."""
    words, given = iter(sys.argv[1:]), []
    for word in words:
        if word == "--timeout":
            next(words, None)
        elif not word.startswith("--timeout="):
            given.append(word)
    return spelled("berth", *given, "--timeout", f"{min(max(2 * timeout, _PATIENCE), _MOST_PATIENCE):g}")


def _spelled(command: str, only: tuple[str, ...], kubeconfig: str, context: str) -> Shell:
    access: list[Any] = [
        *(["--kubeconfig", kubeconfig] if kubeconfig else []),
        *(["--context", context] if context else []),
    ]
    return spelled("berth", "takeover", command, *only, *access)
