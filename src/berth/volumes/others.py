"""Whether another volume stands in the way of making a directory, or of moving one: what the records on the share say.

The cluster's own PVs are asked before (plan, release: I2). The records know what PVs can't tell: volumes that were kept
when their claim or PV went, other clusters' volumes, and a PV that reaches this share by another address.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from berth.volumes.errors import Missing, Refused, Unavailable
from berth.volumes.naming import record_path, trash_path
from berth.volumes.plan import Lookalike, Occupied, Plan, agree_to_share
from berth.volumes.record_store import Overlap, RecordStore
from berth.volumes.records import Record, UnreadableRecord
from berth.volumes.release import ReleasePlan
from berth.volumes.request import Claim, Living
from berth.volumes.share import Share


@dataclass(frozen=True, slots=True)
class Heritage:
    """Records that stand in nobody's way."""

    earlier: tuple[Record, ...] = ()
    """Of the same claim in the same directory, from before: what is in it is this claim's own."""
    shared: tuple[Record, ...] = ()
    """Of volumes with which the directory may be shared."""
    lookalikes: tuple[Lookalike, ...] = ()
    """Volumes that do stand in the way if the server takes the two spellings for one: see refuse_lookalikes."""
    unreadable: tuple[UnreadableRecord, ...] = ()
    """Nobody knows what these say."""


class Others:
    """The other volumes on any number of shares, as one cluster sees them."""

    def __init__(self, cluster: str, records: RecordStore, living: Living) -> None:
        self._cluster = cluster
        self._records = records
        self._living = living

    async def before_birth(self, plan: Plan, share: Share) -> Heritage:
        """Refused when another volume has the plan's directory, or one in it or around it."""
        overlap = await self._records.overlapping(plan.path, share, without=plan.pv)
        earlier, shared = [], []
        for other in overlap.certain:
            if self._may_share(plan, other):
                shared.append(other)
            elif self._is_earlier(other, plan.path, plan.claim, is_adopting=plan.existing == "adopt"):
                earlier.append(other)
            elif other.cluster == self._cluster and self._is_coming(other):
                why = f"{other.path!r} is being made for claim {other.owner}; it is looked at again"
                raise Unavailable(str(share.address), "io", why, path=plan.path)
            elif not await self._is_gone(other, share):
                advice = "let the class's pattern name the PV, which no other claim can have"
                raise self._in_the_way("path", plan.path, other, advice)
        by_record = [Lookalike(other.pv, str(other.owner), other.path) for other in overlap.lookalikes]
        lookalikes = [other for other in (*plan.lookalikes, *by_record) if other.pv not in plan.agreed]
        return Heritage(tuple(earlier), tuple(shared), tuple(lookalikes), tuple(overlap.unreadable))

    async def earlier(self, plan: ReleasePlan, share: Share) -> list[Record]:
        """What is left on record of volumes of the same claim in the same directory, from before."""
        overlap = await self._records.overlapping(plan.path, share, without=plan.pv)
        return [other for other in overlap.certain if self._is_earlier(other, plan.path, plan.claim)]

    async def before_end(self, plan: ReleasePlan, recorded: Record | None, share: Share) -> list[Record]:
        """Refused when another volume is in the directory that is to be moved, or around it. Answers as earlier."""
        earlier = []
        overlap = await self._records.overlapping(plan.path, share, without=plan.pv)
        for other in await self._with_lookalikes(plan.path, plan.lookalikes, overlap, share):
            # What was adopted is kept, whatever somebody wrote onto its PV.
            is_leaving_too = other.cluster == self._cluster and other.pv in plan.agreed and not other.adopted
            if recorded is not None and self._is_earlier(other, plan.path, plan.claim):
                earlier.append(other)
            elif not (is_leaving_too or await self._is_gone(other, share)):
                raise self._in_the_way("spec.nfs.path", plan.path, other, "move what is to be kept out of it")
        # A volume that was alone when it was made has been seen by all that came later. Without such a record, what
        # can't be read may speak of this directory.
        if overlap.unreadable and (recorded is None or recorded.sharing):
            first = overlap.unreadable[0]
            why = f"{first.why}; as long as this record can't be read, nobody knows which directory it protects"
            raise Refused(first.field, why) from first
        return earlier

    async def refuse_lookalikes(self, path: str, lookalikes: Iterable[Lookalike], share: Share) -> None:
        """Refused when the server takes path, which is there by now, and another volume's for one directory."""
        for other in lookalikes:
            if await _is_one_place(path, other.path, share):
                raise Refused(
                    "path",
                    f"{path!r} and {other.path!r} are one directory on this server, which does not tell spellings "
                    f"apart, and that is volume {other.pv}'s (claim {other.claim}); choose another name",
                )

    def _may_share(self, plan: Plan, other: Record) -> bool:
        if other.cluster != self._cluster:
            return False
        if self._living.has_pv(other.pv):  # both classes have been asked
            return other.pv in plan.agreed
        return agree_to_share(plan.sharing, other.sharing, plan.claim.namespace == other.namespace)

    def _is_earlier(self, other: Record, path: str, claim: Claim, *, is_adopting: bool = False) -> bool:
        """Whether the record is what is left of a volume of the same claim, in just this directory.

        Another cluster's claim of the same name may be anybody's: it takes a class that says so.
        """
        is_same = (other.namespace, other.claim, other.path) == (claim.namespace, claim.name, path)
        if other.cluster != self._cluster:
            return is_same and is_adopting and bool(other.released)
        return is_same and not self._living.has_pv(other.pv)

    def _is_coming(self, other: Record) -> bool:
        """Whether a volume of this cluster may be on its way, to this share by another address of it."""
        is_waiting = self._living.has_claim(other.owner) and not self._living.has_pv(other.pv)
        return is_waiting and not other.released

    async def _is_gone(self, other: Record, share: Share) -> bool:
        """Whether the record's directory is not in its place any more, and nobody is about to put it there."""
        is_own = other.cluster == self._cluster
        if is_own and (self._living.has_pv(other.pv) or self._living.has_claim(other.owner)):
            return False
        if not is_own and not other.released:
            return False
        with suppress(Missing):
            await share.stat(trash_path(other.pv))
            return True
        with suppress(Missing):
            entries = await share.list(other.path, most=1)
            # An attempt for a claim that went away left an empty directory. What was kept is kept, also when empty.
            return is_own and not other.released and not entries
        return True

    async def _with_lookalikes(
        self, path: str, lookalikes: Iterable[Lookalike], overlap: Overlap, share: Share
    ) -> list[Record]:
        """The records over path on this very server, whichever way they spell it."""
        for other in lookalikes:
            if await _is_one_place(path, other.path, share):
                raise Refused(
                    "spec.nfs.path",
                    f"{path!r} and {other.path!r} are one directory on this server, which does not tell spellings "
                    f"apart, and PV {other.pv} (claim {other.claim}) uses it",
                )
        same = [other for other in overlap.lookalikes if await _is_one_place(path, other.path, share)]
        return [*overlap.certain, *same]

    def _in_the_way(self, field: str, path: str, other: Record, advice: str) -> Refused:
        if other.cluster != self._cluster:
            return in_the_way(field, path, other, f"cluster {other.cluster}", "in use", advice)
        if self._living.has_pv(other.pv):
            refusal = in_the_way(field, path, other, "this cluster", "in use", advice)
            return Occupied(refusal.field, refusal.why, blockers=(other.pv,))
        return in_the_way(field, path, other, "this cluster", _KEPT, advice)


_KEPT = "kept after its claim was gone"


def in_the_way(field: str, path: str, other: Record, whose: str, state: str, advice: str) -> Refused:
    """Says which volume, whose, stands in the way of path."""
    why = (
        f"{path!r} overlaps {other.path!r}, volume {other.pv} of {whose} (claim {other.owner}), which is "
        f"{_KEPT if other.released else state}; {advice}"
    )
    if other.adopted:  # its record is all that shows that Berth did not make what is there
        return Refused(field, f"{why}: it was adopted, and is always kept")
    return Refused(field, f"{why}, or remove {record_path(other.pv)} if that volume is no more")


async def _is_one_place(one: str, other: str, share: Share) -> bool:
    """Whether the server takes two spellings for one: as far down as both lead, it shows the same directory."""
    depth = min(one.count("/"), other.count("/")) + 1
    places = ["/".join(path.split("/")[:depth]) for path in (one, other)]
    with suppress(Missing):
        here, there = [await share.stat(place) for place in places]
        return bool(here.identity) and here.identity == there.identity
    return False
