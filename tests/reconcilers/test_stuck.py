"""What does not go is seen: in the figures, in one Event for each state, on the share; and it holds up nobody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from berth.kube.backoff import Backoff
from berth.kube.loop import Loop
from berth.kube.outcome import Note, Reference
from berth.kube.workqueue import WorkQueue
from berth.metrics.stuck import StuckMetrics
from berth.metrics.volumes import VolumeMetrics
from berth.reconcilers.purge import MOST_TURNS, Purge
from berth.reconcilers.stuck import AGAIN, StuckVolumes
from berth.reconcilers.sweep import ANOTHERS, Sweep
from berth.shares.choose import Shares
from berth.volumes.errors import LeftBehind, VolumeError
from berth.volumes.naming import record_path, trash_path
from berth.volumes.plan import DefaultShare
from berth.volumes.share import Budget, Removal, ShareAddress
from tests.aio.virtual_time import run_virtual
from tests.objects.objects_of import storage_class
from tests.reconcilers.caches import World
from tests.volumes.builders import EXPORT, SERVER, Life, born, release_plan
from tests.volumes.memory import MemoryShare

ADDRESS = ShareAddress(SERVER, EXPORT)
SHARE = str(ADDRESS)
POD = Reference("v1", "Pod", "berth-0", "", "berth-system")


class Trash(MemoryShare):
    """A share on which some trees don't go, and some have no end."""

    def __init__(self, address: ShareAddress = ADDRESS) -> None:
        super().__init__(address)
        self.stays: dict[str, LeftBehind] = {}
        self.endless: set[str] = set()

    async def remove_tree(self, path: str, *, budget: Budget | None = None) -> Removal:
        if path in self.stays:
            raise self.stays[path]
        if path in self.endless:
            assert budget is not None
            await asyncio.sleep(budget.seconds)
            return Removal(1000, is_through=False)
        return await super().remove_tree(path, budget=budget)


class Bench:
    """A purge, a sweep and what they tell, on some shares."""

    def __init__(self, *shares: Trash, cluster: str = "cluster-1") -> None:
        self.world = World()
        self.registry = CollectorRegistry()
        self.notes: list[Note] = []
        self.lifecycle = Life(cluster)
        self._by_address = {each.address: each for each in shares}
        self.stuck = StuckVolumes(cluster=self.world.cluster, metrics=StuckMetrics(self.registry), pod=POD)
        parts: dict[str, Any] = {
            "shares": cast("Shares", self), "lifecycle": self.lifecycle, "metrics": VolumeMetrics(self.registry),
            "stuck": self.stuck,
        }  # fmt: skip
        self.purge = Purge(**parts)
        self.queue = WorkQueue("trash", backoff=Backoff(), lane=self.purge.lane_of)
        self.sweep = Sweep(
            **parts,
            cluster=self.world.cluster,
            default=DefaultShare(),
            trashed=lambda address, pv: self.add(pv, address),
        )

    async def get(self, address: ShareAddress) -> Trash:
        return self._by_address[address]

    def add(self, pv: str, address: ShareAddress = ADDRESS) -> None:
        self.queue.add(self.purge.key_for(address, pv))

    def figure(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    @property
    def in_trash(self) -> float | None:
        return self.figure("berth_trash_stuck", share=SHARE)

    async def look_through(self) -> None:
        outcome = await self.sweep(self.sweep.key_for(ADDRESS))
        self.notes += outcome.notes


def at_work(main: Callable[[Bench, Trash], Coroutine[Any, Any, None]], *others: Trash) -> None:
    """Runs main while the purge's loop runs, with a clock that jumps."""

    async def run() -> None:
        share = Trash()
        bench = Bench(share, *others)
        loop = Loop(bench.purge, bench.queue, workers=2, post=bench.notes.append, outages=(VolumeError,))
        working = asyncio.create_task(loop.run())
        await main(bench, share)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

    run_virtual(run())


async def deleted(share: Trash, name: str = "data") -> str:
    """The PV of a volume that is in the trash."""
    made = await born(share, name, content=b"x")
    await Life("cluster-1").release(release_plan(made, on_delete="delete"), share)
    return made.pv


def stays(pv: str, status: str = "NFS4ERR_PERM", count: int = 1) -> LeftBehind:
    return LeftBehind(SHARE, trash_path(pv), count=count, first=".snapshot/f", status=status)


def test_what_stays_in_the_trash_is_told_once_for_each_state_and_before_it_is_forgotten() -> None:
    async def main(bench: Bench, share: Trash) -> None:
        bench.world.classes.put(storage_class(metadata={"uid": "class-uid"}))
        pv = await deleted(share)
        share.stays[trash_path(pv)] = stays(pv)
        bench.add(pv)
        await asyncio.sleep(AGAIN - 10)
        (note,) = bench.notes
        assert note.about == Reference("storage.k8s.io/v1", "StorageClass", "nfs", "class-uid")
        assert (note.type, note.reason) == ("Warning", "TrashStuck")
        for said in (pv, "1 entry could not be removed", ".snapshot/f", "NFS4ERR_PERM", '"team/data"'):
            assert said in note.message
        assert bench.in_trash == 1
        assert json.loads(await share.read_file(record_path(pv)))["stuck"].startswith("1 entry could not be removed")
        await asyncio.sleep(700)
        assert len(bench.notes) == 2
        share.stays[trash_path(pv)] = stays(pv, "NFS4ERR_ROFS")
        await asyncio.sleep(700)
        assert len(bench.notes) == 3
        share.stays.clear()
        await asyncio.sleep(700)
        assert bench.in_trash == 0
        assert not [path for path in share.tree() if pv in path]
        assert len(bench.notes) == 3

    at_work(main)


def test_without_its_class_it_is_told_on_the_controllers_pod() -> None:
    async def main(bench: Bench, share: Trash) -> None:
        pvs = [await deleted(share, f"data-{number}") for number in range(2)]
        for pv in pvs:
            share.stays[trash_path(pv)] = stays(pv)
            bench.add(pv)
        await asyncio.sleep(100)
        assert [note.about for note in bench.notes] == [POD, POD]
        assert bench.in_trash == 2

    at_work(main)


def test_an_outage_is_not_told_as_something_that_stays() -> None:
    async def main(bench: Bench, share: Trash) -> None:
        pv = await deleted(share)
        share.stays[trash_path(pv)] = cast("LeftBehind", VolumeError("down"))
        bench.add(pv)
        await asyncio.sleep(100)
        assert bench.notes == []
        assert bench.in_trash is None

    at_work(main)


@pytest.mark.parametrize("others", [0, 3])
def test_volumes_without_end_hold_up_nobody_and_are_told_in_the_end(others: int) -> None:
    hostile = [Trash(ShareAddress(f"other-{number}", EXPORT)) for number in range(others)]

    async def main(bench: Bench, share: Trash) -> None:
        endless = [await deleted(share, f"endless-{number}") for number in range(3)]
        share.endless = {trash_path(pv) for pv in endless}
        for pv in endless:
            bench.add(pv)
        for other in hostile:
            pv = await deleted(other)
            other.endless = {trash_path(pv)}
            bench.add(pv, other.address)
        await asyncio.sleep(100)
        pv = await deleted(share, "small")
        bench.add(pv)
        await asyncio.sleep(70 if others else 45)
        assert not [path for path in share.tree() if pv in path]
        assert bench.notes == []
        await asyncio.sleep(10.5 * MOST_TURNS * (3 + others))
        assert len({note.message.partition(" comes to no end")[0] for note in bench.notes}) == 3 + others

    at_work(main, *hostile)


def test_trash_that_nobody_will_purge_is_told_and_not_touched() -> None:
    async def main(bench: Bench, share: Trash) -> None:
        pv = await deleted(share)
        await share.make_directory(trash_path("by-hand"), mode=0o755)
        await share.make_directory(trash_path("torn"), mode=0o755)
        await share.write_file(record_path("torn"), b"{")
        for _ in range(3):
            await bench.look_through()
            await asyncio.sleep(60)
        assert not [path for path in share.tree() if pv in path]  # its own it does purge
        (note,) = bench.notes
        assert (note.about, note.type, note.reason) == (POD, "Warning", "TrashUnowned")
        for said in (SHARE, "2 entries of .berth/trash", "'by-hand' (it has no record)", "'torn' (its record can't be"):
            assert said in note.message
        assert bench.in_trash == 2
        await share.remove_directory(trash_path("torn"))
        await bench.look_through()
        assert (bench.in_trash, len(bench.notes)) == (1, 2)
        await share.remove_directory(trash_path("by-hand"))
        await bench.look_through()
        assert (bench.in_trash, len(bench.notes)) == (0, 2)

    at_work(main)


def test_another_clusters_trash_is_told_once_that_cluster_must_be_gone() -> None:
    async def main(bench: Bench, share: Trash) -> None:
        pv = await deleted(share)
        other = Bench(share, cluster="cluster-2")
        await other.look_through()
        await asyncio.sleep(ANOTHERS - 60)
        await other.look_through()
        assert (other.in_trash, other.notes) == (0, [])
        await asyncio.sleep(120)
        await other.look_through()
        assert other.in_trash == 1
        assert f"'{pv}' (of cluster cluster-1, which does not purge it)" in other.notes[0].message
        assert trash_path(pv) in share.tree()

    at_work(main)


def test_released_pvs_that_can_not_go_are_counted_by_their_class() -> None:
    bench = Bench()
    for pv, class_name in (("pv-1", "nfs"), ("pv-1", "nfs"), ("pv-2", "nfs"), ("pv-3", "other")):
        bench.stuck.release_failed(pv, class_name)
    assert bench.figure("berth_released_stuck", **{"class": "nfs"}) == 2
    bench.stuck.released("pv-1")
    bench.stuck.released("unknown")
    assert bench.figure("berth_released_stuck", **{"class": "nfs"}) == 1
    assert bench.figure("berth_released_stuck", **{"class": "other"}) == 1
