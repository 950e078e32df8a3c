"""Which change puts which key on which queue, above all where the caches have missed something in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from prometheus_client import CollectorRegistry

from berth.kube.outcome import Reference
from berth.kube.workqueue import WorkQueue
from berth.metrics.stuck import StuckMetrics
from berth.reconcilers.class_changes import ClassChanges
from berth.reconcilers.expand import Expand
from berth.reconcilers.provision import Provision
from berth.reconcilers.reclaim import Reclaim
from berth.reconcilers.routes import Routes
from berth.reconcilers.stuck import StuckVolumes
from berth.volumes.plan import DefaultShare
from tests.objects.objects_of import claim, storage_class, uid_of, volume
from tests.reconcilers.caches import World

PV = f"pvc-{uid_of('team/data')}"


class Routed(World):
    """A world whose changes go through Routes. Nobody works on the queues."""

    def __init__(self) -> None:
        super().__init__()
        self.queues = {name: WorkQueue(name) for name in ("claims", "volumes", "expansions")}
        nothing = cast("Any", None)  # what only working on a key would need
        stuck = StuckVolumes(
            cluster=self.cluster, metrics=StuckMetrics(CollectorRegistry()), pod=Reference("v1", "Pod", "berth-0", "")
        )
        parts: dict[str, Any] = {
            "api": nothing, "cluster": self.cluster, "shares": nothing, "lifecycle": nothing, "default": DefaultShare(),
        }  # fmt: skip
        reclaim = Reclaim(**parts, metrics=nothing, with_finalizer=True, again=nothing, trashed=nothing, stuck=stuck)
        self.changes = ClassChanges(
            cluster=self.cluster,
            wants=reclaim.wants,
            claims=self.queues["claims"].add,
            volumes=self.queues["volumes"].add,
        )
        self.routes = Routes(
            self.cluster,
            provision=Provision(**parts, metrics=nothing, with_finalizer=True, again=nothing, abandoned=nothing),
            reclaim=reclaim,
            expand=Expand(**parts, missing=()),
            class_came=self.changes.noted,
            **self.queues,
        )

    def queued(self) -> dict[str, set[str]]:
        """What is in line by now, which is thereby forgotten."""
        found: dict[str, set[str]] = {}
        for name, queue in self.queues.items():
            while len(queue):
                key = _take(queue)
                queue.done(key)
                found.setdefault(name, set()).add(key)
        return found


def _take(queue: WorkQueue) -> str:
    """The next key of a queue that has one."""
    taking = queue.take()
    try:
        taking.send(None)
    except StopIteration as taken:
        return cast("str", taken.value)
    raise AssertionError("the queue is empty")


def within(test: Callable[[Routed], None]) -> None:
    """Runs test where queues can live: in a loop."""

    async def main() -> None:
        world = Routed()
        await world.routes.attach()
        test(world)

    asyncio.run(main())


def test_a_claim_that_waits_for_a_volume_is_queued_and_others_are_not() -> None:
    def test(world: Routed) -> None:
        world.claims.put(claim("waiting"))
        world.claims.put(claim("bound", spec={"volumeName": "some-pv"}))
        world.claims.put(claim("going", metadata={"deletionTimestamp": "2026-01-31T12:00:00Z"}))
        world.claims.put(
            claim(
                "foreign", metadata={"annotations": {"volume.beta.kubernetes.io/storage-provisioner": "disk.example"}}
            )
        )
        world.claims.put(claim("unasked", metadata={"annotations": None}))
        assert world.queued() == {"claims": {"team/waiting"}}

    within(test)


def test_what_was_there_before_is_queued_too() -> None:
    async def main() -> None:
        world = Routed()
        world.claims.put(claim("waiting"))
        world.volumes.put(volume("gone", phase="Released"))
        await world.routes.attach()
        assert world.queued() == {"claims": {"team/waiting"}, "volumes": {f"pvc-{uid_of('team/gone')}"}}

    asyncio.run(main())


def test_a_released_pv_is_queued_once_its_claim_is_known_to_be_gone() -> None:
    def test(world: Routed) -> None:
        present = claim(spec={"volumeName": PV})
        world.claims.put(present)
        world.volumes.put(volume(phase="Released"))
        assert world.queued() == {}
        world.claims.drop(present)
        assert world.queued() == {"volumes": {PV}}

    within(test)


def test_a_claim_that_was_bound_and_deleted_behind_our_back_leads_to_its_pv_all_the_same() -> None:
    """The watch of claims was broken for a while: the last that was heard of this one is that it waited."""

    def test(world: Routed) -> None:
        unbound = claim()
        world.claims.put(unbound)
        world.volumes.put(volume(phase="Released"))
        assert world.queued() == {"claims": {"team/data"}}
        world.claims.drop(unbound)
        assert world.queued() == {"volumes": {PV}}

    within(test)


def test_a_pv_is_queued_when_its_finalizer_has_to_come_or_to_go() -> None:
    def test(world: Routed) -> None:
        world.volumes.put(volume("without", metadata={"finalizers": None}))
        world.volumes.put(volume("with"))
        world.volumes.put(volume("kept", spec={"persistentVolumeReclaimPolicy": "Retain"}))
        wanted = {f"pvc-{uid_of(f'team/{name}')}" for name in ("without", "kept")}
        assert world.queued() == {"volumes": wanted}

    within(test)


def test_a_class_brings_back_what_waited_for_it() -> None:
    async def main() -> None:
        world = Routed()
        await world.routes.attach()
        world.claims.put(claim("waiting"))
        world.claims.put(claim("other", spec={"storageClassName": "other"}))
        legacy = {"annotations": {"berth.io/share": None, "berth.io/on-delete": None}}
        world.volumes.put(volume("old", phase="Released", metadata=legacy))
        world.queued()
        world.classes.put(storage_class())
        await world.changes("nfs")
        assert world.queued() == {"claims": {"team/waiting"}, "volumes": {f"pvc-{uid_of('team/old')}"}}
        world.classes.resync()
        await world.changes("nfs")
        assert world.queued() == {}

    asyncio.run(main())


def test_many_classes_at_once_cost_one_look() -> None:
    async def main() -> None:
        world = Routed()
        await world.routes.attach()
        for name in ("a", "b", "c"):
            world.claims.put(claim(name, spec={"storageClassName": name}))
            world.classes.put(storage_class(name))
        world.queued()
        await world.changes("a")
        assert world.queued() == {"claims": {"team/a", "team/b", "team/c"}}
        await world.changes("b")
        assert world.queued() == {}

    asyncio.run(main())


def test_a_claim_that_asks_for_more_is_queued_whichever_is_seen_first() -> None:
    growing = claim(
        spec={"volumeName": PV, "resources": {"requests": {"storage": "2Gi"}}},
        status={"phase": "Bound", "capacity": {"storage": "1Gi"}},
    )

    def volume_first(world: Routed) -> None:
        world.volumes.put(volume())
        world.claims.put(growing)
        assert world.queued() == {"expansions": {"team/data"}}

    def claim_first(world: Routed) -> None:
        world.claims.put(growing)
        assert world.queued() == {}
        world.volumes.put(volume())
        assert world.queued() == {"expansions": {"team/data"}}

    within(volume_first)
    within(claim_first)


def test_the_resync_brings_back_all_that_is_not_settled() -> None:
    def test(world: Routed) -> None:
        world.claims.put(claim("waiting"))
        world.volumes.put(volume("gone", phase="Released"))
        world.volumes.put(volume("fine"))
        world.queued()
        world.claims.resync()
        world.volumes.resync()
        assert world.queued() == {"claims": {"team/waiting"}, "volumes": {f"pvc-{uid_of('team/gone')}"}}

    within(test)
