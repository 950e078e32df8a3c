"""Caches that a test fills by hand, with what Cluster asks of an Informer: lookups, and telling handlers of changes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, ItemsView, ValuesView
from typing import Generic, TypeVar, cast

from berth.kube.informer import Informer, key_of
from berth.objects.kinds import ClaimObject, ClassObject, VolumeObject
from berth.reconcilers.cluster import Cluster
from tests.objects.objects_of import PROVISIONER

T = TypeVar("T", ClaimObject, ClassObject, VolumeObject)


class Cache(Generic[T]):
    """An Informer's cache without an API server behind it."""

    def __init__(self) -> None:
        self._objects: dict[str, T] = {}
        self._handlers: list[Callable[[T | None, T | None], None]] = []

    def put(self, obj: T) -> None:
        """As if the API server had told of obj, new or changed."""
        meta = obj.metadata
        key = key_of(meta.namespace, meta.name or "")
        old = self._objects.get(key)
        self._objects[key] = obj
        self._tell(old, obj)

    def drop(self, obj: T) -> None:
        """As if the API server had told that obj is gone."""
        meta = obj.metadata
        self._tell(self._objects.pop(key_of(meta.namespace, meta.name or "")), None)

    def resync(self) -> None:
        """Every object again, unchanged."""
        for obj in list(self._objects.values()):
            self._tell(obj, obj)

    def add_handler(self, handler: Callable[[T | None, T | None], None]) -> None:
        self._handlers.append(handler)

    async def introduce(self, handler: Callable[[T | None, T | None], None]) -> None:
        self.add_handler(handler)
        async for obj in self.each():
            handler(None, obj)

    async def each(self) -> AsyncIterator[T]:
        for obj in list(self._objects.values()):
            yield obj

    def get(self, key: str) -> T | None:
        return self._objects.get(key)

    def items(self) -> ItemsView[str, T]:
        return self._objects.items()

    def values(self) -> ValuesView[T]:
        return self._objects.values()

    def __contains__(self, key: str) -> bool:
        return key in self._objects

    def _tell(self, old: T | None, new: T | None) -> None:
        for handler in self._handlers:
            handler(old, new)


class World:
    """A Cluster and the three caches below it."""

    def __init__(self, *, same_server: Callable[[str, str], bool] = str.__eq__) -> None:
        self.claims: Cache[ClaimObject] = Cache()
        self.classes: Cache[ClassObject] = Cache()
        self.volumes: Cache[VolumeObject] = Cache()
        self.cluster = Cluster(
            claims=cast("Informer[ClaimObject]", self.claims),
            classes=cast("Informer[ClassObject]", self.classes),
            volumes=cast("Informer[VolumeObject]", self.volumes),
            provisioners=(PROVISIONER, "cluster.local/nfs-client"),
            same_server=same_server,
            learn_server=lambda _: None,
        )
