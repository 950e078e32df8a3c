"""etcd, kube-apiserver and kube-controller-manager: their arguments, and how to see that they are ready.

Real in what a controller notices: TLS, RBAC, admission, signed ServiceAccount tokens, one identity per controller of
the controller manager. Fast where it does not matter: etcd does not sync to disk, request limits are out of the way.
"""

from __future__ import annotations

import json
import secrets
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from devcluster import certificates, ports
from devcluster.binaries import Binaries, version_of
from devcluster.process import Process

NODE_NAME = "dev-node"
"""The name of the node, where the cluster has one; the API server knows its kubelet from the start."""

SERVICE_ADDRESS = "10.0.0.1"
"""The API server's address as pods are told it: the first of the services' range."""


AUDITED = "berth-audited"
"""The one namespace whose ServiceAccounts the API server keeps a log of: it costs nothing for all others."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """Knobs of the control plane that benchmarks turn."""

    kube_api_qps: int = 1000
    """Requests per second that the controller manager allows itself; Kubernetes' own 20 would be the bottleneck."""
    kube_api_burst: int = 2000
    binder_sync_seconds: float = 5.0
    """How often the volume binder looks at all claims and volumes again; it also sees each change at once."""
    requests_inflight: int = 3000
    """Requests that the API server works on at a time before it answers 429, reading; half as many that write."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Places and secrets of one control plane."""

    directory: Path
    etcd_port: int
    etcd_peer_port: int
    apiserver_port: int
    controller_manager_port: int
    admin_token: str
    controller_manager_token: str
    scheduler_token: str
    kubelet_token: str

    @classmethod
    def new(cls, directory: Path) -> Layout:
        etcd, peer, api, controllers = ports.free_ports(4)
        return cls(directory, etcd, peer, api, controllers, *(secrets.token_urlsafe(24) for _ in range(4)))

    @property
    def server_url(self) -> str:
        return f"https://127.0.0.1:{self.apiserver_port}"

    @property
    def authority(self) -> Path:
        return self.directory / "pki" / "ca.crt"

    @property
    def admin_kubeconfig(self) -> Path:
        return self.directory / "kubeconfig"

    @property
    def audit_log(self) -> Path:
        """What ServiceAccounts in the namespace AUDITED asked for, one JSON object a line."""
        return self.directory / "log" / "audit.json"

    def log(self, name: str) -> Path:
        return self.directory / "log" / f"{name}.log"

    def tls(self) -> ssl.SSLContext:
        """What a client needs to trust the API server."""
        return ssl.create_default_context(cafile=str(self.authority))


def kubeconfig(layout: Layout, user: str, token: str, namespace: str = "default", server: str = "") -> str:
    """A kubeconfig as text (JSON, which is YAML too) for one user with a token. server: the URL, if not ours here."""
    cluster = {"server": server or layout.server_url, "certificate-authority": str(layout.authority)}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "berth-dev", "cluster": cluster}],
            "users": [{"name": user, "user": {"token": token}}],
            "contexts": [{"name": user, "context": {"cluster": "berth-dev", "user": user, "namespace": namespace}}],
            "current-context": user,
        },
        indent=2,
    )


def write_files(layout: Layout) -> None:
    """Keys, tokens and kubeconfigs of the control plane, and what it takes down."""
    certificates.make(layout.directory / "pki")
    _write_secret(
        layout.directory / "tokens.csv",
        f'{layout.admin_token},admin,admin,"system:masters"\n'
        f"{layout.controller_manager_token},system:kube-controller-manager,system:kube-controller-manager\n"
        f"{layout.scheduler_token},system:kube-scheduler,system:kube-scheduler\n"
        f"{layout.kubelet_token},system:node:{NODE_NAME},system:node:{NODE_NAME},system:nodes\n",
    )
    audit = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [{"level": "Metadata", "userGroups": [f"system:serviceaccounts:{AUDITED}"]}, {"level": "None"}],
    }
    (layout.directory / "audit-policy.json").write_text(json.dumps(audit))
    _write_secret(layout.admin_kubeconfig, kubeconfig(layout, "admin", layout.admin_token))
    _write_secret(
        layout.directory / "controller-manager.kubeconfig",
        kubeconfig(layout, "system:kube-controller-manager", layout.controller_manager_token),
    )


def etcd(layout: Layout, binaries: Binaries, *, detached: bool) -> Process:
    """etcd, the store. Its data survives restarts of the process, not a power cut of the machine."""
    client, peer = f"http://127.0.0.1:{layout.etcd_port}", f"http://127.0.0.1:{layout.etcd_peer_port}"
    argv = [
        f"{binaries.etcd}",
        "--name=dev",
        f"--data-dir={layout.directory}/etcd",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=dev={peer}",
        "--unsafe-no-fsync",
        "--heartbeat-interval=50",
        "--election-timeout=250",
        "--quota-backend-bytes=8589934592",
        "--logger=zap",
    ]
    return Process("etcd", argv, log=layout.log("etcd"), ready=lambda: _answers(f"{client}/health"), detached=detached)


def apiserver(layout: Layout, binaries: Binaries, tuning: Tuning, *, detached: bool) -> Process:
    pki = layout.directory / "pki"
    argv = [
        f"{binaries.apiserver}",
        f"--etcd-servers=http://127.0.0.1:{layout.etcd_port}",
        "--bind-address=127.0.0.1",
        f"--secure-port={layout.apiserver_port}",
        # Without a reachable address there is no endpoint to announce; the reconciler would fail on loopback for ever.
        "--endpoint-reconciler-type=none",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        f"--token-auth-file={layout.directory}/tokens.csv",
        "--authorization-mode=Node,RBAC",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki}/service-account.key",
        f"--service-account-signing-key-file={pki}/service-account.key",
        "--allow-privileged=true",
        # How it asks a kubelet for logs and lets people into containers.
        "--kubelet-preferred-address-types=InternalIP",
        f"--kubelet-client-certificate={pki}/kubelet-client.crt",
        f"--kubelet-client-key={pki}/kubelet-client.key",
        f"--max-requests-inflight={tuning.requests_inflight}",
        f"--max-mutating-requests-inflight={tuning.requests_inflight // 2}",
        f"--audit-policy-file={layout.directory}/audit-policy.json",
        f"--audit-log-path={layout.audit_log}",
        "--profiling=false",
    ]

    def is_ready() -> bool:
        return _answers(f"{layout.server_url}/readyz", layout.tls(), layout.admin_token)

    return Process("kube-apiserver", argv, log=layout.log("kube-apiserver"), ready=is_ready, detached=detached)


def controller_manager(layout: Layout, binaries: Binaries, tuning: Tuning, *, detached: bool) -> Process:
    own = f"{layout.directory}/controller-manager.kubeconfig"
    argv = [
        f"{binaries.controller_manager}",
        f"--kubeconfig={own}",
        "--bind-address=127.0.0.1",
        f"--secure-port={layout.controller_manager_port}",
        "--leader-elect=false",
        "--use-service-account-credentials",
        f"--service-account-private-key-file={layout.directory}/pki/service-account.key",
        f"--root-ca-file={layout.authority}",
        f"--kube-api-qps={tuning.kube_api_qps}",
        f"--kube-api-burst={tuning.kube_api_burst}",
        f"--pvclaimbinder-sync-period={tuning.binder_sync_seconds}s",
        "--profiling=false",
    ]
    if version_of(binaries.controller_manager) < (1, 24):
        argv.append("--port=0")  # serves without TLS otherwise, on a fixed port; later releases don't know the flag
    url = f"https://127.0.0.1:{layout.controller_manager_port}/healthz"
    # It makes its certificate itself, in memory; this asks for its health, nothing else.
    unverified = ssl.create_default_context()
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    return Process(
        "kube-controller-manager",
        argv,
        log=layout.log("kube-controller-manager"),
        ready=lambda: _answers(url, unverified),
        detached=detached,
    )


def _answers(url: str, tls: ssl.SSLContext | None = None, token: str = "") -> bool:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    # Straight to the address: a proxy that the environment names has no business here.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls))
    try:
        with direct.open(request, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _write_secret(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
