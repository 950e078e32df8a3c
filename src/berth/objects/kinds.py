"""Claims, PVs and classes, with only the fields that somebody reads: a cache of ten thousand stays small.

Absent fields have Kubernetes' defaults, or are empty. `runtime` has the other kinds; `translation` makes values of the
rules of all this. Objects that are posted are lightkube's own classes.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec
from lightkube.core.resource import ApiInfo, GlobalResource, NamespacedResourceG
from lightkube.resources.core_v1 import PersistentVolume, PersistentVolumeClaim
from lightkube.resources.storage_v1 import StorageClass


class Owner(msgspec.Struct, omit_defaults=True, gc=False):
    """Who made an object."""

    kind: str = ""
    name: str = ""


class Meta(msgspec.Struct, omit_defaults=True, gc=False):
    """What is read of an object's metadata."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resourceVersion: str = ""  # noqa: N815 - Kubernetes' name, here and below
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    finalizers: list[str] | None = None
    creationTimestamp: str | None = None  # noqa: N815
    deletionTimestamp: str | None = None  # noqa: N815
    ownerReferences: list[Owner] | None = None  # noqa: N815


class Object(msgspec.Struct, omit_defaults=True):
    """What all objects have in common."""

    metadata: Meta = msgspec.field(default_factory=Meta)

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def namespace(self) -> str:
        return self.metadata.namespace

    @property
    def key(self) -> str:
        """As a person types it: `namespace/name`, or the name."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def annotations(self) -> dict[str, str]:
        return self.metadata.annotations or {}


class ObjectRef(msgspec.Struct, omit_defaults=True, gc=False):
    """A reference to an object."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    apiGroup: str | None = None  # noqa: N815


class Resources(msgspec.Struct, omit_defaults=True, gc=False):
    """What a claim asks for."""

    requests: dict[str, str] | None = None


class Something(msgspec.Struct, gc=False):
    """An object of which nobody reads anything but that it is there."""


class ClaimSpec(msgspec.Struct, omit_defaults=True, gc=False):
    """spec of a claim."""

    storageClassName: str | None = None  # noqa: N815
    volumeName: str = ""  # noqa: N815
    volumeMode: str = "Filesystem"  # noqa: N815
    accessModes: list[str] | None = None  # noqa: N815
    resources: Resources = msgspec.field(default_factory=Resources)
    selector: Something | None = None
    dataSource: ObjectRef | None = None  # noqa: N815
    dataSourceRef: ObjectRef | None = None  # noqa: N815


class ClaimStatus(msgspec.Struct, omit_defaults=True, gc=False):
    """status of a claim."""

    phase: str = ""
    capacity: dict[str, str] | None = None


class ClaimObject(NamespacedResourceG, Object, omit_defaults=True):
    """A PersistentVolumeClaim, as it is read and cached."""

    _api_info: ClassVar[ApiInfo] = PersistentVolumeClaim._api_info  # type: ignore[misc]
    spec: ClaimSpec = msgspec.field(default_factory=ClaimSpec)
    status: ClaimStatus = msgspec.field(default_factory=ClaimStatus)


class NfsSource(msgspec.Struct, omit_defaults=True, gc=False):
    """An NFS volume: of a PV, or of a pod."""

    server: str = ""
    path: str = ""


class CsiSource(msgspec.Struct, omit_defaults=True, gc=False):
    """spec.csi of a PV."""

    driver: str = ""
    volumeAttributes: dict[str, str] | None = None  # noqa: N815


class VolumeSpec(msgspec.Struct, omit_defaults=True, gc=False):
    """spec of a PV."""

    capacity: dict[str, str] | None = None
    accessModes: list[str] | None = None  # noqa: N815
    claimRef: ObjectRef | None = None  # noqa: N815
    persistentVolumeReclaimPolicy: str = "Retain"  # noqa: N815
    storageClassName: str = ""  # noqa: N815
    mountOptions: list[str] | None = None  # noqa: N815
    nfs: NfsSource | None = None
    csi: CsiSource | None = None


class VolumeStatus(msgspec.Struct, omit_defaults=True, gc=False):
    """status of a PV."""

    phase: str = ""
    message: str = ""


class VolumeObject(GlobalResource, Object, omit_defaults=True):
    """A PersistentVolume, as it is read and cached."""

    _api_info: ClassVar[ApiInfo] = PersistentVolume._api_info  # type: ignore[misc]
    spec: VolumeSpec = msgspec.field(default_factory=VolumeSpec)
    status: VolumeStatus = msgspec.field(default_factory=VolumeStatus)


class ClassObject(GlobalResource, Object, omit_defaults=True):
    """A StorageClass, as it is read and cached."""

    _api_info: ClassVar[ApiInfo] = StorageClass._api_info  # type: ignore[misc]
    provisioner: str = ""
    parameters: dict[str, str] | None = None
    reclaimPolicy: str = "Delete"  # noqa: N815
    mountOptions: list[str] | None = None  # noqa: N815
    volumeBindingMode: str = "Immediate"  # noqa: N815
    allowVolumeExpansion: bool | None = None  # noqa: N815
