"""A static volume: a directory that exists already, given to one claim and to no other. It is adopted: Berth did not
make it and serves it because it was told to, so its end is retain, and nobody removes it.

The PV names the claim and the claim names the PV, and neither has a class: no other claim gets the PV, and no default
class gives the claim another one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from berth.findings.finding import Subject
from berth.kube.manifest import Manifest
from berth.objects.translation import ADOPTED, ON_DELETE
from berth.operations.errors import Stopped
from berth.shares.choose import Shares
from berth.texts.text import Text
from berth.volumes.errors import Refused, VolumeError
from berth.volumes.parameters import mountable_address, parse_export, parse_server, share_address
from berth.volumes.server_name import bracketed, on_server

ONE_POD = "ReadWriteOncePod"
ACCESS_MODES = ("ReadWriteMany", "ReadWriteOnce", "ReadOnlyMany", ONE_POD)
SAFE = ("hard", "nfsvers=4.1")
"""hard: while the server is away, programs wait and lose nothing; 4.1: one port, and locks that survive a restart."""
_MOVING = re.compile(r"\.nas\.aliyuncs\.com$|\.efs\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$|\.sfsturbo\.internal$")
"""File services of clouds that advise noresvport: a client that reconnects from a new port gets through at once."""
_LONGEST_PV = 255 - len(".json")


@dataclass(frozen=True, slots=True)
class StaticVolume:
    """What is wanted."""

    server: str
    path: str
    namespace: str
    claim: str
    size: str
    access_modes: tuple[str, ...] = ("ReadWriteMany",)
    mount_options: tuple[str, ...] = ()
    """Those asked for; what is safe is added, where they don't say otherwise."""
    is_read_only: bool = False
    name: str = ""
    """Of the PV; empty: `<namespace>-<claim>`."""

    @property
    def pv(self) -> str:
        """The PV's name."""
        return self.name or f"{self.namespace}-{self.claim}"


def checked(volume: StaticVolume) -> StaticVolume:
    """The same, in normal form. Refused, naming the option, for what can't be or would be dangerous."""
    server = parse_server(volume.server, "--server")
    path = parse_export(volume.path, "--path")
    options = all_options(server, volume.mount_options)
    mountable_address(server, path, options, field="--server")
    if not volume.is_read_only and any(option in ("soft", "softerr") for option in options):
        raise Refused(
            "--mount-option",
            "soft lets writes fail when the server is away for a moment, and programs that don't look lose data; leave "
            "it out, or make the volume --read-only",
        )
    _check_name(volume)
    modes = (
        ("ReadOnlyMany",) if volume.is_read_only and volume.access_modes == ("ReadWriteMany",) else volume.access_modes
    )
    return StaticVolume(
        server, path, volume.namespace, volume.claim, volume.size, modes, options, volume.is_read_only, volume.name
    )


def _check_name(volume: StaticVolume) -> None:
    """Refused for a name of which no record could be kept: a share keeps them as files called after their PV."""
    if len(volume.pv.encode()) > _LONGEST_PV:
        option = "--name" if volume.name else "--claim"
        raise Refused(
            option,
            f"the PV would be called {volume.pv[:40]}…, which is {len(volume.pv.encode())} bytes; its record on a "
            f"share is the file <PV>.json, and a file's name has at most 255: give it a name of at most {_LONGEST_PV} "
            f"with --name",
        )


def all_options(server: str, asked: tuple[str, ...]) -> tuple[str, ...]:
    """The mount options: what is safe, unless those asked for say otherwise, then those."""
    given = [option for one in asked for option in one.split(",") if option]
    keys = {option.partition("=")[0] for option in given}
    options = []
    if not keys & {"hard", "soft", "softerr"}:
        options.append(SAFE[0])
    if not keys & {"nfsvers", "vers"} and not any(re.fullmatch(r"v[34](\.\d)?", key) for key in keys):
        options.append(SAFE[1])
    if _MOVING.search(server.lower()) and not keys & {"resvport", "noresvport"}:
        options.append("noresvport")
    return (*options, *given)


def static_manifests(volume: StaticVolume) -> list[Manifest]:
    """The PV and the claim, in the order in which they are applied. volume: checked."""
    labels = {"app.kubernetes.io/managed-by": "berth"}
    nfs: dict[str, Any] = {"server": bracketed(volume.server), "path": volume.path}
    end = {ON_DELETE: "retain", ADOPTED: "true"}  # said as on every volume, beside the policy that Kubernetes goes by
    if volume.is_read_only:
        nfs["readOnly"] = True
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": volume.pv, "labels": labels, "annotations": end},
            "spec": {
                "capacity": {"storage": volume.size},
                "accessModes": list(volume.access_modes),
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": "",
                "volumeMode": "Filesystem",
                "claimRef": {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "namespace": volume.namespace,
                    "name": volume.claim,
                },
                "mountOptions": list(volume.mount_options),
                "nfs": nfs,
            },
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": volume.claim, "namespace": volume.namespace, "labels": labels},
            "spec": {
                "accessModes": list(volume.access_modes),
                "storageClassName": "",
                "volumeName": volume.pv,
                "resources": {"requests": {"storage": volume.size}},
            },
        },
    ]


async def check_directory(volume: StaticVolume, *, deadline: float = 10.0) -> None:
    """Stopped unless the directory can be reached over NFS from here. volume: checked. Only looks."""
    shares, about = Shares(timeout=deadline), Subject("share", on_server(volume.server, volume.path))
    try:
        share = await shares.get(share_address(volume.server, volume.path, volume.mount_options))
        entry = await share.stat("")
    except VolumeError as error:
        raise Stopped(
            Text(
                f"{about.name} can't be used: {error}",
                f"无法使用 {about.name}：{error}",
            ),
            about,
        ) from error
    finally:
        await shares.aclose()
    if entry.kind != "directory":
        raise Stopped(
            Text(
                f"{about.name} is no directory but a {entry.kind}",
                f"{about.name} 不是目录，而是 {entry.kind}",
            ),
            about,
        )
