"""Work that has piled up: the claims, and later the released PVs, are all there when a controller starts.

This is how fast Berth is: nobody has to be waited for but the API server, which the controller manager keeps busy with
the binding of the same claims. How fast that API server is, with the same controller and the same watches connected, is
measured right behind, so that the two can be compared.
"""

from __future__ import annotations

from benchmarks.load import deadline_for, delete_claims, file_claims
from benchmarks.raw import RawVolumes
from benchmarks.results import Results
from benchmarks.rig import Rig
from benchmarks.sightings import Moments, Sightings, following


async def measure_waiting(rig: Rig, count: int, results: Results) -> None:
    """One sample of claims, and one of released PVs. Rates are from the first to the last that the controller did."""
    namespace = await rig.namespace()
    raw = RawVolumes(rig, count)
    async with following(rig.api, namespace) as seen:
        await _serve(rig, seen, count, raw, results)
        await _end(rig, seen, count, raw, results)


async def _serve(rig: Rig, seen: Sightings, count: int, raw: RawVolumes, results: Results) -> None:
    await file_claims(rig.api, seen.namespace, count)
    await seen.until(seen.asked, count, "claims asked for a volume", deadline=deadline_for(count))
    async with rig.controller() as controller:
        await seen.until(seen.provisioned, count, "claims got a volume", deadline=deadline_for(count))
        await seen.until(seen.bound, count, "claims were bound", deadline=deadline_for(count))
        await controller.settle()
        creates = await raw.create()
    served = _rate(seen.provisioned, min(seen.provisioned.values()))
    bound = _rate(seen.bound, min(seen.provisioned.values()))
    results.add(
        {
            "provision.per_s": served,
            "provision.bound_per_s": bound,
            "raw.creates_per_s": creates,
            "provision.of_raw": served / creates,
            "provision.bound_of_raw": bound / creates,
        }
    )
    rig.report.say(f"    {served:.0f} claims/s served, {bound:.0f} Bound; {creates:.0f} raw PV creates/s")


async def _end(rig: Rig, seen: Sightings, count: int, raw: RawVolumes, results: Results) -> None:
    await delete_claims(rig.api, seen.namespace, count)
    await seen.until(seen.released, count, "PVs were released", deadline=deadline_for(count))
    async with rig.controller() as controller:
        await seen.until(seen.removed, count, "PVs went", deadline=deadline_for(count))
        await controller.settle()
        deletes = await raw.delete()
    ended = _rate(seen.removed, min(seen.removed.values()))
    results.add({"release.per_s": ended, "raw.deletes_per_s": deletes, "release.of_raw": ended / deletes})
    rig.report.say(f"    {ended:.0f} PVs/s ended; {deletes:.0f} raw PV deletes/s")


def _rate(moments: Moments, begin: float) -> float:
    """How many a second, from the first, which is not counted, to the last."""
    return (len(moments) - 1) / (max(moments.values()) - begin)
