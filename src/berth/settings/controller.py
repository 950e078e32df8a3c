"""The settings of `berth run`."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from berth.settings.errors import SettingError
from berth.settings.process import LISTEN, LOG_FORMAT, LOG_LEVEL, STOP_DEADLINE
from berth.settings.values import Setting, SettingSource, boolean, count, seconds, text

OWN_PROVISIONER = "nfs.berth.io"
SERVICE_ACCOUNT_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True, slots=True)
class ControllerSettings:
    """Everything that `berth run` can be told; what each means is said below, once."""

    provisioners: tuple[str, ...]
    server: str
    export: str
    mounted_at: str
    kubeconfig: str
    leader_election: bool
    namespace: str
    identity: str
    listen: tuple[str, int] | None
    claim_workers: int
    volume_workers: int
    share_timeout: float
    resync: float
    lease_duration: float
    renew_deadline: float
    retry_period: float
    stop_deadline: float
    log_format: str
    log_level: str


def _provisioners(value: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in value.split(",") if name.strip())
    if not names:
        raise ValueError("is empty; name at least one provisioner, such as nfs.berth.io")
    for name in names:
        # Kubernetes' own rule for a class's provisioner: a qualified name, `prefix/name` or `name`.
        part = "[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
        if not re.fullmatch(f"{part}(/{part})?", name):
            raise ValueError(f"{name!r} is not a provisioner's name such as nfs.berth.io or cluster.local/nfs-client")
    if len(set(names)) != len(names):
        raise ValueError(f"names a provisioner twice: {value!r}")
    return names


def _export(value: str) -> str:
    if not value.startswith("/") or ".." in value.split("/"):
        raise ValueError(f"expected the absolute path that the server exports, such as /srv/nfs/k8s, got {value!r}")
    return "/" + "/".join(part for part in value.split("/") if part not in ("", "."))


def _server(value: str) -> str:
    if any(character.isspace() or character in "/," for character in value):
        raise ValueError(f"expected the NFS server's name or address, such as nfs.example.com, got {value!r}")
    return value[1:-1] if value.startswith("[") and value.endswith("]") else value


def _namespace(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", value):
        raise ValueError(f"{value!r} is not a namespace's name")
    return value


PROVISIONERS: Setting[tuple[str, ...]] = Setting(
    "provisioner-name", "PROVISIONER_NAME", (OWN_PROVISIONER,), _provisioners,
    "Provisioner names to answer to, comma separated. The first is Berth's own and names the lock.",
    OWN_PROVISIONER,
)  # fmt: skip
SERVER = Setting("nfs-server", "NFS_SERVER", "", _server, "NFS server of classes that name none.")
EXPORT = Setting("nfs-path", "NFS_PATH", "", _export, "Exported path of classes that name none.")
MOUNTED_AT = Setting(
    "mounted-at", "BERTH_MOUNTED_AT", "/persistentvolumes", text,
    "Directory where the default share may be mounted; where it is not, NFS is spoken directly.",
    "/persistentvolumes",
)  # fmt: skip
KUBECONFIG = Setting(
    "kubeconfig", "KUBECONFIG", "", text, "How to reach the cluster.", "the pod's own account, else ~/.kube/config"
)
LEADER_ELECTION = Setting(
    "leader-election",
    "ENABLE_LEADER_ELECTION",
    True,
    boolean,
    'Set it to "false" only where no second one can run.',
    "true",
)
NAMESPACE = Setting("namespace", "POD_NAMESPACE", "", _namespace, "Where the lock lives.", "the pod's, else default")
IDENTITY = Setting("identity", "POD_NAME", "", text, "This process's name in lock and Events.", "the host's name")
CLAIM_WORKERS = Setting("claim-workers", "BERTH_CLAIM_WORKERS", 32, count(1, 256), "Claims worked on at once.", "32")
VOLUME_WORKERS = Setting(
    "volume-workers", "BERTH_VOLUME_WORKERS", 32, count(1, 256), "Released PVs worked on at once.", "32"
)
SHARE_TIMEOUT = Setting(
    "share-timeout", "BERTH_SHARE_TIMEOUT", 10.0, seconds(0.5, 600),
    "When a silent NFS server counts as down. Shorter than the lease's duration.", "10s",
)  # fmt: skip
RESYNC = Setting(
    "resync", "BERTH_RESYNC", 900.0, seconds(1, 86400), "When everything is looked at again, changed or not.", "15m"
)
LEASE_DURATION = Setting(
    "lease-duration",
    "BERTH_LEASE_DURATION",
    15.0,
    seconds(1, 600),
    "When a leader that went silent is replaced.",
    "15s",
)
RENEW_DEADLINE = Setting(
    "renew-deadline",
    "BERTH_RENEW_DEADLINE",
    10.0,
    seconds(0.5, 600),
    "When a leader that can't renew its lease stops.",
    "10s",
)
RETRY_PERIOD = Setting(
    "retry-period", "BERTH_RETRY_PERIOD", 2.0, seconds(0.1, 60), "How often the lease is tried and renewed.", "2s"
)

SETTINGS: tuple[Setting[Any], ...] = (
    PROVISIONERS, SERVER, EXPORT, MOUNTED_AT, KUBECONFIG, LEADER_ELECTION, NAMESPACE, IDENTITY, LISTEN, CLAIM_WORKERS,
    VOLUME_WORKERS, SHARE_TIMEOUT, RESYNC, LEASE_DURATION, RENEW_DEADLINE, RETRY_PERIOD, STOP_DEADLINE, LOG_FORMAT,
    LOG_LEVEL,
)  # fmt: skip
"""All of them, in the order of `--help`. Variables without BERTH_ in front are those of the reference's Deployment."""


def load_controller_settings(environ: Mapping[str, str], flags: Mapping[str, str]) -> ControllerSettings:
    """The settings, checked. flags: those that were given, by their name without dashes in front.

    SettingError names the first setting that can't be used.
    """
    source = SettingSource(environ, flags)
    settings = ControllerSettings(
        provisioners=source.read(PROVISIONERS),
        server=source.read(SERVER),
        export=source.read(EXPORT),
        mounted_at=source.read(MOUNTED_AT),
        kubeconfig=source.read(KUBECONFIG),
        leader_election=source.read(LEADER_ELECTION),
        namespace=source.read(NAMESPACE) or _own_namespace(),
        identity=source.read(IDENTITY) or socket.gethostname(),
        listen=source.read(LISTEN),
        claim_workers=source.read(CLAIM_WORKERS),
        volume_workers=source.read(VOLUME_WORKERS),
        share_timeout=source.read(SHARE_TIMEOUT),
        resync=source.read(RESYNC),
        lease_duration=source.read(LEASE_DURATION),
        renew_deadline=source.read(RENEW_DEADLINE),
        retry_period=source.read(RETRY_PERIOD),
        stop_deadline=source.read(STOP_DEADLINE),
        log_format=source.read(LOG_FORMAT),
        log_level=source.read(LOG_LEVEL),
    )
    _check_together(settings)
    return settings


def _check_together(settings: ControllerSettings) -> None:
    if bool(settings.server) != bool(settings.export):
        missing, given = ("NFS_PATH", "NFS_SERVER") if settings.server else ("NFS_SERVER", "NFS_PATH")
        raise SettingError(missing, f"is not set although {given} is; a default share needs both")
    if not settings.retry_period < settings.renew_deadline < settings.lease_duration:
        raise SettingError(
            "--lease-duration",
            f"must be longer than --renew-deadline, and that longer than --retry-period; "
            f"got {settings.lease_duration:g}s, {settings.renew_deadline:g}s, {settings.retry_period:g}s",
        )
    if settings.leader_election and settings.share_timeout >= settings.lease_duration:
        # A step that is still waited for when the lease is over could be done after the next leader's.
        raise SettingError(
            "--share-timeout",
            f"must be shorter than --lease-duration, so that no step of a former leader outlasts its lease; "
            f"got {settings.share_timeout:g}s, {settings.lease_duration:g}s",
        )


def _own_namespace() -> str:
    with suppress(OSError):
        return SERVICE_ACCOUNT_NAMESPACE.read_text().strip() or "default"
    return "default"
