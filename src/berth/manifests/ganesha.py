"""An NFS server inside the cluster: one pod with NFS-Ganesha, and a disk of the cluster behind it.

For people who have disks that a pod can mount (a PersistentVolumeClaim of another class) and no NFS host. What matters:
* One pod, never two: a StatefulSet starts a second one only when the first is known to be gone.
* What clients hold outlives the pod: file handles name no device (fsid_type None; Filesystem_Id and Export_Id are
  fixed), the Service's address stays, and who had locks is written onto the disk, so that a restart's grace period
  gives them back to their owners.
* NFSv4 only: one port, locks included, no portmapper.
* It counts as started once it hands its share out, not when its port is open: Ganesha opens that, too, when it could
  not load its export. Such a pod never becomes ready, and is started again.
* Root without its rights: those that a server of other users' files needs, and no more. No host path, no host network.
  No seccomp profile: that of containerd keeps name_to_handle_at from all who lack CAP_SYS_ADMIN, and without handles
  there is no NFS. So the namespace has to admit privileged pods (Pod Security).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from berth import __version__
from berth.kube.manifest import Manifest
from berth.manifests.labels import MANAGED_BY
from berth.nfs import v4

PORT = 2049
MOUNTED_AT = "/srv/nfs"
"""Where the disk is mounted in the pod."""
CONFIGURED_AT = "/etc/berth-nfs"
NOBODY = 65534
LEASE, GRACE = 60, 90
"""Seconds: how long a silent client keeps its locks, and how long a new server waits for their owners."""

CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "SETGID", "SETUID")
"""What serving files of any owner takes. DAC_READ_SEARCH is the right to open a file by its handle."""

_CONFIGURATION = """\
NFS_CORE_PARAM {{
    NFS_Port = {port};
    Protocols = 4;
    Enable_UDP = false;
    Enable_NLM = false;
    Enable_RQUOTA = false;
}}
NFSV4 {{
    Minor_Versions = 0, 1, 2;
    Lease_Lifetime = {lease};
    Grace_Period = {grace};
    # On the disk: after a restart the owners of locks are known.
    RecoveryBackend = fs;
    RecoveryRoot = "{mounted_at}/state";
    Only_Numeric_Owners = true;
}}
NFS_KRB5 {{
    Active_krb5 = false;
}}
LOG {{
    Default_Log_Level = EVENT;
}}
EXPORT {{
    # These numbers are part of every file handle: never change them.
    Export_Id = 1;
    Filesystem_Id = 1.1;
    Path = "{mounted_at}/share";
    Pseudo = "{path}";
    Access_Type = {access};
    Squash = {squash};
    Anonymous_Uid = {nobody};
    Anonymous_Gid = {nobody};
    SecType = sys;
    FSAL {{
        Name = VFS;
        # The disk may come back as another device, on another node.
        fsid_type = None;
    }}
{clients}}}
"""

_CLIENTS = """\
    CLIENT {{
        Clients = {clients};
        Access_Type = RW;
    }}
    CLIENT {{
        # The pod itself, which asks whether its share is there.
        Clients = 127.0.0.1;
        Access_Type = RO;
    }}
"""

_START = f"""\
set -e
cd {MOUNTED_AT}
if [ ! -d share ]; then
    mkdir -m 0755 share.new
    chown {NOBODY}:{NOBODY} share.new
    mv share.new share
fi
mkdir -p state
exec ganesha.nfsd -F -L STDOUT -f {CONFIGURED_AT}/ganesha.conf -p /run/ganesha/ganesha.pid
"""

_IS_SERVED = """\
exec 3<>/dev/tcp/127.0.0.1/{port} || exit 1
printf '{question}' >&3
# The end of the reply's first 32 bytes: the call was accepted, and the status of NFS.
answer=$(head -c 32 <&3 | tail -c 8 | od -An -v -tx1 | tr -d ' ')
[ "$answer" = 0000000000000000 ] && exit 0
echo "{path} is not served (NFS status 0x${{answer#00000000}}); the log of this container says why"
exit 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GaneshaSettings:
    """What can be said about a server in the cluster."""

    image: str
    """With Debian's nfs-ganesha and nfs-ganesha-vfs, or the like: `ganesha.nfsd` in its PATH, bash and coreutils."""
    name: str = "berth-nfs"
    namespace: str = "berth-system"
    path: str = "/share"
    """What clients mount."""
    size: str = "100Gi"
    disk_class: str = ""
    """Class of the disk behind it; empty: the cluster's default. It must not be one that this server serves."""
    clients: Sequence[str] = ()
    """Networks or addresses that may mount it; none: everybody who reaches the Service."""
    root_squash: bool = True
    cluster_ip: str = ""
    """A fixed address for the Service; empty: the cluster chooses one, once."""


def ganesha_conf(settings: GaneshaSettings) -> str:
    """The server's configuration."""
    clients = _CLIENTS.format(clients=", ".join(settings.clients)) if settings.clients else ""
    return _CONFIGURATION.format(
        port=PORT,
        lease=LEASE,
        grace=GRACE,
        mounted_at=MOUNTED_AT,
        path=settings.path,
        access="NONE" if settings.clients else "RW",
        squash="root_squash" if settings.root_squash else "no_root_squash",
        nobody=NOBODY,
        clients=clients,
    )


def is_served(settings: GaneshaSettings) -> str:
    """A script for bash, which ends well when the server on this host hands the share out.

    It says one call of NFSv4.0 (as root, AUTH_SYS), whose bytes are known beforehand: walk down to the share. So the
    image needs no client.
    """
    question = "".join(f"\\x{byte:02x}" for byte in v4.walk_call(settings.path))
    return _IS_SERVED.format(port=PORT, question=question, path=settings.path)


def ganesha_manifests(settings: GaneshaSettings) -> list[Manifest]:
    """ConfigMap, PersistentVolumeClaim, Service and StatefulSet, in the order in which they are needed."""
    return [_configuration(settings), _disk(settings), _service(settings), _server(settings)]


def _labels(settings: GaneshaSettings) -> dict[str, str]:
    return {"app.kubernetes.io/name": "berth-nfs", "app.kubernetes.io/instance": settings.name}


def _metadata(settings: GaneshaSettings) -> Manifest:
    labels = {**_labels(settings), "app.kubernetes.io/version": __version__, MANAGED_BY: "berth"}
    return {"name": settings.name, "namespace": settings.namespace, "labels": labels}


def _configuration(settings: GaneshaSettings) -> Manifest:
    data = {"ganesha.conf": ganesha_conf(settings)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _metadata(settings), "data": data}


def _disk(settings: GaneshaSettings) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": _metadata(settings),
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": settings.size}},
            **({"storageClassName": settings.disk_class} if settings.disk_class else {}),
        },
    }


def _service(settings: GaneshaSettings) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(settings),
        "spec": {
            "type": "ClusterIP",
            **({"clusterIP": settings.cluster_ip} if settings.cluster_ip else {}),
            "selector": _labels(settings),
            "ports": [{"name": "nfs", "port": PORT, "targetPort": "nfs", "protocol": "TCP"}],
        },
    }


def _server(settings: GaneshaSettings) -> Manifest:
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": _metadata(settings),
        "spec": {
            "replicas": 1,
            "serviceName": settings.name,
            "selector": {"matchLabels": _labels(settings)},
            "template": {
                "metadata": {"labels": _metadata(settings)["labels"]},
                "spec": {
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "terminationGracePeriodSeconds": 30,
                    "securityContext": {"seccompProfile": {"type": "Unconfined"}},
                    "containers": [_container(settings)],
                    "volumes": [
                        {"name": "disk", "persistentVolumeClaim": {"claimName": settings.name}},
                        {"name": "configuration", "configMap": {"name": settings.name}},
                        {"name": "run", "emptyDir": {}},
                        {"name": "log", "emptyDir": {}},
                        {"name": "tmp", "emptyDir": {}},
                    ],
                },
            },
        },
    }


def _container(settings: GaneshaSettings) -> Manifest:
    return {
        "name": "nfs-ganesha",
        "image": settings.image,
        "command": ["/bin/sh", "-c", _START],
        "ports": [{"name": "nfs", "containerPort": PORT, "protocol": "TCP"}],
        "securityContext": {
            "runAsUser": 0,
            "runAsGroup": 0,
            "privileged": False,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"], "add": list(CAPABILITIES)},
        },
        "startupProbe": {
            "exec": {"command": ["/bin/bash", "-c", is_served(settings)]},
            "periodSeconds": 5,
            "timeoutSeconds": 5,
            "failureThreshold": 24,
        },
        # Once it is served, it stays so: Ganesha reads its exports when it starts.
        "readinessProbe": {"tcpSocket": {"port": "nfs"}, "periodSeconds": 5},
        "livenessProbe": {"tcpSocket": {"port": "nfs"}, "periodSeconds": 10, "failureThreshold": 6},
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}},
        "volumeMounts": [
            {"name": "disk", "mountPath": MOUNTED_AT},
            {"name": "configuration", "mountPath": CONFIGURED_AT, "readOnly": True},
            {"name": "run", "mountPath": "/run/ganesha"},
            {"name": "log", "mountPath": "/var/log/ganesha"},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }
