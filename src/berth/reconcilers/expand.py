"""Claims that ask for more get more: the steps of the external resizer, for NFS volumes (field notes, section 3).

In-tree NFS has no expansion of its own, and the external resizer looks at CSI volumes only. There is no limit on the
server to raise yet, so the volume's new size is what its record, its PV and its claim say.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from berth.kube.client import Api
from berth.kube.errors import NotFound
from berth.kube.informer import key_of
from berth.kube.outcome import Done, GiveUp, Note, Outcome
from berth.kube.permissions import Permission
from berth.objects import translation
from berth.objects.kinds import ClaimObject, VolumeObject
from berth.reconcilers.cluster import Cluster
from berth.shares.choose import Shares
from berth.volumes.errors import Refused
from berth.volumes.lifecycle import Lifecycle
from berth.volumes.parameters import GIB, parse_parameters
from berth.volumes.plan import DefaultShare
from berth.volumes.release import share_of

PERMISSIONS = (
    Permission("", "persistentvolumeclaims", ("list", "watch")),
    Permission("", "persistentvolumeclaims", ("patch",)),
    Permission("", "persistentvolumeclaims/status", ("patch",)),
    Permission("", "persistentvolumes", ("list", "watch", "patch")),
)

_NO_NODE_STEP = "volume.kubernetes.io/node-expansion-not-required"
_OURS = ("Resizing", "FileSystemResizePending", "ControllerResizeError", "NodeResizeError")
"""Conditions of a claim that an expansion sets, and clears when it is through."""


class Expand:
    """Key: a claim, `namespace/name`."""

    name = "expand"

    def __init__(
        self,
        *,
        api: Api,
        cluster: Cluster,
        shares: Shares,
        lifecycle: Lifecycle,
        default: DefaultShare,
        missing: Collection[str],
    ) -> None:
        """missing: rights that it needs and that the API server does not give, as text; then nothing is expanded."""
        self._api = api
        self._cluster = cluster
        self._shares = shares
        self._lifecycle = lifecycle
        self._default = default
        self._missing = ", ".join(missing)
        self._finished: dict[str, int] = {}
        """Claim UID -> bytes it was just given: the cache shows the claim as it was for a moment longer."""

    def wants(self, claim: ClaimObject) -> bool:
        """Whether the bound claim asks for more than it has, of a PV that Berth answers for."""
        return self._volume_to_expand(claim) is not None

    async def __call__(self, key: str) -> Outcome:
        """Expands one claim's volume."""
        claim = self._cluster.claims.get(key)
        volume = self._volume_to_expand(claim) if claim is not None else None
        if claim is None or volume is None:
            return Done()
        about, pv = translation.claim_reference(claim), volume.name
        if self._missing:
            why = f"Berth's role lacks {self._missing}; give it what `berth install` prints, and restart it"
            return GiveUp(why, notes=(Note(about, "Warning", "VolumeResizeFailed", why),))
        try:
            size = translation.requested_size(claim)
            size_bytes = translation.size_in_bytes(size, "spec.resources.requests.storage")
            self._check_limit(claim, size_bytes)
        except Refused as refusal:
            await self._patch_status(claim, conditions=[_condition("ControllerResizeError", str(refusal))])
            return GiveUp(str(refusal), notes=(Note(about, "Warning", "VolumeResizeFailed", str(refusal)),))
        try:
            await self._grow(claim, volume, size, size_bytes)
        except NotFound:
            return Done()
        self._finished[about.uid] = size_bytes
        return Done(
            did=f"expanded {pv} to {size}",
            notes=(
                Note(about, "Normal", "Resizing", f"Berth is resizing volume {pv}"),
                Note(about, "Normal", "VolumeResizeSuccessful", "Resize volume succeeded"),
            ),
        )

    def blame(self, key: str, error: Exception) -> tuple[Note, ...]:
        """An outage, told on the claim."""
        claim = self._cluster.claims.get(key)
        if claim is None:
            return ()
        return (Note(translation.claim_reference(claim), "Warning", "VolumeResizeFailed", str(error)),)

    def _volume_to_expand(self, claim: ClaimObject) -> VolumeObject | None:
        """The claim's PV, if it is ours, bound to just this claim, and the claim asks for more than its status has."""
        if claim.spec is None or not claim.spec.volumeName or not (claim.status and claim.status.phase == "Bound"):
            return None
        volume = self._cluster.volumes.get(claim.spec.volumeName)
        if (
            volume is None
            or not self._cluster.is_ours(volume)
            or translation.former_claim(volume) != translation.claim_of(claim)
        ):
            return None
        try:
            wanted = translation.size_in_bytes(translation.requested_size(claim), "request")
            present = translation.size_in_bytes(translation.current_size(claim), "capacity")
        except Refused:
            return None
        uid = translation.claim_of(claim).uid
        if wanted <= present:
            self._finished.pop(uid, None)
            return None
        return None if self._finished.get(uid) == wanted else volume

    def claim_gone(self, claim: ClaimObject) -> None:
        """Forgets a claim that was deleted."""
        self._finished.pop(translation.claim_of(claim).uid, None)

    def _check_limit(self, claim: ClaimObject, size_bytes: int) -> None:
        of_class = self._cluster.class_of(claim)
        if of_class is None:
            return
        most = parse_parameters(of_class.parameters or {}).max_bytes
        if most is not None and size_bytes > most:
            raise Refused(
                "spec.resources.requests.storage",
                f"is above maxSize {most / GIB:.10g} GiB of class {translation.class_name_of(claim)}",
            )

    async def _grow(self, claim: ClaimObject, volume: VolumeObject, size: str, size_bytes: int) -> None:
        """Steps a to d of the notes. The PV grows before the claim says so; each step can be repeated."""
        pv = volume.name
        await self._patch_status(claim, conditions=[_condition("Resizing", "")])
        if translation.size_in_bytes(translation.capacity_of(volume) or "0", "spec.capacity.storage") < size_bytes:
            if translation.is_by_berth(volume):
                request = translation.release_request_of(volume, self._cluster.class_of(claim))
                share = await self._shares.get(share_of(request, self._default))
                await self._lifecycle.resize(pv, size_bytes, share)
            await self._api.patch(
                VolumeObject,
                pv,
                {"spec": {"capacity": {"storage": size}}, "metadata": {"uid": volume.metadata.uid}},
            )
        meta = claim.metadata
        if (meta.annotations or {}).get(_NO_NODE_STEP) != "true":  # the kubelet has nothing to do for NFS
            await self._api.patch(
                ClaimObject,
                meta.name or "",
                {"metadata": {"annotations": {_NO_NODE_STEP: "true"}, "uid": meta.uid}},
                namespace=meta.namespace or "",
            )
        await self._patch_status(
            claim, capacity=size, conditions=[{"type": condition, "$patch": "delete"} for condition in _OURS]
        )

    async def _patch_status(
        self, claim: ClaimObject, *, conditions: list[dict[str, Any]], capacity: str | None = None
    ) -> None:
        meta = claim.metadata
        status: dict[str, Any] = {"conditions": conditions}
        if capacity is not None:
            status["capacity"] = {"storage": capacity}
        await self._api.patch(
            ClaimObject,
            meta.name or "",
            {"status": status, "metadata": {"uid": meta.uid}},
            namespace=meta.namespace or "",
            kind="strategic",
            subresource="status",
        )


def claim_of_volume(volume: VolumeObject) -> str:
    """The key of the claim that a PV serves; empty if none."""
    claim = translation.former_claim(volume)
    return key_of(claim.namespace, claim.name) if claim else ""


def _condition(kind: str, message: str) -> dict[str, Any]:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"type": kind, "status": "True", "lastProbeTime": now, "lastTransitionTime": now, "message": message}
