"""One leader among many replicas, by a Lease (coordination.k8s.io/v1), as client-go does it.

* A candidate looks at the lease every `retry_period` and takes it when nobody holds it or when it has not been renewed
  for its duration. That is measured from the moment when the candidate itself saw it change: no clock of others is
  trusted.
* The leader renews every `retry_period`, in one request. If no renewal succeeds for `renew_deadline`, or another name
  is in the lease, LeadershipLost is raised, before anybody else can take it (`renew_deadline` < `lease_seconds`).
* A request must fail early enough for a second try: the Api's timeout has to be below half of `renew_deadline`, and
  the Api belongs to the election alone, or a queue of other requests could cost the leadership.
* A process that was stopped for longer than that (SIGSTOP, a paused machine) does not know it until it looks at a
  clock. So whoever is about to do what can't be undone asks `doubt` first, in that very moment; and `confirm`, which
  renews the lease there and then, where somebody else's traces were found.
* An identity leads once in its life, and the lease's annotation LEADERS names the last ones. So a name that was found
  anywhere before a renewal succeeded, and is not ours, is of the past.
* Before the first try, an old release's lock is respected (oldlock). Where the role allows no Leases, because it was
  written for such a release, that lock is the one that is held.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import msgspec
import structlog
from lightkube.models.meta_v1 import ObjectMeta

from berth.kube.access import choose_lock
from berth.kube.client import Api
from berth.kube.errors import AlreadyExists, Conflict, KubeError, NotFound
from berth.kube.freshness import Freshness, Moment, read_clocks
from berth.kube.lease import LeaseLock, LeaseObject, LeaseSpec, Lock, entered, write_now
from berth.kube.oldlock import wait_until_old_lock_is_free
from berth.kube.outcome import Note, Reference

log = structlog.get_logger()


class LeadershipLost(Exception):  # noqa: N818 - says what happened
    """Somebody else may lead now; whoever gets this stops working at once."""


class Election:
    """One candidate for one lock: acquire, then hold for as long as the work goes on, then release.

    identity: unlike any other candidate's, now and later. lock: `namespace/name`. post: for the Event that tells who
    leads. on_change: told when this candidate becomes leader (True) and when it no longer is (False).
    """

    def __init__(
        self,
        api: Api,
        *,
        name: str,
        namespace: str,
        identity: str,
        post: Callable[[Note], None],
        lease_seconds: float = 15.0,
        renew_deadline: float = 10.0,
        retry_period: float = 2.0,
        on_change: Callable[[bool], None] | None = None,
        clock: Callable[[], Moment] = read_clocks,
    ) -> None:
        self.identity = identity
        self.lock = f"{namespace}/{name}"
        if not retry_period < renew_deadline < lease_seconds:
            raise ValueError(
                f"wanted: retry period < renew deadline < lease, got {retry_period:g}, {renew_deadline:g}, "
                f"{lease_seconds:g} s"
            )
        self._api = api
        self._name = name
        self._namespace = namespace
        self._post = post
        self._lease_seconds = lease_seconds
        self._renew_deadline = renew_deadline
        self._retry_period = retry_period
        self._on_change = on_change
        self._lock: Lock = LeaseLock(api, name, namespace)
        self._seen: LeaseObject | None = None
        self._seen_at = 0.0
        self._freshness = Freshness(renew_deadline, clock)
        self._found: LeaseObject | None = None
        self._leading = False
        self._released = False
        self._asking = asyncio.Lock()
        self._told = ""
        self._log = log.bind(lock=self.lock, identity=identity)

    @property
    def holder(self) -> str:
        """Who holds the lock, as last seen; empty: nobody."""
        return (self._seen.spec.holderIdentity or "") if self._seen is not None else ""

    @property
    def lease(self) -> LeaseObject:
        """The lock as last seen or written; an empty one before that."""
        return self._seen or LeaseObject(metadata=ObjectMeta())

    @property
    def found(self) -> LeaseObject:
        """The lock as it was when this candidate took it: its former holders, its version. Empty before that."""
        return self._found or LeaseObject(metadata=ObjectMeta())

    @property
    def reference(self) -> Reference:
        """The object that is the lock."""
        return self._lock.reference(self.lease)

    def doubt(self) -> str:
        """Empty: this candidate leads at this moment, and nobody else can. Otherwise why that is not certain.

        It holds from `renew_deadline` after a renewal on, long before anybody else may take the lock, and whenever a
        clock says that more may have gone by (freshness). One place can't be covered from within: a virtual machine
        that is paused right after this answer, and whose clocks all stand still meanwhile.
        """
        if not self._leading:
            return "this process does not lead"
        if self.holder != self.identity:
            return f"{self.holder or 'somebody else'} leads now, or did meanwhile"
        return self._freshness.doubt()

    async def confirm(self) -> str:
        """Renews the lock now. Empty: that succeeded, so nobody else led when this was called. Otherwise why not."""
        asked = self._freshness.now()
        if self._leading and not await self._try(since=asked):
            return self.doubt() or self._told or "the lease could not be renewed at this moment"
        return self.doubt()

    async def acquire(self) -> None:
        """Returns once this candidate leads; waits for other holders, an old release's lock, and the API server."""
        self._lock = await choose_lock(self._api, self._name, self._namespace)
        if isinstance(self._lock, LeaseLock):
            await wait_until_old_lock_is_free(
                self._api,
                name=self._name,
                namespace=self._namespace,
                identity=self.identity,
                post=self._post,
                retry_period=self._retry_period,
            )
        while not await self._try():
            await self._pause()
        self._leading = True
        self._log.info("became leader")
        self._post(Note(self.reference, "Normal", "LeaderElection", f"{self.identity} became leader"))
        if self._on_change is not None:
            self._on_change(True)

    async def hold(self) -> None:
        """Renews for ever; raises LeadershipLost when it could not in time. Start it as soon as acquire returns."""
        try:
            while True:
                try:
                    async with asyncio.timeout(self._freshness.left):
                        await self._pause()
                        await self._renew()
                except TimeoutError as error:
                    why = self._told or "the API server did not answer"
                    raise LeadershipLost(f"not renewed for {self._renew_deadline:g} s: {why}") from error
                if self._released:
                    return
        finally:
            self._step_down()

    async def release(self) -> None:
        """Gives the lock back, if it is held, so that the next candidate takes over at once. After all other work."""
        if not self._leading or self._released:
            return
        async with self._asking:
            self._released = True
            try:
                async with asyncio.timeout(self._renew_deadline / 2):
                    await self._give_back()
            except (KubeError, TimeoutError) as error:
                why = str(error) or "no answer in time"
                self._log.warning("could not give the lock back, the next leader has to wait for its end", why=why)
            else:
                self._log.info("gave the lock back")
        self._step_down()

    def _step_down(self) -> None:
        if self._leading:
            self._leading = False
            if self._on_change is not None:
                self._on_change(False)

    async def _renew(self) -> None:
        """Returns after one renewal, however many tries it takes; LeadershipLost if somebody else has the lock."""
        while not self._released and not await self._try():
            if self.holder != self.identity:
                raise LeadershipLost(f"{self.holder or 'somebody else'} leads now, or did meanwhile")
            await self._pause()

    async def _pause(self) -> None:
        # Candidates that started together don't stay together.
        await asyncio.sleep(self._retry_period * random.uniform(1.0, 1.2))

    async def _try(self, *, since: Moment | None = None) -> bool:
        """One try to get or keep the lock; False, told in the log: not now. since: a renewal from then on will do."""
        async with self._asking:
            if self._released:
                return False
            if since is not None and self._freshness.is_since(since):
                return True
            try:
                return await self._get_or_keep()
            except (Conflict, AlreadyExists):
                return False  # somebody was faster
            except KubeError as error:
                self._tell("can't reach the lock, trying again", str(error))
                return False

    async def _get_or_keep(self) -> bool:
        clock = asyncio.get_running_loop().time
        if self._leading and self._seen is not None and self.holder == self.identity:
            try:
                return await self._write(self._seen, self._freshness.now())
            except (Conflict, NotFound):
                pass  # somebody touched or removed the lease: see who holds it
        begin = self._freshness.now()
        try:
            lease = await self._lock.read()
        except NotFound:
            if self._leading and self._freshness.doubt():
                self._seen = None  # removed, but nobody can say who had it meanwhile
                return False
            meta = ObjectMeta(name=self._name, namespace=self._namespace)
            return await self._write(LeaseObject(metadata=meta), begin)
        self._see(lease)
        if self._leading and self.holder != self.identity:
            return False  # even where nobody has it any more: whoever had it may have changed everything
        if self.holder not in ("", self.identity):
            lasts = lease.spec.leaseDurationSeconds or self._lease_seconds
            if self._seen_at + lasts > clock():
                self._tell("waiting for the leader", self.holder)
                return False
        return await self._write(lease, begin)

    async def _write(self, lease: LeaseObject, begin: Moment) -> bool:
        """Puts our name into the lease as it was read. begin: the moment from which on this renewal counts."""
        now = write_now(begin.wall)
        old = lease.spec
        ours = old.holderIdentity == self.identity
        spec = msgspec.structs.replace(
            old,
            holderIdentity=self.identity,
            leaseDurationSeconds=round(self._lease_seconds),
            acquireTime=old.acquireTime if ours and old.acquireTime else now,
            renewTime=now,
            leaseTransitions=(old.leaseTransitions or 0) + (0 if ours or old.holderIdentity is None else 1),
        )
        await self._put(entered(lease, self.identity), spec)
        if not self._leading:
            self._found = lease if lease.metadata.resourceVersion else self._seen  # the latter: there was none
        self._freshness.renewed(begin)
        self._told = ""
        return True

    async def _put(self, lease: LeaseObject, spec: LeaseSpec) -> None:
        self._see(await self._lock.write(LeaseObject(metadata=lease.metadata, spec=spec)))

    async def _give_back(self) -> None:
        lease = self._seen
        while lease is not None and lease.spec.holderIdentity == self.identity:
            # One second: a candidate that does not know about empty names waits for no longer than that.
            spec = msgspec.structs.replace(lease.spec, holderIdentity="", leaseDurationSeconds=1, renewTime=write_now())
            try:
                return await self._put(lease, spec)
            except Conflict:
                lease = await self._lock.read()
        return None

    def _see(self, lease: LeaseObject) -> None:
        if self._seen is None or self._seen.metadata.resourceVersion != lease.metadata.resourceVersion:
            self._seen_at = asyncio.get_running_loop().time()
        self._seen = lease

    def _tell(self, message: str, why: str) -> None:
        if why != self._told:
            self._told = why
            self._log.info(message, why=why)


def lock_name(provisioner: str) -> str:
    """The name of a provisioner's lock: its own with `/` as `-`, as the reference provisioners do."""
    return provisioner.replace("/", "-")
