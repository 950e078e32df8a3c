"""The controller process: builds its parts, names its tasks, and fixes the order in which they stop.

Started:  caches -> web -> election -> (as leader) queues and loops.
Stopped:  loops finish what is in flight -> Events are flushed -> the lease is given back -> web and caches end.
Leadership lost ends everything at once: somebody else may be working by then.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import structlog
from lightkube.resources.core_v1 import Namespace
from prometheus_client import CollectorRegistry

from berth import __version__
from berth.aio.tasks import Tasks
from berth.kube.backoff import Backoff
from berth.kube.client import Api
from berth.kube.config import load
from berth.kube.errors import KubeError
from berth.kube.events import Recorder
from berth.kube.informer import Informer, key_of
from berth.kube.leader import Election, lock_name
from berth.kube.loop import Loop, Reconciler
from berth.kube.permissions import Permission
from berth.kube.workqueue import WorkQueue
from berth.metrics.machinery import MachineryMetrics
from berth.metrics.volumes import VolumeMetrics
from berth.reconcilers import expand, objects, provision, purge, reclaim, sweep
from berth.reconcilers.cluster import Cluster
from berth.reconcilers.kinds import ClaimObject, ClassObject, VolumeObject
from berth.settings.controller import ControllerSettings
from berth.shares.choose import Shares
from berth.volumes.errors import VolumeError
from berth.volumes.lifecycle import Lifecycle
from berth.volumes.plan import DefaultShare
from berth.volumes.share import ShareAddress
from berth.web.app import make_app
from berth.web.serve import WebServer

log = structlog.get_logger()

PERMISSIONS = (
    Permission("", "namespaces", ("get",), names=("kube-system",)),
    Permission("", "events", ("create", "patch")),
    Permission("coordination.k8s.io", "leases", ("get", "create", "update"), own_namespace=True),
    Permission("", "endpoints", ("get",), own_namespace=True),
    *provision.PERMISSIONS,
    *reclaim.PERMISSIONS,
    *expand.PERMISSIONS,
    *purge.PERMISSIONS,
    *sweep.PERMISSIONS,
)
"""All that the controller asks of the API server."""

PURGE_WORKERS = 2
"""Trash is purged beside the real work, not instead of it."""


@dataclass
class _State:
    """What /readyz tells."""

    problem: str = "starting"


async def run_controller(settings: ControllerSettings, stopping: asyncio.Event) -> None:
    """Runs until stopping is set. Raises TaskEnded (LeadershipLost as its cause) or a KubeError when it can't go on."""
    registry = CollectorRegistry()
    machinery, volume_metrics = MachineryMetrics(registry), VolumeMetrics(registry)
    config = load(settings.kubeconfig)
    identity = f"{settings.identity}_{uuid.uuid4()}"
    agent = f"berth/{__version__}"
    async with (
        Api(config, user_agent=agent, observer=machinery.requested) as api,
        # The lease has a client of its own: a queue of claims must not make the leader miss its renewal.
        Api(config, user_agent=f"{agent} (lease)", timeout=settings.renew_deadline / 2.5) as lease_api,
        Tasks(grace=settings.stop_deadline) as tasks,
    ):
        recorder = Recorder(api, component=f"{settings.provisioners[0]}_{identity}", host=settings.identity)
        claims = Informer(api, ClaimObject, resync=settings.resync)
        classes = Informer(api, ClassObject, resync=settings.resync)
        volumes = Informer(api, VolumeObject, resync=settings.resync)
        informers = (claims, classes, volumes)
        state = _State()
        if settings.listen is not None:
            web = WebServer(
                make_app(registry=registry, alive=lambda: "", ready=lambda: state.problem),
                *settings.listen,
            )
            tasks.start("web", web.run(), stop=web.stop)
            log.info("listening", address=f"{settings.listen[0]}:{web.port}")
        for informer in informers:
            tasks.start(f"{informer.name} informer", informer.run())
        tasks.start("events", recorder.run(), stop=partial(_flush, recorder))
        shares = Shares(
            default=ShareAddress(settings.server, settings.export) if settings.server else None,
            mounted_at=settings.mounted_at,
            timeout=settings.share_timeout,
            observer=volume_metrics.share_answered,
        )
        tasks.start("shares", shares.run(), stop=shares.aclose)
        cluster = Cluster(
            claims=claims,
            classes=classes,
            volumes=volumes,
            provisioners=settings.provisioners,
            same_server=shares.same_server,
        )
        work = _Work(settings, api, recorder, cluster, shares, machinery, volume_metrics)
        await _until(stopping, _lead(settings, lease_api, recorder, machinery, tasks, identity, state, informers, work))
        log.info("stopping", deadline_seconds=settings.stop_deadline)
        state.problem = "stopping"
    log.info("stopped")


async def _lead(
    settings: ControllerSettings,
    lease_api: Api,
    recorder: Recorder,
    machinery: MachineryMetrics,
    tasks: Tasks,
    identity: str,
    state: _State,
    informers: tuple[Informer[ClaimObject], Informer[ClassObject], Informer[VolumeObject]],
    work: _Work,
) -> None:
    """Fills the caches, gets the lock, and starts the work."""
    for informer in informers:
        state.problem = f"waiting for the list of {informer.name}"
        await informer.wait_synced()
    state.problem = ""  # a standby is ready too: it takes over within seconds
    if settings.leader_election:
        lock = lock_name(settings.provisioners[0])
        election = Election(
            lease_api,
            name=lock,
            namespace=settings.namespace,
            identity=identity,
            post=recorder.post,
            lease_seconds=settings.lease_duration,
            renew_deadline=settings.renew_deadline,
            retry_period=settings.retry_period,
            on_change=partial(machinery.leads, lock),
        )
        log.info("waiting to lead", lock=f"{settings.namespace}/{lock}", identity=identity)
        await election.acquire()
        tasks.start("lease", election.hold(), stop=election.release)
    else:
        machinery.leads(lock_name(settings.provisioners[0]), True)
    await work.start(tasks)


class _Work:
    """What a leader does: five loops, and what puts keys on their queues."""

    def __init__(
        self,
        settings: ControllerSettings,
        api: Api,
        recorder: Recorder,
        cluster: Cluster,
        shares: Shares,
        machinery: MachineryMetrics,
        metrics: VolumeMetrics,
    ) -> None:
        self._settings = settings
        self._api = api
        self._recorder = recorder
        self._cluster = cluster
        self._shares = shares
        self._machinery = machinery
        self._metrics = metrics
        self._claims = self._queue("claims")
        self._volumes = self._queue("volumes")
        self._expansions = self._queue("expansions")
        self._trash = self._queue("trash")
        self._sweeps = self._queue("sweeps")

    async def start(self, tasks: Tasks) -> None:
        """Starts the loops; their queues fill from the caches."""
        settings, api, cluster, shares = self._settings, self._api, self._cluster, self._shares
        default = DefaultShare(settings.server, settings.export)
        lifecycle = Lifecycle(await _cluster_uid(api))
        self._purge = purge.Purge(shares=shares, lifecycle=lifecycle, metrics=self._metrics)
        self._sweep = sweep.Sweep(
            cluster=cluster,
            shares=shares,
            lifecycle=lifecycle,
            default=default,
            metrics=self._metrics,
            trashed=self._trashed,
        )
        self._provision = provision.Provision(
            api=api,
            cluster=cluster,
            shares=shares,
            lifecycle=lifecycle,
            default=default,
            metrics=self._metrics,
            again=self._claims.add,
        )
        self._reclaim = reclaim.Reclaim(
            api=api,
            cluster=cluster,
            shares=shares,
            lifecycle=lifecycle,
            default=default,
            metrics=self._metrics,
            trashed=self._trashed,
            again=self._volumes.add,
        )
        self._expand = expand.Expand(api=api, cluster=cluster, shares=shares, lifecycle=lifecycle, default=default)
        # Stopped in the opposite order: claims first, so that what is in flight is served.
        tasks.start("sweeping", self._keep_sweeping())
        self._start_loop(tasks, self._sweep, self._sweeps, workers=2)
        self._start_loop(tasks, self._purge, self._trash, workers=PURGE_WORKERS)
        self._start_loop(tasks, self._expand, self._expansions, workers=4)
        self._start_loop(tasks, self._reclaim, self._volumes, workers=settings.volume_workers)
        self._start_loop(tasks, self._provision, self._claims, workers=settings.claim_workers)
        cluster.classes.add_handler(self._class_changed)
        cluster.volumes.add_handler(self._volume_changed)
        cluster.claims.add_handler(self._claim_changed)
        log.info(
            "leading",
            provisioners=list(settings.provisioners),
            claims=len(cluster.claims),
            volumes=len(cluster.volumes),
        )

    def _queue(self, name: str) -> WorkQueue:
        return WorkQueue(name, backoff=Backoff(), observer=self._machinery)

    def _start_loop(self, tasks: Tasks, reconciler: Reconciler, queue: WorkQueue, *, workers: int) -> None:
        loop = Loop(
            reconciler,
            queue,
            workers=workers,
            post=self._recorder.post,
            outages=(VolumeError,),
            observer=self._machinery.reconciled,
        )
        tasks.start(f"{reconciler.name} loop", loop.run(), stop=loop.drain)

    def _claim_changed(self, old: ClaimObject | None, new: ClaimObject | None) -> None:
        if new is None:
            if old is not None:
                self._provision.claim_gone(old)
                self._look_at_volume_of(old)
            return
        meta = objects.meta_of(new)
        key = key_of(meta.namespace, meta.name or "")
        if self._provision.wants(new):
            self._claims.add(key)
        elif self._expand.wants(new):
            self._expansions.add(key)

    def _volume_changed(self, old: VolumeObject | None, new: VolumeObject | None) -> None:
        if new is None:
            if old is not None:
                self._reclaim.volume_gone(old)
            return
        if self._reclaim.wants(new):
            self._volumes.add(objects.meta_of(new).name or "")
        claim = self._cluster.claims.get(expand.claim_of_volume(new))
        if claim is not None and self._expand.wants(claim):
            self._expansions.add(expand.claim_of_volume(new))

    def _class_changed(self, old: ClassObject | None, new: ClassObject | None) -> None:
        if old is new or new is None:
            return  # a resync looks at the claims anyway
        for key in provision.claims_of_class(self._cluster, objects.meta_of(new).name or ""):
            self._claims.add(key)
        for volume in self._cluster.volumes.values():
            if (
                volume.spec
                and volume.spec.storageClassName == objects.meta_of(new).name
                and self._reclaim.wants(volume)
            ):
                self._volumes.add(objects.meta_of(volume).name or "")

    def _look_at_volume_of(self, claim: ClaimObject) -> None:
        """The PV may have been seen as Released before its claim was seen to be gone."""
        name = claim.spec.volumeName if claim.spec else None
        volume = self._cluster.volumes.get(name) if name else None
        if volume is not None and self._reclaim.wants(volume):
            self._volumes.add(name or "")

    def _trashed(self, address: ShareAddress, pv: str) -> None:
        self._trash.add(self._purge.key_for(address, pv))

    async def _keep_sweeping(self) -> None:
        while True:
            for key in self._sweep.shares_in_use():
                self._sweeps.add(key)
            await asyncio.sleep(self._settings.resync)


async def _cluster_uid(api: Api) -> str:
    """The UID of namespace kube-system, which stands for the cluster; waits for the API server as long as it takes."""
    backoff = Backoff()
    while True:
        try:
            namespace = await api.get(Namespace, "kube-system")
        except KubeError as error:
            delay = backoff.next("kube-system")
            log.warning("can't tell which cluster this is", why=str(error), retry_in=round(delay, 1))
            await asyncio.sleep(delay)
        else:
            uid = namespace.metadata.uid if namespace.metadata else None
            if uid:
                return uid
            await asyncio.sleep(backoff.next("kube-system"))


async def _flush(recorder: Recorder) -> None:
    begin = time.monotonic()
    with suppress(TimeoutError):
        async with asyncio.timeout(5):
            await recorder.flush()
    log.debug("events flushed", seconds=round(time.monotonic() - begin, 2))


async def _until(stopping: asyncio.Event, first: object) -> None:
    """Awaits first, then stopping; a stop in the middle of first cancels it."""
    work = asyncio.ensure_future(first)  # type: ignore[call-overload]
    stop = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
            await stop
    finally:
        work.cancel()
        stop.cancel()
        await asyncio.gather(work, stop, return_exceptions=True)
