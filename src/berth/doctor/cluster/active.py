"""`--active`: a probe claim for each class of NFS that is served and may be tried (see probing), and a pod on each node
that writes into its volume.

All of it lies in one namespace of its own, which is removed again whatever happens, Ctrl-C included; what a killed
doctor left, the next one finds by its label and uid, and removes. A probe ends as its class says: nothing is written
onto any PV. The pods run the image of the Berth that is trusted (see trust), or one that the administrator named.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Coroutine
from contextlib import suppress
from itertools import count
from typing import Any

from berth.doctor.cluster.mounting import output_of
from berth.doctor.cluster.probe_room import CLAIM, ProbeRoom
from berth.doctor.cluster.probing import Tried, Wish, choose, root_of
from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.cluster.trust import image_of
from berth.doctor.known import find
from berth.doctor.run import why_unseen
from berth.findings.finding import Finding, Subject, Unseen
from berth.kube.errors import KubeError
from berth.kube.manifest import ManifestApi
from berth.objects import kinds, runtime
from berth.texts.command import command
from berth.texts.text import Text, same
from berth.volumes.request import Claim

CLAIM_PATIENCE = 20.0
"""Seconds that a claim may take to be bound."""
POD_PATIENCE = 60.0
"""Seconds that a pod may take to start, write and end; its image may have to be pulled."""
_TRIED = 5
"""Times that kubelet has failed to mount the volume, after some 15 s, when that is answer enough."""
_CLEANING_UP = 30.0
_LOOK = 0.2
_EVENTS = 10
"""Looks at the pod for each one at its Events."""
_NODES = Text("writing from nodes", "从节点写入")


class Prober:
    """One run: makes its namespace when entered, removes it when left."""

    def __init__(self, api: ManifestApi, snapshot: Snapshot, provisioners: Provisioners, wish: Wish) -> None:
        self._api = api
        self._snapshot = snapshot
        self._provisioners = provisioners
        self._wish = wish
        self._image = wish.image or image_of(provisioners, snapshot)
        self._room = ProbeRoom(api, snapshot.now)

    async def look(self) -> AsyncGenerator[Finding | Unseen, None]:
        """Tries every class that may be tried, and tells what did not work, what was not tried, and what stays."""
        for unseen in await self._room.clear_leftovers():
            yield unseen
        tried = []
        for each in self._provisioners.nfs_classes:
            if each.provisioner not in self._provisioners.names:
                continue
            chosen = choose(each, self._provisioners, self._wish, Claim(self._room.namespace, _name(each), ""))
            if isinstance(chosen, Tried):
                tried.append(chosen)
            else:
                yield Unseen(_what(each), chosen)
        if not tried:
            return
        try:
            await self._room.enter()
            nodes = await self._nodes()
            if nodes and not self._image:
                yield Unseen(_NODES, _NO_IMAGE)
                nodes = []
            tries = [
                asyncio.create_task(self._try(each, nodes), name=f"probing {each.of_class.name}") for each in tried
            ]
            try:
                for task in asyncio.as_completed(tries):
                    for said in await task:
                        yield said
            finally:
                for task in tries:
                    task.cancel()
                await asyncio.gather(*tries, return_exceptions=True)
        finally:
            await _to_the_end(self._room.leave())

    async def _nodes(self) -> list[str]:
        nodes = [each for each in (await self._api.list_page(runtime.Node)).items if each.takes_pods]
        return [each.name for each in nodes if self._wish.all_nodes or not each.keeps_pods_off]

    async def _try(self, tried: Tried, nodes: list[str]) -> list[Finding | Unseen]:
        of_class, claim = tried.of_class, _name(tried.of_class)
        waits = of_class.volumeBindingMode == "WaitForFirstConsumer"
        try:
            await self._room.make_claim(claim, of_class)
            if not waits and not await self._is_bound(claim):
                return [await self._unserved(claim, of_class)]
            written = await asyncio.gather(*(self._write_on(node, claim, of_class) for node in nodes))
            found: list[Finding | Unseen] = [each for each in written if each is not None]
            return [*found, *await self._left(tried, claim)]
        except KubeError as error:
            return [Unseen(_what(of_class), why_unseen(error))]

    async def _write_on(self, node: str, claim: str, of_class: kinds.ClassObject) -> Finding | None:
        pod = await self._room.make_pod(node, claim, self._image, tolerates=self._wish.all_nodes)
        begun = time.monotonic()
        phase, reason = await self._end_of(pod)
        if phase == "Succeeded":
            return None
        return find(
            "probe-pod-failed",
            Subject("node", node),
            Subject("class", of_class.name),
            variant={"ended": phase == "Failed"},
            seconds=f"{time.monotonic() - begun:.0f}",
            reason=reason,
        )

    async def _left(self, tried: Tried, name: str) -> list[Finding]:
        """What of the probe stays, now that its PV is known, and how to remove it."""
        bound = await self._api.get(kinds.ClaimObject, name, namespace=self._room.namespace)
        pv = bound.spec.volumeName
        if not tried.leaves or not pv:
            return []
        claim = Claim(self._room.namespace, name, bound.metadata.uid)
        volume = await self._api.get(kinds.VolumeObject, pv)
        root = root_of(volume, tried.pattern.path(claim, pv, {}, {}))
        left = f"{root}/{tried.left(claim, pv)}"
        return [
            find(
                "probe-left",
                Subject("class", tried.of_class.name),
                Subject("volume", pv),
                variant={"volume": tried.keeps_pv},
                left=left,
                kept=pv,
                remove=command("rmdir {left}", left=left),
            )
        ]

    async def _is_bound(self, claim: str) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(CLAIM_PATIENCE):
                while True:
                    if (await self._room.read(CLAIM, claim)).get("status", {}).get("phase") == "Bound":
                        return True
                    await asyncio.sleep(_LOOK)
        return False

    async def _unserved(self, claim: str, of_class: kinds.ClassObject) -> Finding:
        return find(
            "probe-claim-unserved",
            Subject("class", of_class.name),
            seconds=f"{CLAIM_PATIENCE:g}",
            reason=await self._newest_event(claim),
        )

    async def _end_of(self, pod: str) -> tuple[str, Text | None]:
        with suppress(TimeoutError):
            async with asyncio.timeout(POD_PATIENCE):
                for looks in count(1):
                    phase = (await self._room.read("Pod", pod)).get("status", {}).get("phase", "")
                    if phase == "Succeeded":
                        return phase, None
                    if phase == "Failed":
                        return phase, None
                    if looks % _EVENTS == 0 and await self._cannot_mount(pod):
                        break
                    await asyncio.sleep(_LOOK)
        return "", await self._newest_event(pod)

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
        events = (await self._room.read("Event"))["items"]
        return [each for each in events if each["involvedObject"].get("name") == name and each["type"] == "Warning"]


_NO_IMAGE = Text(
    "no Berth runs in the cluster that is trusted, whose image the probe could use; name one with --probe-image",
    "集群中没有受信任的 Berth 在运行，探测没有可用的镜像；请用 --probe-image 指定",
)


def _name(of_class: kinds.ClassObject) -> str:
    """The claim that tries a class."""
    return f"probe-{of_class.name}"[:60].rstrip("-.").replace(".", "-")


def _what(of_class: kinds.ClassObject) -> Text:
    return Text(f"class {of_class.name}, by trying it", f"实际试用 StorageClass {of_class.name}")


async def _to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Waits for work even if we are cancelled meanwhile (Ctrl-C), up to a deadline of its own."""
    task = asyncio.create_task(work, name="cleaning up")
    try:
        await asyncio.wait_for(asyncio.shield(task), _CLEANING_UP)
    except asyncio.CancelledError:
        with suppress(KubeError, TimeoutError):
            await asyncio.wait_for(asyncio.shield(task), _CLEANING_UP)
        raise
