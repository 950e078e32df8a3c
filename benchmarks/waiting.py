"""Work that has piled up: the claims, and later the released PVs, are all there when a controller starts.

This is how fast Berth is: nobody has to be waited for but the API server, which the controller manager keeps busy with
the binding of the same claims.
"""

from __future__ import annotations

from benchmarks.load import deadline_for, delete_claims, file_claims
from benchmarks.results import Results
from benchmarks.rig import Rig
from benchmarks.sightings import Moments, following


async def measure_waiting(rig: Rig, count: int, results: Results) -> None:
    """One sample of claims, and one of released PVs. Rates are from the first to the last that the controller did."""
    namespace = await rig.namespace()
    async with following(rig.api, namespace) as seen:
        await file_claims(rig.api, namespace, count)
        await seen.until(seen.asked, count, "claims asked for a volume", deadline=deadline_for(count))
        async with rig.controller():
            await seen.until(seen.provisioned, count, "claims got a volume", deadline=deadline_for(count))
            await seen.until(seen.bound, count, "claims were bound", deadline=deadline_for(count))
        served = {
            "provision.claims_per_s": _rate(seen.provisioned, min(seen.provisioned.values())),
            "provision.bound_per_s": _rate(seen.bound, min(seen.provisioned.values())),
        }
        await delete_claims(rig.api, namespace, count)
        await seen.until(seen.released, count, "PVs were released", deadline=deadline_for(count))
        async with rig.controller():
            await seen.until(seen.removed, count, "PVs went", deadline=deadline_for(count))
        ended = {"release.claims_per_s": _rate(seen.removed, min(seen.removed.values()))}
    results.add({**served, **ended})
    rig.report.say(
        f"    {served['provision.claims_per_s']:.0f} claims/s served, {served['provision.bound_per_s']:.0f} Bound; "
        f"{ended['release.claims_per_s']:.0f} PVs/s went"
    )


def _rate(moments: Moments, begin: float) -> float:
    """How many a second, from the first, which is not counted, to the last."""
    return (len(moments) - 1) / (max(moments.values()) - begin)
