"""The birth of a volume on its share: record first, then the directory, in nobody else's place (I5, I10, I11).

A directory that Berth did not make and that holds something is refused, or adopted: served, and kept at its end. A
volume is served only where its end is possible. Every step can be repeated, and killed anywhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from berth.volumes.errors import Missing, Refused, Taken, Unavailable
from berth.volumes.exits import Exits
from berth.volumes.leads import Leads
from berth.volumes.metadata_dir import MetadataDir, MetadataDirs
from berth.volumes.naming import record_path, trash_path
from berth.volumes.orphans import Orphans
from berth.volumes.others import Heritage, Others
from berth.volumes.plan import Plan
from berth.volumes.record_store import RecordStore
from berth.volumes.records import Record, UnreadableRecord, now_text, record_of
from berth.volumes.share import Entry, Made, Share

MOST_COUNTED = 1000
"""Entries of a directory that was there before: as many are counted, to tell how much it holds."""


@dataclass(frozen=True, slots=True)
class Born:
    """What a claim was given."""

    is_adopted: bool = False
    """Berth did not make the directory: its end is retain, which its PV must say."""
    entries: int = 0
    """How many entries were in it before, MOST_COUNTED + 1 for more than that; 0 unless it was adopted just now."""


IsServed = Callable[[], Awaitable[bool]]
"""Whether the claim's PV exists by now, as the API server says. Asked only where a directory holds something already:
before there is a PV, nothing in it can have come from the claim's pods."""


@dataclass(frozen=True, slots=True)
class _Before:
    """What is at the path before anything is done."""

    entries: list[Entry] | None
    """None: nothing is there."""
    above: str
    """The deepest directory on the way that is there, as far as is known."""
    own: Record | None = None
    """The record of an earlier attempt, which had looked at the directory before it was written."""


class Birth:
    """The births of one cluster's volumes."""

    def __init__(
        self, cluster: str, metadata: MetadataDirs, records: RecordStore, orphans: Orphans, others: Others, leads: Leads
    ) -> None:
        self._cluster = cluster
        self._metadata = metadata
        self._records = records
        self._orphans = orphans
        self._others = others
        self._leads = leads
        self._exits = Exits()

    async def create(self, plan: Plan, share: Share, is_served: IsServed) -> Born:
        """Makes the volume's record and directory. Refused when its path is another volume's, holds what Berth did not
        make, or could not be left again; then nothing is left behind that was not there.
        """
        metadata = await self._metadata.open(share)
        async with self._orphans.birth(plan.path, plan.pv, metadata):
            create = self._create_in_its_own_place if plan.is_unique else self._create_by_name
            return await create(plan, share, metadata, is_served)

    async def _create_in_its_own_place(
        self, plan: Plan, share: Share, metadata: MetadataDir, is_served: IsServed
    ) -> Born:
        """No other PV's directory can be there, so nobody need be asked."""
        await self._records.write(record_of(plan, self._cluster, now_text()), share)
        try:
            made = await self._make(plan, share, metadata, Heritage(), above="")
        except Refused:
            await self._records.remove(plan.pv, share)
            raise
        if made.is_new:
            return Born()
        entries = await share.list(plan.path, most=MOST_COUNTED)
        if not entries:
            await self._settle(plan, share)
        elif not await is_served():
            await self._records.write(record_of(plan, self._cluster, now_text(), adopted=now_text()), share)
            return Born(is_adopted=True, entries=len(entries))
        return Born()

    async def _create_by_name(self, plan: Plan, share: Share, metadata: MetadataDir, is_served: IsServed) -> Born:
        before = await self._look(plan, share)
        adopted = before.own.adopted if before.own else ""
        is_judged = bool(before.entries) and not adopted
        if is_judged and before.own is not None and await is_served():
            return Born()  # a repetition: what is in it came through the PV
        if before.entries is not None or before.above:
            await self._exits.refuse_other_share(plan.path, before.entries or (), metadata, share, above=before.above)
        if is_judged:
            try:
                adopted = await self._judge(plan, before.entries or [], share)
            except Refused:
                if before.own is not None:  # of an attempt of ours, and it would speak for what is there now
                    await self._records.remove(plan.pv, share)
                raise
        is_first = await self._enter(plan, share, metadata, adopted)
        try:
            # Once more, with the record in place: of two that want one path at once, one at least sees the other's.
            heritage = await self._others.before_birth(plan, share)
            if heritage.earlier:  # two clusters under one UID could both take it for their claim's
                await self._leads.require(share, alone=True)
            if not adopted and before.entries is not None and _adopted_around(plan, heritage):
                adopted = now_text()
                await self._records.write(record_of(plan, self._cluster, now_text(), adopted=adopted), share)
            if adopted:
                await self._others.refuse_lookalikes(plan.path, heritage.lookalikes, share)
            else:
                is_new = is_first and before.entries is None
                await self._make(plan, share, metadata, heritage, above=before.above, is_new=is_new)
                if before.own is not None and before.entries == [] and plan.sharing == "deny":
                    await self._settle(plan, share)
        except Refused:
            if is_first:
                await self._records.remove(plan.pv, share)
            raise
        return Born(bool(adopted), len(before.entries or ()) if is_judged and adopted else 0)

    async def _look(self, plan: Plan, share: Share) -> _Before:
        try:
            entries = await share.list(plan.path, most=MOST_COUNTED)
        except Missing as missing:
            return _Before(None, missing.path.rpartition("/")[0])
        own = None
        try:
            own = await self._records.read(plan.pv, share)
        except UnreadableRecord:
            if entries:
                raise
        if own is not None and (own.cluster, own.path) != (self._cluster, plan.path):
            own = None
        return _Before(entries, plan.path, own)

    async def _judge(self, plan: Plan, entries: list[Entry], share: Share) -> str:
        """What is to be written about a directory that was there before and holds something: the moment of its adoption
        if it is adopted, nothing if what it holds is this claim's or may be shared. Refused otherwise.
        """
        heritage = await self._others.before_birth(plan, share)
        # Only a record that says so shows that the directory was kept: one of an attempt that never had a PV looks like
        # that of a PV which was deleted by hand, and what came into it since may be anybody's.
        if any(known.cluster == self._cluster and known.released and not known.adopted for known in heritage.earlier):
            return ""
        if heritage.earlier or any(known.adopted for known in heritage.shared):
            return now_text()
        sharers = [record.path for record in heritage.shared]
        if any(f"{plan.path}/".startswith(f"{path}/") for path in sharers) or _all_lead_to(sharers, plan.path, entries):
            return ""
        if plan.adopts and not heritage.unreadable:
            return now_text()
        count = "more than a thousand" if len(entries) > MOST_COUNTED else str(len(entries))
        holds = f"holds {count} {'entry' if len(entries) == 1 else 'entries'} that Berth did not make"
        if heritage.unreadable:
            why = f"and {heritage.unreadable[0].field}, which can't be read, may speak of it; mend or remove that file"
        else:
            why = (
                "so it is left alone; choose another name, empty or move the directory, set existingDirectory: adopt "
                "in the class to have it served and always kept, or bind it by hand with `berth volume static`"
            )
        raise Refused("path", f"the directory {plan.path!r} was there before and {holds}, {why}")

    async def _make(
        self, plan: Plan, share: Share, metadata: MetadataDir, heritage: Heritage, *, above: str, is_new: bool = False
    ) -> Made:
        """Makes the directory, and sees to it that it is a good place. is_new: nothing was there a moment ago."""
        made = await share.make_directory(plan.path, mode=plan.mode, uid=plan.uid, gid=plan.gid)
        try:
            if is_new and not made.is_new and await share.list(plan.path, most=1):
                await self._records.remove(plan.pv, share)  # it would say that an earlier attempt had looked at it
                why = "a directory came into its place while it was being made; it is looked at again"
                raise Unavailable(str(share.address), "io", why, path=plan.path)
            if not plan.is_unique:
                await self._exits.refuse_metadata_dir(plan.path, made.entry, metadata, share)
                await self._others.refuse_lookalikes(plan.path, heritage.lookalikes, share)
            if plan.on_delete != "retain":
                await self._exits.check(plan, made, metadata, share, above=above)
        except Refused:
            if made.is_new:
                await share.remove_directory(plan.path)
            raise
        return made

    async def _settle(self, plan: Plan, share: Share) -> None:
        """Gives an empty directory, as a killed attempt left it, the mode and owner that it should have."""
        await share.make_directory(plan.path, mode=plan.mode, uid=plan.uid, gid=plan.gid, adopt=True)

    async def _enter(self, plan: Plan, share: Share, metadata: MetadataDir, adopted: str) -> bool:
        """Writes the record of a volume about to be made. False: an attempt that was interrupted had done so."""
        record = record_of(plan, self._cluster, now_text(), adopted=adopted)
        try:
            await self._records.write(record, share, exclusive=True)
        except Taken:
            known = None
            with suppress(UnreadableRecord):  # cut off: there is no PV yet, so it stood for an attempt
                known = await self._records.read(plan.pv, share)
            if known is not None and known.cluster != self._cluster:
                raise Refused(record_path(plan.pv), f"says that the volume is cluster {known.cluster}'s") from None
            if await _is_there(trash_path(plan.pv), share):  # a late repetition: nobody would take away what it makes
                raise Unavailable(str(share.address), "io", "the volume was deleted and waits to be purged") from None
            if known is not None and known.path != plan.path:  # the class or a label was changed in between
                await self._orphans.tidy(known, share, metadata)
            await self._records.write(record, share)
            return False
        return True


def _adopted_around(plan: Plan, heritage: Heritage) -> bool:
    """Whether the directory is, or lies in, one that was adopted and may be shared: it is kept for both then."""
    return any(each.adopted and f"{plan.path}/".startswith(f"{each.path}/") for each in heritage.shared)


def _all_lead_to(paths: list[str], path: str, entries: list[Entry]) -> bool:
    """Whether all entries of the directory at path are on the way to one of these paths below it."""
    inside = {below.removeprefix(f"{path}/").split("/")[0] for below in paths if below.startswith(f"{path}/")}
    return all(entry.name in inside for entry in entries)


async def _is_there(path: str, share: Share) -> bool:
    with suppress(Missing):
        await share.stat(path)
        return True
    return False
