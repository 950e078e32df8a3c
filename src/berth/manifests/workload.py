"""The Deployment and what belongs to its pods: the Service for metrics, what may reach them, the disruption budget, the
share's mount.

The image starts as root, for the sake of Deployments that were written for the reference and mount the share; here its
user is said. That user has no rights on the node, and needs none: over NFS, Berth says itself whom it speaks for.
"""

from __future__ import annotations

from typing import Any

from berth.manifests.labels import labels, selector_labels
from berth.manifests.rbac import Manifest
from berth.settings.install import InstallSettings

USER = 65532
PORT = 8080
PORT_NAME = "http"
MOUNTED_AT = "/persistentvolumes"
SHARE_VOLUME = "share"
POLICY_V1_SINCE = (1, 21)
UNPRIVILEGED_PORTS = "net.ipv4.ip_unprivileged_port_start"


def deployment(settings: InstallSettings) -> Manifest:
    """The controller: a leader and its stand-ins, replaced one by one without a gap."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": settings.name, "namespace": settings.namespace, "labels": labels(settings)},
        "spec": {
            "replicas": settings.replicas,
            "revisionHistoryLimit": 3,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "selector": {"matchLabels": selector_labels(settings)},
            "template": {"metadata": {"labels": labels(settings)}, "spec": _pod(settings)},
        },
    }


def service(settings: InstallSettings) -> Manifest:
    """Where Prometheus finds the pods. Headless: each pod is asked, not any."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": f"{settings.name}-metrics",
            "namespace": settings.namespace,
            "labels": labels(settings),
            "annotations": {
                "prometheus.io/scrape": "true",
                "prometheus.io/port": str(PORT),
                "prometheus.io/path": "/metrics",
            },
        },
        "spec": {
            "clusterIP": "None",
            "selector": selector_labels(settings),
            "ports": [{"name": PORT_NAME, "port": PORT, "targetPort": PORT_NAME, "protocol": "TCP"}],
        },
    }


def network_policy(settings: InstallSettings) -> Manifest:
    """Nothing reaches the pods but who asks for health and metrics; a kubelet always reaches the pods of its node.

    Where they call themselves (the API server, name servers, NFS servers at whatever ports their classes say) stays
    open, and so do the answers.
    """
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": settings.name, "namespace": settings.namespace, "labels": labels(settings)},
        "spec": {
            "podSelector": {"matchLabels": selector_labels(settings)},
            "policyTypes": ["Ingress"],
            "ingress": [{"ports": [{"port": PORT, "protocol": "TCP"}]}],
        },
    }


def disruption_budget(settings: InstallSettings) -> Manifest:
    """Nodes are drained one pod at a time; one that is the last can still be moved."""
    is_old = settings.kubernetes is not None and settings.kubernetes < POLICY_V1_SINCE
    return {
        "apiVersion": "policy/v1beta1" if is_old else "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": settings.name, "namespace": settings.namespace, "labels": labels(settings)},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": selector_labels(settings)}},
    }


def mounted_share(settings: InstallSettings) -> list[Manifest]:
    """The PV and claim through which the pods mount the default share with options; none where there are none."""
    if not settings.mount or not settings.mount_options:
        return []
    pv, claim = f"{settings.namespace}-{settings.name}-share", f"{settings.name}-share"
    size = {"storage": "1Mi"}
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": pv, "labels": labels(settings)},
            "spec": {
                "capacity": size,
                "accessModes": ["ReadWriteMany"],
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": "",
                "mountOptions": list(settings.mount_options),
                "claimRef": {"namespace": settings.namespace, "name": claim},
                "nfs": {"server": settings.server, "path": settings.export},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": claim, "namespace": settings.namespace, "labels": labels(settings)},
            "spec": {
                "accessModes": ["ReadWriteMany"],
                "storageClassName": "",
                "volumeName": pv,
                "resources": {"requests": size},
            },
        },
    ]


def reserved_port(settings: InstallSettings) -> str:
    """`sysctl`, `capability` or `none`: what `auto` comes to."""
    if settings.reserved_port != "auto":
        return settings.reserved_port
    if settings.mount:
        return "none"  # the kernel calls then, from a port of the node's
    return "capability"


def _pod(settings: InstallSettings) -> Manifest:
    pod: Manifest = {
        "serviceAccountName": settings.name,
        "securityContext": _pod_security(settings),
        "containers": [_container(settings)],
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": selector_labels(settings)},
            }
        ],
    }
    if settings.pull_secrets:
        pod["imagePullSecrets"] = [{"name": name} for name in settings.pull_secrets]
    if settings.mount:
        source: Manifest = {"nfs": {"server": settings.server, "path": settings.export}}
        if settings.mount_options:
            source = {"persistentVolumeClaim": {"claimName": f"{settings.name}-share"}}
        pod["volumes"] = [{"name": SHARE_VOLUME, **source}]
    return pod


def _pod_security(settings: InstallSettings) -> Manifest:
    user: Manifest = {"runAsNonRoot": True, "runAsUser": USER, "runAsGroup": USER}
    if settings.mount:
        user = {"runAsUser": 0, "runAsGroup": 0}
    security: Manifest = {**user, "seccompProfile": {"type": "RuntimeDefault"}}
    if reserved_port(settings) == "sysctl":
        security["sysctls"] = [{"name": UNPRIVILEGED_PORTS, "value": "0"}]
    return security


def _container(settings: InstallSettings) -> Manifest:
    container: Manifest = {
        "name": "berth",
        "image": settings.image,
        "imagePullPolicy": settings.pull_policy,
        "args": ["run"],
        "env": _environment(settings),
        "ports": [{"name": PORT_NAME, "containerPort": PORT, "protocol": "TCP"}],
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": PORT_NAME}, "periodSeconds": 10, "timeoutSeconds": 5},
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": PORT_NAME}, "periodSeconds": 5, "timeoutSeconds": 5},
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": _container_security(settings),
    }
    if settings.mount:
        container["volumeMounts"] = [{"name": SHARE_VOLUME, "mountPath": MOUNTED_AT}]
    return container


def _container_security(settings: InstallSettings) -> Manifest:
    capabilities: dict[str, list[str]] = {"drop": ["ALL"]}
    takes_up = reserved_port(settings) == "capability" and not settings.mount
    if takes_up:
        capabilities["add"] = ["NET_BIND_SERVICE"]
    return {
        # no_new_privs is no hindrance: the image's Python has the capability on its file, and gains nothing by it that
        # the container was not given (deploy/Dockerfile).
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": capabilities,
    }


def _environment(settings: InstallSettings) -> list[dict[str, Any]]:
    def of_pod(name: str, path: str) -> dict[str, Any]:
        return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}

    variables: list[dict[str, Any]] = [{"name": "PROVISIONER_NAME", "value": ",".join(settings.provisioners)}]
    if settings.server:
        variables += [{"name": "NFS_SERVER", "value": settings.server}, {"name": "NFS_PATH", "value": settings.export}]
    if not settings.leader_election:
        variables.append({"name": "ENABLE_LEADER_ELECTION", "value": "false"})
    return [
        *variables,
        of_pod("POD_NAME", "metadata.name"),
        of_pod("POD_NAMESPACE", "metadata.namespace"),
        of_pod("POD_IP", "status.podIP"),
        # The brackets are right for IPv6 and harmless for IPv4: one text for both kinds of cluster.
        {"name": "BERTH_LISTEN", "value": f"[$(POD_IP)]:{PORT}"},
    ]
