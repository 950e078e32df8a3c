"""The control loops on an API server and a share in memory. What the caches hold is what they saw last: a test says
when they look, so that a loop can be shown a world of a moment ago.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar, cast

import msgspec
from prometheus_client import CollectorRegistry

from berth.kube.kind import kind_of
from berth.kube.outcome import Outcome, Reference
from berth.metrics.displaced import DisplacedMetrics
from berth.metrics.stuck import StuckMetrics
from berth.metrics.volumes import VolumeMetrics
from berth.objects.kinds import ClaimObject, ClassObject, VolumeObject
from berth.reconcilers.cluster import Cluster
from berth.reconcilers.displaced import Displacements
from berth.reconcilers.expand import Expand
from berth.reconcilers.provision import Provision
from berth.reconcilers.purge import Purge
from berth.reconcilers.reclaim import Reclaim
from berth.reconcilers.stuck import StuckVolumes
from berth.reconcilers.sweep import Sweep
from berth.shares.choose import Shares
from berth.volumes.errors import Unavailable
from berth.volumes.lifecycle import Lifecycle
from berth.volumes.plan import DefaultShare
from berth.volumes.share import Share, ShareAddress
from tests.fake_api.api import FakeApi
from tests.fake_api.store import Json, Location
from tests.objects.objects_of import claim, storage_class, uid_of
from tests.reconcilers.caches import Cache, World
from tests.volumes.memory import MemoryShare

PVS = Location("v1", "persistentvolumes")
T = TypeVar("T", ClaimObject, ClassObject, VolumeObject)

ADDRESS = ShareAddress("nfs.example", "/srv")
KEY = "team/data"
"""Of the claim that serves as an example."""
PV = f"pvc-{uid_of(KEY)}"
PATH = f"team-data-{PV}"
"""Where its volume is."""


class MemoryShares:
    """Shares in memory, made when they are asked for. down: those that can't be reached."""

    def __init__(self) -> None:
        self.known: dict[ShareAddress, Share] = {}
        self.down: set[ShareAddress] = set()
        self.takes_time = False
        """Whether asking for a share always does, as the first time."""

    def at_hand(self, address: ShareAddress) -> Share | None:
        return None if self.takes_time or address in self.down else self.known.get(address)

    async def get(self, address: ShareAddress) -> Share:
        if address in self.down:
            raise Unavailable(str(address), "connect", "connection refused")
        return self.known.setdefault(address, MemoryShare(address))


class Rig:
    """All loops of one controller, one share that classes without a share of their own use, and a class `nfs`."""

    def __init__(
        self,
        *,
        with_finalizer: bool = True,
        missing: tuple[str, ...] = (),
        api: FakeApi | None = None,
        cluster: Cluster | None = None,
        uid: str = "cluster-1",
        share: Share | None = None,
    ) -> None:
        """cluster: what the loops go by instead of the world's caches, which follow when look is called. uid: the
        cluster's. share: in the place of the one in memory, at the same address.
        """
        self.api = api or FakeApi()
        self.server = self.api.cluster
        self.world = World()
        self.shares = MemoryShares()
        self.share = MemoryShare(ADDRESS)
        self.shares.known[ADDRESS] = share or self.share
        self.registry = CollectorRegistry()
        self.again: list[str] = []
        """Keys that a loop wants to be queued once something has changed."""
        self.abandoned: list[ShareAddress] = []
        self.trashed: list[str] = []
        cluster = cluster or self.world.cluster
        self.lifecycle = Lifecycle(uid, living=cluster)
        self.metrics = VolumeMetrics(self.registry)
        self.stuck = StuckVolumes(
            cluster=cluster, metrics=StuckMetrics(self.registry), pod=Reference("v1", "Pod", "berth-0", "")
        )
        shares, default = cast("Shares", self.shares), DefaultShare(ADDRESS.server, ADDRESS.export)
        common: dict[str, Any] = {
            "cluster": cluster,
            "shares": shares,
            "lifecycle": self.lifecycle,
            "default": default,
        }
        self.provision = Provision(
            api=self.api,
            metrics=self.metrics,
            with_finalizer=with_finalizer,
            again=self.again.append,
            abandoned=self.abandoned.append,
            **common,
        )
        self.reclaim = Reclaim(
            api=self.api,
            metrics=self.metrics,
            with_finalizer=with_finalizer,
            trashed=lambda _, pv: self.trashed.append(pv),
            again=self.again.append,
            stuck=self.stuck,
            **common,
        )
        self.expand = Expand(api=self.api, missing=missing, **common)
        self.purge = Purge(shares=shares, lifecycle=self.lifecycle, metrics=self.metrics, stuck=self.stuck)
        self.sweep = Sweep(
            metrics=self.metrics,
            trashed=lambda _, pv: self.trashed.append(pv),
            stuck=self.stuck,
            displacements=Displacements(
                cluster=cluster, lifecycle=self.lifecycle, default=default, metrics=DisplacedMetrics(self.registry)
            ),
            **common,
        )
        self.put(storage_class(metadata={"uid": "class-uid"}))

    def put(self, *objects: ClaimObject | ClassObject | VolumeObject) -> None:
        """Objects that others made, known to the API server and to the caches."""
        for obj in objects:
            self.server.put(json_of(obj))
        self.look()

    def look(self) -> None:
        """The caches see the API server as it is now."""
        self._follow(self.world.classes, ClassObject)
        self._follow(self.world.claims, ClaimObject)
        self._follow(self.world.volumes, VolumeObject)

    def pv(self, name: str = PV) -> Json | None:
        """The PV as the API server has it."""
        return self.server.find("PersistentVolume", name)

    def claim(self, name: str = "data") -> Json | None:
        """The claim as the API server has it."""
        return self.server.find("PersistentVolumeClaim", name, "team")

    async def serve(self, name: str = "data", **changes: Any) -> str:
        """A claim that has got its volume and is bound to it; answers the PV's name."""
        self.put(claim(name, **changes))
        await self.provision(f"team/{name}")
        pv = f"pvc-{uid_of(f'team/{name}')}"
        self.server.change("PersistentVolume", pv, {"status": {"phase": "Bound"}})
        bound = {"spec": {"volumeName": pv}, "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}}
        self.server.change("PersistentVolumeClaim", name, bound, "team")
        self.look()
        return pv

    async def let_go(self, name: str = "data", **changes: Any) -> str:
        """A volume whose claim is gone, in the class's or changes' way; answers the PV's name."""
        pv = await self.serve(name, **changes)
        self.server.drop("PersistentVolumeClaim", name, "team")
        self.server.change("PersistentVolume", pv, {"status": {"phase": "Released"}})
        self.look()
        return pv

    def figure(self, name: str, **labels: str) -> float:
        """One of the metrics; 0 where it is not there."""
        return self.registry.get_sample_value(name, labels) or 0.0

    def _follow(self, cache: Cache[T], kind: type[T]) -> None:
        told = kind_of(kind)
        known = {}
        for one in self.server.store.all_in(Location(told.api_version, told.plural)):
            obj = msgspec.json.decode(json.dumps(one), type=kind)
            known[_key(obj)] = obj
        for key, old in list(cache.items()):
            if key not in known:
                cache.drop(old)
        for key, obj in known.items():
            before = cache.get(key)
            if before is None or _version(before) != _version(obj):
                cache.put(obj)


def told(outcome: Outcome) -> list[tuple[str, str]]:
    """The reasons of the Events that an outcome posts, and whom they are about."""
    return [(note.reason, f"{note.about.kind} {note.about.name}") for note in outcome.notes]


def json_of(obj: ClaimObject | ClassObject | VolumeObject) -> Json:
    """An object as it is written."""
    kind = kind_of(type(obj))
    said: Json = json.loads(msgspec.json.encode(obj))
    said["metadata"].pop("resourceVersion", None)
    return {"apiVersion": kind.api_version, "kind": kind.kind, **said}


def _key(obj: ClaimObject | ClassObject | VolumeObject) -> str:
    meta = obj.metadata
    assert meta is not None
    return f"{meta.namespace}/{meta.name}" if meta.namespace else meta.name or ""


def _version(obj: ClaimObject | ClassObject | VolumeObject) -> str | None:
    return obj.metadata.resourceVersion if obj.metadata else None
