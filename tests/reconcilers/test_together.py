"""All loops together, with real caches and queues, on a virtual clock: claims come and go while the API server breaks
its watches, forgets its history, loses answers and is down; in the end everything is as if nothing had happened.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from berth.kube.informer import Informer
from berth.kube.loop import Loop, Reconciler
from berth.kube.outcome import Note
from berth.kube.workqueue import WorkQueue
from berth.objects.kinds import ClaimObject, ClassObject, VolumeObject
from berth.reconcilers.class_changes import ClassChanges
from berth.reconcilers.cluster import Cluster
from berth.reconcilers.routes import Routes
from berth.volumes.errors import VolumeError
from tests.aio.virtual_time import run_virtual
from tests.fake_api.api import FakeApi
from tests.fake_api.store import Json
from tests.objects.objects_of import PROVISIONER, claim, storage_class, uid_of
from tests.reconcilers.rig import PVS, Rig, json_of

CLAIMS = [f"data-{number}" for number in range(12)]


class Running:
    """A controller's loops at work, and a PV controller that binds and releases."""

    def __init__(self) -> None:
        self.api = FakeApi()
        self.server = self.api.cluster
        cluster = Cluster(
            claims=Informer(self.api, ClaimObject, resync=600),
            classes=Informer(self.api, ClassObject, resync=600),
            volumes=Informer(self.api, VolumeObject, resync=600),
            provisioners=(PROVISIONER,),
            same_server=str.__eq__,
            learn_server=lambda _: None,
        )
        self.cluster = cluster
        self.rig = Rig(api=self.api, cluster=cluster)
        self.notes: list[Note] = []
        self.claims, self.volumes, self.expansions, self.trash, self.sweeps, self.classes = (
            WorkQueue(name) for name in ("claims", "volumes", "expansions", "trash", "sweeps", "classes")
        )
        rig = self.rig
        rig.provision._again = self.claims.add
        rig.reclaim._again = self.volumes.add
        rig.provision._abandoned = lambda address: self.sweeps.add(rig.sweep.key_for(address))
        rig.reclaim._trashed = rig.sweep._trashed = lambda address, pv: self.trash.add(rig.purge.key_for(address, pv))
        self._work: list[tuple[Reconciler, WorkQueue]] = [
            (rig.provision, self.claims),
            (rig.reclaim, self.volumes),
            (rig.expand, self.expansions),
            (rig.purge, self.trash),
            (rig.sweep, self.sweeps),
        ]

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        caches: list[Informer[ClaimObject] | Informer[ClassObject] | Informer[VolumeObject]] = [
            self.cluster.claims,
            self.cluster.classes,
            self.cluster.volumes,
        ]
        tasks = [asyncio.create_task(one.run()) for one in caches]
        for one in caches:
            await one.wait_synced()
        changes = ClassChanges(
            cluster=self.cluster, wants=self.rig.reclaim.wants, claims=self.claims.add, volumes=self.volumes.add
        )
        for reconciler, queue in [*self._work, (changes, self.classes)]:
            loop = Loop(reconciler, queue, workers=3, post=self.notes.append, outages=(VolumeError,))
            tasks.append(asyncio.create_task(loop.run()))
        await Routes(
            self.cluster,
            provision=self.rig.provision,
            reclaim=self.rig.reclaim,
            expand=self.rig.expand,
            claims=self.claims,
            volumes=self.volumes,
            expansions=self.expansions,
            class_came=lambda name: self.classes.add(changes.noted(name)),
        ).attach()
        tasks.append(asyncio.create_task(self._keep_sweeping()))
        try:
            yield
            assert not [task for task in tasks if task.done()]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _keep_sweeping(self) -> None:
        while True:
            for key in await self.rig.sweep.shares_in_use():
                self.sweeps.add(key)
            await asyncio.sleep(600)

    def pvs(self) -> dict[str, Json]:
        """By the names of their claims."""
        return {one["spec"]["claimRef"]["name"]: one for one in self.server.store.all_in(PVS)}

    def bind(self) -> None:
        """What the PV controller does."""
        for name, pv in self.pvs().items():
            found = self.server.find("PersistentVolumeClaim", name, "team")
            phase = "Released" if found is None else "Bound"
            if pv["status"].get("phase") != phase:
                self.server.change("PersistentVolume", pv["metadata"]["name"], {"status": {"phase": phase}})
            if found is not None and not found["spec"].get("volumeName"):
                bound = {
                    "spec": {"volumeName": pv["metadata"]["name"]},
                    "status": {"phase": "Bound", "capacity": pv["spec"]["capacity"]},
                }
                self.server.change("PersistentVolumeClaim", name, bound, "team")

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(3600):  # of the virtual clock
            while not condition():
                self.bind()
                await asyncio.sleep(1)

    def trouble(self, dice: random.Random) -> None:
        """One of the things that go wrong."""
        verb = dice.choice(["create", "patch", "delete", "watch", "list"])
        match dice.randrange(5):
            case 0:
                self.server.cut_watches()
            case 1:
                self.server.cut_watches()
                self.server.forget_history()
            case 2:
                self.api.be_down(verb, times=dice.randint(1, 5))
            case 3 if verb in ("create", "patch", "delete"):
                self.api.lose_answer(verb, times=dice.randint(1, 3))
            case _:
                self.api.be_down(times=dice.randint(1, 20))


def directories(rig: Rig) -> set[str]:
    return {path for path in rig.share.tree() if "/" not in path and not path.startswith(".")}


@pytest.mark.parametrize("seed", range(10))
def test_everything_comes_out_as_if_nothing_had_happened(seed: int) -> None:
    async def main() -> None:
        dice, running = random.Random(seed), Running()
        rig, server = running.rig, running.server
        server.put(json_of(storage_class(parameters={"onDelete": "delete"})))
        async with running.at_work():
            for name in CLAIMS:
                server.put(json_of(claim(name)))
                if dice.random() < 0.3:
                    running.trouble(dice)
                await asyncio.sleep(dice.choice([0, 0, 0.5, 5]))
            await running.until(lambda: set(running.pvs()) == set(CLAIMS))
            assert len(directories(rig)) == len(CLAIMS)
            grown, gone = CLAIMS[:4], CLAIMS[6:]
            for name in grown:
                asked = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
                server.change("PersistentVolumeClaim", name, asked, "team")
                running.trouble(dice)
            for name in gone:
                server.drop("PersistentVolumeClaim", name, "team")
                running.trouble(dice)
                await asyncio.sleep(dice.choice([0, 0, 0.5, 5]))
            await running.until(
                lambda: (
                    set(running.pvs()) == set(CLAIMS) - set(gone)
                    and all(running.pvs()[name]["spec"]["capacity"]["storage"] == "2Gi" for name in grown)
                    and not [path for path in rig.share.tree() if path.startswith(".berth/trash/")]
                )
            )
        kept = {f"team-{name}-pvc-{uid_of(f'team/{name}')}" for name in set(CLAIMS) - set(gone)}
        assert directories(rig) == kept
        records = {path for path in rig.share.tree() if path.startswith(".berth/volumes/")}
        assert {path.rpartition("/")[2].removesuffix(".json") for path in records} == {
            pv["metadata"]["name"] for pv in running.pvs().values()
        }

    run_virtual(main())
