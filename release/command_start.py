"""Starts Berth as a command of the host: as whoever calls it, with the host's environment for children.

The first argument is the file of the command that needs nothing, empty in a package; the others are the person's.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from berth.cli.main import main
from berth.host.own_file import note_start

_AUTHORITIES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Red Hat, openEuler
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",
    f"{Path(__file__).parents[3]}/etc/ssl/certs/ca-certificates.crt",
)
"""Where hosts keep the authorities that they trust; the last is the root's own."""


def find_authorities() -> None:
    """Has OpenSSL trust whom the host trusts, wherever that is written; what is started finds it by itself."""
    if not os.environ.get("SSL_CERT_FILE") and not os.environ.get("SSL_CERT_DIR"):
        found = next(path for path in _AUTHORITIES if os.access(path, os.R_OK) or path == _AUTHORITIES[-1])
        # OpenSSL reads it here; os.environ, which is what programs are given, knows nothing of it.
        os.putenv("SSL_CERT_FILE", found)


def give_back() -> None:
    """Makes the environment the one that the host gave."""
    if preloaded := os.environ.pop("BERTH_LD_PRELOAD", ""):
        os.environ["LD_PRELOAD"] = preloaded
    # Python has set it for itself where no locale was; an older host's programs don't know C.UTF-8, and say so loudly.
    with suppress(OSError):  # as where nobody has mounted /proc
        if b"LC_CTYPE=" not in Path("/proc/self/environ").read_bytes():
            os.environ.pop("LC_CTYPE", None)


if __name__ == "__main__":
    give_back()
    find_authorities()
    sys.argv[0] = "berth"
    note_start(sys.argv.pop(1))
    main()
