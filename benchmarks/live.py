"""A day's work: claims are filed and deleted, as fast as a few users at once can, while the controller runs.

The claims wait for the controller manager here: its one worker for claims asks for their volumes and binds them, its
other one worker lets deleted claims go. What is Berth's own is told beside it: from its being asked to the PV, and from
the claim's being gone to the PV's.
"""

from __future__ import annotations

import time

from benchmarks.accounts import Account
from benchmarks.controller import ControllerProcess
from benchmarks.load import deadline_for, delete_claims, file_claims
from benchmarks.results import Results
from benchmarks.rig import Rig
from benchmarks.sightings import Sightings, following, percentile


async def measure_live(rig: Rig, count: int, results: Results) -> None:
    """One sample. The controller is a fresh one, for the sake of its peak memory."""
    namespace = await rig.namespace()
    async with rig.controller() as controller, following(rig.api, namespace) as seen:
        await provide(rig, controller, seen, count, results)
        await release(rig, controller, seen, count, results)
        results.add({"provision.peak_rss_mb": controller.peak_resident_mb})


async def provide(rig: Rig, controller: ControllerProcess, seen: Sightings, count: int, results: Results) -> None:
    """Files claims and sees them bound."""
    account = await Account.open(rig, controller)
    begin = time.monotonic()
    await file_claims(rig.api, seen.namespace, count)
    filed = time.monotonic() - begin
    await seen.until(seen.provisioned, count, "claims got a volume", deadline=deadline_for(count))
    await seen.until(seen.bound, count, "claims were bound", deadline=deadline_for(count))
    spent = await account.close(count)
    served = max(seen.provisioned.values()) - begin
    waited, answered = seen.between(seen.filed, seen.provisioned), seen.between(seen.asked, seen.provisioned)
    results.add(
        {
            "provision.live_claims_per_s": count / served,
            "provision.live_bound_per_s": count / (max(seen.bound.values()) - begin),
            "provision.p50_s": percentile(waited, 50),
            "provision.p99_s": percentile(waited, 99),
            "provision.asked_p50_s": percentile(answered, 50),
            "provision.asked_p99_s": percentile(answered, 99),
            "provision.requests_per_claim": sum(spent.requests.values()),
            "provision.cpu_ms_per_claim": spent.controller_cpu_ms,
        }
    )
    rig.report.say(f"    filed in {filed:.2f} s, all PVs there after {served:.2f} s; per claim: {spent}")


async def release(rig: Rig, controller: ControllerProcess, seen: Sightings, count: int, results: Results) -> None:
    """Deletes what provide filed, and sees the PVs go."""
    account = await Account.open(rig, controller)
    begin = time.monotonic()
    await delete_claims(rig.api, seen.namespace, count)
    deleted = time.monotonic() - begin
    await seen.until(seen.removed, count, "PVs went", deadline=deadline_for(count))
    spent = await account.close(count)
    ended = max(seen.removed.values()) - begin
    lag = seen.between(seen.gone, seen.removed)
    results.add(
        {
            "release.live_claims_per_s": count / ended,
            "release.p50_s": percentile(lag, 50),
            "release.p99_s": percentile(lag, 99),
            "release.requests_per_claim": sum(spent.requests.values()),
            "release.cpu_ms_per_claim": spent.controller_cpu_ms,
        }
    )
    rig.report.say(f"    deleted in {deleted:.2f} s, the last PV went after {ended:.2f} s; per claim: {spent}")
