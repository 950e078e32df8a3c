"""Requests to the API server, typed by lightkube's resource classes, failing only with berth.kube.errors.

One Api is one set of connections and one set of limits; build a second one where a queue must not delay (the Lease).

* Every call ends within `timeout` seconds, with a result or a KubeError; waiting for a free place among the concurrent
  writes is not counted. It can be cancelled at any point.
* There is no request rate. At most `concurrent_writes` writes are under way at once; where the server answers 429, the
  request waits for as long as it says and is sent again, and keeps its place meanwhile, which slows the others down.
* Only what may be repeated (GET, PUT, DELETE) is, and only where a kept connection turned out to be closed. A create
  whose answer was lost is Unreachable: its caller decides what it means to send it again.
* On 401 the token is read again, once.
* Whatever the server sends: an answer, or a line of a watch, is read up to 16 MiB (TooLarge), and nothing is followed
  elsewhere. A list that is too large is asked for in smaller pages.
* A guarded Api asks its guard before each time something is written, once there is a connection to write to.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from copy import copy
from dataclasses import dataclass
from typing import Any, Generic, Literal, Self

import msgspec
from lightkube.config.kubeconfig import SingleConfig

from berth.kube.answers import UNREADABLE, HttpAnswer, unreadable
from berth.kube.errors import ServerError, Silent, TooLarge
from berth.kube.exchange import Exchange, Request, RequestGuard, RequestObserver
from berth.kube.kind import Kind, R, kind_of
from berth.kube.lines import WatchEvent, read_event, whole_lines
from berth.kube.permissions import Right

PatchKind = Literal["merge", "strategic", "json"]

_PATCH_TYPES: dict[PatchKind, str] = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
}


class _ReviewStatus(msgspec.Struct):
    allowed: bool = False


class _Review(msgspec.Struct):
    status: _ReviewStatus


_read_review = msgspec.json.Decoder(_Review)


class _DeletedMetadata(msgspec.Struct):
    finalizers: tuple[str, ...] = ()


class _Deleted(msgspec.Struct):
    """What is left of an object that was deleted, or a Status that says that nothing is."""

    metadata: _DeletedMetadata = msgspec.field(default_factory=_DeletedMetadata)


_read_deleted = msgspec.json.Decoder(_Deleted)


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """One page of a list; continue_token is empty on the last one."""

    items: list[R]
    resource_version: str
    continue_token: str


class Api:
    """One client of one API server, for one event loop: see above. ConfigurationError if it can't be built."""

    def __init__(
        self,
        config: SingleConfig,
        *,
        timeout: float = 30.0,
        concurrent_writes: int = 64,
        user_agent: str = "berth",
        observer: RequestObserver | None = None,
    ) -> None:
        self.server: str = config.cluster.server
        self.namespace: str = config.namespace
        self._page_limits: dict[str, int] = {}
        """By plural, where pages had to be made smaller."""
        self._exchange = Exchange(
            config,
            timeout=timeout,
            concurrent_writes=concurrent_writes,
            user_agent=user_agent,
            observer=observer,
        )
        self._guard: RequestGuard | None = None

    def guarded(self, guard: RequestGuard) -> Api:
        """An Api on the same connections whose writes are guarded. Right before each create, replace, patch or delete
        leaves, it asks guard; if guard answers a reason against it, nothing is sent, and the call raises WriteWithheld.
        """
        view = copy(self)
        view._guard = guard
        return view

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes all idle connections; the Api is not used afterwards."""
        await self._exchange.aclose()

    async def get(self, resource: type[R], name: str, *, namespace: str = "") -> R:
        """The object of that name, fresh from the server. NotFound."""
        kind = kind_of(resource)
        request = Request("get", kind.plural, _key(namespace, name), "GET", kind.object(name, namespace))
        return _read(request, kind, await self._exchange.answer(request))

    async def list_page(
        self,
        resource: type[R],
        *,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        limit: int = 500,
        continue_token: str = "",
    ) -> Page[R]:
        """One page of at most limit objects. namespace empty: of all namespaces. Gone: the continue token has expired,
        start again.
        """
        kind = kind_of(resource)
        limit = min(limit, self._page_limits.get(kind.plural, limit))
        parameters: dict[str, str | int] = {"limit": limit, "continue": continue_token}
        target = kind.collection(namespace, labelSelector=labels, fieldSelector=fields, **parameters)
        request = Request("list", kind.plural, namespace, "GET", target)
        try:
            answer = await self._exchange.answer(request)
        except TooLarge:
            if limit <= 1:
                raise
            self._page_limits[kind.plural] = max(1, limit // 8)
            return await self.list_page(
                resource, namespace=namespace, labels=labels, fields=fields, limit=limit, continue_token=continue_token
            )
        try:
            page = kind.read_list.decode(answer.body)
        except UNREADABLE as error:
            raise unreadable(str(request), error) from error
        if continue_token and page.metadata.continue_ == continue_token:
            raise ServerError(str(request), 200, "", "its list goes in circles: the next page is the same one again")
        return Page(page.items, page.metadata.resourceVersion, page.metadata.continue_)

    async def create(self, obj: R) -> R:
        """Posts obj into the namespace that its metadata names. AlreadyExists."""
        kind, namespace, name = _locate(obj)
        request = Request(
            "create", kind.plural, _key(namespace, name), "POST", kind.collection(namespace), kind.encode(obj)
        )
        return _read(request, kind, await self._write(request))

    async def replace(self, obj: R) -> R:
        """Puts obj in the place of its namesake. Conflict unless its resourceVersion is the current one; NotFound."""
        kind, namespace, name = _locate(obj)
        target = kind.object(name, namespace)
        request = Request("update", kind.plural, _key(namespace, name), "PUT", target, kind.encode(obj))
        return _read(request, kind, await self._write(request))

    async def patch(
        self,
        resource: type[R],
        name: str,
        patch: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        namespace: str = "",
        kind: PatchKind = "merge",
        subresource: str = "",
    ) -> R:
        """Changes parts of an object. NotFound; Conflict if the patch names an old resourceVersion."""
        where = kind_of(resource)
        named = f"{where.plural}/{subresource}" if subresource else where.plural
        target, body = where.object(name, namespace, subresource), msgspec.json.encode(patch)
        request = Request("patch", named, _key(namespace, name), "PATCH", target, body, _PATCH_TYPES[kind])
        return _read(request, where, await self._write(request))

    async def delete(
        self, resource: type[R], name: str, *, namespace: str = "", uid: str = "", resource_version: str = ""
    ) -> tuple[str, ...]:
        """Deletes the object if uid and resource_version, where given, are its own: else Conflict. NotFound.

        An object with finalizers is only marked; it goes when the last one is removed. Answers those that it waits for,
        to which none can be added any more.
        """
        kind = kind_of(resource)
        given = {"uid": uid, "resourceVersion": resource_version}
        preconditions = {name: value for name, value in given.items() if value}
        body = msgspec.json.encode({"preconditions": preconditions}) if preconditions else b""
        target = kind.object(name, namespace)
        request = Request("delete", kind.plural, _key(namespace, name), "DELETE", target, body)
        answer = await self._write(request)
        try:
            return _read_deleted.decode(answer.body).metadata.finalizers
        except UNREADABLE as error:
            raise unreadable(str(request), error) from error

    async def _write(self, request: Request) -> HttpAnswer:
        return await self._exchange.answer(request, self._guard)

    async def may(self, right: Right, *, namespace: str, account: str = "") -> bool:
        """Whether the API server gives us that right; namespace: ours, for a right that is held there alone.

        account: of a service account, `namespace/name`, to ask for that one instead of us.
        """
        resource, _, subresource = right.resource.partition("/")
        attributes = {
            "verb": right.verb,
            "group": right.group,
            "resource": resource,
            "subresource": subresource,
            "name": right.name,
            "namespace": namespace if right.own_namespace else "",
        }
        spec: dict[str, Any] = {"resourceAttributes": attributes}
        reviews = "selfsubjectaccessreviews"
        if account:
            reviews, home = "subjectaccessreviews", account.partition("/")[0]
            spec["user"] = f"system:serviceaccount:{account.replace('/', ':')}"
            spec["groups"] = [f"system:serviceaccounts:{home}", "system:serviceaccounts", "system:authenticated"]
        request = Request(
            "create",
            reviews,
            str(right),
            "POST",
            f"/apis/authorization.k8s.io/v1/{reviews}",
            msgspec.json.encode({"spec": spec}),
        )
        try:
            return _read_review.decode((await self._exchange.answer(request)).body).status.allowed
        except UNREADABLE as error:
            raise unreadable(str(request), error) from error

    async def watch(
        self,
        resource: type[R],
        *,
        resource_version: str,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        timeout: float = 300.0,
        silence: float = 90.0,
        initial: bool = False,
    ) -> AsyncGenerator[WatchEvent[R], None]:
        """The changes after resource_version, with bookmarks, until the server ends the stream (after about timeout
        seconds). initial: all objects first, where the server can do that: see watch_list.

        Gone: that version is too old. Silent: nothing whole came for silence seconds, not even one of the bookmarks
        that new API servers send every minute. Close it with contextlib.aclosing.
        """
        kind = kind_of(resource)
        target = kind.collection(
            namespace,
            watch="true",
            allowWatchBookmarks="true",
            resourceVersion=resource_version,
            labelSelector=labels,
            fieldSelector=fields,
            timeoutSeconds=round(timeout),
            sendInitialEvents="true" if initial else "",
            resourceVersionMatch="NotOlderThan" if initial else "",
        )
        request = Request("watch", kind.plural, namespace, "GET", target)
        async with self._exchange.stream(request) as content:
            silent = Silent(str(request), self.server, f"nothing came for {silence:g} s, not even a bookmark")
            async with aclosing(whole_lines(request, content, silence, silent)) as lines:
                async for line in lines:
                    yield read_event(request, kind, line)


def _key(namespace: str, name: str) -> str:
    return f"{namespace}/{name}" if namespace else name


def _locate(obj: R) -> tuple[Kind[R], str, str]:
    kind = kind_of(type(obj))
    meta = obj.metadata
    if meta is None or not meta.name or bool(meta.namespace) != kind.namespaced:
        raise ValueError(f"a {kind.kind} needs a name{' and a namespace' if kind.namespaced else ''}")
    return kind, meta.namespace or "", meta.name


def _read(request: Request, kind: Kind[R], answer: HttpAnswer) -> R:
    try:
        return kind.read.decode(answer.body)
    except UNREADABLE as error:
        raise unreadable(str(request), error) from error
