"""The kinds of objects that are watched, with only the fields that are read: a cache of ten thousand stays small.

Whole objects are lightkube's own classes; only reconcilers/objects makes or reads either.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec
from lightkube.core.resource import ApiInfo, GlobalResource, NamespacedResourceG
from lightkube.resources.core_v1 import PersistentVolume, PersistentVolumeClaim
from lightkube.resources.storage_v1 import StorageClass


class Meta(msgspec.Struct, omit_defaults=True, gc=False):
    """What is read of an object's metadata."""

    name: str | None = None
    namespace: str | None = None
    uid: str | None = None
    resourceVersion: str | None = None  # noqa: N815 - Kubernetes' name, here and below
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    finalizers: list[str] | None = None
    deletionTimestamp: str | None = None  # noqa: N815


class ObjectRef(msgspec.Struct, omit_defaults=True, gc=False):
    """A reference to an object: a PV's claim, or a claim's data source."""

    kind: str | None = None
    namespace: str | None = None
    name: str | None = None
    uid: str | None = None
    apiGroup: str | None = None  # noqa: N815


class Resources(msgspec.Struct, omit_defaults=True, gc=False):
    """What a claim asks for."""

    requests: dict[str, str] | None = None


class ClaimSpec(msgspec.Struct, omit_defaults=True, gc=False):
    """spec of a claim."""

    storageClassName: str | None = None  # noqa: N815
    volumeName: str | None = None  # noqa: N815
    volumeMode: str | None = None  # noqa: N815
    accessModes: list[str] | None = None  # noqa: N815
    resources: Resources | None = None
    selector: dict[str, msgspec.Raw] | None = None
    dataSource: ObjectRef | None = None  # noqa: N815
    dataSourceRef: ObjectRef | None = None  # noqa: N815


class ClaimStatus(msgspec.Struct, omit_defaults=True, gc=False):
    """status of a claim."""

    phase: str | None = None
    capacity: dict[str, str] | None = None


class ClaimObject(NamespacedResourceG, msgspec.Struct, omit_defaults=True):
    """A PersistentVolumeClaim as it is cached."""

    _api_info: ClassVar[ApiInfo] = PersistentVolumeClaim._api_info  # type: ignore[misc] # a field of the struct otherwise
    metadata: Meta | None = None
    spec: ClaimSpec | None = None
    status: ClaimStatus | None = None


class NfsSource(msgspec.Struct, omit_defaults=True, gc=False):
    """spec.nfs of a PV."""

    server: str = ""
    path: str = ""


class CsiSource(msgspec.Struct, omit_defaults=True, gc=False):
    """spec.csi of a PV, as far as csi-driver-nfs says there where its volume lies."""

    driver: str = ""
    volumeAttributes: dict[str, str] | None = None  # noqa: N815


class VolumeSpec(msgspec.Struct, omit_defaults=True, gc=False):
    """spec of a PV."""

    capacity: dict[str, str] | None = None
    claimRef: ObjectRef | None = None  # noqa: N815
    persistentVolumeReclaimPolicy: str | None = None  # noqa: N815
    storageClassName: str | None = None  # noqa: N815
    mountOptions: list[str] | None = None  # noqa: N815
    nfs: NfsSource | None = None
    csi: CsiSource | None = None


class VolumeStatus(msgspec.Struct, omit_defaults=True, gc=False):
    """status of a PV."""

    phase: str | None = None


class VolumeObject(GlobalResource, msgspec.Struct, omit_defaults=True):
    """A PersistentVolume as it is cached."""

    _api_info: ClassVar[ApiInfo] = PersistentVolume._api_info  # type: ignore[misc]
    metadata: Meta | None = None
    spec: VolumeSpec | None = None
    status: VolumeStatus | None = None


class ClassObject(GlobalResource, msgspec.Struct, omit_defaults=True):
    """A StorageClass as it is cached."""

    _api_info: ClassVar[ApiInfo] = StorageClass._api_info  # type: ignore[misc]
    metadata: Meta | None = None
    provisioner: str = ""
    parameters: dict[str, str] | None = None
    reclaimPolicy: str | None = None  # noqa: N815
    mountOptions: list[str] | None = None  # noqa: N815
    volumeBindingMode: str | None = None  # noqa: N815
    allowVolumeExpansion: bool | None = None  # noqa: N815
