"""The options of `berth install`, and the settings that they come to."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import click

from berth.cli.cluster import CONTEXT, KUBECONFIG
from berth.cli.output import LANGUAGE, output_option
from berth.settings.controller import OWN_PROVISIONER, PROVISIONERS
from berth.settings.install import CLASS_NAME, IMAGE, NAME, NAMESPACE, ClassSettings, InstallSettings
from berth.volumes.errors import Refused
from berth.volumes.parameters import parse_export, parse_server

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?")
"""Short enough for what is made of it, such as NAME-metrics."""


def share_options() -> list[click.Parameter]:
    """The NFS server and how to mount from it."""
    return [
        click.Option(["--server"], metavar="HOST", required=True, help="NFS server: a name or an address."),
        click.Option(["--path"], metavar="PATH", required=True, help="The path that it exports, such as /srv/nfs/k8s."),
        click.Option(
            ["--mount-option", "mount_options"], multiple=True, metavar="OPTION",
            help="Mount option of the class's volumes, such as nfsvers=4.1; repeatable.",
        ),
        click.Option(
            ["--mount"], is_flag=True,
            help="Mount the export into the controller's pods: for servers without NFS 3 and 4.0. Runs as root.",
        ),
    ]  # fmt: skip


def class_options() -> list[click.Parameter]:
    """The class."""
    return [
        click.Option(["--class", "class_name"], metavar="NAME", default=CLASS_NAME, show_default=True,
                     help="The class that is made."),
        click.Option(["--no-class"], is_flag=True, help="Make none."),
        click.Option(["--default-class"], is_flag=True, help="Make it the cluster's default."),
        click.Option(["--on-delete"], type=click.Choice(["archive", "delete", "retain"]),
                     help="What becomes of a directory when its claim is deleted. [default: archive]"),
        click.Option(["--parameter", "parameters"], multiple=True, metavar="KEY=VALUE",
                     help="Another parameter of the class, such as uid=1000; repeatable."),
        click.Option(["--reclaim-policy"], type=click.Choice(["Delete", "Retain"]), default="Delete",
                     show_default=True, help="What becomes of a PV when its claim is deleted."),
    ]  # fmt: skip


def controller_options() -> list[click.Parameter]:
    """The controller."""
    return [
        click.Option(["--provisioner-name"], metavar="NAMES",
                     help="Provisioner names to answer to, comma separated; the class has the first. "
                     f"[default: {OWN_PROVISIONER}]"),
        click.Option(["--name"], default=NAME, show_default=True, help="Name of the installation and its objects."),
        click.Option(["-n", "--namespace"], default=NAMESPACE, show_default=True, help="Where the controller runs."),
        click.Option(["--image"], default=IMAGE, show_default=True, help="The image, as your nodes can pull it."),
        click.Option(["--pull-secret", "pull_secrets"], multiple=True, metavar="NAME",
                     help="Secret for a private registry; repeatable."),
        click.Option(["--replicas"], type=click.IntRange(1, 10), default=2, show_default=True,
                     help="Pods: one leads, the others stand by."),
        click.Option(["--reserved-port"], type=click.Choice(["auto", "sysctl", "capability", "none"]), default="auto",
                     show_default=True, help="How to call from a port below 1024 without being root."),
        click.Option(["--kubernetes-version"], metavar="VERSION",
                     help="Release to write for, such as 1.20. [default: the cluster's, else 1.21 or newer]"),
        click.Option(["--service-monitor"], is_flag=True, help="Add a ServiceMonitor for the Prometheus operator."),
        click.Option(["--provisioner-capability"], is_flag=True, help="Add what KubeSphere 3.0 and 3.1 read."),
    ]  # fmt: skip


def apply_options() -> list[click.Parameter]:
    """Printing or applying."""
    return [
        click.Option(["--apply", "is_applied"], is_flag=True, help="Apply it to the cluster, and wait."),
        click.Option(["--timeout"], type=click.FloatRange(0, 3600), default=180.0, metavar="SECONDS",
                     help="How long to wait for the pods. [default: 180]"),
        output_option("yaml"), KUBECONFIG, CONTEXT, LANGUAGE,
    ]  # fmt: skip


def settings_from(
    *, server: str, path: str, class_name: str, no_class: bool, default_class: bool, on_delete: str | None,
    parameters: tuple[str, ...], reclaim_policy: str, provisioner_name: str | None, name: str, namespace: str,
    kubernetes_version: str | None, **others: Any,
) -> InstallSettings:  # fmt: skip
    """The settings. Refused, naming the option."""
    server, path = parse_server(server, "--server"), parse_export(path, "--path")
    for option, text in (("--name", name), ("--namespace", namespace)):
        if not _NAME.fullmatch(text):
            raise Refused(option, f"{text!r} is not a name of small letters, digits and `-`, at most 53 of them")
    try:
        provisioners = PROVISIONERS.parse(OWN_PROVISIONER if provisioner_name is None else provisioner_name)
    except ValueError as error:
        raise Refused("--provisioner-name", str(error)) from None
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", class_name):
        raise Refused("--class", f"{class_name!r} is not a class's name of small letters, digits, `-` and `.`")
    if no_class and default_class:
        raise Refused("--default-class", "needs a class, and --no-class says to make none")
    options = others.pop("mount_options")
    wanted = ClassSettings(
        name=class_name,
        provisioner=provisioners[0],
        default=default_class,
        parameters={"onDelete": on_delete} if on_delete else {"archiveOnDelete": "true"},
        mount_options=options,
        reclaim_policy="Retain" if reclaim_policy == "Retain" else "Delete",
    )
    wanted = dataclasses.replace(wanted, parameters={**wanted.parameters, **_parameters(parameters)})
    return InstallSettings(
        server=server,
        export=path,
        provisioners=provisioners,
        classes=() if no_class else (wanted,),
        name=name,
        namespace=namespace,
        kubernetes=_version(kubernetes_version),
        mount_options=options,
        **others,
    )


def _parameters(given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for one in given:
        key, equals, value = one.partition("=")
        if not equals or not key:
            raise Refused("--parameter", f"{one!r} is not KEY=VALUE, such as uid=1000")
        found[key] = value
    return found


def _version(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = re.fullmatch(r"v?(\d{1,2})\.(\d{1,3})(\..*)?", text)
    if match is None:
        raise Refused("--kubernetes-version", f"{text!r} is not a release such as 1.20")
    return int(match[1]), int(match[2])


def as_option(field: str) -> str:
    """The option that set what a refusal names."""
    return {"mountOptions": "--mount-option"}.get(field, field.replace("parameter ", "--parameter ", 1))
