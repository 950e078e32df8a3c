"""Everything that an installation consists of, in the order in which it is applied."""

from __future__ import annotations

from collections.abc import Iterable

from berth.kube.permissions import Permission
from berth.manifests import classes, monitoring, workload
from berth.manifests.labels import labels, namespace_labels
from berth.manifests.rbac import Manifest, rbac_manifests
from berth.settings.install import InstallSettings

OF_CLUSTERS = ("default", "kube-system", "kube-public", "kube-node-lease")
"""Namespaces that every cluster has: no installation makes them its own."""


def install_manifests(settings: InstallSettings, permissions: Iterable[Permission]) -> list[Manifest]:
    """The objects. permissions: what the controller's code declares. Refused where a class would be."""
    rbac = rbac_manifests(permissions, name=settings.name, namespace=settings.namespace)
    for manifest in rbac:
        manifest["metadata"] = {**manifest["metadata"], "labels": labels(settings)}
    is_others = settings.uses_namespace or settings.namespace in OF_CLUSTERS
    manifests = [] if is_others else [_namespace(settings)]
    manifests += [*rbac, *workload.mounted_share(settings), workload.network_policy(settings)]
    manifests += [workload.deployment(settings), workload.service(settings)]
    if settings.replicas > 1:
        manifests.append(workload.disruption_budget(settings))
    if settings.service_monitor:
        manifests.append(monitoring.service_monitor(settings))
    manifests += [classes.storage_class(settings, one) for one in settings.classes]
    if settings.provisioner_capability:
        names = dict.fromkeys(one.provisioner for one in settings.classes)
        manifests += [classes.provisioner_capability(settings, name) for name in names]
    return manifests


def _namespace(settings: InstallSettings) -> Manifest:
    # No label of Pod Security: which level holds here is for the cluster's administrator to say.
    metadata = {"name": settings.namespace, "labels": namespace_labels(settings)}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
