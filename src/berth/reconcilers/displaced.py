"""PVs whose directories are not in their places, and shares that are not what they were: as after a backup of the
cluster or of the server was restored. Nothing is done about it here but to tell it, once for each state.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import structlog

from berth.aio.slices import in_slices
from berth.kube.informer import key_of
from berth.kube.outcome import Note, Reference
from berth.metrics.displaced import DisplacedMetrics
from berth.objects import translation
from berth.objects.kinds import VolumeObject
from berth.reconcilers.cluster import Cluster
from berth.texts.command import command
from berth.volumes.errors import Refused
from berth.volumes.lifecycle import Lifecycle
from berth.volumes.parameters import parse_parameters
from berth.volumes.plan import DefaultShare
from berth.volumes.release import path_of, share_of
from berth.volumes.server_name import on_server
from berth.volumes.share import Share
from berth.volumes.whereabouts import Displaced, Placed

DISPLACED, RETURNED = "VolumeDisplaced", "VolumeReturned"
"""Reasons of Events about a claim, or about a PV without one."""
DOUBTFUL = "ShareDoubtful"
"""Reason of the Event about a share, on its classes."""

log = structlog.get_logger()


class Displacements:
    """What was told of each share so far."""

    def __init__(
        self, *, cluster: Cluster, lifecycle: Lifecycle, default: DefaultShare, metrics: DisplacedMetrics
    ) -> None:
        self._cluster = cluster
        self._lifecycle = lifecycle
        self._default = default
        self._metrics = metrics
        self._told: defaultdict[str, dict[str, str]] = defaultdict(dict)
        """By share: PV -> what was told of it last."""
        self._doubts: dict[str, str] = {}

    async def look(self, key: str, share: Share) -> tuple[Note, ...]:
        """Compares the PVs with one share, and answers what there is to tell. key: `server:/export`."""
        is_used = bool(self._cluster.volumes_naming(key))
        doubt = await self._lifecycle.doubt(share) if is_used else ""
        notes = [*self._doubted(key, doubt)]
        told, still = self._told[key], set[str]()
        compared = 0

        async def compare() -> AsyncIterator[Placed]:
            nonlocal compared
            async for one in self._placed(key):
                compared += 1
                if one.pv in told:
                    still.add(one.pv)
                yield one

        found = await self._lifecycle.displaced(compare(), share)
        if doubt and len(found) == compared:
            return tuple(notes)  # it is the share that is not in its place
        displaced = {one.placed.pv: one for one in found if self._stands(one.placed.pv)}
        for pv in [pv for pv in told if pv not in displaced]:
            del told[pv]
            if pv in still and self._stands(pv):
                notes.append(
                    Note(self._about(pv), "Normal", RETURNED, f"the directory of PV {pv} is in its place again")
                )
        for pv, one in displaced.items():
            said = say(one, key)
            if told.get(pv) != said:
                told[pv] = said
                notes.append(Note(self._about(pv), "Warning", DISPLACED, said))
                log.warning("a PV's directory is not in its place", share=key, pv=pv, why=said)
        self._metrics.displaced(key, Counter(one.state for one in displaced.values()))
        return tuple(notes)

    async def _placed(self, key: str) -> AsyncIterator[Placed]:
        """The PVs on a share whose end is not under way. What does not say where it is may be here, too."""
        async for pv in in_slices(self._cluster.volumes_naming(key) + self._cluster.volumes_naming("")):
            volume = self._cluster.volumes.get(pv)
            if volume is None or not self._is_there_to_stay(volume):
                continue
            with suppress(Refused):
                request = translation.release_request_of(volume, self._cluster.class_of_volume(volume))
                address = share_of(request, self._default)
                if str(address) == key:
                    yield Placed(pv, request.claim, path_of(request, address), translation.is_by_berth(volume))

    def _stands(self, pv: str) -> bool:
        """Whether the PV is there to stay, as far as is known: else its directory is on its way by rights."""
        volume = self._cluster.volumes.get(pv)
        return volume is not None and self._is_there_to_stay(volume)

    def _is_there_to_stay(self, volume: VolumeObject) -> bool:
        return (
            self._cluster.is_ours(volume)
            and not volume.metadata.deletionTimestamp
            and not self._cluster.is_released(volume)
        )

    def _doubted(self, key: str, doubt: str) -> Iterator[Note]:
        self._metrics.doubtful(key, bool(doubt))
        before = self._doubts.pop(key, "")
        if doubt:
            self._doubts[key] = doubt
        if doubt in ("", before):
            return
        log.warning("a share is not what it was", share=key, why=doubt)
        for about in self._classes_of(key):
            yield Note(about, "Warning", DOUBTFUL, f"share {key}: {doubt}")

    def _classes_of(self, key: str) -> Iterator[Reference]:
        for of_class in self._cluster.classes.values():
            if of_class.provisioner not in self._cluster.provisioners:
                continue
            with suppress(Refused):
                parameters = parse_parameters(
                    of_class.parameters or {}, server=self._default.server, export=self._default.export
                )
                if on_server(parameters.server, parameters.export) == key:
                    meta = of_class.metadata
                    yield Reference("storage.k8s.io/v1", "StorageClass", meta.name or "", meta.uid or "")

    def _about(self, pv: str) -> Reference:
        """The PV's claim, if it is there, else the PV, which is."""
        volume = self._cluster.volumes.get(pv) or VolumeObject()
        owner = translation.former_claim(volume)
        claim = self._cluster.claims.get(key_of(owner.namespace, owner.name)) if owner is not None else None
        if owner is not None and claim is not None and self._cluster.has_claim(owner):
            return translation.claim_reference(claim)
        return translation.volume_reference(volume)


def say(displaced: Displaced, share: str) -> str:
    """What an Event says of it: where the data is, and how it comes back."""
    placed = displaced.placed
    begin = f"the directory {placed.path!r} of PV {placed.pv} is not in its place on {share}"
    match displaced.state:
        case "trashed":
            said = f"{begin}: it was deleted, and is in the trash, as {displaced.where!r}, as long as the PV is there"
        case "archived":
            said = f"{begin}: it was archived as {displaced.where!r}"
        case "taken" if displaced.by is not None:
            return (
                f"{begin}: volume {displaced.by.pv} of claim {displaced.by.owner} was made there since, and is left "
                f"alone; pods of this PV would write into it: bring its data back elsewhere, and delete the claim"
            )
        case _:
            return (
                f"{begin}, nor in the trash, nor archived: bring it back from a backup of the server, or delete the "
                f"claim if its data is no longer needed"
            )
    restore = command("berth volume restore {pv}", pv=placed.pv)
    if displaced.is_occupied:
        whose = f"volume {displaced.by.pv} of claim {displaced.by.owner}" if displaced.by else "something else"
        return f"{said}; in its place is {whose}, which is left alone; see `{restore}`"
    return f"{said}; bring it back with `{restore}`"
