"""The controller: builds its parts, names its tasks, and fixes the order in which they stop.

Started:  caches -> election -> (as leader) queues and loops.
Stopped:  loops finish what is in flight -> the lease is given back -> Events are flushed -> caches end.
Leadership lost ends everything at once: somebody else may be working by then. Until a process that was stopped notices
that, no step that can't be taken back leaves it: shares and API ask the election right before (Election.doubt).
"""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from prometheus_client import CollectorRegistry

from berth import __version__
from berth.aio.tasks import Tasks
from berth.kube.access import cluster_uid, missing_rights
from berth.kube.client import Api
from berth.kube.config import fingerprint, load
from berth.kube.events import Recorder
from berth.kube.informer import Informer
from berth.kube.leader import Election, lock_name
from berth.kube.leadership import Leadership
from berth.kube.lease import LEASES
from berth.kube.loop import Loop, Reconciler
from berth.kube.outcome import Reference
from berth.kube.permissions import Permission, Right, rights
from berth.kube.workqueue import WorkQueue
from berth.manifests.workload import Workload
from berth.metrics.calls import CallMetrics
from berth.metrics.displaced import DisplacedMetrics
from berth.metrics.machinery import MachineryMetrics
from berth.metrics.stuck import StuckMetrics
from berth.metrics.volumes import VolumeMetrics
from berth.objects.kinds import ClaimObject, ClassObject, VolumeObject
from berth.programs.process.program import Program
from berth.reconcilers import expand, provision, purge, reclaim, sweep
from berth.reconcilers.class_changes import ClassChanges
from berth.reconcilers.cluster import Cluster
from berth.reconcilers.displaced import Displacements
from berth.reconcilers.expand import Expand
from berth.reconcilers.lanes import Lanes
from berth.reconcilers.provision import Provision
from berth.reconcilers.purge import Purge
from berth.reconcilers.reclaim import Reclaim
from berth.reconcilers.routes import Routes
from berth.reconcilers.slim import slim
from berth.reconcilers.stuck import StuckVolumes
from berth.reconcilers.sweep import Sweep
from berth.settings.controller import (
    EXPORT,
    LEADER_ELECTION,
    PROVISIONERS,
    SERVER,
    SETTINGS,
    ControllerSettings,
    load_controller_settings,
)
from berth.settings.install import InstallSettings
from berth.shares.choose import Shares
from berth.volumes.errors import VolumeError
from berth.volumes.lifecycle import Lifecycle
from berth.volumes.plan import DefaultShare
from berth.volumes.share import ShareAddress, always
from berth.volumes.standing import ALONE

log = structlog.get_logger()

PERMISSIONS = (
    Permission("", "namespaces", ("get",), names=("kube-system",)),
    Permission("", "events", ("create", "patch")),
    *LEASES,
    Permission("", "endpoints", ("get",), own_namespace=True),
    *provision.PERMISSIONS,
    *reclaim.PERMISSIONS,
    *expand.PERMISSIONS,
    *purge.PERMISSIONS,
    *sweep.PERMISSIONS,
)
"""All that the controller asks of the API server."""

CHANGE_PVS = Right("patch", "", "persistentvolumes")
PURGE_WORKERS = 4
"""Trash is purged beside the real work, not instead of it. One share has three of them at most."""
BURST = 50
"""Claims and PVs in line, from which on Events wait behind them."""
FLUSH_DEADLINE = 5.0
"""Seconds that the last Events have to get out when the process ends."""


class Controller:
    """The work of one controller process."""

    def __init__(self, settings: ControllerSettings, registry: CollectorRegistry) -> None:
        """ConfigurationError when it is not known how to reach the API server."""
        self._settings = settings
        self._machinery, self._metrics = MachineryMetrics(registry), VolumeMetrics(registry)
        self._displaced, self._stuck = DisplacedMetrics(registry), StuckMetrics(registry)
        self._identity = f"{settings.identity}_{uuid.uuid4()}"
        self._lock = lock_name(settings.provisioners[0])
        self._default = DefaultShare(settings.server, settings.export)
        config, agent = load(settings.kubeconfig), f"berth/{__version__}"
        self._api = Api(config, user_agent=agent, observer=self._machinery.requested)
        self._fingerprint = fingerprint(config)  # after the client, which has found the certificates fit for use
        # The lease has a client of its own: a queue of claims must not make the leader miss its renewal.
        self._lease_api = Api(config, user_agent=f"{agent} (lease)", timeout=settings.renew_deadline / 2.5)
        self._recorder = Recorder(
            self._api, component=f"{settings.provisioners[0]}_{self._identity}", host=settings.identity
        )
        self._election = self._candidate() if settings.leader_election else None
        self._guard = self._election.doubt if self._election else always
        self._shares = Shares(
            default=ShareAddress(settings.server, settings.export) if settings.server else None,
            mounted_at=settings.mounted_at,
            timeout=settings.share_timeout,
            observer=self._metrics.share_answered,
            guard=self._guard,
        )
        CallMetrics(registry, lambda: self._shares.calls)
        self._cluster = Cluster(
            claims=Informer(self._api, ClaimObject, transform=slim, resync=settings.resync),
            classes=Informer(self._api, ClassObject, resync=settings.resync),
            volumes=Informer(self._api, VolumeObject, transform=slim, resync=settings.resync),
            provisioners=settings.provisioners,
            same_server=self._shares.same_server,
            learn_server=self._shares.learn,
        )
        self.problem = "starting"
        """See programs.process.program.Work."""

    async def start(self, tasks: Tasks) -> None:
        """Fills the caches, gets the lock, and starts the loops. A task that fails later means: it can't go on."""
        tasks.start("claims informer", self._cluster.claims.run())
        tasks.start("classes informer", self._cluster.classes.run())
        tasks.start("volumes informer", self._cluster.volumes.run())
        tasks.start("shares", self._shares.run(), stop=self._shares.aclose)
        tasks.start("events", self._recorder.run(), stop=self._flush)
        await self._lead(tasks)

    async def aclose(self) -> None:
        """Closes the connections to the API server."""
        await self._lease_api.aclose()
        await self._api.aclose()

    async def _lead(self, tasks: Tasks) -> None:
        cluster, settings = self._cluster, self._settings
        self.problem = "waiting for the API server's lists"
        await asyncio.gather(cluster.claims.wait_synced(), cluster.classes.wait_synced(), cluster.volumes.wait_synced())
        await self._shares.wait_settled()  # until a server's name is looked up, it may be any other's second name
        self.problem = ""  # a standby is ready too: it takes over within seconds
        election = self._election
        if election is not None:
            log.info("waiting to lead", lock=election.lock, identity=self._identity)
            await election.acquire()
            tasks.start("lease", election.hold(), stop=election.release)
        else:
            self._machinery.leads(self._lock, True)
        needed = [one for one in PERMISSIONS if settings.leader_election or not one.own_namespace]
        missing = await missing_rights(self._api, needed, settings.namespace)
        if missing:
            log.warning(
                "the role lacks rights, so some things are left out; `berth install` prints a role that has them",
                lacks=", ".join(map(str, missing)),
            )
        uid = await cluster_uid(self._api, otherwise=self._fingerprint)
        standing = Leadership(election) if election is not None else ALONE
        former = frozenset({self._fingerprint} - {uid})
        await self._start_work(tasks, Lifecycle(uid, living=cluster, former=former, standing=standing), missing)
        log.info(
            "leading",
            provisioners=",".join(settings.provisioners),
            claims=len(cluster.claims),
            pvs=len(cluster.volumes),
        )

    def _candidate(self) -> Election:
        settings = self._settings
        return Election(
            self._lease_api,
            name=self._lock,
            namespace=settings.namespace,
            identity=self._identity,
            post=self._recorder.post,
            lease_seconds=settings.lease_duration,
            renew_deadline=settings.renew_deadline,
            retry_period=settings.retry_period,
            on_change=partial(self._machinery.leads, self._lock),
        )

    async def _start_work(self, tasks: Tasks, lifecycle: Lifecycle, missing: list[Right]) -> None:
        """Starts the loops. Stopped the other way round: claims first, so that what is in flight is served."""
        with_finalizer, election = CHANGE_PVS not in missing, self._election
        cluster, shares, default = self._cluster, self._shares, self._default
        pod = Reference("v1", "Pod", self._settings.identity, "", self._settings.namespace)
        stuck = StuckVolumes(cluster=cluster, metrics=self._stuck, pod=pod)
        purging = Purge(shares=shares, lifecycle=lifecycle, metrics=self._metrics, stuck=stuck)
        lanes = Lanes(cluster, default)
        queue = partial(WorkQueue, observer=self._machinery)
        claims, volumes = queue("claims", lane=lanes.of_claim), queue("volumes", lane=lanes.of_volume)
        expansions, trash = queue("expansions", lane=lanes.of_expansion), queue("trash", lane=purging.lane_of)
        sweeps, classes = queue("sweeps"), queue("classes")

        self._recorder.is_busy = lambda: len(claims) + len(volumes) > BURST

        def trashed(address: ShareAddress, pv: str) -> None:
            trash.add_after(purging.key_for(address, pv), purge.patience(len(volumes)))

        sweeping = Sweep(
            cluster=cluster,
            shares=shares,
            lifecycle=lifecycle,
            default=default,
            metrics=self._metrics,
            trashed=trashed,
            lock=(lambda: election.reference) if election is not None else None,
            displacements=Displacements(cluster=cluster, lifecycle=lifecycle, default=default, metrics=self._displaced),
            stuck=stuck,
        )
        api = self._api.guarded(self._guard)
        expanding = Expand(
            api=api,
            cluster=cluster,
            shares=shares,
            lifecycle=lifecycle,
            default=default,
            missing=[str(right) for right in rights(expand.PERMISSIONS) if right in missing],
        )
        reclaiming = Reclaim(
            api=api,
            cluster=cluster,
            shares=shares,
            lifecycle=lifecycle,
            default=default,
            metrics=self._metrics,
            with_finalizer=with_finalizer,
            trashed=trashed,
            again=volumes.add,
            stuck=stuck,
        )
        provisioning = Provision(
            api=api,
            cluster=cluster,
            shares=shares,
            lifecycle=lifecycle,
            default=default,
            metrics=self._metrics,
            with_finalizer=with_finalizer,
            again=claims.add,
            abandoned=lambda address: sweeps.add(sweeping.key_for(address)),
        )
        changes = ClassChanges(cluster=cluster, wants=reclaiming.wants, claims=claims.add, volumes=volumes.add)
        self._start_loop(tasks, sweeping, sweeps, workers=2)
        self._start_loop(tasks, changes, classes, workers=1)
        self._start_loop(tasks, purging, trash, workers=PURGE_WORKERS)
        self._start_loop(tasks, expanding, expansions, workers=4)
        self._start_loop(tasks, reclaiming, volumes, workers=self._settings.volume_workers)
        self._start_loop(tasks, provisioning, claims, workers=self._settings.claim_workers)
        await Routes(
            cluster,
            provision=provisioning,
            reclaim=reclaiming,
            expand=expanding,
            claims=claims,
            volumes=volumes,
            expansions=expansions,
            class_came=lambda name: classes.add(changes.noted(name)),
        ).attach()
        tasks.start("sweeping", self._keep_sweeping(sweeping, sweeps))

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

    async def _keep_sweeping(self, sweep: Sweep, queue: WorkQueue) -> None:
        while True:
            for key in await sweep.shares_in_use():
                queue.add(key)
            await asyncio.sleep(self._settings.resync)

    async def _flush(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_DEADLINE):
                await self._recorder.flush()


def _environment(settings: InstallSettings) -> list[dict[str, Any]]:
    variables = [{"name": PROVISIONERS.variable, "value": ",".join(settings.provisioners)}]
    if settings.server:
        variables.append({"name": SERVER.variable, "value": settings.server})
        variables.append({"name": EXPORT.variable, "value": settings.export})
    if not settings.leader_election:
        variables.append({"name": LEADER_ELECTION.variable, "value": "false"})
    return variables


WORKLOAD = Workload(arguments=("run",), permissions=PERMISSIONS, environment=_environment)
PROGRAM = Program(
    purpose="Serve claims: the controller process.",
    settings=SETTINGS,
    load=load_controller_settings,
    build=Controller,
    workload=WORKLOAD,
)
