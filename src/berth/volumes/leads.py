"""Who leads on a share in a cluster's name: how two clusters that bear one UID find out about each other.

A cluster that was restored from a backup beside its original has the original's UID, and so takes every record of the
original for its own. What it can't have is the original's history since. So each leader enters itself on the share,
with its lock's version, which only grows; and it takes nothing away there

* when the entry is of a version that its own cluster had not reached yet when it took the lock: then that cluster's
  history was wound back since, and another one may go on where the entry comes from;
* when its entry was replaced by somebody whom its lock does not know, while it holds that lock;
* when the entry says that such a dispute is open, or was decided for the other side.

New volumes are made all the same. An administrator ends the dispute by ruling the other leader out (Standing.ruled_out)
where the share shall be kept. Nothing of this stands in the way of a leader that crashed, of one that never entered
itself, of a lock that was removed, or of processes without an election.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import asdict, dataclass, replace

from berth.volumes.errors import Missing, Refused, Unavailable
from berth.volumes.naming import CLUSTERS
from berth.volumes.records import FORMAT, now_text, parse_json
from berth.volumes.share import Share, ShareAddress
from berth.volumes.standing import Standing

MOST_RIVALS = 8
"""How many names of other leaders an entry keeps."""
LASTS = 10.0
"""Seconds for which a look at the share counts: for so long the other side may not have been noticed."""


@dataclass(frozen=True, slots=True)
class Lead:
    """What a share says about who leads there."""

    leader: str
    term: int
    version: int
    lock: str
    time: str
    rivals: tuple[str, ...] = ()
    """Leaders that were found under the same name and have no part in this one's line, the latest at the end."""
    disputed: bool = False
    """A rival had entered itself before: nobody can say whose the share is."""


@dataclass(frozen=True, slots=True)
class LeadVerdict:
    """What becomes of an entry that was found."""

    entry: Lead
    """To be put in its place."""
    rivals: frozenset[str] = frozenset()
    """Who else was seen in this cluster's name, and not ruled out."""
    is_held: bool = False
    """Whether nothing may be taken away on the share."""


def judge(found: Lead | None, us: Standing, *, was_ours: bool, now: str) -> LeadVerdict:
    """Decides what to write into the share's entry and whom to mind, without touching anything. was_ours: this process
    has entered itself there before. Only to be called with a lock that is held for certain.
    """
    ours = Lead(us.identity, us.term, us.version, us.lock, now)
    if found is None:
        return LeadVerdict(ours)
    line = us.predecessors | {us.identity}
    rivals = frozenset(found.rivals) - us.ruled_out
    is_open = found.disputed and bool(rivals)
    heirs = LeadVerdict(replace(ours, rivals=found.rivals, disputed=is_open), rivals, is_open)
    if found.leader == us.identity:
        return heirs
    if found.leader in us.ruled_out:
        others = [name for name in (*found.rivals, found.leader) if name in us.ruled_out or name not in line]
        return LeadVerdict(replace(ours, rivals=_last(others)))
    them = frozenset({found.leader})
    if line & rivals:  # found before, and not decided or decided for the other side
        return LeadVerdict(found, them, is_held=True)
    is_known = found.leader in us.predecessors
    has_versions = bool(found.version and us.found_version)
    is_ahead = has_versions and found.version > us.found_version
    if is_ahead or (rivals and not is_known) or (was_ours and not is_known and not has_versions):
        entry = replace(found, rivals=_last([*found.rivals, us.identity]), disputed=found.disputed or was_ours)
        return LeadVerdict(entry, them, is_held=True)
    return heirs


class Leads:
    """The entries of one process on the shares that it uses."""

    def __init__(self, cluster: str, standing: Standing) -> None:
        self._cluster = cluster
        self._standing = standing
        self._ours: set[ShareAddress] = set()
        self._known: dict[ShareAddress, LeadVerdict] = {}
        self._looked: dict[ShareAddress, float] = {}
        self._looking: defaultdict[ShareAddress, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def require(self, share: Share, *, alone: bool = False) -> None:
        """Unavailable(lease) while nothing may be taken away on the share because of somebody else in this cluster's
        name. alone: also while such a one was merely seen there.

        Looks at the share, unless it did so LASTS seconds ago and nobody else was there.
        """
        verdict = self._known.get(share.address)
        is_old = time.monotonic() > self._looked.get(share.address, 0.0) + LASTS
        if self._standing.identity and (verdict is None or verdict.rivals or is_old):
            verdict = await self.look(share, renew=False)
        if verdict is not None and (verdict.is_held or (alone and verdict.rivals)):
            raise Unavailable(str(share.address), "lease", self._why(verdict))

    async def look(self, share: Share, *, renew: bool = True) -> LeadVerdict | None:
        """Reads the entry, and writes it where it has to become another. None without an election.

        renew: also where only the time and the version in it are old.

        Unavailable(lease) when this process does not lead for certain.
        """
        if not self._standing.identity:
            return None
        async with self._looking[share.address]:
            found = await self._read(share)
            if found is None or found.leader != self._standing.identity:
                why = await self._standing.confirm()
                if why:
                    raise Unavailable(str(share.address), "lease", why)
            was_ours = share.address in self._ours
            verdict = self._known[share.address] = judge(found, self._standing, was_ours=was_ours, now=now_text())
            self._looked[share.address] = time.monotonic()
            if found is None or renew or not _is_alike(verdict.entry, found):
                await self._write(verdict.entry, share)
            if verdict.entry.leader == self._standing.identity:
                self._ours.add(share.address)
            return verdict

    def rivals(self, address: ShareAddress) -> str:
        """Why somebody else in this cluster's name has to be minded on a share; empty: nobody was seen."""
        verdict = self._known.get(address)
        return self._why(verdict) if verdict is not None and verdict.rivals else ""

    def _why(self, verdict: LeadVerdict) -> str:
        names, us = sorted(verdict.rivals), self._standing
        what = "nothing is deleted, archived or purged here" if verdict.is_held else "what is left over is not tidied"
        return (
            f"another controller uses this share under the same cluster UID: {','.join(names)}, unknown to this "
            f"cluster's lock {us.lock}, as after a cluster was restored from a backup; until that is settled, {what}. "
            f"Stop the controller of the cluster that gives the share up. For this one ({us.identity}) to keep it: "
            f"{us.how_to_rule_out(','.join(names))}"
        )

    async def _read(self, share: Share) -> Lead | None:
        path = lead_path(self._cluster, self._standing.lock)
        with suppress(Missing, Refused):  # the latter: nobody's entry, and to be replaced
            return _decode(await share.read_file(path), path)
        return None

    async def _write(self, entry: Lead, share: Share) -> None:
        content = json.dumps({"format": FORMAT, "cluster": self._cluster, **asdict(entry)}, indent=1) + "\n"
        try:
            await share.write_file(lead_path(self._cluster, self._standing.lock), content.encode())
        except (Missing, Refused):
            pass  # no volume was ever made here
        except Unavailable as error:
            if error.stage not in ("io", "permission"):  # a full disk must not keep anything from being deleted
                raise


def lead_path(cluster: str, lock: str) -> str:
    """Where a share says who leads there in a cluster's name. Its suffix keeps it from being taken for a cluster."""
    return f"{CLUSTERS}/{cluster}.{hashlib.sha256(lock.encode()).hexdigest()[:12]}.leader"


def _is_alike(one: Lead, other: Lead) -> bool:
    return replace(one, term=other.term, version=other.version, time=other.time) == other


def _last(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))[-MOST_RIVALS:]


def _decode(content: bytes, where: str) -> Lead:
    values = parse_json(content, where)
    texts = {name: values.get(name, "") for name in ("leader", "lock", "time")}
    numbers = {name: values.get(name, 0) for name in ("term", "version")}
    rivals = values.get("rivals", [])
    is_sound = (
        all(isinstance(value, str) for value in (*texts.values(), *(rivals if isinstance(rivals, list) else [None])))
        and all(type(value) is int for value in numbers.values())
        and bool(texts["leader"])
    )
    if not is_sound:
        raise Refused(where, "says nothing about a leader")
    return Lead(**texts, **numbers, rivals=_last(rivals), disputed=values.get("disputed") is True)
