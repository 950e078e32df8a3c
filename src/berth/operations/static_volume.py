"""A static volume: a directory that exists already, given to one claim and to no other, and never removed by anybody.

The PV names the claim and the claim names the PV, and neither has a class: no other claim gets the PV, and no default
class gives the claim another one.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from berth.kube.errors import NotFound
from berth.kube.manifest import Manifest, ManifestApi, place, place_of
from berth.operations.apply import Applied, apply_all
from berth.operations.errors import Stopped
from berth.reconcilers.places import normal
from berth.shares.choose import Shares
from berth.texts.text import Text
from berth.volumes.errors import Refused, VolumeError
from berth.volumes.naming import overlaps
from berth.volumes.parameters import parse_export, parse_server, share_address

ACCESS_MODES = ("ReadWriteMany", "ReadWriteOnce", "ReadOnlyMany", "ReadWriteOncePod")
SAFE = ("hard", "nfsvers=4.1")
"""hard: while the server is away, programs wait and lose nothing; 4.1: one port, and locks that survive a restart."""
_MOVING = re.compile(r"\.nas\.aliyuncs\.com$|\.efs\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$|\.sfsturbo\.internal$")
"""File services of clouds that advise noresvport: a client that reconnects from a new port gets through at once."""
_NOTICED = 5.0
"""Seconds that the PV controller is given to notice a PV."""
_LOOK = 0.2


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


@dataclass(frozen=True, slots=True)
class Given:
    """What became of it."""

    pv: str
    claim: str
    applied: tuple[Applied, ...]
    is_bound: bool
    beside: tuple[str, ...]
    """Other PVs on this directory, in it or above it: `name (claim, policy)`."""


def checked(volume: StaticVolume) -> StaticVolume:
    """The same, in normal form. Refused, naming the option, for what can't be or would be dangerous."""
    server = parse_server(volume.server, "--server")
    path = parse_export(volume.path, "--path")
    options = all_options(server, volume.mount_options)
    share_address(server, path, options)
    if not volume.is_read_only and any(option in ("soft", "softerr") for option in options):
        raise Refused(
            "--mount-option",
            "soft lets writes fail when the server is away for a moment, and programs that don't look lose data; leave "
            "it out, or make the volume --read-only",
        )
    modes = (
        ("ReadOnlyMany",) if volume.is_read_only and volume.access_modes == ("ReadWriteMany",) else volume.access_modes
    )
    return StaticVolume(
        server, path, volume.namespace, volume.claim, volume.size, modes, options, volume.is_read_only, volume.name
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
    nfs: dict[str, Any] = {"server": volume.server, "path": volume.path}
    if volume.is_read_only:
        nfs["readOnly"] = True
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": volume.pv, "labels": labels},
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
    shares = Shares(timeout=deadline)
    try:
        share = await shares.get(share_address(volume.server, volume.path, volume.mount_options))
        entry = await share.stat("")
    except VolumeError as error:
        raise Stopped(
            Text(
                f"{volume.server}:{volume.path} can't be used: {error}",
                f"无法使用 {volume.server}:{volume.path}：{error}",
            )
        ) from error
    finally:
        await shares.aclose()
    if entry.kind != "directory":
        raise Stopped(
            Text(
                f"{volume.server}:{volume.path} is no directory but a {entry.kind}",
                f"{volume.server}:{volume.path} 不是目录，而是 {entry.kind}",
            )
        )


async def give(api: ManifestApi, volume: StaticVolume, *, patience: float, told: Callable[[Applied], None]) -> Given:
    """Applies PV and claim, and waits until they are bound to each other. Stopped when something of these names is
    there already and is another's; KubeError. Repeatable. volume: checked. patience: seconds.
    """
    pv, claim = static_manifests(volume)
    await _check_pv(api, volume)
    await _check_claim(api, volume)
    beside = await _beside(api, volume)
    applied = await apply_all(api, [pv], told)
    # The PV controller has seen the PV by then, and binds the claim when it comes, not at its next look around.
    await _wait_phase(api, pv, ("Available", "Bound"), min(patience, _NOTICED))
    applied += await apply_all(api, [claim], told)
    is_bound = await _wait_phase(api, claim, ("Bound",), patience)
    return Given(volume.pv, f"{volume.namespace}/{volume.claim}", tuple(applied), is_bound, beside)


async def _wait_phase(api: ManifestApi, manifest: Manifest, phases: tuple[str, ...], patience: float) -> bool:
    """Returns once the object is in one of these phases; False when it is not before patience is over."""
    clock, where = asyncio.get_running_loop().time, place_of(manifest)
    end = clock() + patience
    while True:
        if (await api.read(where)).get("status", {}).get("phase") in phases:
            return True
        if clock() >= end:
            return False
        await asyncio.sleep(_LOOK)


async def _check_pv(api: ManifestApi, volume: StaticVolume) -> None:
    try:
        found = await api.read(place("v1", "PersistentVolume", volume.pv))
    except NotFound:
        return
    spec, phase = found["spec"], found.get("status", {}).get("phase", "")
    nfs, claim = spec.get("nfs") or {}, spec.get("claimRef") or {}
    where = f"{nfs.get('server', '?')}:{nfs.get('path', '?')}"
    if (nfs.get("server"), nfs.get("path")) != (volume.server, volume.path):
        raise Stopped(
            Text(
                f"PV {volume.pv} exists already and is {where}; take another name with --name",
                f"PV {volume.pv} 已存在，指向 {where}；请用 --name 换个名字",
            )
        )
    if (claim.get("namespace"), claim.get("name")) != (volume.namespace, volume.claim):
        whose = f"{claim.get('namespace')}/{claim.get('name')}" if claim else "-"
        raise Stopped(
            Text(
                f"PV {volume.pv} exists already, for claim {whose}; take another name with --name",
                f"PV {volume.pv} 已存在，属于 PVC {whose}；请用 --name 换个名字",
            )
        )
    if phase == "Released" and claim.get("uid"):  # without the uid it was freed, which takes a moment to show
        patch = '{"spec":{"claimRef":{"uid":null,"resourceVersion":null}}}'
        command = f"kubectl patch pv {volume.pv} -p '{patch}'"
        raise Stopped(
            Text(
                f"PV {volume.pv} still belongs to an earlier claim of that name (Released); its data is untouched. "
                f"Free it with `{command}` and try again",
                f"PV {volume.pv} 仍属于先前同名的 PVC（Released），数据没有动。执行 `{command}` 释放后重试",
            )
        )


async def _check_claim(api: ManifestApi, volume: StaticVolume) -> None:
    try:
        found = await api.read(place("v1", "PersistentVolumeClaim", volume.claim, volume.namespace))
    except NotFound:
        return
    bound = found["spec"].get("volumeName", "")
    key = f"{volume.namespace}/{volume.claim}"
    if bound != volume.pv:
        said = Text(f"has PV {bound}", f"已绑定 PV {bound}") if bound else Text("names no PV", "没有指定 PV")
        raise Stopped(
            Text(
                f"claim {key} exists already and {said.en}; take another name for the claim, or delete it if nobody "
                f"needs it",
                f"PVC {key} 已存在，{said.zh}；请换个 PVC 名，或在无人使用时删除它",
            )
        )


async def _beside(api: ManifestApi, volume: StaticVolume) -> tuple[str, ...]:
    found = []
    for one in (await api.read(place("v1", "PersistentVolume")))["items"]:
        nfs, claim = one["spec"].get("nfs"), one["spec"].get("claimRef") or {}
        if one["metadata"]["name"] == volume.pv or not nfs or nfs["server"].lower() != volume.server.lower():
            continue
        if overlaps(normal(nfs["path"]).strip("/"), volume.path.strip("/")):
            whose = f"{claim['namespace']}/{claim['name']}, " if claim.get("name") else ""
            policy = one["spec"].get("persistentVolumeReclaimPolicy", "")
            found.append(f"{one['metadata']['name']} ({whose}{policy})")
    return tuple(found)
