"""Volumes that exist already, made in a hurry: as Berth and the controller manager would have left them.

The controller manager binds claims one by one (about a hundred a second), so it is paused, and what it would have
written is written here: what Berth makes of a claim, on the share and in the cluster, by Berth's own functions, then
the marks of a binding on claim and PV, each under its writer's name, which makes managedFields as large as they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from lightkube.resources.core_v1 import Namespace

from benchmarks.load import claim_to_file, side_by_side
from benchmarks.rig import CLASS, EXPORT, Rig
from berth.kube.client import Api
from berth.nfs import Resolver
from berth.objects import translation
from berth.objects.kinds import ClaimObject, ClassObject, VolumeObject
from berth.shares.direct.share import DirectShare
from berth.volumes.lifecycle import Lifecycle
from berth.volumes.parameters import share_address
from berth.volumes.plan import DefaultShare, make_plan
from berth.volumes.request import Census
from berth.volumes.share import Share

AT_ONCE = 32
_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
_COMPLETED = "pv.kubernetes.io/bind-completed"
_ASKED = "volume.beta.kubernetes.io/storage-provisioner"


class Maker:
    """Makes bound claims of the bench's class."""

    def __init__(
        self, users: Api, berth: Api, binder: Api, of_class: ClassObject, lifecycle: Lifecycle, share: Share
    ) -> None:
        """users, berth, binder: clients under the names of those who would write."""
        self._users = users
        self._berth = berth
        self._binder = binder
        self._class = of_class
        self._lifecycle = lifecycle
        self._share = share
        self._default = DefaultShare(share.address.server, share.address.export)

    async def make(self, namespace: str, number: int) -> None:
        """One claim with its volume, bound."""
        claim = await self._users.create(claim_to_file(namespace, number))
        plan = make_plan(translation.request_of(claim, self._class), self._default, lambda *_: ())
        await self._lifecycle.create(plan, self._share)
        await self._berth.create(translation.pv_of(plan, claim, self._class))
        marks = {_ASKED: self._class.provisioner, _BY_CONTROLLER: "yes", _COMPLETED: "yes"}
        binding = {"metadata": {"annotations": marks}, "spec": {"volumeName": plan.pv}}
        await self._binder.patch(ClaimObject, plan.claim.name, binding, namespace=namespace)
        status = {"phase": "Bound", "accessModes": ["ReadWriteMany"], "capacity": {"storage": "1Gi"}}
        await self._binder.patch(
            ClaimObject, plan.claim.name, {"status": status}, namespace=namespace, subresource="status"
        )
        await self._binder.patch(VolumeObject, plan.pv, {"status": {"phase": "Bound"}}, subresource="status")


async def make_existing(rig: Rig, namespace: str, count: int, *, first: int = 0) -> None:
    """So many bound claims, numbered from first on; the controller manager is paused meanwhile."""
    manager = rig.cluster.controller_manager
    async with _maker(rig) as maker:
        await asyncio.to_thread(manager.pause)
        try:
            await side_by_side(
                (partial(maker.make, namespace, number) for number in range(first, first + count)), AT_ONCE
            )
        finally:
            await asyncio.to_thread(manager.resume)


@asynccontextmanager
async def _maker(rig: Rig) -> AsyncIterator[Maker]:
    async with rig.client("kubectl") as users, rig.client("berth") as berth, rig.client("binder") as binder:
        of_class = await users.get(ClassObject, CLASS)
        system = (await users.get(Namespace, "kube-system")).metadata
        address = share_address(rig.cluster.nfs.host, EXPORT, tuple(of_class.mountOptions or ()))
        resolver = Resolver()
        share = DirectShare(address, resolver)
        try:
            yield Maker(
                users, berth, binder, of_class, Lifecycle((system and system.uid) or "", living=Census()), share
            )
        finally:
            await share.aclose()
            await resolver.aclose()
