"""Claims and their ends: many claims of one class get their volumes, are bound, and are deleted.

live     the controller runs and leads while the claims are filed; then all of them are deleted
waiting  the claims are there already, asking for their volumes, when the controller starts
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from benchmarks.controller import ControllerProcess
from benchmarks.load import delete_claims, file_claims
from benchmarks.results import Results
from benchmarks.rig import Rig
from benchmarks.sightings import Sightings, following


async def measure_life(rig: Rig, count: int, results: Results) -> None:
    """One sample of everything but the waiting claims. A controller of its own, for the sake of its peak memory."""
    namespace = await rig.namespace()
    async with rig.controller() as controller, following(rig.api, namespace) as seen:
        await provide(rig, controller, seen, namespace, count, results)
        await release(rig, controller, seen, namespace, count, results)
        results.add({"provision.peak_rss_mb": controller.peak_resident_mb})


async def measure_waiting(rig: Rig, count: int, results: Results) -> None:
    """One sample of claims that wait for the controller, and one more of their deletion."""
    namespace = await rig.namespace()
    async with following(rig.api, namespace) as seen:
        await file_claims(rig.api, namespace, count)
        await seen.until(seen.asked, count, "claims asked for a volume", deadline=_deadline(count))
        async with rig.controller() as controller:
            await seen.until(seen.provisioned, count, "claims got a volume", deadline=_deadline(count))
            moments = sorted(seen.provisioned.values())
            results.add({"provision.waiting_claims_per_s": (count - 1) / (moments[-1] - moments[0])})
            await seen.until(seen.bound, count, "claims were bound", deadline=_deadline(count))
            await release(rig, controller, seen, namespace, count, results)


async def provide(
    rig: Rig, controller: ControllerProcess, seen: Sightings, namespace: str, count: int, results: Results
) -> None:
    requests, used, used_by_all = await controller.requests(), controller.cpu_seconds, rig.cpu_seconds()
    begin = time.monotonic()
    await file_claims(rig.api, namespace, count)
    filing = time.monotonic() - begin
    await seen.until(seen.provisioned, count, "claims got a volume", deadline=_deadline(count))
    await seen.until(seen.bound, count, "claims were bound", deadline=_deadline(count))
    made = _difference(await controller.requests(), requests)
    served = max(seen.provisioned.values()) - begin
    latencies = seen.latencies()
    results.add(
        {
            "provision.claims_per_s": count / served,
            "provision.filed_per_s": count / filing,
            "provision.bound_per_s": count / (max(seen.bound.values()) - begin),
            "provision.p50_s": latencies[len(latencies) // 2],
            "provision.p99_s": latencies[len(latencies) * 99 // 100],
            "provision.requests_per_claim": sum(made.values()) / count,
            "provision.cpu_ms_per_claim": (controller.cpu_seconds - used) / count * 1000,
        }
    )
    rig.report.say(
        f"    {count} claims filed in {filing:.2f} s, served after {served:.2f} s; requests {_told(made)}; "
        f"CPU ms per claim: {_told(_cpu(rig, used_by_all, count))}"
    )


async def release(
    rig: Rig, controller: ControllerProcess, seen: Sightings, namespace: str, count: int, results: Results
) -> None:
    requests, used, used_by_all = await controller.requests(), controller.cpu_seconds, rig.cpu_seconds()
    begin = time.monotonic()
    await delete_claims(rig.api, namespace, count)
    deleting = time.monotonic() - begin
    await seen.until(seen.removed, count, "PVs went", deadline=_deadline(count))
    ended = max(seen.removed.values()) - begin
    made = _difference(await controller.requests(), requests)
    results.add(
        {
            "release.claims_per_s": count / ended,
            "release.requests_per_claim": sum(made.values()) / count,
            "release.cpu_ms_per_claim": (controller.cpu_seconds - used) / count * 1000,
        }
    )
    rig.report.say(
        f"    {count} claims deleted in {deleting:.2f} s, the last PV went after {ended:.2f} s; "
        f"requests {_told(made)}; "
        f"CPU ms per claim: {_told(_cpu(rig, used_by_all, count))}"
    )


def _deadline(count: int) -> float:
    """Seconds for so many claims: a tenth of the speed that is asked for, and some for the start."""
    return 60 + count / 20


def _difference(after: Mapping[str, int], before: Mapping[str, int]) -> dict[str, float]:
    made = {name: after[name] - before.get(name, 0) for name in after}
    return {name: float(number) for name, number in made.items() if number}


def _cpu(rig: Rig, before: Mapping[str, float], count: int) -> dict[str, float]:
    """CPU time per claim in ms since before, of each process that used any."""
    used = {name: (now - before.get(name, 0.0)) / count * 1000 for name, now in rig.cpu_seconds().items()}
    return {name: ms for name, ms in used.items() if ms >= 0.05}


def _told(numbers: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {number:.4g}" for name, number in sorted(numbers.items()))
