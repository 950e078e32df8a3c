"""A program in a cluster: its Deployment and what belongs to its pods, which is the Service for metrics, what may reach
them, the disruption budget and the share's mount.

The image starts as root, for the sake of Deployments that were written for the reference and mount the share; here its
user is said. That user has no rights on the node, and needs none: over NFS, Berth says itself whom it speaks for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from berth.kube.manifest import Manifest
from berth.kube.permissions import Permission
from berth.manifests.labels import labels, selector_labels
from berth.settings.install import InstallSettings
from berth.volumes.server_name import bracketed

USER = 65532
PORT = 8080
PORT_NAME = "http"
MOUNTED_AT = "/persistentvolumes"
SHARE_VOLUME = "share"
POLICY_V1_SINCE = (1, 21)
UNPRIVILEGED_PORTS = "net.ipv4.ip_unprivileged_port_start"


def _nothing(_: InstallSettings) -> list[Manifest]:
    return []


@dataclass(frozen=True, slots=True)
class Workload:
    """How one program runs in a cluster. All else its pods have from the installation's settings."""

    arguments: tuple[str, ...] = ()
    """What its container is started with."""
    permissions: tuple[Permission, ...] = ()
    """All that it asks of the API server."""
    environment: Callable[[InstallSettings], list[Manifest]] = _nothing
    """Variables of its own; where it is and where it listens is told to every program."""
    component: str = ""
    """Tells its objects from those of an installation's other programs. Empty for the controller."""

    def name(self, settings: InstallSettings) -> str:
        """What its objects are called."""
        return f"{settings.name}-{self.component}" if self.component else settings.name

    def labels(self, settings: InstallSettings) -> dict[str, str]:
        """What every one of its objects has."""
        return labels(settings, self.component)

    def selector(self, settings: InstallSettings) -> dict[str, str]:
        """What its pods alone have."""
        return selector_labels(settings, self.component)

    def metadata(self, settings: InstallSettings) -> Manifest:
        """Of an object that is called like the program."""
        return {"name": self.name(settings), "namespace": settings.namespace, "labels": self.labels(settings)}


ONE_BY_ONE: Manifest = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
"""How an installation's pods are replaced."""


def deployment(settings: InstallSettings, workload: Workload) -> Manifest:
    """One pod that works and its stand-ins, replaced one by one without a gap."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": workload.metadata(settings),
        "spec": {
            "replicas": settings.replicas,
            "revisionHistoryLimit": 3,
            "strategy": ONE_BY_ONE,
            "selector": {"matchLabels": workload.selector(settings)},
            "template": {
                "metadata": {"labels": workload.labels(settings)},
                "spec": _pod(settings, workload),
            },
        },
    }


def service(settings: InstallSettings, workload: Workload) -> Manifest:
    """Where Prometheus finds the pods. Headless: each pod is asked, not any."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": f"{workload.name(settings)}-metrics",
            "namespace": settings.namespace,
            "labels": workload.labels(settings),
            "annotations": {
                "prometheus.io/scrape": "true",
                "prometheus.io/port": str(PORT),
                "prometheus.io/path": "/metrics",
            },
        },
        "spec": {
            "clusterIP": "None",
            "selector": workload.selector(settings),
            "ports": [{"name": PORT_NAME, "port": PORT, "targetPort": PORT_NAME, "protocol": "TCP"}],
        },
    }


def network_policy(settings: InstallSettings, workload: Workload) -> Manifest:
    """Nothing reaches the pods but who asks for health and metrics; a kubelet always reaches the pods of its node.

    Where they call themselves (the API server, name servers, NFS servers at whatever ports their classes say) stays
    open, and so do the answers.
    """
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": workload.metadata(settings),
        "spec": {
            "podSelector": {"matchLabels": workload.selector(settings)},
            "policyTypes": ["Ingress"],
            "ingress": [{"ports": [{"port": PORT, "protocol": "TCP"}]}],
        },
    }


def disruption_budget(settings: InstallSettings, workload: Workload) -> Manifest:
    """Nodes are drained one pod at a time; one that is the last can still be moved."""
    is_old = settings.kubernetes is not None and settings.kubernetes < POLICY_V1_SINCE
    return {
        "apiVersion": "policy/v1beta1" if is_old else "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": workload.metadata(settings),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": workload.selector(settings)}},
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
                "nfs": {"server": bracketed(settings.server), "path": settings.export},
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


def _pod(settings: InstallSettings, workload: Workload) -> Manifest:
    pod: Manifest = {
        "serviceAccountName": workload.name(settings),
        "securityContext": _pod_security(settings),
        "containers": [_container(settings, workload)],
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": workload.selector(settings)},
            }
        ],
    }
    if settings.pull_secrets:
        pod["imagePullSecrets"] = [{"name": name} for name in settings.pull_secrets]
    if settings.mount:
        source: Manifest = {"nfs": {"server": bracketed(settings.server), "path": settings.export}}
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


def _container(settings: InstallSettings, workload: Workload) -> Manifest:
    container: Manifest = {
        "name": "berth",
        "image": settings.image,
        "imagePullPolicy": settings.pull_policy,
        "args": list(workload.arguments),
        "env": [*workload.environment(settings), *_of_the_pod()],
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
        # the container was not given (release/start.py).
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": capabilities,
    }


def _of_the_pod() -> list[Manifest]:
    def of_pod(name: str, path: str) -> Manifest:
        return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}

    return [
        of_pod("POD_NAME", "metadata.name"),
        of_pod("POD_NAMESPACE", "metadata.namespace"),
        of_pod("POD_IP", "status.podIP"),
        # The brackets are right for IPv6 and harmless for IPv4: one text for both kinds of cluster.
        {"name": "BERTH_LISTEN", "value": f"[$(POD_IP)]:{PORT}"},
    ]
