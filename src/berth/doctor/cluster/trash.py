"""Deleted volumes that don't go: the shares are asked, and where they can't be from here, Events tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

from berth.doctor.cluster.directories_there import DEADLINE, shares_of
from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.reasons import known_failures
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.trash import judge_trash, read_trash
from berth.findings.finding import Finding, Unseen
from berth.objects.locations import normal
from berth.reconcilers.stuck import STUCK, UNOWNED
from berth.shares.choose import Shares
from berth.volumes.errors import Refused, VolumeError
from berth.volumes.parameters import share_address
from berth.volumes.share import ShareAddress
from berth.volumes.trash import Trashed

_MOST_SHARES = 50


async def look_at_trash(snapshot: Snapshot, provisioners: Provisioners) -> AsyncIterator[Finding | Unseen]:
    """What does not go from the trash of the shares that Berth's classes and PVs name."""
    addresses = list(dict.fromkeys(_addresses(snapshot, provisioners)))[:_MOST_SHARES]
    shares = Shares(timeout=DEADLINE - 0.5)
    try:
        answers = await asyncio.gather(*(_ask(shares, address) for address in addresses))
    finally:
        await shares.aclose()
    seen: dict[str, None] = {}
    for address, trash in zip(addresses, answers, strict=True):
        if trash is not None and str(address) not in seen:
            seen[str(address)] = None
            for finding in judge_trash(address, trash):
                yield finding
    for finding in _told(snapshot, seen):
        yield finding


async def _ask(shares: Shares, address: ShareAddress) -> list[Trashed] | None:
    """What is in its trash; None where it can't be seen from here, which others tell if it matters."""
    try:
        async with asyncio.timeout(DEADLINE):
            return await read_trash(await shares.get(address))
    except (VolumeError, TimeoutError):
        return None


def _addresses(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[ShareAddress]:
    """Every share on which Berth may have trash. Its last volume may be the one that does not go."""
    for used in shares_of(snapshot, provisioners):
        yield used.address
    carriers = [each for each in provisioners.known if each.flavour == "berth"]
    for of_class in snapshot.classes:
        if not provisioners.is_berth(of_class.provisioner):
            continue
        said = of_class.parameters or {}
        places = [(each.server, each.export) for each in carriers if of_class.provisioner in each.names]
        server, export = said.get("server"), said.get("share")
        if server and export:
            places = [(server, export)]
        for server, export in places:
            if server and export:
                try:
                    yield share_address(server, normal(export), tuple(of_class.mountOptions or ()))
                except Refused:
                    continue


def _told(snapshot: Snapshot, seen: dict[str, None]) -> Iterator[Finding]:
    """What the newest Event says about each thing that is stuck, on shares that were not seen."""
    told: set[tuple[object, ...]] = set()
    for event in sorted(snapshot.events, key=lambda each: each.moment, reverse=True):
        if event.reason not in (STUCK, UNOWNED):
            continue
        of_class = {"class": event.involvedObject.name} if event.involvedObject.kind == "StorageClass" else {}
        for finding in known_failures(event, snapshot.version, **of_class):
            share = finding.facts.get("share")
            thing = (share, finding.facts.get("volume") if event.reason == STUCK else None)
            if share not in seen and thing not in told:
                told.add(thing)
                yield finding
