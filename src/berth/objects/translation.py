"""Kubernetes objects <-> domain values, and nothing else: the one place that knows both spellings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, get_args

from lightkube.models.core_v1 import NFSVolumeSource, ObjectReference, PersistentVolumeSpec
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import PersistentVolume

from berth.kube.outcome import Reference
from berth.objects.kinds import ClaimObject, ClassObject, VolumeObject
from berth.objects.quantity import to_bytes
from berth.volumes.errors import Refused
from berth.volumes.plan import Plan
from berth.volumes.request import Claim, ReleaseRequest, Sharing, VolumeRequest
from berth.volumes.server_name import bare, bracketed, respelled

PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
ON_DELETE = "berth.io/on-delete"
SHARE = "berth.io/share"
ADOPTED = "berth.io/adopted"
"""`true` on PVs whose directory Berth did not make: it is kept at the end, see Record.adopted."""
SHARED_PATHS = "berth.io/shared-paths"
"""Only on PVs whose class lets claims share a directory."""
FINALIZER = "external-provisioner.volume.kubernetes.io/finalizer"
PROTECTION = "kubernetes.io/pv-protection"
"""The controller manager's finalizer: on every PV, until its claim is gone."""

_PROVISIONER_KEYS = ("volume.kubernetes.io/storage-provisioner", "volume.beta.kubernetes.io/storage-provisioner")
_CLASS_KEY = "volume.beta.kubernetes.io/storage-class"
_NODE_KEYS = ("volume.kubernetes.io/selected-node", "volume.alpha.kubernetes.io/selected-node")
_STORAGE = "storage"
_CSI_NFS = "nfs.csi.k8s.io"


def claim_of(claim: ClaimObject) -> Claim:
    """A claim's identity."""
    return Claim(claim.namespace, claim.name, claim.metadata.uid)


def pv_name(claim: ClaimObject) -> str:
    """What the claim's PV is called; the same for ever, so that a claim can't get two."""
    return f"pvc-{claim.metadata.uid}"


def provisioner_of(claim: ClaimObject) -> str:
    """The provisioner that the PV controller asks for this claim's volume; empty: nobody is asked."""
    return next((claim.annotations[key] for key in _PROVISIONER_KEYS if claim.annotations.get(key)), "")


def class_name_of(claim: ClaimObject) -> str | None:
    """The claim's class; None where it leaves that open, empty where it wants none. The old annotation wins over the
    field, as everywhere in Kubernetes.
    """
    return claim.annotations.get(_CLASS_KEY) or claim.spec.storageClassName


def is_waiting_for_node(claim: ClaimObject, of_class: ClassObject) -> bool:
    """A claim of a WaitForFirstConsumer class whose pod has no node yet."""
    return of_class.volumeBindingMode == "WaitForFirstConsumer" and not has_node(claim)


def has_node(claim: ClaimObject) -> bool:
    """Whether the scheduler has chosen a node for a claim that waits for that."""
    return any(claim.annotations.get(key) for key in _NODE_KEYS)


def is_bound(claim: ClaimObject) -> bool:
    """Whether the claim has a PV, or names the one it wants."""
    return bool(claim.spec.volumeName)


def requested_size(claim: ClaimObject) -> str:
    """spec.resources.requests.storage as written; Refused when there is none or it makes no sense."""
    size = storage_of(claim.spec.resources.requests)
    size_in_bytes(size, "spec.resources.requests.storage")
    return size


def current_size(claim: ClaimObject) -> str:
    """status.capacity.storage; empty before the claim is bound."""
    return storage_of(claim.status.capacity)


def capacity_of(volume: VolumeObject) -> str:
    """spec.capacity.storage of a PV; empty when it says nothing."""
    return storage_of(volume.spec.capacity)


def storage_of(quantities: Mapping[str, str] | None) -> str:
    """The storage among quantities as written; empty if there is none."""
    return (quantities or {}).get(_STORAGE, "")


def size_in_bytes(size: str, field: str) -> int:
    """A size in bytes; Refused, naming field, when it is none."""
    try:
        return to_bytes(size)
    except ValueError as error:
        raise Refused(field, str(error)) from error


def request_of(claim: ClaimObject, of_class: ClassObject) -> VolumeRequest:
    """What a claim and its class ask for. Refused only for a size that is none."""
    meta, spec = claim.metadata, claim.spec
    source = spec.dataSource or spec.dataSourceRef
    return VolumeRequest(
        claim=claim_of(claim),
        pv=pv_name(claim),
        class_name=of_class.name,
        provisioner=of_class.provisioner,
        parameters=of_class.parameters or {},
        size_bytes=size_in_bytes(requested_size(claim), "spec.resources.requests.storage"),
        labels=meta.labels or {},
        annotations=meta.annotations or {},
        mount_options=tuple(of_class.mountOptions or ()),
        reclaim_policy=of_class.reclaimPolicy,
        volume_mode=spec.volumeMode,
        has_selector=spec.selector is not None,
        data_source=f"{source.kind}/{source.name}" if source else "",
    )


def pv_of(
    plan: Plan,
    claim: ClaimObject,
    of_class: ClassObject,
    *,
    is_adopted: bool = False,
    with_finalizer: bool = True,
) -> PersistentVolume:
    """The PV that serves the claim, tied to it from birth, with its end written on it (I8).

    is_adopted: Berth did not make its directory, which is kept whatever the class says (I10). with_finalizer: have it
    wait for Berth when it is deleted by hand, where its directory goes with it.
    """
    on_delete = "retain" if is_adopted else plan.on_delete
    annotations = {PROVISIONED_BY: of_class.provisioner, ON_DELETE: on_delete, SHARE: str(plan.share)}
    if is_adopted:
        annotations[ADOPTED] = "true"
    if plan.sharing != "deny":
        annotations[SHARED_PATHS] = plan.sharing
    return PersistentVolume(
        metadata=ObjectMeta(
            name=plan.pv,
            annotations=annotations,
            finalizers=[FINALIZER] if of_class.reclaimPolicy == "Delete" and with_finalizer else None,
        ),
        spec=PersistentVolumeSpec(
            accessModes=list(claim.spec.accessModes or ()),
            capacity={_STORAGE: requested_size(claim)},
            claimRef=ObjectReference(
                apiVersion="v1",
                kind="PersistentVolumeClaim",
                namespace=plan.claim.namespace,
                name=plan.claim.name,
                uid=plan.claim.uid,
                resourceVersion=claim.metadata.resourceVersion or None,
            ),
            mountOptions=list(of_class.mountOptions) if of_class.mountOptions else None,
            nfs=NFSVolumeSource(path=plan.absolute_path, server=bracketed(plan.share.server)),
            persistentVolumeReclaimPolicy=of_class.reclaimPolicy,
            storageClassName=class_name_of(claim) or "",
            volumeMode="Filesystem",
        ),
    )


def release_request_of(volume: VolumeObject, of_class: ClassObject | None) -> ReleaseRequest:
    """What is to be released. Refused for a PV that is no NFS volume or never had a claim."""
    spec, annotations = volume.spec, volume.annotations
    if spec.nfs is None:
        raise Refused("spec.nfs", "is missing, so this PV has no directory on an NFS server")
    if spec.claimRef is None or not spec.claimRef.uid:
        raise Refused("spec.claimRef", "is missing, so it can't be said whose volume this was")
    return ReleaseRequest(
        pv=volume.name,
        claim=Claim(spec.claimRef.namespace, spec.claimRef.name, spec.claimRef.uid),
        class_name=spec.storageClassName,
        server=spec.nfs.server,
        absolute_path=spec.nfs.path,
        share=annotations.get(SHARE, ""),
        on_delete=annotations.get(ON_DELETE, ""),
        mount_options=tuple(spec.mountOptions or ()),
        parameters=None if of_class is None else (of_class.parameters or {}),
    )


def phase_of(volume: VolumeObject) -> str:
    """status.phase of a PV."""
    return volume.status.phase


def policy_of(volume: VolumeObject) -> str:
    """spec.persistentVolumeReclaimPolicy of a PV."""
    return volume.spec.persistentVolumeReclaimPolicy


def provisioned_by(volume: VolumeObject) -> str:
    """The provisioner that made a PV; empty for one made by hand."""
    return volume.annotations.get(PROVISIONED_BY, "")


def said_share(volume: VolumeObject) -> str:
    """What a PV says of the share that it is on; empty where it says nothing."""
    return respelled(volume.annotations.get(SHARE, ""))


def is_by_berth(volume: VolumeObject) -> bool:
    """Whether Berth made the PV, rather than a reference provisioner whose name Berth answers to."""
    return SHARE in volume.annotations


def has_finalizer(volume: VolumeObject) -> bool:
    """Whether the PV waits for Berth before it may go."""
    return FINALIZER in (volume.metadata.finalizers or ())


def former_claim(volume: VolumeObject) -> Claim | None:
    """The claim that a PV is or was bound to."""
    reference = volume.spec.claimRef
    return None if reference is None else Claim(reference.namespace, reference.name, reference.uid)


class Location(NamedTuple):
    """Where a PV's data lies: a server, without brackets, and an absolute path on it."""

    server: str
    path: str


def location_of(volume: VolumeObject) -> Location | None:
    """Where a PV's directory is, made by whomever: in-tree NFS, or csi-driver-nfs. None for other storage."""
    spec = volume.spec
    if spec.nfs is not None:
        return Location(bare(spec.nfs.server), spec.nfs.path)
    if spec.csi is not None and spec.csi.driver == _CSI_NFS:
        attributes = {key.lower(): value for key, value in (spec.csi.volumeAttributes or {}).items()}
        share, sub_dir = attributes.get("share", ""), attributes.get("subdir", "")
        path = f"{share.rstrip('/')}/{sub_dir}".rstrip("/")
        return Location(bare(attributes.get("server", "")), path) if share else None
    return None


def says_the_same_place(old: VolumeObject, new: VolumeObject) -> bool:
    """Whether a PV that changed still says the same of where its directory is, and of who made it."""
    before, now = old.spec, new.spec
    return before.nfs == now.nfs and before.csi == now.csi and old.metadata.annotations == new.metadata.annotations


def says_the_same_owner(old: VolumeObject, new: VolumeObject) -> bool:
    """Whether a PV that changed still says the same of whose it is, and of who made it."""
    return old.spec.claimRef == new.spec.claimRef and old.metadata.annotations == new.metadata.annotations


def sharing_of(volume: VolumeObject) -> Sharing | None:
    """What a PV says about sharing its directory; None when it was not made by Berth."""
    if not is_by_berth(volume):
        return None
    said = volume.annotations.get(SHARED_PATHS, "")
    return next((known for known in get_args(Sharing) if known == said), "deny")


def claim_reference(claim: ClaimObject) -> Reference:
    """The claim, for an Event about it."""
    meta = claim.metadata
    return Reference(
        api_version="v1",
        kind="PersistentVolumeClaim",
        name=meta.name,
        uid=meta.uid,
        namespace=meta.namespace,
        resource_version=meta.resourceVersion,
    )


def volume_reference(volume: VolumeObject) -> Reference:
    """The PV, for an Event about it."""
    meta = volume.metadata
    return Reference(
        api_version="v1",
        kind="PersistentVolume",
        name=meta.name,
        uid=meta.uid,
        resource_version=meta.resourceVersion,
    )
