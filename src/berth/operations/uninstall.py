"""Uninstalling: the controller, its rights and its classes go; volumes, claims and PVs stay, every one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from berth.kube.errors import NotFound
from berth.kube.manifest import Manifest, ManifestApi, place, place_of
from berth.manifests.install import OF_CLUSTERS, install_manifests
from berth.manifests.labels import INSTANCE, MANAGED_BY
from berth.operations.apply import Applied, remove_one
from berth.operations.errors import Stopped
from berth.operations.install import for_this_cluster, names_answered_to
from berth.settings.install import InstallSettings
from berth.texts.text import Text

FINALIZER = "external-provisioner.volume.kubernetes.io/finalizer"


@dataclass(frozen=True, slots=True)
class Uninstalled:
    """What went, and what stays behind."""

    removed: tuple[Applied, ...]
    pvs: int
    """PVs of this installation's provisioners: their directories and their claims stay as they are."""
    held: int
    """Those of them with Berth's finalizer. Deleted from now on, such a PV waits until Berth is back."""
    namespace: str
    """Kept, with whatever else lives in it; empty when the cluster itself needs it."""


async def uninstall(api: ManifestApi, *, name: str, namespace: str, told: Callable[[Applied], None]) -> Uninstalled:
    """Removes what `berth install` made under that name. Repeatable. Stopped when it made nothing there."""
    settings = await for_this_cluster(api, InstallSettings(name=name, namespace=namespace, classes=()))
    labels = f"{MANAGED_BY}=berth,{INSTANCE}={name}"
    provisioners = set(await names_answered_to(api, name, namespace))
    classes = (await api.read(place("storage.k8s.io/v1", "StorageClass"), labels=labels))["items"]
    settings = replace(settings, mount=True, mount_options=("any",), replicas=2, service_monitor=True)
    manifests = [one for one in install_manifests(settings, ()) if one["kind"] != "Namespace"]
    made = [
        {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": one["metadata"]["name"]}}
        for one in classes
    ]
    provisioners |= {one["provisioner"] for one in classes}
    capabilities = [
        {
            "apiVersion": "storage.kubesphere.io/v1alpha1",
            "kind": "ProvisionerCapability",
            "metadata": {"name": one.replace(".", "-").replace("/", "-")},
        }
        for one in sorted(provisioners)
    ]
    removed = []
    # The other way round: claims find no class before nobody serves them, and rights go last.
    for manifest in [*made, *capabilities, *reversed(manifests)]:
        done = await _remove_own(api, manifest, name)
        if done.what == "removed":
            removed.append(done)
            told(done)
    if not removed:
        raise Stopped(
            Text(
                f"nothing that `berth install` made under the name {name} is in namespace {namespace}",
                f"命名空间 {namespace} 里没有 `berth install` 以 {name} 之名安装的东西",
            )
        )
    pvs = [
        one
        for one in (await api.read(place("v1", "PersistentVolume")))["items"]
        if (one["metadata"].get("annotations") or {}).get("pv.kubernetes.io/provisioned-by") in provisioners
    ]
    held = sum(FINALIZER in (one["metadata"].get("finalizers") or []) for one in pvs)
    return Uninstalled(tuple(removed), len(pvs), held, "" if namespace in OF_CLUSTERS else namespace)


async def _remove_own(api: ManifestApi, manifest: Manifest, name: str) -> Applied:
    """Removes an object if its labels say that this installation made it. Stopped when Helm did: it keeps books."""
    where = place_of(manifest)
    try:
        metadata = (await api.read(where))["metadata"]
    except NotFound:
        metadata = {}
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    if labels.get(MANAGED_BY) == "Helm":
        release = annotations.get("meta.helm.sh/release-name", labels.get(INSTANCE, name))
        namespace = annotations.get("meta.helm.sh/release-namespace", manifest["metadata"].get("namespace"))
        command = f"helm {f'-n {namespace} ' if namespace else ''}uninstall {release}"
        raise Stopped(
            Text(
                f"{manifest['kind']} {where.key} was installed by Helm; remove it with `{command}`",
                f"{manifest['kind']} {where.key} 是用 Helm 安装的，请用 `{command}` 卸载",
            )
        )
    if (labels.get(MANAGED_BY), labels.get(INSTANCE)) != ("berth", name):
        return Applied(manifest["kind"], where.key, "absent")
    return await remove_one(api, manifest)
