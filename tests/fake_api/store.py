"""What an API server keeps: objects as JSON, one version for every change, and the history that watches are told."""

from __future__ import annotations

import asyncio
import uuid
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

WITH_STATUS = frozenset({
    "persistentvolumes", "persistentvolumeclaims", "namespaces", "pods", "deployments", "statefulsets", "daemonsets",
    "replicasets",
})  # fmt: skip
"""Kinds whose status is changed by its subresource alone."""
_WITH_GENERATION = frozenset({"deployments", "statefulsets", "daemonsets", "replicasets"})
_FIRST_PHASE = {"persistentvolumes": "Pending", "persistentvolumeclaims": "Pending", "namespaces": "Active"}


@dataclass(frozen=True, slots=True)
class Location:
    """Where an object is kept. A collection has no name."""

    api_version: str
    plural: str
    namespace: str = ""
    name: str = ""

    @property
    def group(self) -> str:
        return self.api_version.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class Change:
    """One change: the object before and after it. before None: made; after None: gone."""

    version: int
    location: Location
    before: Json | None
    after: Json | None


class Store:
    """Objects by their location. What goes in and out is copied."""

    def __init__(self) -> None:
        self._objects: dict[Location, Json] = {}
        self._history: list[Change] = []
        self._changed = asyncio.Event()
        self.version = 100
        self.oldest = 100
        """Changes after this version are remembered."""

    def get(self, location: Location) -> Json | None:
        """The object there."""
        return deepcopy(self._objects.get(location))

    def locations(self) -> list[Location]:
        """Where there are objects."""
        return list(self._objects)

    def all_in(self, collection: Location) -> list[Json]:
        """The objects of a collection, ordered as the API server orders them: by namespace and name."""
        return [deepcopy(one) for where, one in sorted(self._objects.items(), key=_order) if within(where, collection)]

    def create(self, location: Location, obj: Json) -> Json:
        """Keeps a new object, with what the API server adds to it."""
        made = deepcopy(obj)
        meta = made.setdefault("metadata", {})
        meta.setdefault("uid", str(uuid.uuid4()))
        meta.setdefault("creationTimestamp", now())
        if location.plural in _WITH_GENERATION:
            meta.setdefault("generation", 1)
        if location.plural in _FIRST_PHASE:
            made.setdefault("status", {}).setdefault("phase", _FIRST_PHASE[location.plural])
        return self._put(location, None, made)

    def update(self, location: Location, obj: Json) -> Json:
        """Keeps a change of an object. One that changes nothing makes no new version; the last finalizer of a deleted
        object takes it along.
        """
        before, after = self._objects[location], deepcopy(obj)
        after["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"]
        if after == before:
            return deepcopy(before)
        meta = after["metadata"]
        if meta.get("deletionTimestamp") and not meta.get("finalizers"):
            self.remove(location)
            return after
        if location.plural in _WITH_GENERATION and after.get("spec") != before.get("spec"):
            meta["generation"] = meta.get("generation", 1) + 1
        return self._put(location, before, after)

    def delete(self, location: Location) -> None:
        """Removes an object, or marks it while it has finalizers. A namespace goes with all that is in it."""
        obj = self._objects[location]
        if obj["metadata"].get("finalizers"):
            if not obj["metadata"].get("deletionTimestamp"):
                marked = deepcopy(obj)
                marked["metadata"]["deletionTimestamp"] = now()
                self._put(location, obj, marked)
            return
        if location.plural == "namespaces":
            for where in [one for one in self._objects if one.namespace == location.name]:
                self.remove(where)
        self.remove(location)

    def remove(self, location: Location) -> None:
        """The object is gone, whatever holds it."""
        before = self._objects.pop(location)
        self.version += 1
        self._tell(Change(self.version, location, before, None))

    def _put(self, location: Location, before: Json | None, after: Json) -> Json:
        self.version += 1
        after["metadata"]["resourceVersion"] = str(self.version)
        self._objects[location] = after
        self._tell(Change(self.version, location, before, after))
        return deepcopy(after)

    def _tell(self, change: Change) -> None:
        self._history.append(change)
        self.wake()

    def wake(self) -> None:
        """Lets everybody who waits in after look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    def forget_history(self) -> None:
        """Compaction: no change so far is remembered."""
        self._history.clear()
        self.oldest = self.version

    def changes(self, collection: Location, since: int) -> list[Change]:
        """The changes of a collection after a version."""
        return [one for one in self._history if one.version > since and within(one.location, collection)]

    async def wait(self, since: int) -> None:
        """Returns once something has changed after a version, or at the next wake."""
        if self.version <= since:
            await self._changed.wait()


def within(location: Location, collection: Location) -> bool:
    """Whether an object is of a collection."""
    return (location.api_version, location.plural) == (collection.api_version, collection.plural) and (
        collection.namespace in ("", location.namespace)
    )


def now() -> str:
    """This moment, as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _order(entry: tuple[Location, Json]) -> tuple[str, str]:
    return entry[0].namespace, entry[0].name
