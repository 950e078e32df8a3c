"""The settings of `berth run`. Variables without BERTH_ in front are those of the reference's Deployment."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from berth.settings.errors import SettingError
from berth.settings.values import Source, address, boolean, choice, count, seconds, text

OWN_PROVISIONER = "nfs.berth.io"
SERVICE_ACCOUNT_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True, slots=True)
class ControllerSettings:
    """Everything that `berth run` can be told."""

    provisioners: tuple[str, ...]
    """PROVISIONER_NAME, comma separated: the names that Berth answers to. The first is its own and names the lock."""
    server: str
    """NFS_SERVER: server of classes that name none; empty if every class does."""
    export: str
    """NFS_PATH: exported path of classes that name none."""
    mounted_at: str
    """BERTH_MOUNTED_AT: where the default share may be mounted (the reference's Deployment mounts it there).
    Used when something is mounted there, ignored otherwise."""
    kubeconfig: str
    """KUBECONFIG; empty: the pod's own ServiceAccount, else ~/.kube/config."""
    leader_election: bool
    """ENABLE_LEADER_ELECTION: off only where a single controller is certain."""
    namespace: str
    """POD_NAMESPACE, where the lock lives; else the pod's ServiceAccount's namespace, else `default`."""
    identity: str
    """POD_NAME, else the host's name: how this process calls itself in the lock and in Events."""
    listen: tuple[str, int] | None
    """BERTH_LISTEN: where /healthz, /readyz and /metrics are served; None: nowhere."""
    claim_workers: int
    """BERTH_CLAIM_WORKERS: claims worked on at once. More does not help a slow API server."""
    volume_workers: int
    """BERTH_VOLUME_WORKERS: released PVs worked on at once."""
    share_timeout: float
    """BERTH_SHARE_TIMEOUT: seconds after which a silent NFS server counts as unavailable."""
    resync: float
    """BERTH_RESYNC: seconds after which everything is looked at again, changed or not."""
    lease_duration: float
    """BERTH_LEASE_DURATION: seconds after which a leader that went silent is replaced."""
    renew_deadline: float
    """BERTH_RENEW_DEADLINE: seconds without a renewed lease after which a leader stops."""
    retry_period: float
    """BERTH_RETRY_PERIOD: seconds between attempts to get or renew the lease."""
    stop_deadline: float
    """BERTH_STOP_DEADLINE: seconds that work in flight has to finish after SIGTERM."""
    log_format: str
    """BERTH_LOG_FORMAT: `human`, `json`, or `auto` (human on a terminal)."""
    log_level: str
    """BERTH_LOG_LEVEL: debug, info, warning or error."""


def load_controller_settings(environ: Mapping[str, str], flags: Mapping[str, str]) -> ControllerSettings:
    """The settings, checked. flags: those that were given, named as on the command line without dashes.

    SettingError names the first setting that can't be used.
    """
    source = Source(environ, flags)
    settings = ControllerSettings(
        provisioners=source.read("provisioner-name", "PROVISIONER_NAME", (OWN_PROVISIONER,), _provisioners),
        server=source.read("nfs-server", "NFS_SERVER", "", text),
        export=source.read("nfs-path", "NFS_PATH", "", _export),
        mounted_at=source.read("mounted-at", "BERTH_MOUNTED_AT", "/persistentvolumes", text),
        kubeconfig=source.read("kubeconfig", "KUBECONFIG", "", text),
        leader_election=source.read("leader-election", "ENABLE_LEADER_ELECTION", True, boolean),
        namespace=source.read("namespace", "POD_NAMESPACE", _own_namespace(), _namespace),
        identity=source.read("identity", "POD_NAME", socket.gethostname(), text),
        listen=source.read("listen", "BERTH_LISTEN", None, address),
        claim_workers=source.read("claim-workers", "BERTH_CLAIM_WORKERS", 32, count(1, 256)),
        volume_workers=source.read("volume-workers", "BERTH_VOLUME_WORKERS", 32, count(1, 256)),
        share_timeout=source.read("share-timeout", "BERTH_SHARE_TIMEOUT", 10.0, seconds(0.5, 600)),
        resync=source.read("resync", "BERTH_RESYNC", 900.0, seconds(1, 86400)),
        lease_duration=source.read("lease-duration", "BERTH_LEASE_DURATION", 15.0, seconds(1, 600)),
        renew_deadline=source.read("renew-deadline", "BERTH_RENEW_DEADLINE", 10.0, seconds(0.5, 600)),
        retry_period=source.read("retry-period", "BERTH_RETRY_PERIOD", 2.0, seconds(0.1, 60)),
        stop_deadline=source.read("stop-deadline", "BERTH_STOP_DEADLINE", 20.0, seconds(0, 600)),
        log_format=source.read("log-format", "BERTH_LOG_FORMAT", "auto", choice("auto", "human", "json")),
        log_level=source.read("log-level", "BERTH_LOG_LEVEL", "info", choice("debug", "info", "warning", "error")),
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


def _provisioners(value: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in value.split(",") if name.strip())
    if not names:
        raise ValueError("is empty; name at least one provisioner, such as nfs.berth.io")
    for name in names:
        # Kubernetes' own rule for a class's provisioner: a qualified name, `prefix/name` or `name`.
        if not re.fullmatch(
            r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?(/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?", name
        ):
            raise ValueError(f"{name!r} is not a provisioner's name such as nfs.berth.io or cluster.local/nfs-client")
    if len(set(names)) != len(names):
        raise ValueError(f"names a provisioner twice: {value!r}")
    return names


def _export(value: str) -> str:
    if not value.startswith("/") or ".." in value.split("/"):
        raise ValueError(f"expected the absolute path that the server exports, such as /srv/nfs/k8s, got {value!r}")
    return "/" + "/".join(part for part in value.split("/") if part not in ("", "."))


def _namespace(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", value):
        raise ValueError(f"{value!r} is not a namespace's name")
    return value


def _own_namespace() -> str:
    with suppress(OSError):
        return SERVICE_ACCOUNT_NAMESPACE.read_text().strip() or "default"
    return "default"
