"""A day's work: claims are filed and deleted, as fast as a few users at once can, while the controller runs.

The claims wait for the controller manager here: its one worker for claims asks for their volumes and binds them, its
other one worker lets deleted claims go. What is Berth's own is told beside it: from its being asked to the PV, and from
the claim's being gone to the PV's. What each claim and each deletion costs everybody is counted here, as nobody starts
or stops meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable

from benchmarks.accounts import Account, Spent
from benchmarks.controller import ControllerProcess
from benchmarks.errors import BenchFailed
from benchmarks.load import deadline_for, delete_claims, file_claims
from benchmarks.raw import RawVolumes
from benchmarks.results import Results
from benchmarks.rig import Rig
from benchmarks.sightings import Sightings, following, percentile


async def measure_live(rig: Rig, count: int, results: Results, *, with_waits: bool) -> None:
    """One sample. The controller is a fresh one, for the sake of its peak memory. with_waits: rates and waits, which
    say something where there are many.
    """
    namespace, raw = await rig.namespace(), RawVolumes(rig, count)
    async with rig.controller() as controller, following(rig.api, namespace) as seen:
        begin = time.monotonic()
        claim = await provide(rig, controller, seen, count)
        claim.add_to(results, "provision")
        if with_waits:
            results.add(_waits("claim", seen.between(seen.filed, seen.provisioned)))
            results.add(_waits("asked", seen.between(seen.asked, seen.provisioned)))
            results.add({"live.claims_per_s": count / (max(seen.provisioned.values()) - begin)})
        create = await _spent(rig, controller, raw.create(), count)
        begin = time.monotonic()
        deletion = await release(rig, controller, seen, count)
        deletion.add_to(results, "release")
        if with_waits:
            results.add(_waits("end", seen.between(seen.gone, seen.removed)))
            results.add({"live.deletions_per_s": count / (max(seen.removed.values()) - begin)})
        delete = await _spent(rig, controller, raw.delete(), count)
        results.add(
            {
                "provision.cost": claim.all_cpu_ms / create.all_cpu_ms,
                "release.cost": deletion.all_cpu_ms / delete.all_cpu_ms,
                "provision.peak_rss_mb": controller.peak_resident_mb,
            }
        )


async def provide(rig: Rig, controller: ControllerProcess, seen: Sightings, count: int) -> Spent:
    """Files claims and sees them bound."""
    account = await Account.open(rig, controller)
    await file_claims(rig.api, seen.namespace, count)
    await seen.until(seen.provisioned, count, "claims got a volume", deadline=deadline_for(count))
    await seen.until(seen.bound, count, "claims were bound", deadline=deadline_for(count))
    return _told(rig, await account.close(count), "claim")


async def release(rig: Rig, controller: ControllerProcess, seen: Sightings, count: int) -> Spent:
    """Deletes what provide filed, and sees the PVs go and the trash emptied."""
    account = await Account.open(rig, controller)
    await delete_claims(rig.api, seen.namespace, count)
    await seen.until(seen.removed, count, "PVs went", deadline=deadline_for(count))
    try:
        async with asyncio.timeout(deadline_for(count)):
            while any(rig.trash.iterdir()):  # noqa: ASYNC110 - the file system sets no event
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise BenchFailed("the trash was not emptied") from None
    return _told(rig, await account.close(count), "deletion")


async def _spent(rig: Rig, controller: ControllerProcess, work: Awaitable[object], count: int) -> Spent:
    account = await Account.open(rig, controller)
    await work
    return await account.close(count)


def _told(rig: Rig, spent: Spent, what: str) -> Spent:
    rig.report.say(
        f"    per {what}: {spent.cpu_ms['berth']:.2f} ms of Berth's CPU, {sum(spent.requests.values()):.2f} requests, "
        f"{spent.nfs_calls:.2f} NFS calls"
    )
    return spent


def _waits(name: str, seconds: list[float]) -> dict[str, float]:
    return {f"live.{name}_p{percent}_s": percentile(seconds, percent) for percent in (50, 99)}
