"""Claims get volumes: one claim, one straight line, from its key to its PV."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from berth.kube.client import Api
from berth.kube.errors import AlreadyExists, NotFound
from berth.kube.informer import key_of
from berth.kube.outcome import Done, GiveUp, Note, Outcome
from berth.kube.permissions import Permission
from berth.metrics.volumes import VolumeMetrics
from berth.objects import translation
from berth.objects.kinds import ClaimObject, ClassObject, VolumeObject
from berth.reconcilers.cluster import Cluster
from berth.shares.choose import Shares
from berth.texts.bounded import bounded, quoted
from berth.volumes.birth import Born
from berth.volumes.errors import Refused, VolumeError
from berth.volumes.lifecycle import Lifecycle
from berth.volumes.plan import DefaultShare, Occupied, Plan, make_plan
from berth.volumes.server_name import on_server
from berth.volumes.share import ShareAddress

PERMISSIONS = (
    Permission("", "persistentvolumeclaims", ("list", "watch")),
    Permission("", "persistentvolumes", ("get", "list", "watch", "create")),
    Permission("storage.k8s.io", "storageclasses", ("list", "watch")),
)


class Provision:
    """Key: a claim, `namespace/name`."""

    name = "provision"

    def __init__(
        self,
        *,
        api: Api,
        cluster: Cluster,
        shares: Shares,
        lifecycle: Lifecycle,
        default: DefaultShare,
        metrics: VolumeMetrics,
        with_finalizer: bool,
        again: Callable[[str], None],
        abandoned: Callable[[ShareAddress], None],
    ) -> None:
        """with_finalizer: whether new PVs get one, which takes the right to remove it again. again: queues a key of
        this reconciler, once something that stood in its way is gone; abandoned: told of each share where a claim that
        went too early may have left a directory.
        """
        self._api = api
        self._cluster = cluster
        self._shares = shares
        self._lifecycle = lifecycle
        self._default = default
        self._metrics = metrics
        self._with_finalizer = with_finalizer
        self._again = again
        self._abandoned = abandoned
        self._begun: dict[str, Plan] = {}
        """By claim: what may be there on the share already, while the PV is not."""

    def wants(self, claim: ClaimObject) -> bool:
        """Whether the claim is waiting for a volume from Berth."""
        return (
            not translation.is_bound(claim)
            and not claim.metadata.deletionTimestamp
            and translation.provisioner_of(claim) in self._cluster.provisioners
        )

    async def __call__(self, key: str) -> Outcome:
        """Serves one claim."""
        claim = self._cluster.claims.get(key)
        self._drop_old_plan(key, claim)
        if claim is None or not self.wants(claim) or translation.pv_name(claim) in self._cluster.volumes:
            return Done()
        of_class = self._cluster.class_of(claim)
        if of_class is None:  # the PV controller tells the user; the class's arrival brings the claim back
            return GiveUp(f"class {quoted(translation.class_name_of(claim) or '')} does not exist")
        if of_class.provisioner not in self._cluster.provisioners:
            return GiveUp(f"class {translation.class_name_of(claim)!r} belongs to {quoted(of_class.provisioner)} now")
        if translation.is_waiting_for_node(claim, of_class):
            return Done()
        begin = monotonic()
        try:
            plan = make_plan(translation.request_of(claim, of_class), self._default, self._cluster.neighbours)
        except Refused as refusal:
            return self._refused(key, claim, of_class, refusal)
        self._cluster.hold(plan)
        self._begun[key] = plan
        try:
            born = await self._make(plan, claim, of_class)
        except Refused as refusal:
            self._cluster.let_go(plan.pv)
            return self._refused(key, claim, of_class, refusal)
        except VolumeError:
            self._cluster.let_go(plan.pv)
            raise
        # Any other error may mean that the PV exists by now: its directory stays held until the cache tells, or the
        # claim is gone.
        self._begun.pop(key, None)
        self._cluster.wait_no_more(self._waiter(key))
        self._metrics.provisioned(plan.class_name, monotonic() - begin)
        about = translation.claim_reference(claim)
        return Done(
            did=f"provisioned {plan.pv} at {plan.share}/{plan.path}",
            notes=(Note(about, "Normal", "ProvisioningSucceeded", _told(plan, born)),),
        )

    def blame(self, key: str, error: Exception) -> tuple[Note, ...]:
        """An outage, told on the claim."""
        claim = self._cluster.claims.get(key)
        if claim is None:
            return ()
        of_class = self._cluster.class_of(claim)
        if of_class is not None:  # else the claim names what it likes
            self._metrics.provision_failed(of_class.name)
        return (Note(translation.claim_reference(claim), "Warning", "ProvisioningFailed", str(error)),)

    async def _make(self, plan: Plan, claim: ClaimObject, of_class: ClassObject) -> Born:
        share = await self._shares.get(plan.share)
        born = await self._lifecycle.create(plan, share, is_served=lambda: self._is_served(plan))
        volume = translation.pv_of(
            plan, claim, of_class, is_adopted=born.is_adopted, with_finalizer=self._with_finalizer
        )
        try:
            await self._api.create(volume)
        except AlreadyExists:
            # An earlier attempt whose answer got lost made it; a PV that somebody made for another claim did not.
            found = translation.former_claim(await self._api.get(VolumeObject, plan.pv))
            if found != plan.claim:
                raise Refused("metadata.name", f"PV {plan.pv} exists already and is bound to {found}") from None
        return born

    async def _is_served(self, plan: Plan) -> bool:
        """Whether the PV was made by an attempt of which the cache has not heard yet."""
        try:
            return translation.former_claim(await self._api.get(VolumeObject, plan.pv)) == plan.claim
        except NotFound:
            return False

    def _refused(self, key: str, claim: ClaimObject, of_class: ClassObject, refusal: Refused) -> Outcome:
        class_name = of_class.name
        self._metrics.provision_refused(class_name, kind_of_field(refusal))
        note = Note(translation.claim_reference(claim), "Warning", "ProvisioningFailed", str(refusal))
        if isinstance(refusal, Occupied) and key in self._cluster.claims:  # else it went meanwhile
            self._cluster.wait_for(refusal.blockers, self._waiter(key), lambda: self._again(key))
        else:
            self._cluster.wait_no_more(self._waiter(key))
        return GiveUp(str(refusal), notes=(note,))

    def _waiter(self, key: str) -> str:
        return f"{self.name} {key}"

    def claim_gone(self, claim: ClaimObject) -> None:
        """Lets go of what was planned for a claim that was deleted before its PV was made."""
        self._cluster.let_go(translation.pv_name(claim))
        meta = claim.metadata
        key = key_of(meta.namespace, meta.name or "")
        self._cluster.wait_no_more(self._waiter(key))
        if key in self._begun:
            self._again(key)  # once nobody works on it any more, what it left behind is looked for

    def class_gone(self, of_class: ClassObject) -> None:
        """Forgets what was counted for a class that was deleted."""
        self._metrics.class_gone(of_class.name)

    def _drop_old_plan(self, key: str, claim: ClaimObject | None) -> None:
        """Has the share looked through when the claim of an unfinished plan is gone, or another of its name by now."""
        plan = self._begun.get(key)
        if plan is None or (claim is not None and translation.pv_name(claim) == plan.pv):
            return
        del self._begun[key]
        if plan.pv not in self._cluster.volumes:
            self._abandoned(plan.share)


_FIELDS = frozenset({
    "mountOptions", "reclaimPolicy", "spec.selector", "spec.volumeMode", "spec.dataSource",
    "spec.resources.requests.storage", "metadata.name",
})  # fmt: skip


def kind_of_field(refusal: Refused) -> str:
    """What a refusal names, as a metric's label: a parameter of the class or a field of the claim by its name, and
    everything else, which is a path that a claim could have made up, as just that.
    """
    if refusal.parameter is not None:
        return bounded(refusal.field, 100)
    return refusal.field if refusal.field in _FIELDS else "path"


def _told(plan: Plan, born: Born) -> str:
    """One Event says all, as a claim is to cost no more of them."""
    said = f"Successfully provisioned volume {plan.pv} at {on_server(plan.share.server, plan.absolute_path)}"
    if plan.doubts:
        said = f"{said}; of its mount options: {'; '.join(each.en for each in plan.doubts)}"
    if not born.is_adopted:
        return said
    return (
        f"{said} in the directory {plan.path!r}, which was there before and which Berth did not make: it is adopted, "
        f"and will be kept when the claim is gone, whatever the class says (existingDirectory)"
    )
