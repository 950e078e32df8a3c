"""A cache of all objects of one kind that follows the API server, and tells handlers about every change.

One task lists the kind (through a watch where the server does that: watch_list, else in pages), then watches it from
the list's resourceVersion on:
* The server ends a watch every few minutes, and connections break: the watch goes on from the last version seen
  (bookmarks keep it fresh while nothing changes). A connection that is silent for too long counts as broken.
* 410 Gone, as an answer or within the stream, or an expired continue token: list again. Handlers are told the
  difference only, including what was deleted in the meantime.
* While the API server is away the cache keeps its last state, and the task tries again for ever.

Handlers run in order, within the task, before the next change is read. A handler that raises is logged; the rest goes
on. However many objects there are, what is done for all of them is done in short turns (aio.slices).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator, KeysView
from contextlib import aclosing
from typing import Generic

import structlog

from berth.aio.slices import TURN, in_slices
from berth.kube.backoff import Backoff
from berth.kube.client import Api
from berth.kube.errors import Gone, KubeError, Silent, Unreachable
from berth.kube.kind import R, Resource, kind_of
from berth.kube.packed import Packed
from berth.kube.watch_list import NoWatchList, watch_list

log = structlog.get_logger()

Handler = Callable[[R | None, R | None], None]

_WATCH_SECONDS = (240.0, 480.0)
"""The server ends a watch after a random time between these, so that informers don't all come back at once."""
_STABLE = 10.0
"""A watch that lasted this many seconds was a good one: the next failure waits for the first backoff again."""


def key_of(namespace: str | None, name: str) -> str:
    """`namespace/name`, or `name` for what lives in no namespace."""
    return f"{namespace}/{name}" if namespace else name


def split_key(key: str) -> tuple[str, str]:
    """(namespace, name); the namespace is empty for what lives in none."""
    namespace, _, name = key.rpartition("/")
    return namespace, name


class Informer(Generic[R]):
    """The objects of one kind as the API server last told them; see the module's text.

    transform: trims or changes every object before it is cached; without one, managedFields are dropped. A slim
    resource class saves more: see objects/kinds.
    resync: handlers see every object again after about so many seconds, as (object, object); None: never.
    silence: seconds without even a bookmark after which the connection may be dead, and a new one is used.
    """

    def __init__(
        self,
        api: Api,
        resource: type[R],
        *,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        transform: Callable[[R], R] | None = None,
        resync: float | None = 900.0,
        page_size: int = 500,
        silence: float = 90.0,
    ) -> None:
        self.name = kind_of(resource).plural
        self._api = api
        self._resource = resource
        self._namespace = namespace
        self._labels = labels
        self._fields = fields
        self._transform = transform or _without_managed_fields
        self._resync = resync
        self._page_size = page_size
        self._silence = silence
        self._objects: Packed[R] = Packed(resource)
        self._handlers: list[Handler[R]] = []
        self._synced = asyncio.Event()
        self._version = ""
        self._heard_at = 0.0
        self._seen = 0
        self._has_watch_lists = True
        self._complaint = ""
        self._log = log.bind(informer=self.name)

    async def run(self) -> None:
        """Follows the API server for ever, through any outage of it."""
        loop = asyncio.get_running_loop()
        self._heard_at = loop.time()
        backoff = Backoff(first=1.0, limit=15.0)
        resync = asyncio.create_task(self._resync_forever(), name=f"{self.name} resync")
        try:
            while True:
                begin = loop.time()
                ended_well = await self._follow()
                if loop.time() - begin >= _STABLE:
                    backoff.forget(self.name)
                    if ended_well:
                        continue
                await asyncio.sleep(backoff.next(self.name))
        finally:
            resync.cancel()

    async def wait_synced(self) -> None:
        """Returns once the cache has held a whole list, and handlers have seen it."""
        await self._synced.wait()

    @property
    def is_synced(self) -> bool:
        """Whether the cache has held a whole list. An outage later on does not change that: see silent_for."""
        return self._synced.is_set()

    @property
    def silent_for(self) -> float:
        """Seconds since the API server last told anything; more than some minutes: what is cached may be old."""
        return asyncio.get_running_loop().time() - self._heard_at

    def add_handler(self, handler: Handler[R]) -> None:
        """Calls handler(old, new) for every change from now on; see introduce for what is cached already.

        old None: new to the cache; new None: gone, old is its last state; both the same object: a resync.
        """
        self._handlers.append(handler)

    async def introduce(self, handler: Handler[R]) -> None:
        """The same, and tells the handler of all that is cached by now, as new. What changes meanwhile it hears of in
        between, perhaps before it has heard of the object.
        """
        self.add_handler(handler)
        async for obj in self.each():
            self._call(handler, None, obj)

    def get(self, key: str) -> R | None:
        """The object of that key (`namespace/name` or `name`), a copy of the caller's own."""
        return self._objects.get(key)

    def keys(self) -> KeysView[str]:
        """All keys, as a live view: copy it before awaiting anything."""
        return self._objects.keys()

    def values(self) -> Iterator[R]:
        """All objects at once, for kinds of which there are few. Nothing may be awaited in between."""
        return self._objects.values()

    def each(self) -> AsyncIterator[R]:
        """All objects, in short turns: those that were there at the beginning, as they are when their turn comes."""
        return self._objects.each()

    def __contains__(self, key: str) -> bool:
        return key in self._objects

    def __len__(self) -> int:
        return len(self._objects)

    async def _follow(self) -> bool:
        """Lists if need be, and watches until that ends. True: it ended as planned and only has to be resumed."""
        try:
            if not self._version:
                await self._list()
            await self._watch()
        except Gone as error:
            self._version = ""
            self._log.info("the API server no longer has the version seen last, listing again", why=str(error))
            return False
        except Silent as error:
            # Before 1.21 or so a kind that nobody touches has no bookmarks either, so this is no trouble yet: if the
            # connection is dead, watching again will tell.
            self._log.debug("watching again", why=str(error))
        except KubeError as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                self._log.warning("can't follow the API server, trying again", why=self._complaint)
            return False
        return True

    async def _list(self) -> None:
        """Reads all objects, and tells the difference."""
        gone = set(self._objects.keys())
        version = await self._read_stream(gone) if self._has_watch_lists else ""
        if not version:
            gone = set(self._objects.keys())
            version = await self._read_pages(gone)
        async for key in in_slices(gone):
            self._tell(self._objects.pop(key), None)
        self._version = version
        self._synced.set()

    async def _read_stream(self, gone: set[str]) -> str:
        """Answers the version of all that was read; empty where the server does not do that. Takes out of gone what it
        has seen.
        """
        stream = watch_list(
            self._api, self._resource, namespace=self._namespace, labels=self._labels, fields=self._fields
        )
        try:
            async with aclosing(stream):
                async for event in stream:
                    if self._heard_one():
                        await asyncio.sleep(0)
                    if event.ends_initial:
                        return _version(event.object) or ""
                    gone.discard(self._remove(event.object) if event.type == "DELETED" else self._store(event.object))
        except NoWatchList as error:
            self._has_watch_lists = False
            self._log.debug("listing in pages", why=str(error))
        except Unreachable as error:  # pages tell whether that is so, or something on the way holds streams back
            self._log.debug("listing in pages this time", why=str(error))
        return ""

    async def _read_pages(self, gone: set[str]) -> str:
        """The same, in pages."""
        token = ""
        while True:
            page = await self._api.list_page(
                self._resource,
                namespace=self._namespace,
                labels=self._labels,
                fields=self._fields,
                limit=self._page_size,
                continue_token=token,
            )
            self._heard_one()
            for obj in page.items:
                if self._heard_one():
                    await asyncio.sleep(0)
                gone.discard(self._store(obj))
            token = page.continue_token
            if not token:
                return page.resource_version

    async def _watch(self) -> None:
        stream = self._api.watch(
            self._resource,
            resource_version=self._version,
            namespace=self._namespace,
            labels=self._labels,
            fields=self._fields,
            timeout=random.uniform(*_WATCH_SECONDS),
            silence=self._silence,
        )
        async with aclosing(stream):
            async for event in stream:
                if self._heard_one():
                    await asyncio.sleep(0)
                if event.type == "DELETED":
                    self._remove(event.object)
                elif event.type != "BOOKMARK":
                    self._store(event.object)
                meta = event.object.metadata
                if meta is not None and meta.resourceVersion:
                    self._version = meta.resourceVersion

    def _store(self, obj: R) -> str:
        new = self._transform(obj)
        key = _key(new)
        old = self._objects.get(key)
        if old is None or _version(old) != _version(new):
            self._objects.put(key, new)
            self._tell(old, new)
        return key

    def _remove(self, obj: R) -> str:
        last = self._transform(obj)
        key = _key(last)
        if self._objects.pop(key) is not None:
            self._tell(last, None)
        return key

    def _tell(self, old: R | None, new: R | None) -> None:
        for handler in self._handlers:
            self._call(handler, old, new)

    def _call(self, handler: Handler[R], old: R | None, new: R | None) -> None:
        try:
            handler(old, new)
        except Exception:  # noqa: BLE001 - one odd object must not make the program blind for all others
            self._log.exception("a handler failed", key=_key(new if new is not None else old))

    async def _resync_forever(self) -> None:
        while self._resync is not None:
            await asyncio.sleep(self._resync * random.uniform(0.9, 1.1))
            async for obj in self.each():
                self._tell(obj, obj)

    def _heard_one(self) -> bool:
        """For each object: the server is there. Whether it is others' turn: a reader may always have more."""
        self._seen += 1
        self._heard_at = asyncio.get_running_loop().time()
        if self._complaint:
            self._complaint = ""
            self._log.info("following the API server again")
        return self._seen % TURN == 0


def _key(obj: Resource | None) -> str:
    if obj is None or obj.metadata is None or not obj.metadata.name:
        return ""
    return key_of(obj.metadata.namespace, obj.metadata.name)


def _version(obj: Resource) -> str | None:
    return obj.metadata.resourceVersion if obj.metadata is not None else None


def _without_managed_fields(obj: R) -> R:
    # Who changed which field, when: often half of an object, and of no use to a controller.
    meta = obj.metadata
    if getattr(meta, "managedFields", None) is not None:
        meta.managedFields = None  # type: ignore[union-attr]
    return obj
