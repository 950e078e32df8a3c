"""Records of old volumes on their share: written before Berth starts, removed when one goes back. Nothing else there is
touched, and `.berth/` is made where it is missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from berth.operations.takeover.inventory import OldVolume
from berth.operations.takeover.share import side_by_side
from berth.shares.choose import Shares
from berth.volumes.errors import Missing, Refused, Taken
from berth.volumes.metadata_dir import MetadataDirs, find_metadata_dir
from berth.volumes.naming import TRASH, record_path
from berth.volumes.others import in_the_way
from berth.volumes.record_store import RecordStore
from berth.volumes.share import ShareAddress


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of the records."""

    written: int
    present: int
    """They had one already."""
    refused: tuple[tuple[str, str], ...]
    """PVs that can't have one, and why: the record there is another's, or another cluster uses the directory."""


async def write_records(shares: Shares, volumes: Iterable[OldVolume], cluster: str) -> Recorded:
    """Writes a record for each volume that lacks one. Unavailable (VolumeError) ends it; it can be repeated.

    volumes: those whose directory is there and shown to be their own.
    """
    metadata = MetadataDirs(cluster)
    records = RecordStore(cluster, metadata)

    async def write(volume: OldVolume) -> bool | str:
        """Whether it had none yet; why it can't have one."""
        assert volume.plan is not None
        share = await shares.get(volume.plan.share)
        record = volume.record(cluster)
        try:
            await metadata.open(share)
            if not volume.plan.is_unique:
                for other in (await records.overlapping(record.path, share, without=volume.pv)).certain:
                    if other.cluster != cluster and not other.released:
                        whose = f"cluster {other.cluster}"
                        raise in_the_way("path", record.path, other, whose, "in use", "move one of them elsewhere")
            await records.write(record, share, exclusive=True)
        except Refused as refusal:
            return str(refusal)
        except Taken:
            known = await records.read(volume.pv, share)
            if known is None or (known.cluster, known.path) == (cluster, record.path):
                return False
            whose = f"cluster {known.cluster}" if known.cluster != cluster else "this cluster"
            return f"{record_path(volume.pv)} says that the volume is {whose}'s, at {known.path!r}"
        return True

    wanted = list(volumes)
    for address in dict.fromkeys(one.plan.share for one in wanted if one.plan is not None):
        with suppress(Refused):  # told for each volume
            await metadata.open(await shares.get(address))
    answers = await side_by_side(write, wanted)
    return Recorded(
        written=answers.count(True),
        present=answers.count(False),
        refused=tuple((one.pv, why) for one, why in zip(wanted, answers, strict=True) if isinstance(why, str)),
    )


async def remove_records(shares: Shares, volumes: Iterable[OldVolume], cluster: str) -> int:
    """Removes the records of volumes that live, how many there were: whoever serves from now on would not keep them
    true. Records of volumes that were kept or archived stay. VolumeError; it can be repeated.
    """
    records = RecordStore(cluster, MetadataDirs(cluster))

    async def remove(volume: OldVolume) -> bool:
        assert volume.plan is not None
        share = await shares.get(volume.plan.share)
        try:
            known = await records.read(volume.pv, share)
        except Refused:
            return False
        if known is None or known.cluster != cluster or known.released:
            return False
        await records.remove(volume.pv, share)
        return True

    return (await side_by_side(remove, [one for one in volumes if one.plan is not None])).count(True)


async def waiting_trash(shares: Shares, addresses: Iterable[ShareAddress]) -> int:
    """How many deleted volumes are still to be purged. VolumeError."""
    count = 0
    for address in dict.fromkeys(addresses):
        share = await shares.get(address)
        with suppress(Missing):
            if await find_metadata_dir(share) is not None:
                count += len(await share.list(TRASH))
    return count
