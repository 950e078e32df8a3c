"""Brings volumes back whose directories are in the trash or archived: directory in its place, record right, PV there.

A PV that is not in the cluster is made again from its record, for the claim that it had, and is kept at its end: who
files that claim again gets it. It is made first, since nothing is purged while its PV is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from berth.findings.finding import Subject
from berth.kube.access import read_cluster_uid
from berth.kube.client import Api
from berth.kube.manifest import Manifest, ManifestApi, place
from berth.objects import translation
from berth.objects.quantity import from_bytes
from berth.operations.errors import Stopped
from berth.operations.findings import find
from berth.operations.pvs import KnownShare, KnownVolume, read_volume, shares_in_use
from berth.shares.choose import Shares
from berth.texts.text import Text
from berth.volumes.errors import VolumeError
from berth.volumes.plan import DefaultShare
from berth.volumes.request import End
from berth.volumes.restoring import Found, Restoring
from berth.volumes.server_name import bracketed

MANAGER = "berth-volume-restore"
RESTORING = "berth.io/restoring"
"""On a PV that was made again, until its directory is in its place."""
PATIENCE = 15.0
"""Seconds in which a purge that had begun before the PV was made lets go: it asks for the PV at each of its turns."""


@dataclass(frozen=True, slots=True)
class Restoration:
    """One volume that can be brought back."""

    pv: str
    found: Found
    share: KnownShare
    known: KnownVolume | None
    """The PV; None where it has to be made again."""

    @property
    def is_ended(self) -> bool:
        """Whether the PV would come to its end again at once: its claim is gone."""
        return self.known is not None and translation.phase_of(self.known.volume) in ("Released", "Failed")

    @property
    def end(self) -> End | None:
        """What is to become of it from now on, where that changes: what was deleted once is kept."""
        return "retain" if self.known is None or self.is_ended else None

    @property
    def must_wait(self) -> bool:
        """Whether a purge may have begun."""
        annotations = self.known.volume.annotations if self.known else {RESTORING: ""}
        return self.found.is_from_trash and RESTORING in annotations


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of one."""

    pv: str
    claim: str
    share: str
    path: str
    source: str
    """Where the directory was; empty if it was in its place already."""
    phase: str
    """The PV's, at the end."""
    was_made: bool
    """Whether the PV was made again."""
    is_kept: bool
    """Whether its end was changed to retain."""


async def find_volumes(api: Api, shares: Shares, pvs: tuple[str, ...], share: DefaultShare) -> list[Restoration]:
    """Where these PVs' directories are. Only looks. Stopped, naming the PV, for one that can't be brought back."""
    cluster = await read_cluster_uid(api, otherwise="")
    restoring = Restoring(cluster)
    candidates: list[KnownShare] | None = None
    found = []
    for pv in dict.fromkeys(pvs):
        known = await read_volume(api, pv, cluster, share)
        if known is not None:
            options = tuple((known.volume.spec.mountOptions if known.volume.spec else None) or ())
            where = [KnownShare(known.address, options)]
        else:
            candidates = where = await shares_in_use(api, share) if candidates is None else candidates
        found.append(await _find(shares, restoring, pv, known, where, is_told=bool(share.server)))
    return found


async def restore(
    api: ManifestApi,
    shares: Shares,
    wanted: list[Restoration],
    *,
    patience: float = PATIENCE,
    told: Callable[[Restored], None] = lambda _: None,
) -> list[Restored]:
    """Brings them back. Repeatable, also after it was killed anywhere. Stopped; KubeError. patience: seconds in which
    purges let go, once for all.
    """
    restoring = Restoring(await read_cluster_uid(api, otherwise=""))
    for one in wanted:
        await _prepare_pv(api, one)
    if any(one.must_wait for one in wanted):
        await asyncio.sleep(patience)
    done = []
    for one in wanted:
        try:
            await restoring.bring_back(one.found, await shares.get(one.share.address), end=one.end)
        except VolumeError as error:
            raise Stopped(
                Text(f"PV {one.pv} is not back: {error}", f"PV {one.pv} 没有恢复：{error}"), Subject("volume", one.pv)
            ) from error
        annotations = {RESTORING: None}
        pv = await api.merge(_place(one.pv), {"metadata": {"annotations": annotations}}, manager=MANAGER)
        record = one.found.record
        done.append(
            Restored(
                pv=one.pv,
                claim=str(record.owner),
                share=str(one.share.address),
                path=record.path,
                source="" if one.found.is_in_place else one.found.where,
                phase=pv.get("status", {}).get("phase", ""),
                was_made=one.known is None,
                is_kept=one.end is not None,
            )
        )
        told(done[-1])
    return done


async def _find(
    shares: Shares, restoring: Restoring, pv: str, known: KnownVolume | None, where: list[KnownShare], *, is_told: bool
) -> Restoration:
    """is_told: the share was named by who asks, and need not be asked for."""
    troubles, about = [], Subject("volume", pv)
    for candidate in where:
        try:
            share = await shares.get(candidate.address)
            found = await restoring.find(pv, share, known.record if known is not None else None)
        except VolumeError as error:
            troubles.append(str(error))
            continue
        if found is not None:
            return Restoration(pv, found, candidate, known)
    if troubles:
        raise Stopped(Text(f"PV {pv}: {'; '.join(troubles)}", f"PV {pv}：{'；'.join(troubles)}"), about)
    if known is not None:
        place_text = f"{known.address}/{known.record.path}"
        raise Stopped(find("directory-gone", about, Subject("share", str(known.address)), place=place_text))
    listed = [str(one.address) for one in where]
    said = find("volume-unknown", about, variant="elsewhere" if listed else "nowhere", shares=", ".join(listed))
    raise Stopped(said.seen if is_told else said, about)


async def _prepare_pv(api: ManifestApi, one: Restoration) -> None:
    """Has the PV in the cluster, and not on its way out."""
    if one.known is None:
        await api.apply(_pv_again(one), manager=MANAGER)
        return
    if one.known.volume.metadata.deletionTimestamp:
        raise Stopped(find("volume-going", Subject("volume", one.pv)))
    if one.is_ended:
        change: dict[str, Any] = {
            "metadata": {"annotations": {translation.ON_DELETE: "retain", RESTORING: "true"}},
            "spec": {"persistentVolumeReclaimPolicy": "Retain", "claimRef": {"uid": None, "resourceVersion": None}},
        }
        await api.merge(_place(one.pv), change, manager=MANAGER)


def _pv_again(one: Restoration) -> Manifest:
    """The PV as its record describes it, for the claim that it had, whoever files it."""
    record, address = one.found.record, one.share.address
    annotations = {
        translation.PROVISIONED_BY: record.provisioner,
        translation.ON_DELETE: "retain",
        translation.SHARE: str(address),
        RESTORING: "true",
        **({translation.ADOPTED: "true"} if record.adopted else {}),
        **({translation.SHARED_PATHS: record.sharing} if record.sharing else {}),
    }
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": one.pv, "annotations": {key: value for key, value in annotations.items() if value}},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "capacity": {"storage": from_bytes(record.capacity or 1)},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": record.namespace,
                "name": record.claim,
            },
            "mountOptions": list(one.share.options),
            "nfs": {"server": bracketed(address.server), "path": f"{address.export.rstrip('/')}/{record.path}"},
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": record.class_name,
            "volumeMode": "Filesystem",
        },
    }


def _place(pv: str) -> Any:
    return place("v1", "PersistentVolume", pv)
