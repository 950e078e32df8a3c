"""`berth volume static`: a directory that exists already, for one claim."""

from __future__ import annotations

import re
from typing import Any

import click

from berth.cli.cluster import applied_line, on_cluster
from berth.cli.cluster_options import CONTEXT, KUBECONFIG
from berth.cli.commands import BerthCommand, BerthGroup
from berth.cli.ending import EXIT_FAILED, EXIT_USAGE, end, run
from berth.cli.manner import language
from berth.cli.output import (
    LANGUAGE,
    complain,
    output_option,
    print_data,
    say,
    say_exactly,
)
from berth.cli.usage import refused
from berth.cli.volume_end import end_command
from berth.cli.volume_restore import restore_command
from berth.findings.render import in_a_sentence
from berth.kube.manifest import ManifestApi
from berth.manifests.yaml_text import to_yaml
from berth.objects.quantity import to_bytes
from berth.operations.apply import Applied
from berth.operations.static_given import Given, give
from berth.operations.static_volume import (
    ACCESS_MODES,
    SAFE,
    StaticVolume,
    check_directory,
    checked,
    static_manifests,
)
from berth.texts.text import Language, Text
from berth.volumes.errors import Refused
from berth.volumes.server_name import on_server

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LONG_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


def volume_command() -> click.Group:
    """The group."""
    commands = {"static": _static_command(), "restore": restore_command(), "end": end_command()}
    return BerthGroup("volume", commands=commands, help="Volumes by hand.")


def _static_command() -> click.Command:
    return BerthCommand(
        "static",
        params=[
            click.Option(["--server"], metavar="HOST", required=True, help="NFS server: a name or an address."),
            click.Option(["--path"], metavar="PATH", required=True, help="The directory, as the server exports it."),
            click.Option(["--claim"], metavar="NAMESPACE/NAME", required=True, help="The claim that gets it."),
            click.Option(["--size"], required=True, help="What claim and PV say, such as 100Gi; NFS enforces none."),
            click.Option(["--access-mode", "access_modes"], type=click.Choice(ACCESS_MODES), multiple=True,
                         help="Repeatable. [default: ReadWriteMany]"),
            click.Option(["--mount-option", "mount_options"], multiple=True, metavar="OPTION",
                         help=f"Repeatable; {', '.join(SAFE)} are there unless these say otherwise."),
            click.Option(["--read-only"], is_flag=True, help="Nobody may write."),
            click.Option(["--name"], metavar="PV", default="", help="The PV's name. [default: NAMESPACE-NAME]"),
            click.Option(["--check"], is_flag=True, help="Look first, over NFS from here, whether it exists."),
            click.Option(["--apply", "is_applied"], is_flag=True, help="Apply both, and wait until they are bound."),
            click.Option(["--timeout"], type=click.FloatRange(0, 3600), default=60.0, metavar="SECONDS",
                         help="How long to wait for that. [default: 60]"),
            output_option(), KUBECONFIG, CONTEXT, LANGUAGE,
        ],
        callback=_static,
        short_help="A PV and a claim for a directory that exists, bound to each other.",
        help="Print, or apply, a PV and a claim for a directory that exists already, bound to each other and to nobody "
        "else.\n\nThe directory is adopted: Berth did not make it, so its end is retain. It is never removed: when the "
        "claim is deleted, PV and data stay.",
    )  # fmt: skip


def _static(
    claim: str, access_modes: tuple[str, ...], check: bool, is_applied: bool, timeout: float, output: str,
    kubeconfig: str, context: str, lang: str | None, **values: Any,
) -> None:  # fmt: skip
    chosen = language(lang)
    try:
        volume = _volume(claim, access_modes, values)
    except Refused as refusal:
        field = {"mountOptions": "--mount-option"}.get(refusal.field, refusal.field)
        end(refused(refusal, field), EXIT_USAGE, reason="Refused", lang=chosen)
    if check:
        run(check_directory(volume), chosen)
    if not is_applied:
        manifests = static_manifests(volume)
        if output == "json":
            print_data({"apiVersion": "v1", "kind": "List", "items": manifests}, output)
        else:
            say_exactly(to_yaml(manifests).rstrip())
        return

    def told(done: Applied) -> None:
        if output == "table":
            say(applied_line(done, chosen))

    async def job(api: ManifestApi) -> Given:
        return await give(api, volume, patience=timeout, told=told)

    given = on_cluster(job, kubeconfig=kubeconfig, context=context, lang=chosen)
    if output == "table":
        _tell(given, volume, timeout, chosen)
    else:
        report = given.as_dict(timeout)
        print_data(report, output)
    if not given.is_bound:
        raise SystemExit(EXIT_FAILED)


def _volume(claim: str, access_modes: tuple[str, ...], values: dict[str, Any]) -> StaticVolume:
    """What is wanted. Refused, naming the option."""
    namespace, _, name = claim.partition("/")
    if not _NAME.fullmatch(namespace) or not _LONG_NAME.fullmatch(name):
        raise Refused("--claim", f"{claim!r} is not NAMESPACE/NAME, such as ddddd/demo4nfs")
    pv = values["name"]
    if pv and not _LONG_NAME.fullmatch(pv):
        raise Refused("--name", f"{pv!r} is not a name of small letters, digits, `-` and `.`")
    try:
        if to_bytes(values["size"]) <= 0:
            raise ValueError("must be more than nothing")
    except ValueError as error:
        raise Refused("--size", str(error)) from None
    return checked(
        StaticVolume(
            server=values["server"],
            path=values["path"],
            namespace=namespace,
            claim=name,
            size=values["size"],
            access_modes=access_modes or ("ReadWriteMany",),
            mount_options=values["mount_options"],
            is_read_only=values["read_only"],
            name=pv,
        )
    )


def _tell(given: Given, volume: StaticVolume, timeout: float, lang: Language) -> None:
    for finding in given.findings(timeout):
        if finding.severity == "failure":
            complain(in_a_sentence(finding).said(lang))
        else:
            say(finding.seen.said(lang))
    if given.is_bound:
        where = on_server(volume.server, volume.path)
        say(
            Text(
                f"claim {given.claim} has {where}; deleting it keeps PV {given.pv} and all data",
                f"PVC {given.claim} 已得到 {where}；删除它会保留 PV {given.pv} 和全部数据",
            ).said(lang)
        )
        say(
            Text(
                "the directory is adopted: Berth did not make it, so its end is retain (PV policy Retain)",
                "该目录是收养的（adopted）：不是 Berth 创建的，因此 PVC 删除之后会保留（PV 策略 Retain）",
            ).said(lang)
        )
