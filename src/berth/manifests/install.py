"""Everything that an installation consists of, in the order in which it is applied."""

from __future__ import annotations

from berth.kube.manifest import Manifest
from berth.manifests import classes, monitoring, workload
from berth.manifests.labels import labels, namespace_labels
from berth.manifests.rbac import rbac_manifests
from berth.manifests.workload import Workload
from berth.settings.install import InstallSettings

OF_CLUSTERS = ("default", "kube-system", "kube-public", "kube-node-lease")
"""Namespaces that every cluster has: no installation makes them its own."""


def install_manifests(settings: InstallSettings, *workloads: Workload) -> list[Manifest]:
    """The objects. workloads: the programs, as their code declares them. Refused where a class would be."""
    is_others = settings.uses_namespace or settings.namespace in OF_CLUSTERS
    manifests = [] if is_others else [_namespace(settings)]
    for one in workloads:
        manifests += _of_program(settings, one)
    manifests += [classes.storage_class(settings, one) for one in settings.classes]
    if settings.provisioner_capability:
        names = dict.fromkeys(one.provisioner for one in settings.classes)
        manifests += [classes.provisioner_capability(settings, name) for name in names]
    return manifests


def _of_program(settings: InstallSettings, program: Workload) -> list[Manifest]:
    manifests = rbac_manifests(program.permissions, name=program.name(settings), namespace=settings.namespace)
    for manifest in manifests:
        manifest["metadata"] = {**manifest["metadata"], "labels": labels(settings, program.component)}
    if not program.component:
        manifests += workload.mounted_share(settings)
    manifests += [workload.network_policy(settings, program), workload.deployment(settings, program)]
    manifests.append(workload.service(settings, program))
    if settings.replicas > 1:
        manifests.append(workload.disruption_budget(settings, program))
    if settings.service_monitor:
        manifests.append(monitoring.service_monitor(settings, program))
    if settings.prometheus_rule and not program.component:
        manifests.append(monitoring.prometheus_rule(settings, program))
    return manifests


def _namespace(settings: InstallSettings) -> Manifest:
    # No label of Pod Security: which level holds here is for the cluster's administrator to say.
    metadata = {"name": settings.namespace, "labels": namespace_labels(settings)}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
