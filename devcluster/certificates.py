"""The keys of one dev cluster: an authority, the API server's two certificates, what signs ServiceAccount tokens."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from devcluster.errors import CommandFailed

_SERVER = """\
basicConstraints = CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, DNS:kubernetes, DNS:kubernetes.default, DNS:kubernetes.default.svc, \
IP:127.0.0.1, IP:10.0.0.1
"""

_CLIENT = """\
basicConstraints = CA:FALSE
extendedKeyUsage = clientAuth
"""


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files, all PEM."""

    authority: Path
    server: Path
    server_key: Path
    kubelet_client: Path
    """What the API server shows to a kubelet."""
    kubelet_client_key: Path
    service_account_key: Path


def make(directory: Path) -> Certificates:
    """Makes everything anew in directory; valid for a month, longer than any dev cluster lives."""
    directory.mkdir(parents=True, exist_ok=True)
    made = Certificates(
        authority=directory / "ca.crt",
        server=directory / "apiserver.crt",
        server_key=directory / "apiserver.key",
        kubelet_client=directory / "kubelet-client.crt",
        kubelet_client_key=directory / "kubelet-client.key",
        service_account_key=directory / "service-account.key",
    )
    authority_key = directory / "ca.key"
    for key in (authority_key, made.server_key, made.kubelet_client_key, made.service_account_key):
        _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
    _openssl(
        *("req", "-x509", "-new", "-days", "30", "-key", authority_key, "-out", made.authority),
        *("-subj", "/CN=berth dev cluster", "-addext", "keyUsage=critical,keyCertSign,digitalSignature"),
    )
    for certificate, key, extensions in (
        (made.server, made.server_key, _SERVER),
        (made.kubelet_client, made.kubelet_client_key, _CLIENT),
    ):
        request, wanted = certificate.with_suffix(".csr"), certificate.with_suffix(".ext")
        wanted.write_text(extensions)
        _openssl("req", "-new", "-key", key, "-subj", "/CN=kube-apiserver", "-out", request)
        _openssl(
            *("x509", "-req", "-days", "30", "-in", request, "-extfile", wanted, "-out", certificate),
            *("-CA", made.authority, "-CAkey", authority_key, "-CAcreateserial"),
        )
    return made


def _openssl(*arguments: str | Path) -> None:
    argv = ["openssl", *map(str, arguments)]
    answer = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    if answer.returncode:
        raise CommandFailed(argv, answer.returncode, answer.stderr)
