"""Whose certificates are believed: the system's authorities, those that Docker and podman were told of for a registry
(certs.d of dockerd and containers-certs.d(5)), and the one that was named.
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path

from berth.images.errors import RegistryError
from berth.images.texts import say
from berth.texts.text import same

CERTIFICATES = ("/etc/docker/certs.d", "/etc/containers/certs.d")


@dataclass(frozen=True, slots=True)
class CertificateTrust:
    """is_insecure: any certificate will do, and no TLS at all, too. authority: a file, in PEM."""

    is_insecure: bool = False
    authority: Path | None = None

    def context(self, host: str) -> ssl.SSLContext:
        """For connections to a host (and port). RegistryError where a file can't be used."""
        context = ssl.create_default_context()
        if self.is_insecure:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            return context
        known = [path for folder in CERTIFICATES for path in sorted(Path(folder, host).glob("*.crt"))]
        for path in (*known, *((self.authority,) if self.authority else ())):
            try:
                context.load_verify_locations(os.fspath(path))
            except OSError as error:  # ssl's own errors are among them
                why = "no PEM certificate" if isinstance(error, ssl.SSLError) else error.strerror
                raise RegistryError(say("tls.authority", file=path, why=same(why or str(error)))) from error
        return context
