"""Kubernetes objects <-> domain values, and nothing else: the one place that knows both spellings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from lightkube.models.core_v1 import NFSVolumeSource, ObjectReference, PersistentVolumeSpec
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import PersistentVolume

from berth.kube.outcome import Reference
from berth.reconcilers.kinds import ClaimObject, ClassObject, Meta, VolumeObject
from berth.reconcilers.quantity import to_bytes
from berth.volumes.errors import Refused
from berth.volumes.plan import Plan
from berth.volumes.request import Claim, ReleaseRequest, Sharing, VolumeRequest

PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
ON_DELETE = "berth.io/on-delete"
SHARE = "berth.io/share"
ADOPTED = "berth.io/adopted"
"""`true` on PVs whose directory Berth did not make: it is kept at the end, see Record.adopted."""
SHARED_PATHS = "berth.io/shared-paths"
"""Only on PVs whose class lets claims share a directory."""
FINALIZER = "external-provisioner.volume.kubernetes.io/finalizer"

_PROVISIONER_KEYS = ("volume.kubernetes.io/storage-provisioner", "volume.beta.kubernetes.io/storage-provisioner")
_CLASS_KEY = "volume.beta.kubernetes.io/storage-class"
_NODE_KEYS = ("volume.kubernetes.io/selected-node", "volume.alpha.kubernetes.io/selected-node")
_STORAGE = "storage"
_CSI_NFS = "nfs.csi.k8s.io"


def meta_of(obj: ClaimObject | VolumeObject | ClassObject) -> Meta:
    """An object's metadata, empty rather than absent."""
    return obj.metadata or Meta()


def claim_of(claim: ClaimObject) -> Claim:
    """A claim's identity."""
    meta = meta_of(claim)
    return Claim(meta.namespace or "", meta.name or "", meta.uid or "")


def pv_name(claim: ClaimObject) -> str:
    """What the claim's PV is called; the same for ever, so that a claim can't get two."""
    return f"pvc-{meta_of(claim).uid}"


def provisioner_of(claim: ClaimObject) -> str:
    """The provisioner that the PV controller asks for this claim's volume; empty: nobody is asked."""
    annotations = meta_of(claim).annotations or {}
    return next((annotations[key] for key in _PROVISIONER_KEYS if annotations.get(key)), "")


def class_name_of(claim: ClaimObject) -> str:
    """The claim's class; the old annotation wins over the field, as everywhere in Kubernetes."""
    annotations = meta_of(claim).annotations or {}
    return annotations.get(_CLASS_KEY) or (claim.spec.storageClassName if claim.spec else None) or ""


def is_waiting_for_node(claim: ClaimObject, of_class: ClassObject) -> bool:
    """A claim of a WaitForFirstConsumer class whose pod has no node yet."""
    annotations = meta_of(claim).annotations or {}
    return of_class.volumeBindingMode == "WaitForFirstConsumer" and not any(annotations.get(key) for key in _NODE_KEYS)


def is_bound(claim: ClaimObject) -> bool:
    """Whether the claim has a PV, or names the one it wants."""
    return bool(claim.spec and claim.spec.volumeName)


def requested_size(claim: ClaimObject) -> str:
    """spec.resources.requests.storage as written; Refused when there is none or it makes no sense."""
    requests = (claim.spec.resources.requests if claim.spec and claim.spec.resources else None) or {}
    size = requests.get(_STORAGE, "")
    size_in_bytes(size, "spec.resources.requests.storage")
    return size


def current_size(claim: ClaimObject) -> str:
    """status.capacity.storage; empty before the claim is bound."""
    return ((claim.status.capacity if claim.status else None) or {}).get(_STORAGE, "")


def capacity_of(volume: VolumeObject) -> str:
    """spec.capacity.storage of a PV; empty when it says nothing."""
    return ((volume.spec.capacity if volume.spec else None) or {}).get(_STORAGE, "")


def size_in_bytes(size: str, field: str) -> int:
    """A size in bytes; Refused, naming field, when it is none."""
    try:
        return to_bytes(size)
    except ValueError as error:
        raise Refused(field, str(error)) from error


def request_of(claim: ClaimObject, of_class: ClassObject) -> VolumeRequest:
    """What a claim and its class ask for. Refused only for a size that is none."""
    meta, spec = meta_of(claim), claim.spec
    source = (spec.dataSource or spec.dataSourceRef) if spec else None
    return VolumeRequest(
        claim=claim_of(claim),
        pv=pv_name(claim),
        class_name=meta_of(of_class).name or "",
        provisioner=of_class.provisioner,
        parameters=of_class.parameters or {},
        size_bytes=size_in_bytes(requested_size(claim), "spec.resources.requests.storage"),
        labels=meta.labels or {},
        annotations=meta.annotations or {},
        mount_options=tuple(of_class.mountOptions or ()),
        reclaim_policy=of_class.reclaimPolicy or "Delete",
        volume_mode=(spec.volumeMode if spec else None) or "Filesystem",
        has_selector=bool(spec and spec.selector is not None),
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
    policy = of_class.reclaimPolicy or "Delete"
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
            finalizers=[FINALIZER] if policy == "Delete" and with_finalizer else None,
        ),
        spec=PersistentVolumeSpec(
            accessModes=list((claim.spec.accessModes if claim.spec else None) or ()),
            capacity={_STORAGE: requested_size(claim)},
            claimRef=ObjectReference(
                apiVersion="v1",
                kind="PersistentVolumeClaim",
                namespace=plan.claim.namespace,
                name=plan.claim.name,
                uid=plan.claim.uid,
                resourceVersion=meta_of(claim).resourceVersion,
            ),
            mountOptions=list(of_class.mountOptions) if of_class.mountOptions else None,
            nfs=NFSVolumeSource(path=plan.absolute_path, server=plan.share.server),
            persistentVolumeReclaimPolicy=policy,
            storageClassName=class_name_of(claim),
            volumeMode="Filesystem",
        ),
    )


def release_request_of(volume: VolumeObject, of_class: ClassObject | None) -> ReleaseRequest:
    """What is to be released. Refused for a PV that is no NFS volume or never had a claim."""
    meta, spec = meta_of(volume), volume.spec
    if spec is None or spec.nfs is None:
        raise Refused("spec.nfs", "is missing, so this PV has no directory on an NFS server")
    if spec.claimRef is None or not spec.claimRef.uid:
        raise Refused("spec.claimRef", "is missing, so it can't be said whose volume this was")
    annotations = meta.annotations or {}
    return ReleaseRequest(
        pv=meta.name or "",
        claim=Claim(spec.claimRef.namespace or "", spec.claimRef.name or "", spec.claimRef.uid),
        class_name=spec.storageClassName or "",
        server=spec.nfs.server,
        absolute_path=spec.nfs.path,
        share=annotations.get(SHARE, ""),
        on_delete=annotations.get(ON_DELETE, ""),
        mount_options=tuple(spec.mountOptions or ()),
        parameters=None if of_class is None else (of_class.parameters or {}),
    )


def phase_of(volume: VolumeObject) -> str:
    """status.phase of a PV."""
    return (volume.status.phase if volume.status else None) or ""


def policy_of(volume: VolumeObject) -> str:
    """spec.persistentVolumeReclaimPolicy of a PV."""
    return (volume.spec.persistentVolumeReclaimPolicy if volume.spec else None) or ""


def provisioned_by(volume: VolumeObject) -> str:
    """The provisioner that made a PV; empty for one made by hand."""
    return (meta_of(volume).annotations or {}).get(PROVISIONED_BY, "")


def is_by_berth(volume: VolumeObject) -> bool:
    """Whether Berth made the PV, rather than a reference provisioner whose name Berth answers to."""
    return SHARE in (meta_of(volume).annotations or {})


def has_finalizer(volume: VolumeObject) -> bool:
    """Whether the PV waits for Berth before it may go."""
    return FINALIZER in (meta_of(volume).finalizers or ())


def former_claim(volume: VolumeObject) -> Claim | None:
    """The claim that a PV is or was bound to."""
    reference = volume.spec.claimRef if volume.spec else None
    if reference is None:
        return None
    return Claim(reference.namespace or "", reference.name or "", reference.uid or "")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a PV's data lies: a server and an absolute path on it."""

    server: str
    path: str


def place_of(volume: VolumeObject) -> Place | None:
    """Where a PV's directory is, made by whomever: in-tree NFS, or csi-driver-nfs. None for other storage."""
    spec = volume.spec
    if spec is None:
        return None
    if spec.nfs is not None:
        return Place(spec.nfs.server, spec.nfs.path)
    if spec.csi is not None and spec.csi.driver == _CSI_NFS:
        attributes = {key.lower(): value for key, value in (spec.csi.volumeAttributes or {}).items()}
        share, sub_dir = attributes.get("share", ""), attributes.get("subdir", "")
        return Place(attributes.get("server", ""), f"{share}/{sub_dir}") if share else None
    return None


def sharing_of(volume: VolumeObject) -> Sharing | None:
    """What a PV says about sharing its directory; None when it was not made by Berth."""
    if not is_by_berth(volume):
        return None
    said = (meta_of(volume).annotations or {}).get(SHARED_PATHS, "")
    return next((known for known in get_args(Sharing) if known == said), "deny")


def claim_reference(claim: ClaimObject) -> Reference:
    """The claim, for an Event about it."""
    meta = meta_of(claim)
    return Reference(
        api_version="v1",
        kind="PersistentVolumeClaim",
        name=meta.name or "",
        uid=meta.uid or "",
        namespace=meta.namespace or "",
        resource_version=meta.resourceVersion or "",
    )


def volume_reference(volume: VolumeObject) -> Reference:
    """The PV, for an Event about it."""
    meta = meta_of(volume)
    return Reference(
        api_version="v1",
        kind="PersistentVolume",
        name=meta.name or "",
        uid=meta.uid or "",
        resource_version=meta.resourceVersion or "",
    )
