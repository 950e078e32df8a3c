"""An installation as it runs, read back from its live objects: they alone know what somebody has settled since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from berth.kube.errors import NotFound
from berth.kube.manifest import ApiPlace, Manifest, ManifestApi, place, place_of
from berth.manifests.classes import provisioner_capability
from berth.manifests.labels import INSTANCE, MANAGED_BY
from berth.manifests.monitoring import prometheus_rule, service_monitor
from berth.manifests.workload import SHARE_VOLUME, Workload, mounted_share
from berth.objects.provisioning import NAME, names_in
from berth.settings.install import InstallSettings
from berth.volumes.server_name import bare

_CLASS = "storage.k8s.io/v1"


@dataclass(frozen=True, slots=True)
class Installation:
    """What runs: settings (without classes) from which its Deployment could have been made, and its classes."""

    settings: InstallSettings
    classes: tuple[Manifest, ...]
    ready: int
    """How many of its pods are."""


async def read_if_there(api: ManifestApi, where: ApiPlace) -> Manifest | None:
    """The object; None when there is none, or when the cluster does not know its kind."""
    try:
        return await api.read(where)
    except NotFound:
        return None


async def own_classes(api: ManifestApi, name: str) -> tuple[Manifest, ...]:
    """The classes that the installation of that name made."""
    listed = await api.read(place(_CLASS, "StorageClass"), labels=f"{MANAGED_BY}=berth,{INSTANCE}={name}")
    return tuple(listed["items"])


async def read_installation(api: ManifestApi, name: str, namespace: str) -> Installation | None:
    """The installation; None without a Deployment."""
    deployment = await read_if_there(api, place("apps/v1", "Deployment", name, namespace))
    if deployment is None:
        return None
    classes = await own_classes(api, name)
    settings = settings_of(deployment)
    if settings.mount:
        settings = await _with_mount_options(api, settings)
    provisioners = {*settings.provisioners, *(one["provisioner"] for one in classes)}
    capabilities = [provisioner_capability(settings, one) for one in provisioners]
    return Installation(
        replace(
            settings,
            service_monitor=await _is_there(api, service_monitor(settings, Workload())),
            prometheus_rule=await _is_there(api, prometheus_rule(settings, Workload())),
            provisioner_capability=any([await _is_there(api, one) for one in capabilities]),
        ),
        classes,
        deployment.get("status", {}).get("readyReplicas", 0),
    )


def settings_of(deployment: Manifest) -> InstallSettings:
    """What a Deployment of Berth says of its settings. What stands in a ConfigMap or Secret is not read."""
    metadata, pod = deployment["metadata"], deployment["spec"]["template"]["spec"]
    container = container_of(pod)
    said = {one["name"]: one["value"] for one in container.get("env") or [] if "value" in one}
    volumes = {one["name"] for one in pod.get("volumes") or []}
    return InstallSettings(
        server=bare(said.get("NFS_SERVER", "")),
        export=said.get("NFS_PATH", ""),
        name=metadata["name"],
        namespace=metadata["namespace"],
        provisioners=names_in(said.get(NAME, "")) or InstallSettings().provisioners,
        classes=(),
        image=container["image"],
        pull_policy=container.get("imagePullPolicy", "IfNotPresent"),
        pull_secrets=tuple(one["name"] for one in pod.get("imagePullSecrets") or []),
        replicas=deployment["spec"].get("replicas", 1),
        leader_election=said.get("ENABLE_LEADER_ELECTION", "true").lower() != "false",
        reserved_port=_reserved_port(pod, container),
        mount=SHARE_VOLUME in volumes,
    )


def container_of(pod: Mapping[str, Any]) -> Manifest:
    """Berth's own container, whatever somebody put beside it."""
    containers: list[Manifest] = pod["containers"]
    named = [one for one in containers if one["name"] == "berth"]
    telling = [one for one in containers if any(e["name"] == NAME for e in one.get("env") or [])]
    return (named or telling or containers)[0]


def names_of(deployment: Mapping[str, Any]) -> tuple[str, ...]:
    """The provisioner names that a Deployment answers to, its own first; none where it says none."""
    containers = deployment["spec"]["template"]["spec"]["containers"]
    values = [
        one.get("value", "") for container in containers for one in container.get("env") or [] if one["name"] == NAME
    ]
    return names_in(",".join(values))


async def _with_mount_options(api: ManifestApi, settings: InstallSettings) -> InstallSettings:
    (pv, _) = mounted_share(replace(settings, mount_options=("any",)))
    found = await read_if_there(api, place_of(pv))
    return settings if found is None else replace(settings, mount_options=tuple(found["spec"].get("mountOptions", ())))


def _reserved_port(pod: Mapping[str, Any], container: Mapping[str, Any]) -> Literal["sysctl", "capability", "none"]:
    if (pod.get("securityContext") or {}).get("sysctls"):
        return "sysctl"
    added = ((container.get("securityContext") or {}).get("capabilities") or {}).get("add") or []
    return "capability" if "NET_BIND_SERVICE" in added else "none"


async def _is_there(api: ManifestApi, manifest: Manifest) -> bool:
    return await read_if_there(api, place_of(manifest)) is not None
