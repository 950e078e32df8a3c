"""The end of a volume on its share: to the trash, into an archive or kept, as its plan says, and only what is shown to
be its own. Every step can be repeated, and killed anywhere.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from berth.volumes import archives
from berth.volumes.errors import Missing, Refused, Taken, Unavailable
from berth.volumes.metadata_dir import MetadataDirs, is_root
from berth.volumes.naming import HOME, SHARE_FILE, record_path, trash_path
from berth.volumes.others import Others
from berth.volumes.record_store import RecordStore
from berth.volumes.records import Record, record_of_released, released
from berth.volumes.release import ReleasePlan
from berth.volumes.share import Budget, Share

_IN_BETWEEN = Budget(seconds=5.0, entries=50_000)
"""How much of an earlier volume of the same name is purged while a release waits for it."""


class Ending:
    """The ends of one cluster's volumes."""

    def __init__(self, cluster: str, metadata: MetadataDirs, records: RecordStore, others: Others) -> None:
        self._cluster = cluster
        self._metadata = metadata
        self._records = records
        self._others = others

    async def release(self, plan: ReleasePlan, share: Share) -> str:
        """Does what the plan says with the directory. Answers where it is now: a path on the share, empty for nowhere.

        An adopted directory is kept, whatever the plan says (I10). Refused when neither a record nor the path itself
        proves that the directory is this volume's, and when a share of its own has its root there.
        """
        recorded = await self._record_of(plan, share)
        if recorded is not None and recorded.adopted:
            plan = replace(plan, end="retain")
        try:
            is_anothers = await is_root(plan.path, share)
        except Missing:
            if recorded is None and plan.by_berth:
                await self._metadata.require(share)
            return "" if plan.end == "retain" else await self._moved_already(plan, share)
        if plan.end == "retain":
            await self._keep(plan, recorded, share)
            return plan.path
        await self._metadata.open(share)
        record = recorded or self._prove(plan)
        if is_anothers:
            raise Refused(
                "spec.nfs.path",
                f"{plan.path!r} is the root of another share, which holds {plan.path}/{SHARE_FILE}, and volumes may be "
                f"in it; remove {plan.path}/{HOME} once that share is given up",
            )
        earlier: list[Record] = []
        if not plan.is_unique:
            try:
                earlier = await self._others.before_end(plan, recorded, share)
            except Refused:
                if not await self._moved(plan, share):
                    raise
                return await self._moved_already(plan, share)  # and what is in its place by now is another's
        if recorded is None:
            await self._records.write(record, share)
        where = await (self._delete(plan, share) if plan.end == "delete" else self._archive(plan, record, share))
        await self._forget(earlier, share)
        return where

    async def _record_of(self, plan: ReleasePlan, share: Share) -> Record | None:
        record = await self._records.read(plan.pv, share)
        if record is None:
            return None
        if record.cluster != self._cluster:
            raise Refused(record_path(plan.pv), f"says that the volume is cluster {record.cluster}'s, not this one's")
        if (record.pv, record.path) != (plan.pv, plan.path):
            raise Refused(
                record_path(plan.pv),
                f"says that the volume is at {record.path!r}, but PV {plan.pv} points to {plan.path!r}",
            )
        return record

    def _prove(self, plan: ReleasePlan) -> Record:
        if plan.by_berth and not plan.is_unique:
            shown = "which all volumes of Berth's have, and the names of claims can be chosen"
        elif not plan.is_expected_path:
            shown = (
                f"and claim {plan.claim} and PV {plan.pv} alone do not lead there by the pattern of class "
                f"{plan.class_name!r}"
            )
        else:
            return record_of_released(plan, self._cluster)
        raise Refused(
            "spec.nfs.path",
            f"{plan.path!r} has no record on the share, {shown}, so nothing shows that Berth made it for them; it is "
            f"left alone. Set the PV's reclaim policy to Retain and remove by hand what is no longer needed",
        )

    async def _keep(self, plan: ReleasePlan, record: Record | None, share: Share) -> None:
        """Writes down that the directory outlives its claim, if it is shown to be this PV's."""
        if record is None and plan.is_expected_path and (plan.is_unique or not plan.by_berth):
            record = record_of_released(plan, self._cluster)
        if record is None or record.released:
            return
        await self._metadata.open(share)
        await self._records.write(released(record), share)
        if not plan.is_unique:
            await self._forget(await self._others.earlier(plan, share), share)

    async def _forget(self, earlier: list[Record], share: Share) -> None:
        """Removes the records of volumes of the same claim, from before, that were handed on to this one."""
        for record in earlier:
            await self._records.remove(record.pv, share)

    async def _archive(self, plan: ReleasePlan, record: Record, share: Share) -> str:
        try:
            name = await archives.archive(record, share)
        except Missing:  # Berth's own directory has holes
            await self._metadata.reopen(share)
            name = await archives.archive(record, share)
        if not name:
            return await self._moved_already(plan, share)
        await self._records.remove(plan.pv, share)
        return name

    async def _delete(self, plan: ReleasePlan, share: Share) -> str:
        """Moves the directory to the trash by one rename (I4)."""
        target = trash_path(plan.pv)
        with suppress(Missing):
            try:
                await share.rename(plan.path, target)
            except Missing:  # the directory, or the trash: that can be mended
                await self._metadata.reopen(share)
                await share.rename(plan.path, target)
            except Taken:
                # An earlier attempt moved this volume. What is in its place by now may be another's, unless it bears
                # this PV's name: then a late repetition of its creation made it again.
                if plan.is_unique:
                    removal = await share.remove_tree(target, budget=_IN_BETWEEN)
                    if not removal.is_through:
                        why = "an earlier one of its name is still being purged"
                        raise Unavailable(str(share.address), "io", why, path=target) from None
                    await share.rename(plan.path, target)
            return target
        return await self._moved_already(plan, share)

    async def _moved_already(self, plan: ReleasePlan, share: Share) -> str:
        """The directory is not at its path: an earlier attempt moved it, or somebody removed it by hand."""
        where = await self._moved(plan, share)
        if where != trash_path(plan.pv):
            await self._records.remove(plan.pv, share)
        return where

    async def _moved(self, plan: ReleasePlan, share: Share) -> str:
        """Where an earlier attempt moved the directory; empty if none did."""
        with suppress(Missing):
            await share.stat(trash_path(plan.pv))
            return trash_path(plan.pv)
        if plan.end == "archive":
            with suppress(Missing):
                return await archives.finished(record_of_released(plan, self._cluster), share)
        return ""
