"""A real registry of images on the loopback network: Debian's docker-registry, with logins and TLS if asked to."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from devcluster import certificates, directories, ports
from devcluster.errors import ProgramMissing
from devcluster.process import Process

USER, PASSWORD = "berth", "harbour-light"
"""The one login of a registry that asks for one."""
_PASSWORDS = f"{USER}:$2b$04$iq4xvY9nNuofgvfNDRI7u.pijFYLqDvKJX7Wow3RrAUmJpv6p4I8O\n"
"""As htpasswd writes it, by bcrypt at its lowest cost."""


class Registry:
    """One registry at a port of its own; use it with `with`."""

    def __init__(
        self, *, login: bool = False, tls: bool = False, read_only: bool = False, address: str = "127.0.0.1"
    ) -> None:
        """login: it takes nobody but USER. tls: by a certificate for 127.0.0.1 of an authority of its own."""
        self.directory = directories.make("registry")
        self.storage = self.directory / "storage"
        port = ports.free_port(address)
        self.host = f"{address}:{port}"
        self.log = self.directory / "registry.log"
        self.authority: Path | None = None
        """Whom to trust, with TLS."""
        settings = self._settings(login=login, tls=tls, read_only=read_only)
        (self.directory / "config.yml").write_text(json.dumps(settings))
        program = shutil.which("docker-registry")
        if program is None:
            raise ProgramMissing("there is no docker-registry here; Debian's package of that name has it")
        self.process = Process(
            "registry",
            [program, "serve", str(self.directory / "config.yml")],
            log=self.log,
            ready=lambda: not ports.can_listen(address, port),
        )

    def __enter__(self) -> Self:
        self.process.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _settings(self, *, login: bool, tls: bool, read_only: bool) -> Mapping[str, object]:
        http: dict[str, object] = {"addr": self.host, "secret": "of this registry alone"}
        if tls:
            made = certificates.make(self.directory / "tls")
            self.authority = made.authority
            http["tls"] = {"certificate": str(made.server), "key": str(made.server_key)}
        storage = {
            "filesystem": {"rootdirectory": str(self.storage)},
            "maintenance": {"readonly": {"enabled": read_only}},
        }
        settings: dict[str, object] = {"version": "0.1", "log": {"level": "info"}, "storage": storage, "http": http}
        if login:
            (self.directory / "passwords").write_text(_PASSWORDS)
            settings["auth"] = {"htpasswd": {"realm": "registry", "path": str(self.directory / "passwords")}}
        return settings
