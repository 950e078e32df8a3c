"""Shares that don't do their work, as the doctor and the provisioner saw it; what hangs on them is told in stakes.

What failed is known by asking the share itself, and by what the provisioner says in its Events on claims and PVs: the
doctor may sit in another network, and a share that can be listed may still be full or read-only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.known import entries
from berth.doctor.messages import matches
from berth.objects import kinds, runtime
from berth.objects.locations import normal
from berth.texts.text import Text, same

BACK = "share-back"
"""The failure that is told where the share does its work again, as far as it can be seen from here."""
_LISTING_DISPROVES = frozenset({
    "share-unresolved", "share-refuses", "share-unreachable", "share-hangs", "share-not-exported", "share-not-for-us",
    "share-kerberos", "share-replaced",
})  # fmt: skip
"""What is not so, or no longer, if the share can be listed from here."""
_CLAIMS, _PVS = ("ProvisioningFailed",), ("VolumeFailedDelete",)


@dataclass(frozen=True, slots=True)
class Outage:
    """What is wrong with a share. share: `server:/export`; failure: the catalogue's id; said: what exactly failed."""

    share: str
    failure: str
    said: Text
    is_asked: bool = True
    """Whether the share itself was asked; else the provisioner said it in an Event."""
    exported: tuple[str, ...] = ()
    """What its server exports, where that was asked."""


@lru_cache(maxsize=1000)
def outage_in(text: str) -> Outage | None:
    """The outage that a sentence of Berth's is about; None for any other sentence."""
    for failure, said in matches(text).items():
        if entries()[failure].harm == "outage" and "share" in said:
            brief = text.partition(" is unavailable, ")[2] or text
            return Outage(share_key(said["share"]), failure, same(brief.strip()), is_asked=False)
    return None


def share_key(share: str) -> str:
    """A share's name in the form by which two are compared."""
    server, colon, export = share.partition(":/")
    return f"{server.lower()}:{normal(colon[1:] + export)}"


def said_in_events(snapshot: Snapshot) -> dict[str, Outage]:
    """What the newest Events of claims that wait, and of PVs at their end, say about shares."""
    found: dict[str, Outage] = {}
    for event in _newest(snapshot):
        outage = outage_in(event.text)
        if outage is not None:
            found.setdefault(outage.share, outage)
    return found


def share_of_waiting(snapshot: Snapshot, claim: kinds.ClaimObject) -> str:
    """The share that a claim waits for, as its newest Event says; empty where it waits for something else."""
    outages = (outage_in(each.text) for each in snapshot.newest_of("PersistentVolumeClaim", claim, _CLAIMS))
    return next((each.share for each in outages if each is not None), "")


def _newest(snapshot: Snapshot) -> Iterator[runtime.Event]:
    for claim in snapshot.claims:
        if claim.status.phase == "Pending" and not claim.metadata.deletionTimestamp:
            yield from snapshot.newest_of("PersistentVolumeClaim", claim, _CLAIMS)
    for volume in snapshot.volumes:
        if volume.status.phase in ("Released", "Failed"):
            yield from snapshot.newest_of("PersistentVolume", volume, _PVS)


@dataclass(frozen=True)
class Outages:
    """Of all shares that are in use, those that don't do their work."""

    known: Mapping[str, Outage] = field(default_factory=dict)

    @classmethod
    def of(cls, snapshot: Snapshot, asked: Mapping[str, Outage | None]) -> Outages:
        """asked: what asking the shares themselves told, None where they are well; those not asked are not in it."""
        known = {share: each for share, each in asked.items() if each is not None}
        for share, said in said_in_events(snapshot).items():
            is_well = share in asked and asked[share] is None
            if share not in known:
                known[share] = replace(said, failure=BACK) if is_well and said.failure in _LISTING_DISPROVES else said
        return cls(known)

    def around(self, place: str) -> Outage | None:
        """The outage of the share that a path on a server lies in."""
        here = share_key(place).rstrip("/")
        found = [share for share in self.known if f"{here}/".startswith(f"{share.rstrip('/')}/")]
        return self.known[max(found, key=len)] if found else None
