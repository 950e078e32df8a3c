"""An API server in memory: answers each verb as the real one does, without controllers behind it.

Nothing binds a claim, runs a pod or collects garbage here: a test does, with put, change and drop. What a test finds
out about the answers of an API server holds for the real one as far as test_conformance shows it.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass

from berth.kube.exchange import Request
from tests.fake_api import patching, selecting
from tests.fake_api.addressing import Target, location_of, plural_of, refusal, target_of
from tests.fake_api.store import Change, Json, Location, Store
from tests.fake_api.writing import Writing

_WATCH_LISTS = 34
"""Of which minor release on a watch can begin with all objects."""
_REVIEWS = ("selfsubjectaccessreviews", "subjectaccessreviews")


@dataclass(frozen=True, slots=True)
class Asked:
    """A right that somebody is asked about, or makes use of. account: empty for the client's own."""

    verb: str
    group: str
    resource: str
    name: str = ""
    namespace: str = ""
    account: str = ""
    groups: tuple[str, ...] = ()


class FakeApiServer:
    """The objects of one cluster, and the answers to requests."""

    def __init__(self) -> None:
        self.store = Store()
        self.allows: Callable[[Asked], bool] = lambda _: True
        """Who may do what; everybody everything, unless a test says otherwise."""
        self.absent = {"servicemonitors", "provisionercapabilities"}
        """Plurals of kinds that the cluster does not know."""
        self.release = ("1", "31")
        self.is_strict = True
        """Whether what it does not know of a watch's parameters is refused, rather than passed over."""
        self._writing = Writing(self.store)
        self._rest: dict[str, tuple[int, list[Json]]] = {}
        """By continue token: the version of the list, and what is still to come of it."""
        self._cut = 0
        for name in ("default", "kube-system", "kube-public", "kube-node-lease"):
            self.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def put(self, obj: Json) -> Json:
        """Keeps an object as it is, status and all, in place of its namesake; makes its namespace. What others do."""
        location = location_of(obj)
        home = Location("v1", "namespaces", "", location.namespace)
        if location.namespace and self.store.get(home) is None:
            self.store.create(home, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": home.name}})
        old = self.store.get(location)
        if old is None:
            return self.store.create(location, obj)
        kept = {key: old["metadata"][key] for key in ("uid", "creationTimestamp")}
        return self.store.update(location, {**obj, "metadata": {**kept, **obj["metadata"]}})

    def find(self, kind: str, name: str, namespace: str = "") -> Json | None:
        """The object of that kind and name."""
        wanted = (plural_of(kind), namespace, name)
        found = (where for where in self.store.locations() if (where.plural, where.namespace, where.name) == wanted)
        where = next(found, None)
        return None if where is None else self.store.get(where)

    def change(self, kind: str, name: str, patch: Json, namespace: str = "") -> Json:
        """Merges patch into an object, status and all: what others do."""
        obj = self.find(kind, name, namespace)
        assert obj is not None, f"no {kind} {namespace}/{name}"
        return self.store.update(location_of(obj), patching.merge(obj, patch))

    def drop(self, kind: str, name: str, namespace: str = "") -> None:
        """Takes an object away, whatever holds it: what others do."""
        obj = self.find(kind, name, namespace)
        assert obj is not None, f"no {kind} {namespace}/{name}"
        self.store.remove(location_of(obj))

    def forget_history(self) -> None:
        """Compaction: from now on whoever continues a list or a watch of before is told 410."""
        self.store.forget_history()
        self._rest.clear()

    def cut_watches(self) -> None:
        """Ends every watch there is, as a server does that goes away."""
        self._cut += 1
        self.store.wake()

    def answer(self, request: Request) -> Json:
        """The object that the real one would answer. StatusError."""
        target = target_of(request)
        if target.location.plural == "version":
            return {"major": self.release[0], "minor": self.release[1], "gitVersion": "v{}.{}.0".format(*self.release)}
        if target.location.plural in _REVIEWS:
            return self._review(target.location.plural, json.loads(request.body))
        self._admit(request, target)
        match request.method:
            case "GET":
                return self._writing.found(request, target) if target.location.name else self._list(request, target)
            case "POST":
                return self._writing.create(request, target)
            case "PUT":
                return self._writing.replace(request, target)
            case "PATCH":
                return self._writing.patch(request, target)
            case _:
                return self._writing.delete(request, target)

    async def watch(self, request: Request) -> AsyncGenerator[Json, None]:
        """The lines of a watch, until it is cut. StatusError."""
        target, cut = target_of(request), self._cut
        self._admit(request, target)
        selects = self._selector(request, target)
        if "resourceVersionMatch" in target.query and int(self.release[1]) < _WATCH_LISTS and self.is_strict:
            raise refusal(request, 422, "Invalid", "resourceVersionMatch is forbidden for watch")
        since = int(target.query.get("resourceVersion") or 0)
        if since == 0:
            since = self.store.version
            for obj in filter(selects, self.store.all_in(target.location)):
                yield {"type": "ADDED", "object": obj}
            if "sendInitialEvents" in target.query and int(self.release[1]) >= _WATCH_LISTS:
                meta = {"resourceVersion": str(since), "annotations": {"k8s.io/initial-events-end": "true"}}
                yield {"type": "BOOKMARK", "object": {"metadata": meta}}
        elif since < self.store.oldest:
            raise refusal(request, 410, "Expired", f"too old resource version: {since} ({self.store.oldest})")
        end = asyncio.get_running_loop().time() + float(target.query["timeoutSeconds"])
        with suppress(TimeoutError):
            while self._cut == cut:
                seen = self.store.version
                for change in self.store.changes(target.location, since):
                    line = _line(change, selects)
                    if line is not None:
                        yield line
                since = seen
                async with asyncio.timeout_at(end):
                    await self.store.wait(seen)

    def _admit(self, request: Request, target: Target) -> None:
        where = target.location
        if where.plural in self.absent:
            raise refusal(request, 404, "NotFound", "the server could not find the requested resource")
        resource = f"{where.plural}/{target.subresource}" if target.subresource else where.plural
        if not self.allows(Asked(request.verb, where.group, resource, where.name, where.namespace)):
            said = f'{where.plural} is forbidden: cannot {request.verb} resource "{resource}"'
            raise refusal(request, 403, "Forbidden", said)

    def _review(self, reviews: str, review: Json) -> Json:
        spec = review["spec"]
        said = spec["resourceAttributes"]
        resource = f"{said['resource']}/{said['subresource']}" if said.get("subresource") else said["resource"]
        account = spec.get("user", "").removeprefix("system:serviceaccount:").replace(":", "/")
        asked = Asked(
            said["verb"],
            said["group"],
            resource,
            said["name"],
            said["namespace"],
            account,
            tuple(spec.get("groups", ())),
        )
        return {"status": {"allowed": self.allows(asked)}}

    def _selector(self, request: Request, target: Target) -> selecting.Selects:
        try:
            by_labels = selecting.labels(target.query.get("labelSelector", ""))
            by_fields = selecting.fields(target.query.get("fieldSelector", ""), target.location.plural)
        except ValueError as error:
            raise refusal(request, 400, "BadRequest", str(error)) from error
        return lambda obj: by_labels(obj) and by_fields(obj)

    def _list(self, request: Request, target: Target) -> Json:
        token, limit = target.query.get("continue", ""), int(target.query.get("limit") or 0)
        if token and token not in self._rest:
            raise refusal(request, 410, "Expired", "The provided continue parameter is too old")
        selects = self._selector(request, target)
        if token:
            version, items = self._rest[token]
        else:
            version, items = self.store.version, list(filter(selects, self.store.all_in(target.location)))
        page, rest = (items[:limit], items[limit:]) if limit else (items, [])
        following = secrets.token_hex(8) if rest else ""
        if rest:
            self._rest[following] = (version, rest)
        kept = [{key: value for key, value in one.items() if key not in ("apiVersion", "kind")} for one in page]
        return {"metadata": {"resourceVersion": str(version), "continue": following}, "items": kept}


def _line(change: Change, selects: selecting.Selects) -> Json | None:
    """What a watch that selects tells of a change: one that leaves its selection is gone for it."""
    before = change.before if change.before is not None and selects(change.before) else None
    after = change.after if change.after is not None and selects(change.after) else None
    if after is not None:
        return {"type": "ADDED" if before is None else "MODIFIED", "object": after}
    if before is None:
        return None
    last = {**before, "metadata": {**before["metadata"], "resourceVersion": str(change.version)}}
    return {"type": "DELETED", "object": last}
