"""What can be said about an installation: the settings of `berth install`, and of everything made like it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from berth.settings.controller import OWN_PROVISIONER
from berth.settings.home import HOME

NAME = "berth"
NAMESPACE = "berth-system"
CLASS_NAME = "nfs-client"
"""What both older charts call theirs."""
IMAGE = HOME.image

ReservedPort = Literal["auto", "sysctl", "capability", "none"]
"""How a process that is not root may call from a port below 1024, as servers that export with `secure` demand.

capability: NET_BIND_SERVICE, which the image's Python takes up; any release of Kubernetes. sysctl: the pod's own
network namespace has no reserved ports; kubelets from 1.22 on allow it. none: no such right; servers have to export
with `insecure`. auto: capability, or none where the share is mounted.
"""
BindingMode = Literal["Immediate", "WaitForFirstConsumer"]
ReclaimPolicy = Literal["Delete", "Retain"]


@dataclass(frozen=True, slots=True)
class ClassSettings:
    """One class. parameters: as docs/parameters.md has them; server and share are not needed for the default share."""

    name: str = CLASS_NAME
    provisioner: str = OWN_PROVISIONER
    default: bool = False
    parameters: Mapping[str, str] = field(default_factory=lambda: {"archiveOnDelete": "true"})
    mount_options: tuple[str, ...] = ()
    reclaim_policy: ReclaimPolicy = "Delete"
    allow_expansion: bool = True
    binding_mode: BindingMode = "Immediate"
    annotations: Mapping[str, str] = field(default_factory=dict)
    """More of them, or others in the place of Berth's own."""


@dataclass(frozen=True, slots=True)
class InstallSettings:
    """One installation of the controller in a cluster, and its classes."""

    server: str = ""
    """Server and export of the default share; both empty: every class names its own."""
    export: str = ""
    name: str = NAME
    """Of every object; two installations in one cluster need two names, and two first provisioners."""
    namespace: str = NAMESPACE
    uses_namespace: bool = False
    """The namespace is there and somebody else's: it is used, and is none of the installation's objects."""
    provisioners: tuple[str, ...] = (OWN_PROVISIONER,)
    """The first is the installation's own and names its lock."""
    classes: tuple[ClassSettings, ...] = (ClassSettings(),)
    image: str = IMAGE
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    pull_secrets: tuple[str, ...] = ()
    replicas: int = 2
    leader_election: bool = True
    reserved_port: ReservedPort = "auto"
    kubernetes: tuple[int, int] | None = None
    """(1, 20) for 1.20; None: not known, any that still has policy/v1 (1.21 and newer)."""
    mount: bool = False
    """Mount the default share into the pods, as the reference does: for servers that speak nothing but NFS 4.1 and up.
    The pods then run as root, since the kernel speaks as the user who asks."""
    mount_options: tuple[str, ...] = ()
    """Of that mount."""
    service_monitor: bool = False
    """A ServiceMonitor for the Prometheus operator, whose kinds must be known to the cluster."""
    prometheus_rule: bool = False
    """Alerts for the Prometheus operator, likewise."""
    provisioner_capability: bool = False
    """What the consoles of KubeSphere 3.0 and 3.1 read, whose kinds must be known to the cluster."""
