"""Objects of any kind as plain dictionaries: where each lives on the API server, and applying and removing them.

For those who make whole objects; a control loop works with typed ones (client.py, kind.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from berth.kube.answers import UNREADABLE, HttpAnswer, unreadable
from berth.kube.client import Api
from berth.kube.errors import Gone, status_error
from berth.kube.exchange import Request

Manifest = dict[str, Any]
"""An object as the API server takes it."""

_PAGE = 500
"""Objects in one answer."""
_NAMESPACED = {
    "ConfigMap": "configmaps", "Deployment": "deployments", "Endpoints": "endpoints", "Lease": "leases",
    "NetworkPolicy": "networkpolicies", "PersistentVolumeClaim": "persistentvolumeclaims", "Pod": "pods",
    "PodDisruptionBudget": "poddisruptionbudgets", "PrometheusRule": "prometheusrules",
    "Role": "roles", "RoleBinding": "rolebindings", "Secret": "secrets", "Service": "services",
    "ServiceAccount": "serviceaccounts", "ServiceMonitor": "servicemonitors", "StatefulSet": "statefulsets",
    "Event": "events", "DaemonSet": "daemonsets", "ReplicaSet": "replicasets", "Job": "jobs", "CronJob": "cronjobs",
    "ReplicationController": "replicationcontrollers",
}  # fmt: skip
_OF_THE_CLUSTER = {
    "ClusterRole": "clusterroles", "ClusterRoleBinding": "clusterrolebindings", "Namespace": "namespaces",
    "Node": "nodes", "PersistentVolume": "persistentvolumes", "ProvisionerCapability": "provisionercapabilities",
    "StorageClass": "storageclasses",
}  # fmt: skip
_MOST_LISTED = 1 << 29
"""Bytes of a list in one piece, which only an administrator's own commands ask for."""


@dataclass(frozen=True, slots=True)
class ApiPlace:
    """Where one object is: its kind's plural, its key for people, and its path on the API server."""

    plural: str
    key: str
    path: str


def place_of(manifest: Manifest) -> ApiPlace:
    """The place of an object that says its kind and name. ValueError for a kind that nobody here makes."""
    metadata = manifest["metadata"]
    return place(manifest["apiVersion"], manifest["kind"], metadata["name"], metadata.get("namespace", ""))


def place(api_version: str, kind: str, name: str = "", namespace: str = "") -> ApiPlace:
    """The place of one object or, without a name, of all of that kind (in the namespace, where one is given)."""
    plural = _NAMESPACED.get(kind) or _OF_THE_CLUSTER.get(kind)
    if plural is None:
        raise ValueError(f"{kind} is not a kind that is known here")
    if (kind in _OF_THE_CLUSTER and namespace) or (kind in _NAMESPACED and name and not namespace):
        raise ValueError(f"not a {kind}: name {name!r} in namespace {namespace!r}")
    root = "/apis" if "/" in api_version else "/api"
    below = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
    path = f"{root}/{api_version}{below}/{plural}" + (f"/{quote(name, safe='')}" if name else "")
    return ApiPlace(plural, f"{namespace}/{name}" if namespace and name else name or namespace, path)


class ManifestApi(Api):
    """An Api that also takes and answers whole objects of any of these kinds."""

    async def apply(
        self, manifest: Manifest, *, manager: str, force: bool = True, dry_run: bool = False
    ) -> dict[str, Any]:
        """Makes the object what manifest says of it, by server-side apply: fields of others stay. Answers the result.

        manager: whose fields these are; a field that manager applied before and manifest lacks now is removed. Conflict
        without force, where a field is another manager's. NotFound for a kind or namespace that is not there.
        """
        where = place_of(manifest)
        parameters = {"fieldManager": manager, "force": str(force).lower(), **({"dryRun": "All"} if dry_run else {})}
        request = Request(
            "patch",
            where.plural,
            where.key,
            "PATCH",
            f"{where.path}?{urlencode(parameters)}",
            msgspec.json.encode(manifest),
            "application/apply-patch+yaml",
        )
        return _read_any(request, await self._exchange.answer(request))

    async def make(self, manifest: Manifest) -> dict[str, Any]:
        """Posts a new object. AlreadyExists."""
        where = place_of(manifest)
        target = where.path.rpartition("/")[0]
        request = Request("create", where.plural, where.key, "POST", target, msgspec.json.encode(manifest))
        return _read_any(request, await self._exchange.answer(request))

    async def read(self, where: ApiPlace, *, labels: str = "") -> dict[str, Any]:
        """The object, or the whole list of objects, at that place, as the server's JSON has it. NotFound."""
        query = f"?{urlencode({'labelSelector': labels})}" if labels else ""
        request = Request("get", where.plural, where.key, "GET", where.path + query, most=_MOST_LISTED)
        return _read_any(request, await self._exchange.answer(request))

    async def read_each(self, where: ApiPlace, *, keep: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
        """The objects of the list at that place that keep says yes to, read page by page: no more is held of thousands.

        A list that changes too fast for the server's memory is begun anew, as often as it takes.
        """
        found: list[dict[str, Any]] = []
        token = ""
        while True:
            query = urlencode({"limit": _PAGE, **({"continue": token} if token else {})})
            request = Request("list", where.plural, where.key, "GET", f"{where.path}?{query}")
            try:
                page = _read_any(request, await self._exchange.answer(request))
            except Gone:
                found, token = [], ""
                continue
            found += [one for one in page.get("items") or () if keep(one)]
            token = page.get("metadata", {}).get("continue", "")
            if not token:
                return found

    async def merge(self, where: ApiPlace, patch: Manifest, *, manager: str) -> dict[str, Any]:
        """Changes what patch names and nothing else. NotFound."""
        target = f"{where.path}?{urlencode({'fieldManager': manager})}"
        body, content_type = msgspec.json.encode(patch), "application/merge-patch+json"
        request = Request("patch", where.plural, where.key, "PATCH", target, body, content_type)
        return _read_any(request, await self._exchange.answer(request))

    async def remove(self, where: ApiPlace) -> None:
        """Deletes the object there, and what it owns in the background. NotFound."""
        body = msgspec.json.encode({"propagationPolicy": "Background"})
        await self._exchange.answer(Request("delete", where.plural, where.key, "DELETE", where.path, body))

    async def version(self) -> tuple[int, int]:
        """The server's release, (1, 20) for v1.20.2."""
        request = Request("get", "version", "", "GET", "/version")
        told = _read_any(request, await self._exchange.answer(request))
        major, minor = (re.match(r"\d+", str(told.get(key, ""))) for key in ("major", "minor"))
        if major is None or minor is None:
            raise status_error(str(request), 200, "", f"the server's version can't be read: {told}")
        return int(major[0]), int(minor[0])


def _read_any(request: Request, answer: HttpAnswer) -> dict[str, Any]:
    try:
        return msgspec.json.decode(answer.body, type=dict[str, Any])
    except UNREADABLE as error:
        raise unreadable(str(request), error) from error
