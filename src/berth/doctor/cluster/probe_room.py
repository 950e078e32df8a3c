"""The namespace of one run of `--active`, what is made in it, and what an earlier run left behind.

The namespace has a label with its own uid, and so has all that is made in it; nobody can know that uid before the
namespace is there. Only what bears it is ever removed, and only by its uid: a namesake that somebody made is not it.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from datetime import datetime
from typing import Any

from berth.doctor.cluster.snapshot import parse_moment
from berth.findings.finding import Unseen
from berth.kube.errors import Conflict, KubeError, NotFound
from berth.kube.manifest import ManifestApi, place
from berth.objects import kinds, runtime
from berth.texts.text import Text

CLAIM = "PersistentVolumeClaim"
MANAGER = "berth-doctor"
MANAGED_BY = "app.kubernetes.io/managed-by"
PROBE = "berth.io/probe"
"""Label of what a run makes: the uid of its namespace."""
_PREFIX = "berth-doctor-"
_OLD = 600.0
"""Seconds after which no run can still be at work: another doctor's probe is left alone until then."""
_WRITES = (
    'set -e; file="/volume/.probe-$HOSTNAME"; trap "rm -f \\"$file\\"" EXIT; trap "exit 1" INT TERM; '
    'echo berth > "$file"; sync; test -s "$file"'
)


class ProbeRoom:
    """See the module's text. now: the cluster's time."""

    def __init__(self, api: ManifestApi, now: datetime) -> None:
        self._api = api
        self._now = now
        self._uid = ""
        self._is_entered = False
        self.namespace = f"{_PREFIX}{secrets.token_hex(5)}"

    async def enter(self) -> None:
        """Makes the namespace."""
        self._is_entered = True
        self._uid = (await self._label())["metadata"]["uid"]
        await self._label(self._uid)

    async def leave(self) -> None:
        """Removes all that was made. Repeating it is harmless."""
        if not self._is_entered:
            return
        with suppress(NotFound):  # nobody else can have made a namespace of that name, which was never told
            made = await self._api.get(runtime.Namespace, self.namespace)
            await self._remove(self.namespace, made.metadata.uid)

    async def clear_leftovers(self) -> list[Unseen]:
        """Removes what killed runs left. Where something else is there by now, nothing is, and that is told."""
        kept = []
        for each in (await self._api.list_page(runtime.Namespace, labels=f"{MANAGED_BY}={MANAGER}")).items:
            created = parse_moment(each.metadata.creationTimestamp)
            is_old = created is not None and (self._now - created).total_seconds() > _OLD
            is_ours = (each.metadata.labels or {}).get(PROBE) == each.metadata.uid and each.name.startswith(_PREFIX)
            if not is_ours or not is_old or each.metadata.deletionTimestamp:
                continue
            if await self._holds_others(each):
                what = Text(f"namespace {each.name} of an earlier try", f"先前探测的命名空间 {each.name}")
                why = Text("something else is in it, so it is left alone", "其中有其他对象，因此未删除")
                kept.append(Unseen(what, why))
            else:
                await self._remove(each.name, each.metadata.uid)
        return kept

    async def make_claim(self, name: str, of_class: kinds.ClassObject) -> None:
        """A claim of the class."""
        least = (of_class.parameters or {}).get("minSize", "")
        spec = {
            "storageClassName": of_class.name,
            "accessModes": ["ReadWriteMany"],
            "resources": {"requests": {"storage": f"{least}Gi" if least else "1Mi"}},
        }
        await self._make(CLAIM, name, spec)

    async def make_pod(self, node: str, claim: str, image: str, *, tolerates: bool) -> str:
        """A pod that writes into the claim's volume on that node, and takes away again what it wrote; its name."""
        name = f"{claim[:40].rstrip('-')}-{secrets.token_hex(3)}"
        spec = {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 1,
            "nodeSelector": {"kubernetes.io/hostname": node},
            **({"tolerations": [{"operator": "Exists"}]} if tolerates else {}),
            "containers": [
                {
                    "name": "probe",
                    "image": image,
                    "command": ["sh", "-c", _WRITES],
                    "volumeMounts": [{"name": "volume", "mountPath": "/volume"}],
                }
            ],
            "volumes": [{"name": "volume", "persistentVolumeClaim": {"claimName": claim}}],
        }
        await self._make("Pod", name, spec)
        return name

    async def read(self, kind: str, name: str = "") -> dict[str, Any]:
        """An object in it, or all of a kind."""
        return await self._api.read(place("v1", kind, name, self.namespace))

    async def _label(self, uid: str = "") -> dict[str, Any]:
        labels = {MANAGED_BY: MANAGER, **({PROBE: uid} if uid else {})}
        metadata = {"name": self.namespace, "labels": labels}
        return await self._api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}, manager=MANAGER)

    async def _make(self, kind: str, name: str, spec: dict[str, Any]) -> None:
        metadata = {"name": name, "namespace": self.namespace, "labels": {MANAGED_BY: MANAGER, PROBE: self._uid}}
        manifest = {"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec}
        await self._api.apply(manifest, manager=MANAGER)

    async def _holds_others(self, namespace: runtime.Namespace) -> bool:
        mine = namespace.metadata.uid
        claims = await self._api.list_page(kinds.ClaimObject, namespace=namespace.name)
        pods = await self._api.list_page(runtime.Pod, namespace=namespace.name)
        labels = [each.metadata.labels for each in claims.items] + [each.metadata.labels for each in pods.items]
        return any((each or {}).get(PROBE) != mine for each in labels)

    async def _remove(self, namespace: str, uid: str) -> None:
        with suppress(KubeError):  # they go with the namespace, too: the sooner they go, the sooner it does
            for each in (
                await self._api.list_page(kinds.ClaimObject, namespace=namespace, labels=f"{PROBE}={uid}")
            ).items:
                await self._api.delete(kinds.ClaimObject, each.name, namespace=namespace, uid=each.metadata.uid)
        with suppress(NotFound, Conflict):
            await self._api.delete(runtime.Namespace, namespace, uid=uid)
