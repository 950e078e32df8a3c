"""Changes what becomes of a volume when its claim is gone: on its PV and in its record. The one way to have an adopted
directory ever deleted or archived by Berth (I10).
"""

from __future__ import annotations

from dataclasses import dataclass

from berth.findings.finding import Subject
from berth.kube.access import read_cluster_uid
from berth.kube.client import Api
from berth.kube.manifest import ManifestApi, place
from berth.objects import translation
from berth.operations.errors import Stopped
from berth.operations.pvs import KnownVolume, read_volume
from berth.shares.choose import Shares
from berth.texts.text import Text
from berth.volumes.errors import VolumeError
from berth.volumes.plan import DefaultShare
from berth.volumes.records import Record
from berth.volumes.request import End
from berth.volumes.restoring import Restoring

MANAGER = "berth-volume-end"


@dataclass(frozen=True, slots=True)
class EndChange:
    """What is about to be changed."""

    known: KnownVolume
    record: Record | None
    """The volume's record; None where it has none."""
    before: End
    after: End

    @property
    def adopted(self) -> str:
        """When the directory was adopted; empty for one that Berth made."""
        return (self.record.adopted if self.record is not None else "") or self.known.record.adopted

    @property
    def is_none(self) -> bool:
        """Whether all of it is so already."""
        policy = translation.policy_of(self.known.volume)
        is_said = self.record is None or self.record.on_delete == self.after
        return self.before == self.after and is_said and (policy == "Delete" or self.after == "retain")


async def look(api: Api, shares: Shares, pv: str, end: End, share: DefaultShare) -> EndChange:
    """What the change would be. Stopped: the PV is not there or none of Berth's, or its record speaks against it."""
    cluster = await read_cluster_uid(api, otherwise="")
    known = await read_volume(api, pv, cluster, share)
    if known is None:
        raise Stopped(Text(f"there is no PV {pv}", f"没有名为 {pv} 的 PV"), Subject("volume", pv))
    if translation.phase_of(known.volume) == "Released" or known.volume.metadata.deletionTimestamp:
        raise Stopped(
            Text(
                f"the claim of PV {pv} is gone, and its end is under way; nothing is changed any more",
                f"PV {pv} 的 PVC 已不存在，正在收尾，不再更改",
            ),
            Subject("volume", pv),
        )
    try:
        record = await Restoring(cluster).read(pv, await shares.get(known.address), known.record)
    except VolumeError as error:
        raise Stopped(Text(f"PV {pv}: {error}", f"PV {pv}：{error}"), Subject("volume", pv)) from error
    return EndChange(known, record, known.record.on_delete, end)


async def set_end(api: ManifestApi, shares: Shares, change: EndChange) -> None:
    """Does it. First where it decides least: whatever is killed in between, nothing goes that was to be kept."""
    pv, known = change.known.record.pv, change.known
    restoring = Restoring(known.record.cluster)
    spec = {} if change.after == "retain" else {"persistentVolumeReclaimPolicy": "Delete"}
    annotations = {translation.ON_DELETE: change.after, translation.SHARE: str(known.address)}
    adopted = {} if change.after == "retain" else {translation.ADOPTED: None}
    on_pv = {"metadata": {"annotations": {**annotations, **adopted}}, "spec": spec}
    where = place("v1", "PersistentVolume", pv)
    if change.after == "retain":
        await api.merge(where, on_pv, manager=MANAGER)
    try:
        await restoring.set_end(pv, change.after, await shares.get(known.address), known.record)
    except VolumeError as error:
        raise Stopped(Text(f"PV {pv}: {error}", f"PV {pv}：{error}"), Subject("volume", pv)) from error
    if change.after != "retain":
        await api.merge(where, on_pv, manager=MANAGER)
