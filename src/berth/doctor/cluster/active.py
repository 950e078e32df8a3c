"""`--active`: a probe claim for each class of NFS that is served and, where there are nodes, a pod on each that writes.

All of it lies in one namespace of its own, which is removed again whatever happens, Ctrl-C included. PVs of the probes
are told to be deleted, whatever their class would do; only nfs-subdir-external-provisioner may keep an empty
`archived-…` directory, where its class says so. The pods run Berth's own image if it is there: nodes can pull that.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Coroutine
from contextlib import suppress
from itertools import count
from typing import Any

from berth.doctor.cluster import kinds
from berth.doctor.cluster.mounting import output_of
from berth.doctor.cluster.served import Served
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.finding import Finding, Subject, Unseen
from berth.doctor.known import find
from berth.doctor.run import why_unseen
from berth.kube.errors import KubeError, NotFound
from berth.kube.manifest import ManifestApi, place
from berth.texts.text import Text, same

CLAIM_PATIENCE = 20.0
"""Seconds that a claim may take to be bound."""
POD_PATIENCE = 60.0
"""Seconds that a pod may take to start, write and end; its image may have to be pulled."""
_TRIED = 5
"""Times that kubelet has failed to mount the volume, after some 15 s, when that is answer enough."""
_CLEANING_UP = 30.0
_SETTLING = 5.0
_LOOK = 0.2
_EVENTS = 10
"""Looks at the pod for each one at its Events."""
IMAGE = "busybox:1.36"
_MANAGER = "berth-doctor"
_ON_DELETE = "berth.io/on-delete"
_POLICY = "persistentVolumeReclaimPolicy"
_WRITES = "set -e; file=/volume/.probe-$HOSTNAME; echo berth > $file; sync; test -s $file; rm $file"


class Prober:
    """One run: makes its namespace when entered, removes it when left."""

    def __init__(self, api: ManifestApi, snapshot: Snapshot, served: Served) -> None:
        self._api = api
        self._snapshot = snapshot
        self._served = served
        berths = [each.image for each in served.provisioners if each.flavour == "berth" and each.is_ready]
        self._image = berths[0] if berths else IMAGE
        self.namespace = f"berth-doctor-{secrets.token_hex(3)}"

    async def look(self) -> AsyncGenerator[Finding | Unseen, None]:
        """Tries every class, and tells what did not work."""
        classes = [each for each in self._served.nfs_classes if each.provisioner in self._served.names]
        if not classes:
            return
        try:
            await self._make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}})
            tries = [asyncio.create_task(self._try(each), name=f"probing {each.name}") for each in classes]
            try:
                for task in asyncio.as_completed(tries):
                    for said in await task:
                        yield said
            finally:
                for task in tries:
                    task.cancel()
                await asyncio.gather(*tries, return_exceptions=True)
        finally:
            await _to_the_end(self._clean_up())

    async def _try(self, of_class: kinds.Class) -> list[Finding | Unseen]:
        name = f"probe-{of_class.name}"[:60].rstrip("-.").replace(".", "-")
        waits = of_class.volumeBindingMode == "WaitForFirstConsumer"
        try:
            await self._make(self._claim(name, of_class))
            if not waits and not await self._is_bound(name):
                return [await self._unserved(name, of_class)]
            return [*await self._write(name, of_class)]
        except KubeError as error:
            what = Text(f"class {of_class.name}, by trying it", f"实际试用 StorageClass {of_class.name}")
            return [Unseen(what, why_unseen(error))]

    async def _write(self, claim: str, of_class: kinds.Class) -> list[Finding | Unseen]:
        nodes = [each.name for each in (await self._api.list_page(kinds.Node)).items if each.takes_pods]
        found = await asyncio.gather(*(self._write_on(node, claim, of_class) for node in nodes))
        return [each for each in found if each is not None]

    async def _write_on(self, node: str, claim: str, of_class: kinds.Class) -> Finding | None:
        name = f"{claim[:40].rstrip('-')}-{secrets.token_hex(3)}"
        await self._make(self._pod(name, node, claim))
        begun = time.monotonic()
        phase, reason = await self._end_of(name)
        if phase == "Succeeded":
            return None
        return find(
            "probe-pod-failed",
            Subject("node", node),
            Subject("class", of_class.name),
            seconds=f"{time.monotonic() - begun:.0f}",
            reason=reason,
        )

    async def _is_bound(self, claim: str) -> bool:
        where = place("v1", "PersistentVolumeClaim", claim, self.namespace)
        with suppress(TimeoutError):
            async with asyncio.timeout(CLAIM_PATIENCE):
                while True:
                    if (await self._api.read(where)).get("status", {}).get("phase") == "Bound":
                        return True
                    await asyncio.sleep(_LOOK)
        return False

    async def _unserved(self, claim: str, of_class: kinds.Class) -> Finding:
        return find(
            "probe-claim-unserved",
            Subject("class", of_class.name),
            seconds=f"{CLAIM_PATIENCE:g}",
            reason=await self._newest_event(claim) or Text("nobody said why", "没有任何事件说明原因"),
        )

    async def _end_of(self, pod: str) -> tuple[str, Text]:
        where = place("v1", "Pod", pod, self.namespace)
        with suppress(TimeoutError):
            async with asyncio.timeout(POD_PATIENCE):
                for looks in count(1):
                    phase = (await self._api.read(where)).get("status", {}).get("phase", "")
                    if phase == "Succeeded":
                        return phase, same("")
                    if phase == "Failed":
                        return phase, Text("it could not write", "无法写入")
                    if looks % _EVENTS == 0 and await self._cannot_mount(pod):
                        break
                    await asyncio.sleep(_LOOK)
        return "", await self._newest_event(pod) or Text("nobody said why", "没有任何事件说明原因")

    async def _cannot_mount(self, pod: str) -> bool:
        return any(
            each["reason"] == "FailedMount" and (each.get("count") or 1) >= _TRIED for each in await self._warnings(pod)
        )

    async def _newest_event(self, name: str) -> Text | None:
        told = await self._warnings(name)
        told.sort(key=lambda each: each.get("lastTimestamp") or each.get("eventTime") or "")
        return same(output_of(told[-1]["message"])) if told else None

    async def _warnings(self, name: str) -> list[dict[str, Any]]:
        """The warnings about a claim or pod of ours."""
        events = (await self._api.read(place("v1", "Event", namespace=self.namespace)))["items"]
        return [each for each in events if each["involvedObject"].get("name") == name and each["type"] == "Warning"]

    def _claim(self, name: str, of_class: kinds.Class) -> dict[str, Any]:
        least = (of_class.parameters or {}).get("minSize", "")
        return {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {
                "storageClassName": of_class.name,
                "accessModes": ["ReadWriteMany"],
                "resources": {"requests": {"storage": f"{least}Gi" if least else "1Mi"}},
            },
        }

    def _pod(self, name: str, node: str, claim: str) -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {
                "restartPolicy": "Never",
                "automountServiceAccountToken": False,
                "terminationGracePeriodSeconds": 0,
                "nodeSelector": {"kubernetes.io/hostname": node},
                "tolerations": [{"operator": "Exists"}],
                "containers": [
                    {
                        "name": "probe",
                        "image": self._image,
                        "command": ["sh", "-c", _WRITES],
                        "volumeMounts": [{"name": "volume", "mountPath": "/volume"}],
                    }
                ],
                "volumes": [{"name": "volume", "persistentVolumeClaim": {"claimName": claim}}],
            },
        }

    async def _make(self, manifest: dict[str, Any]) -> None:
        await self._api.apply(manifest, manager=_MANAGER)

    async def _clean_up(self) -> None:
        with suppress(KubeError):
            for claim in await self._settled_claims():
                await self._end_with(claim["spec"].get("volumeName", ""))
                await self._api.remove(place("v1", "PersistentVolumeClaim", claim["metadata"]["name"], self.namespace))
        with suppress(NotFound):
            await self._api.remove(place("v1", "Namespace", self.namespace))

    async def _settled_claims(self) -> list[dict[str, Any]]:
        """The claims, once each has its PV: one that is just being made would end as its class says."""
        where = place("v1", "PersistentVolumeClaim", namespace=self.namespace)
        claims: list[dict[str, Any]] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(_SETTLING):
                while True:
                    claims = (await self._api.read(where))["items"]
                    if all(each["spec"].get("volumeName") for each in claims):
                        return claims
                    await asyncio.sleep(_LOOK)
        return claims

    async def _end_with(self, volume: str) -> None:
        """Has the probe's own PV deleted with its claim."""
        if volume:
            ending = {"metadata": {"annotations": {_ON_DELETE: "delete"}}, "spec": {_POLICY: "Delete"}}
            with suppress(KubeError):
                await self._api.merge(place("v1", "PersistentVolume", volume), ending, manager=_MANAGER)


async def _to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Waits for work even if we are cancelled meanwhile (Ctrl-C), up to a deadline of its own."""
    task = asyncio.create_task(work, name="cleaning up")
    try:
        await asyncio.wait_for(asyncio.shield(task), _CLEANING_UP)
    except asyncio.CancelledError:
        with suppress(KubeError, TimeoutError):
            await asyncio.wait_for(asyncio.shield(task), _CLEANING_UP)
        raise
