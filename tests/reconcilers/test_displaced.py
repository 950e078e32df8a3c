"""What a restored backup leaves behind is told once for each state: on the claim, on the PV, or on a class."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, cast

from prometheus_client import CollectorRegistry

from berth.kube.outcome import Done, Note, Reference
from berth.metrics.displaced import DisplacedMetrics
from berth.metrics.stuck import StuckMetrics
from berth.metrics.volumes import VolumeMetrics
from berth.objects.kinds import VolumeObject
from berth.reconcilers.displaced import Displacements
from berth.reconcilers.stuck import StuckVolumes
from berth.reconcilers.sweep import Sweep
from berth.shares.choose import Shares
from berth.volumes.lifecycle import Lifecycle
from berth.volumes.naming import trash_path
from berth.volumes.plan import DefaultShare, Plan
from berth.volumes.share import ShareAddress
from tests.objects.objects_of import claim, storage_class, volume
from tests.reconcilers.caches import World
from tests.volumes.builders import EXPORT, SERVER, Life, born, release_plan
from tests.volumes.memory import MemoryShare

ADDRESS = ShareAddress(SERVER, EXPORT)
SHARE = str(ADDRESS)


class Bench:
    """A sweep of one share, and a cluster."""

    def __init__(self) -> None:
        self.share = MemoryShare(ADDRESS)
        self.world = World()
        self.registry = CollectorRegistry()
        self.purged: list[str] = []
        cluster, default = self.world.cluster, DefaultShare(SERVER, EXPORT)
        self.lifecycle = Lifecycle("cluster-1", living=cluster)
        self.sweep = Sweep(
            cluster=cluster,
            shares=cast("Shares", self),
            lifecycle=self.lifecycle,
            default=default,
            metrics=VolumeMetrics(self.registry),
            trashed=lambda address, pv: self.purged.append(pv),
            stuck=StuckVolumes(
                cluster=cluster, metrics=StuckMetrics(self.registry), pod=Reference("v1", "Pod", "berth-0", "")
            ),
            displacements=Displacements(
                cluster=cluster, lifecycle=self.lifecycle, default=default, metrics=DisplacedMetrics(self.registry)
            ),
        )
        self.world.classes.put(storage_class(metadata={"uid": "class-uid"}))

    async def get(self, address: ShareAddress) -> MemoryShare:
        return self.share

    async def look(self) -> list[Note]:
        """What one sweep tells."""
        outcome = await self.sweep(self.sweep.key_for(ADDRESS))
        assert isinstance(outcome, Done)
        return list(outcome.notes)

    def figure(self, state: str) -> float | None:
        return self.registry.get_sample_value("berth_displaced_volumes", {"share": SHARE, "state": state})

    @property
    def doubtful(self) -> float | None:
        return self.registry.get_sample_value("berth_share_doubtful", {"share": SHARE})

    async def serve(self, name: str) -> Plan:
        """A volume that a claim has."""
        made = await born(self.share, name, content=b"x")
        self.world.claims.put(claim(name, spec={"volumeName": made.pv}))
        self.world.volumes.put(pv_of(made))
        return made

    async def delete(self, made: Plan) -> None:
        """Its end, of which a backup knows nothing."""
        await Life("cluster-1").release(release_plan(made, on_delete="delete"), self.share)


def pv_of(made: Plan, **changes: Any) -> VolumeObject:
    return volume(
        made.claim.name,
        path=made.absolute_path,
        metadata={"annotations": {"berth.io/share": SHARE}, **changes.pop("metadata", {})},
        spec={"nfs": {"server": SERVER}},
        **changes,
    )


def on_bench(test: Callable[[Bench], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test(Bench()))


def test_a_claim_whose_directory_is_in_the_trash_is_told_once_and_it_is_not_purged() -> None:
    async def test(bench: Bench) -> None:
        made, stays = await bench.serve("data"), await bench.serve("stays")
        assert await bench.look() == []
        await bench.delete(made)
        (note,) = await bench.look()
        assert (note.type, note.reason) == ("Warning", "VolumeDisplaced")
        assert (note.about.kind, note.about.name) == ("PersistentVolumeClaim", "data")
        assert trash_path(made.pv) in note.message
        assert f"`berth volume restore {made.pv}`" in note.message
        assert (bench.figure("trashed"), bench.figure("gone")) == (1, 0)
        assert await bench.look() == []
        assert bench.purged == []
        bench.share.take_away(trash_path(made.pv))
        (note,) = await bench.look()
        assert "nor in the trash" in note.message
        assert (bench.figure("trashed"), bench.figure("gone")) == (0, 1)
        await bench.share.make_directory(made.path, mode=0o777)
        (note,) = await bench.look()
        assert (note.type, note.reason) == ("Normal", "VolumeReturned")
        assert (bench.figure("trashed"), bench.figure("gone")) == (0, 0)
        assert stays.path in bench.share.tree()

    on_bench(test)


def test_without_its_claim_it_is_told_on_the_pv() -> None:
    async def test(bench: Bench) -> None:
        made = await bench.serve("data")
        await bench.serve("stays")
        await bench.delete(made)
        bench.world.claims.drop(claim("data"))
        (note,) = await bench.look()
        assert (note.about.kind, note.about.name) == ("PersistentVolume", made.pv)

    on_bench(test)


def test_a_pv_whose_end_is_under_way_is_no_news() -> None:
    async def test(bench: Bench) -> None:
        made = await bench.serve("data")
        await bench.serve("stays")
        await bench.delete(made)
        bench.world.claims.drop(claim("data"))
        for leaving in (
            pv_of(made, phase="Released"),
            pv_of(made, metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}),
        ):
            bench.world.volumes.put(leaving)
            assert await bench.look() == []

    on_bench(test)


def test_another_directory_in_the_shares_place_is_told_of_the_share_and_not_of_each_volume() -> None:
    async def test(bench: Bench) -> None:
        for name in ("a", "b", "c"):
            await bench.serve(name)
        assert await bench.look() == []
        right, bench.share = bench.share, MemoryShare(ADDRESS)
        (note,) = await bench.look()
        assert (note.about.kind, note.about.name, note.reason) == ("StorageClass", "nfs", "ShareDoubtful")
        assert "is the right directory exported and mounted?" in note.message
        assert bench.doubtful == 1
        assert await bench.look() == []
        assert bench.share.tree() == {}
        bench.share = right
        assert await bench.look() == []
        assert bench.doubtful == 0

    on_bench(test)


def test_a_share_that_was_restored_from_an_older_copy_is_told_with_what_is_missing() -> None:
    async def test(bench: Bench) -> None:
        old, newer = await bench.serve("old"), await bench.serve("newer")
        assert await bench.look() == []
        other = MemoryShare(ADDRESS)
        await born(other, "old", content=b"x")
        bench.share = other
        notes = await bench.look()
        assert {(note.reason, note.about.name) for note in notes} == {
            ("ShareDoubtful", "nfs"), ("VolumeDisplaced", "newer"),
        }  # fmt: skip
        assert newer.path in next(note.message for note in notes if note.reason == "VolumeDisplaced")
        assert old.path in bench.share.tree()
        assert await bench.look() == []
        assert bench.doubtful == 0  # it is known by now

    on_bench(test)
