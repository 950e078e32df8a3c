"""`berth server manifest`: an NFS server inside the cluster, as YAML."""

from __future__ import annotations

import ipaddress
import re

import click

from berth.cli.commands import BerthCommand
from berth.cli.ending import EXIT_USAGE, end
from berth.cli.manner import language
from berth.cli.output import LANGUAGE, output_option, print_data, say_exactly
from berth.manifests.ganesha import GaneshaSettings, ganesha_manifests
from berth.manifests.yaml_text import to_yaml
from berth.settings.install import IMAGE
from berth.texts.images import how_to_get
from berth.texts.text import Language, Text

_DEFAULTS = GaneshaSettings(image="")
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,50}[a-z0-9])?")
_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?")
_PATH = re.compile(r"(/[A-Za-z0-9._-]+)+")
_WRONG = {
    "--image": Text("is no image", "不是镜像名"),
    "--name": Text("is no name of a Service", "不是合法的 Service 名称"),
    "--namespace": Text("is no name of a namespace", "不是合法的命名空间名称"),
    "--path": Text("is no plain absolute path, such as /share", "不是普通的绝对路径，例如 /share"),
    "--size": Text("is no size, such as 100Gi", "不是容量，例如 100Gi"),
    "--client": Text("is no network, such as 10.0.0.0/8", "不是网段，例如 10.0.0.0/8"),
    "--cluster-ip": Text("is no address", "不是 IP 地址"),
}
_HEADER = Text(
    """\
# An NFS server in the cluster. Nodes, where kubelet mounts, don't know names of Services: use its address,
#   kubectl -n {namespace} get service {name} -o jsonpath='{{.spec.clusterIP}}'
# as in: berth install --server ADDRESS --path {path}
{note}""",
    """\
# 集群内的 NFS 服务器。kubelet 在节点上挂载，而节点不认识 Service 的域名：请使用它的地址，
#   kubectl -n {namespace} get service {name} -o jsonpath='{{.spec.clusterIP}}'
# 例如：berth install --server 地址 --path {path}
{note}""",
)


def manifest_command() -> click.Command:
    """The command with its options."""
    return BerthCommand(
        "manifest",
        params=[
            click.Option(["--image"], required=True,
                         help="An image with bash, ganesha.nfsd and its VFS module, as Debian with its packages "
                         "nfs-ganesha and nfs-ganesha-vfs."),
            click.Option(["--name"], default=_DEFAULTS.name, show_default=True, help="Name of its objects."),
            click.Option(["-n", "--namespace"], default=_DEFAULTS.namespace, show_default=True, help="Where it runs."),
            click.Option(["--path"], default=_DEFAULTS.path, show_default=True, help="What clients mount."),
            click.Option(["--size"], default=_DEFAULTS.size, show_default=True, help="Size of the disk behind it."),
            click.Option(["--disk-class"], metavar="NAME", default="",
                         help="Class of that disk; not one that this server is to serve. [default: the cluster's]"),
            click.Option(["--client", "clients"], multiple=True, metavar="NETWORK",
                         help="Who may mount it; repeatable. [default: whoever reaches the Service]"),
            click.Option(["--no-root-squash"], is_flag=True,
                         help="Root of every client is root here: for images that chown their data when they start."),
            click.Option(["--cluster-ip"], metavar="ADDRESS", default="",
                         help="Address of the Service. [default: the cluster chooses]"),
            output_option("yaml", "json", "table"), LANGUAGE,
        ],
        callback=_manifest,
        short_help="Print the manifests of an NFS server inside the cluster.",
        help="Print the manifests of an NFS server inside the cluster: NFS-Ganesha in one pod, a disk of the cluster "
        "behind it, and a Service.\n\nFor clusters that have disks and no NFS host. Nothing is asked of any cluster: "
        "pipe the output to `kubectl apply -f -`.",
    )  # fmt: skip


def _manifest(
    image: str,
    name: str,
    namespace: str,
    path: str,
    size: str,
    disk_class: str,
    clients: tuple[str, ...],
    no_root_squash: bool,
    cluster_ip: str,
    output: str,
    lang: str | None,
) -> None:
    spoken = language(lang)
    _check("--image", image, bool(image) and not any(char.isspace() for char in image), spoken)
    _check("--name", name, _NAME.fullmatch(name), spoken)
    _check("--namespace", namespace, _NAME.fullmatch(namespace), spoken)
    _check("--path", path, _PATH.fullmatch(path) and ".." not in path, spoken)
    _check("--size", size, _QUANTITY.fullmatch(size), spoken)
    for client in clients:
        _check("--client", client, _is_network(client), spoken)
    _check("--cluster-ip", cluster_ip, not cluster_ip or _is_address(cluster_ip), spoken)
    settings = GaneshaSettings(
        image=image,
        name=name,
        namespace=namespace,
        path=path,
        size=size,
        disk_class=disk_class,
        clients=clients,
        root_squash=not no_root_squash,
        cluster_ip=cluster_ip,
    )
    manifests = ganesha_manifests(settings)
    if output == "json":
        print_data({"apiVersion": "v1", "kind": "List", "items": manifests}, output)
        return
    how = how_to_get(IMAGE)
    note = f"# {how.said(spoken)}\n" if how is not None else ""
    header = _HEADER.said(spoken).format(namespace=namespace, name=name, path=path, note=note)
    say_exactly(header + to_yaml(manifests).rstrip("\n"))


def _check(option: str, value: str, is_good: object, lang: Language) -> None:
    if not is_good:
        wrong = _WRONG[option]
        end(Text(f"{option}: {value!r} {wrong.en}", f"{option}：{value!r} {wrong.zh}"), EXIT_USAGE, lang=lang)


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
