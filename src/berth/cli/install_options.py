"""The options of `berth install`, and what they say. One that is left out says nothing: what runs stays as it is."""

from __future__ import annotations

import re
from typing import Any

import click

from berth.cli.asking import YES
from berth.cli.cluster_options import CONTEXT, KUBECONFIG
from berth.cli.image_options import image_options
from berth.cli.output import LANGUAGE, output_option
from berth.operations.asked import Asked, ClassAsked
from berth.operations.install_plan import NEWEST, OLDEST
from berth.settings.controller import OWN_PROVISIONER, PROVISIONERS
from berth.settings.install import CLASS_NAME, NAME, NAMESPACE, ReclaimPolicy
from berth.volumes.errors import Refused
from berth.volumes.parameters import parse_export, parse_server

SYSCTL_SINCE = (1, 22)
"""From which release on kubelets allow a pod its own net.ipv4.ip_unprivileged_port_start."""
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?")
"""Short enough for what is made of it, such as NAME-metrics."""


def share_options() -> list[click.Parameter]:
    """The NFS server and how to mount from it."""
    return [
        click.Option(["--server"], metavar="HOST",
                     help="NFS server: a name or an address. Can be left out with --apply where Berth runs already."),
        click.Option(["--path"], metavar="PATH", help="The path that it exports, such as /srv/nfs/k8s. Likewise."),
        click.Option(
            ["--mount-option", "mount_options"], multiple=True, metavar="OPTION",
            help="Mount option of the class's volumes, such as nfsvers=4.1; repeatable.",
        ),
        click.Option(
            ["--mount/--no-mount"], default=None,
            help="Mount the export into the controller's pods: for servers without NFS 3 and 4.0. Runs as root.",
        ),
    ]  # fmt: skip


def class_options() -> list[click.Parameter]:
    """The class."""
    return [
        click.Option(["--class", "class_name"], metavar="NAME",
                     help=f"The class that is made. [default: {CLASS_NAME}]"),
        click.Option(["--no-class"], is_flag=True, help="Make none, and leave those that are there."),
        click.Option(["--default-class"], is_flag=True,
                     help="Make it the cluster's default, and no other. Asks first if another one is."),
        click.Option(["--on-delete"], type=click.Choice(["archive", "delete", "retain"]),
                     help="What becomes of a directory when its claim is deleted. [default: archive]"),
        click.Option(["--parameter", "parameters"], multiple=True, metavar="KEY=VALUE",
                     help="Another parameter of the class, such as uid=1000; repeatable."),
        click.Option(["--reclaim-policy"], type=click.Choice(["Delete", "Retain"]),
                     help="What becomes of a PV when its claim is deleted. [default: Delete]"),
    ]  # fmt: skip


def controller_options() -> list[click.Parameter]:
    """The controller."""
    return [
        click.Option(["--provisioner-name"], metavar="NAMES",
                     help="Provisioner names to answer to, comma separated; the class has the first. "
                     f"[default: {OWN_PROVISIONER}]"),
        click.Option(["--name"], default=NAME, show_default=True, help="Name of the installation and its objects."),
        click.Option(["-n", "--namespace"], default=NAMESPACE, show_default=True,
                     help="Where the controller runs. Made if it is not there."),
        click.Option(["--use-existing"], is_flag=True,
                     help="The namespace may be one that Berth did not make. Whoever owns it owns Berth's rights."),
        *image_options(),
        click.Option(["--pull-secret", "pull_secrets"], multiple=True, metavar="NAME",
                     help="Secret for a private registry; repeatable."),
        click.Option(["--replicas"], type=click.IntRange(1, 10),
                     help="Pods: one leads, the others stand by. [default: 2]"),
        click.Option(["--reserved-port"], type=click.Choice(["auto", "sysctl", "capability", "none"]),
                     help="How to call from a port below 1024 without being root. [default: auto]"),
        click.Option(["--kubernetes-version"], metavar="VERSION",
                     help="Release to write for, such as 1.20. "
                     "[default: the cluster's where one answers, else any from 1.21 on]"),
        click.Option(["--service-monitor/--no-service-monitor"], default=None,
                     help="Add a ServiceMonitor for the Prometheus operator."),
        click.Option(["--prometheus-rule/--no-prometheus-rule"], default=None,
                     help="Add alerts for the Prometheus operator."),
        click.Option(["--provisioner-capability/--no-provisioner-capability"], default=None,
                     help="Add what KubeSphere 3.0 and 3.1 read."),
    ]  # fmt: skip


def apply_options() -> list[click.Parameter]:
    """Printing or applying."""
    return [
        click.Option(["--apply", "is_applied"], is_flag=True, help="Apply it to the cluster, and wait."),
        YES,
        click.Option(["--timeout"], type=click.FloatRange(0, 3600), default=180.0, metavar="SECONDS",
                     help="How long to wait for the pods. [default: 180]"),
        output_option(), KUBECONFIG, CONTEXT, LANGUAGE,
    ]  # fmt: skip


def asked_from(
    *, server: str | None, path: str | None, class_name: str | None, no_class: bool, default_class: bool,
    on_delete: str | None, parameters: tuple[str, ...], reclaim_policy: ReclaimPolicy | None,
    provisioner_name: str | None, name: str, namespace: str, use_existing: bool, kubernetes_version: str | None,
    mount_options: tuple[str, ...], image_is_there: bool = False, **others: Any,
) -> Asked:  # fmt: skip
    """What was said, and nothing of what was not. Refused, naming the option."""
    for option, text in (("--name", name), ("--namespace", namespace)):
        if not _NAME.fullmatch(text):
            raise Refused(option, f"{text!r} is not a name of small letters, digits and `-`, at most 53 of them")
    kubernetes = _version(kubernetes_version)
    if others.get("reserved_port") == "sysctl" and kubernetes is not None and kubernetes < SYSCTL_SINCE:
        since, asked = (".".join(map(str, each)) for each in (SYSCTL_SINCE, kubernetes))
        why = f"sysctl needs Kubernetes {since} or newer, and the manifests are for {asked}; use capability"
        raise Refused("--reserved-port", why)
    said = {
        "server": None if server is None else parse_server(server, "--server"),
        "export": None if path is None else parse_export(path, "--path"),
        "provisioners": None if provisioner_name is None else _provisioners(provisioner_name),
        "kubernetes": kubernetes,
        "mount_options": mount_options or None,
        **{option: None if value == () else value for option, value in others.items()},
    }
    if class_name is not None and not re.fullmatch(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", class_name):
        raise Refused("--class", f"{class_name!r} is not a class's name of small letters, digits, `-` and `.`")
    if no_class and default_class:
        raise Refused("--default-class", "needs a class, and --no-class says to make none")
    return Asked(
        name=name,
        namespace=namespace,
        uses_namespace=use_existing,
        has_image=image_is_there,
        settings={field: value for field, value in said.items() if value is not None},
        of_class=ClassAsked(
            name=class_name or "",
            is_none=no_class,
            default=default_class,
            parameters={**({"onDelete": on_delete} if on_delete else {}), **_parameters(parameters)},
            mount_options=mount_options,
            reclaim_policy=reclaim_policy,
        ),
    )


def _provisioners(text: str) -> tuple[str, ...]:
    try:
        return PROVISIONERS.parse(text)
    except ValueError as error:
        raise Refused("--provisioner-name", str(error)) from None


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
    release = int(match[1]), int(match[2])
    if not OLDEST <= release <= NEWEST:
        oldest, newest = (".".join(map(str, each)) for each in (OLDEST, NEWEST))
        raise Refused("--kubernetes-version", f"{text!r} is not a release that this Berth knows: {oldest} to {newest}")
    return release


def as_option(refusal: Refused) -> str:
    """The option that set what a refusal names."""
    if refusal.parameter is not None:
        return f"--parameter {refusal.parameter}"
    return {"mountOptions": "--mount-option"}.get(refusal.field, refusal.field)
