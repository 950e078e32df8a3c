"""A static volume given to its claim: PV and claim applied, and bound to each other; or nothing, and why."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from berth.findings.finding import Finding, Subject
from berth.kube.errors import KubeError, NotFound, StatusError
from berth.kube.manifest import Manifest, ManifestApi, place, place_of
from berth.objects.locations import normal
from berth.operations.apply import MANAGER, Applied, apply_all, remove_one
from berth.operations.errors import Stopped
from berth.operations.findings import find
from berth.operations.polling import poll
from berth.operations.static_volume import StaticVolume, static_manifests
from berth.texts.data import as_data
from berth.volumes.naming import overlaps

_NOTICED = 5.0
"""Seconds that the PV controller is given to notice a PV."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Another PV in the same place. claim: `namespace/name`; empty for none."""

    pv: str
    claim: str
    policy: str

    @property
    def whose(self) -> str:
        """Its claim and its policy."""
        return f"{self.claim}, {self.policy}" if self.claim else self.policy


@dataclass(frozen=True, slots=True)
class Given:
    """What became of it."""

    pv: str
    claim: str
    applied: tuple[Applied, ...]
    is_bound: bool
    beside: tuple[Beside, ...]
    """Other PVs on this directory, in it or above it."""

    def findings(self, patience: float) -> Iterator[Finding]:
        """What to look at, after patience was over."""
        for one in self.beside:
            yield find("volume-beside", Subject("volume", one.pv), whose=one.whose)
        if not self.is_bound:
            yield find("claim-not-bound", Subject("claim", self.claim), seconds=f"{patience:g}")

    def as_dict(self, patience: float) -> dict[str, object]:
        """For `-o json` and `-o yaml`."""
        return {
            "pv": self.pv,
            "claim": self.claim,
            "applied": as_data(self.applied),
            "isBound": self.is_bound,
            "beside": [f"{one.pv} ({one.whose})" for one in self.beside],
            "findings": [finding.as_dict() for finding in self.findings(patience)],
        }


async def give(api: ManifestApi, volume: StaticVolume, *, patience: float, told: Callable[[Applied], None]) -> Given:
    """Applies PV and claim, and waits until they are bound to each other. Stopped when something of these names is
    there already and is another's, or the namespace is not there; KubeError. Repeatable. volume: checked. patience:
    seconds. Where the claim can't be made, the PV that was made for it is taken back.
    """
    pv, claim = static_manifests(volume)
    await _check_namespace(api, volume.namespace)
    await _check_pv(api, volume)
    await _check_claim(api, volume)
    await _try_out(api, claim)
    beside = await _beside(api, volume)
    applied = await apply_all(api, [pv], told)
    try:
        # The PV controller has seen the PV by then, and binds the claim when it comes, not at its next look around.
        await _wait_phase(api, pv, ("Available", "Bound"), min(patience, _NOTICED))
        applied += await apply_all(api, [claim], told)
    except (KubeError, asyncio.CancelledError):
        if applied[0].what == "created":
            await _take_back(api, pv, claim, told)
        raise
    is_bound = await _wait_phase(api, claim, ("Bound",), patience)
    return Given(volume.pv, f"{volume.namespace}/{volume.claim}", tuple(applied), is_bound, beside)


async def _check_namespace(api: ManifestApi, namespace: str) -> None:
    try:
        metadata = (await api.read(place("v1", "Namespace", namespace)))["metadata"]
    except NotFound as error:
        raise Stopped(find("namespace-missing", Subject("namespace", namespace), variant="volume")) from error
    if metadata.get("deletionTimestamp"):
        raise Stopped(find("namespace-ends", Subject("namespace", namespace), variant="volume"))


async def _try_out(api: ManifestApi, claim: Manifest) -> None:
    """KubeError where the claim would be refused, by a quota or a webhook: before anything is made for it."""
    try:
        await api.apply(claim, manager=MANAGER, dry_run=True)
    except StatusError as error:
        if "dry run" not in error.message:  # a webhook that can't be asked so; what it says is heard soon enough
            raise


async def _take_back(api: ManifestApi, pv: Manifest, claim: Manifest, told: Callable[[Applied], None]) -> None:
    """Removes the PV that was made a moment ago, unless the claim is there after all. The data is not touched."""
    try:
        await api.read(place_of(claim))
    except NotFound:
        told(await remove_one(api, pv))
    except KubeError:
        return  # not known: the next run finds the PV and goes on with it


async def _wait_phase(api: ManifestApi, manifest: Manifest, phases: tuple[str, ...], patience: float) -> bool:
    """Returns once the object is in one of these phases; False when it is not before patience is over."""

    async def look() -> bool:
        return (await api.read(place_of(manifest))).get("status", {}).get("phase") in phases

    return await poll(look, until=bool, patience=patience)


async def _check_pv(api: ManifestApi, volume: StaticVolume) -> None:
    try:
        found = await api.read(place("v1", "PersistentVolume", volume.pv))
    except NotFound:
        return
    spec, phase = found["spec"], found.get("status", {}).get("phase", "")
    nfs, claim = spec.get("nfs") or {}, spec.get("claimRef") or {}
    about, where = Subject("volume", volume.pv), f"{nfs.get('server', '?')}:{nfs.get('path', '?')}"
    if (nfs.get("server"), nfs.get("path")) != (volume.server, volume.path):
        raise Stopped(find("pv-elsewhere", about, Subject("share", where)))
    if (claim.get("namespace"), claim.get("name")) != (volume.namespace, volume.claim):
        whose = f"{claim.get('namespace')}/{claim.get('name')}" if claim else "-"
        raise Stopped(find("pv-of-another-claim", about, Subject("claim", whose)))
    if phase == "Released" and claim.get("uid"):  # without the uid it was freed, which takes a moment to show
        patch = '{"spec":{"claimRef":{"uid":null,"resourceVersion":null}}}'
        raise Stopped(find("pv-released", about, patch=patch))


async def _check_claim(api: ManifestApi, volume: StaticVolume) -> None:
    try:
        found = await api.read(place("v1", "PersistentVolumeClaim", volume.claim, volume.namespace))
    except NotFound:
        return
    bound = found["spec"].get("volumeName", "")
    key = f"{volume.namespace}/{volume.claim}"
    if bound != volume.pv:
        named = [Subject("volume", bound)] if bound else []
        raise Stopped(find("claim-taken", Subject("claim", key), *named, variant="bound" if bound else "loose"))


async def _beside(api: ManifestApi, volume: StaticVolume) -> tuple[Beside, ...]:
    found = []
    for one in (await api.read(place("v1", "PersistentVolume")))["items"]:
        nfs, claim = one["spec"].get("nfs"), one["spec"].get("claimRef") or {}
        if one["metadata"]["name"] == volume.pv or not nfs or nfs["server"].lower() != volume.server.lower():
            continue
        if overlaps(normal(nfs["path"]).strip("/"), volume.path.strip("/")):
            key = f"{claim['namespace']}/{claim['name']}" if claim.get("name") else ""
            policy = one["spec"].get("persistentVolumeReclaimPolicy", "")
            found.append(Beside(one["metadata"]["name"], key, policy))
    return tuple(found)
