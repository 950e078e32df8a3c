"""What `berth uninstall` is going to take away and what it leaves, decided before anything is touched."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from berth.kube.manifest import Manifest, ManifestApi, place, place_of
from berth.manifests.classes import provisioner_capability
from berth.manifests.install import OF_CLUSTERS, install_manifests
from berth.manifests.workload import Workload
from berth.objects.kinds import ClaimObject, VolumeObject
from berth.objects.listing import read_all
from berth.objects.translation import (
    SHARE,
    class_name_of,
    former_claim,
    has_finalizer,
    is_bound,
    is_by_berth,
    phase_of,
    provisioned_by,
    provisioner_of,
)
from berth.operations.classes import is_default
from berth.operations.ground import RBAC, check_is_here
from berth.operations.install_plan import check_release
from berth.operations.installation import names_of, own_classes, read_if_there, settings_of
from berth.operations.owner import is_helms, is_own, left_to_helm
from berth.operations.rivals import rivals
from berth.settings.install import InstallSettings
from berth.volumes.server_name import on_server


@dataclass(frozen=True, slots=True)
class UninstallPlan:
    """What goes, and what stays."""

    name: str
    namespace: str
    goes: tuple[Manifest, ...]
    """In the order in which it goes."""
    provisioners: tuple[str, ...]
    """The names to which nobody answers then. Empty also where an earlier run has removed the Deployment already."""
    pvs: int
    """PVs of these provisioners: their directories and their claims stay as they are."""
    held: int
    """Those of them with Berth's finalizer. Deleted from then on, such a PV waits until Berth is back."""
    bound: tuple[str, ...]
    """Claims that have a volume, and go on using it; nobody extends it, or clears it away at its end."""
    waiting: tuple[str, ...]
    """Claims that wait for a volume now: they go on waiting."""
    classes: tuple[str, ...]
    """Classes with these provisioners that others made. They stay, and nobody serves their claims."""
    lost_default: str
    """The default class, where it goes and leaves none behind."""
    shares: tuple[str, ...]
    """Where directories and records stay."""
    keeps_namespace: bool
    """With whatever else lives in it; a namespace that the cluster itself needs is not spoken of."""

    @property
    def what_goes(self) -> list[tuple[str, str]]:
        """Kind and key of each."""
        return [(one["kind"], place_of(one).key) for one in self.goes]


async def plan_uninstall(api: ManifestApi, *, name: str, namespace: str) -> UninstallPlan:
    """Looks and changes nothing. Stopped when Helm made some of it. Nothing goes where nothing is there."""
    release = await check_release(api)
    binding = await read_if_there(api, place(RBAC, "ClusterRoleBinding", name))
    if binding is not None and is_own(binding, name):
        check_is_here(binding, name, namespace)
    deployment = await read_if_there(api, place("apps/v1", "Deployment", name, namespace))
    of_class = await own_classes(api, name)
    names = dict.fromkeys((*(names_of(deployment) if deployment else ()), *(one["provisioner"] for one in of_class)))
    everything = InstallSettings(
        name=name, namespace=namespace, classes=(), kubernetes=release, uses_namespace=True,
        mount=True, mount_options=("any",), replicas=2, service_monitor=True, prometheus_rule=True,
    )  # fmt: skip
    made = [{**one, "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass"} for one in of_class]
    goes = await _own(api, [*made, *_capabilities(names), *reversed(install_manifests(everything, Workload()))], name)
    elsewhere = {one for rival in await rivals(api, names, but=f"{namespace}/{name}") for one in rival.names}
    classes = (await api.read(place("storage.k8s.io/v1", "StorageClass")))["items"]
    volumes, claims = await read_all(api, VolumeObject), await read_all(api, ClaimObject)
    left = _Left(classes, volumes, claims, [one for one in names if one not in elsewhere])
    gone = {one["metadata"]["name"] for one in of_class}
    return UninstallPlan(
        name=name,
        namespace=namespace,
        goes=tuple(goes),
        provisioners=tuple(left.names),
        pvs=len(left.pvs),
        held=sum(map(has_finalizer, left.pvs)),
        bound=left.bound(),
        waiting=left.waiting(),
        classes=tuple(sorted(set(left.classes()) - gone)),
        lost_default=left.lost_default(gone),
        shares=left.shares(deployment),
        keeps_namespace=namespace not in OF_CLUSTERS,
    )


class _Left:
    """What is left in the cluster of some provisioners."""

    def __init__(
        self,
        classes: Collection[Manifest],
        pvs: Iterable[VolumeObject],
        claims: Iterable[ClaimObject],
        names: Collection[str],
    ) -> None:
        self._all_classes = classes
        self._claims = claims
        self.names = names
        self.pvs = [one for one in pvs if provisioned_by(one) in names]

    def classes(self) -> list[str]:
        return [one["metadata"]["name"] for one in self._all_classes if one["provisioner"] in self.names]

    def bound(self) -> tuple[str, ...]:
        bound = (former_claim(one) for one in self.pvs if phase_of(one) == "Bound")
        return tuple(sorted(f"{one.namespace}/{one.name}" for one in bound if one is not None))

    def waiting(self) -> tuple[str, ...]:
        known = set(self.classes())
        return tuple(
            sorted(
                one.key
                for one in self._claims
                if not is_bound(one) and (class_name_of(one) in known or provisioner_of(one) in self.names)
            )
        )

    def lost_default(self, gone: Collection[str]) -> str:
        defaults = sorted(one["metadata"]["name"] for one in self._all_classes if is_default(one))
        return defaults[0] if defaults and set(defaults) <= set(gone) else ""

    def shares(self, deployment: Manifest | None) -> tuple[str, ...]:
        named = {one.annotations[SHARE] for one in self.pvs if is_by_berth(one)}
        if deployment is not None:
            settings = settings_of(deployment)
            named |= {on_server(settings.server, settings.export)} if settings.server else set()
        return tuple(sorted(named))


async def _own(api: ManifestApi, manifests: Iterable[Manifest], name: str) -> list[Manifest]:
    """Those that are there and were made by the installation. Stopped when Helm made one: it keeps books."""
    own: list[Manifest] = []
    for one in manifests:
        live = await read_if_there(api, place_of(one))
        if live is not None and is_helms(live):
            raise left_to_helm(one["kind"], place_of(one).key, live, "uninstall")
        if live is not None and is_own(live, name):
            own.append(_only_place(one))
    return own


def _only_place(manifest: Manifest) -> dict[str, Any]:
    metadata = {key: value for key, value in manifest["metadata"].items() if key in ("name", "namespace")}
    return {"apiVersion": manifest["apiVersion"], "kind": manifest["kind"], "metadata": metadata}


def _capabilities(names: Iterable[str]) -> list[Manifest]:
    settings = InstallSettings()
    return [provisioner_capability(settings, one) for one in sorted(names)]
