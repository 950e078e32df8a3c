"""How the API server creates, changes and deletes: what it checks, what it adds, and what it leaves as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from berth.kube.exchange import Request
from tests.fake_api import patching
from tests.fake_api.addressing import Target, refusal
from tests.fake_api.store import WITH_STATUS, Json, Location, Store

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_OF_THE_SERVER = ("uid", "creationTimestamp", "deletionTimestamp", "generation", "resourceVersion")
_FIXED = {"persistentvolumes": ("spec", "nfs"), "storageclasses": ("parameters",)}
"""What can't be changed once the object is there."""


class Writing:
    """The writing half of a FakeApiServer."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._applied: dict[Location, dict[str, Json]] = {}
        """By object: what each manager applied last."""

    def found(self, request: Request, target: Target) -> Json:
        """The object. NotFound."""
        where = target.location
        obj = self._store.get(where)
        if obj is None:
            kind = f"{where.plural}.{where.group}" if where.group else where.plural
            raise refusal(request, 404, "NotFound", f'{kind} "{where.name}" not found')
        return obj

    def create(self, request: Request, target: Target) -> Json:
        """A new object in target's collection. AlreadyExists; NotFound for its namespace; Invalid."""
        where, obj = target.location, json.loads(request.body)
        name = obj.get("metadata", {}).get("name", "")
        if not _NAME.fullmatch(name):
            said = f'{obj.get("kind", "")} "{name}" is invalid: metadata.name: Invalid value: "{name}"'
            raise refusal(request, 422, "Invalid", said)
        location = Location(where.api_version, where.plural, where.namespace, name)
        home = Location("v1", "namespaces", "", where.namespace)
        if where.namespace and self._store.get(home) is None:
            raise refusal(request, 404, "NotFound", f'namespaces "{where.namespace}" not found')
        if self._store.get(location) is not None:
            raise refusal(request, 409, "AlreadyExists", f'{where.plural} "{name}" already exists')
        if where.plural in WITH_STATUS:
            obj.pop("status", None)
        for field in _OF_THE_SERVER:
            obj["metadata"].pop(field, None)
        self._applied.pop(location, None)
        return self._store.create(location, obj)

    def replace(self, request: Request, target: Target) -> Json:
        """The object as the request has it. NotFound, Conflict, Invalid."""
        return self._change(request, target, lambda _: json.loads(request.body))

    def patch(self, request: Request, target: Target) -> Json:
        """The object with the request's patch. NotFound, Conflict, Invalid."""
        patch = json.loads(request.body)
        match request.content_type:
            case "application/merge-patch+json":
                return self._change(request, target, lambda old: patching.merge(old, patch))
            case "application/strategic-merge-patch+json":
                return self._change(request, target, lambda old: patching.strategic(old, patch))
            case "application/json-patch+json":
                return self._change(request, target, lambda old: patching.json_patch(old, patch))
            case _:
                return self._apply(request, target, patch)

    def delete(self, request: Request, target: Target) -> Json:
        """What is left of the object. NotFound; Conflict where a precondition does not hold."""
        obj = self.found(request, target)
        wanted = json.loads(request.body or b"{}").get("preconditions") or {}
        for field, value in wanted.items():
            if obj["metadata"].get(field) != value:
                said = f"Precondition failed: {field} in precondition: {value}, in object: {obj['metadata'].get(field)}"
                raise refusal(request, 409, "Conflict", said)
        self._store.delete(target.location)
        return self._store.get(target.location) or {"kind": "Status", "metadata": {}, "status": "Success"}

    def _change(self, request: Request, target: Target, make: Callable[[Json], Json], *, dry_run: bool = False) -> Json:
        old = self.found(request, target)
        try:
            new = make(old)
        except patching.PatchError as error:
            raise refusal(request, 422, "Invalid", str(error)) from error
        said = new["metadata"]
        for field in ("uid", "resourceVersion"):
            if said.get(field, old["metadata"][field]) == old["metadata"][field]:
                continue
            if field == "uid" and request.method == "PATCH":
                what = f'metadata.uid: Invalid value: "{said[field]}": field is immutable'
                raise refusal(request, 422, "Invalid", f'"{target.location.name}" is invalid: {what}')
            why = "the object has been modified; please apply your changes to the latest version and try again"
            raise refusal(request, 409, "Conflict", f"Operation cannot be fulfilled on {request.key}: {why}")
        new = _kept(target, old, new)
        self._check(request, target, old, new)
        return new if dry_run else self._store.update(target.location, new)

    def _check(self, request: Request, target: Target, old: Json, new: Json) -> None:
        added = set(new["metadata"].get("finalizers") or ()) - set(old["metadata"].get("finalizers") or ())
        if old["metadata"].get("deletionTimestamp") and added:
            said = "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted"
            raise refusal(request, 422, "Invalid", said)
        path = _FIXED.get(target.location.plural, ())
        if path and _at(old, path) != _at(new, path):
            raise refusal(request, 422, "Invalid", f"{'.'.join(path)}: Forbidden: is immutable after creation")

    def _apply(self, request: Request, target: Target, wanted: Json) -> Json:
        where, manager = target.location, target.query["fieldManager"]
        dry_run = target.query.get("dryRun") == "All"
        if self._store.get(where) is None:
            if dry_run:
                return wanted
            made = self.create(request, target)
            self._applied[where] = {manager: wanted}
            return made
        others = {name: one for name, one in self._applied.get(where, {}).items() if name != manager}
        before = self._applied.get(where, {}).get(manager, {})

        def make(old: Json) -> Json:
            new, clashing = patching.apply(old, wanted, before, others)
            if clashing and target.query.get("force") != "true":
                raise refusal(request, 409, "Conflict", f"Apply failed with 1 conflict: {clashing}")
            return new

        result = self._change(request, target, make, dry_run=dry_run)
        if not dry_run:
            self._applied.setdefault(where, {})[manager] = wanted
        return result


def _kept(target: Target, old: Json, new: Json) -> Json:
    """new with what such a request does not change: the server's own fields, and status or all else."""
    kept = {key: old["metadata"][key] for key in _OF_THE_SERVER if key in old["metadata"]}
    meta = {**new["metadata"], **kept}
    if not meta.get("finalizers"):
        meta.pop("finalizers", None)
    if target.subresource == "status":
        result = {**old, "status": new.get("status")}
        return {**result, "metadata": {**meta, "finalizers": old["metadata"]["finalizers"]}} if (
            old["metadata"].get("finalizers")
        ) else {**result, "metadata": meta}  # fmt: skip
    result = {"apiVersion": old["apiVersion"], "kind": old["kind"], **new, "metadata": meta}
    if target.location.plural in WITH_STATUS and "status" in old:
        result["status"] = old["status"]
    return result


def _at(obj: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        obj = obj.get(part) if isinstance(obj, dict) else None
    return obj
