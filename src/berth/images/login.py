"""Who logs in to a registry: what `docker login`, `podman login` or `helm registry login` have written down.

The files, the first that knows the registry: $REGISTRY_AUTH_FILE (containers-auth.json(5)), $DOCKER_CONFIG/config.json,
podman's, Docker's, Helm's. In each of them credHelpers win over credsStore, and that over auths, as docker does it.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from berth.aio import command
from berth.aio.command import CommandError
from berth.images.errors import RegistryError
from berth.images.reference import Repository
from berth.images.texts import say
from berth.texts.text import same

_HUB = "https://index.docker.io/v1/"
_TOKEN_USER = "<token>"
_DEADLINE = 30.0
"""Seconds that a helper may take: it may ask the system's keyring, and that one a person."""


@dataclass(frozen=True, slots=True)
class Login:
    """Name and password; or an identity token, which a registry's own server takes for others."""

    username: str
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    source: str = ""
    """Where it was found, for people."""

    @property
    def basic(self) -> str:
        """The value of an Authorization header."""
        return f"Basic {base64.b64encode(f'{self.username}:{self.password}'.encode()).decode()}"


Find = Callable[[], Awaitable[Login | None]]
"""How a login is found, once a registry asks for one: a helper may ask a person. RegistryError."""


def given(login: Login | None) -> Find:
    """One that is there already."""

    async def find() -> Login | None:
        return login

    return find


def written_down(repository: Repository, environ: Mapping[str, str]) -> Find:
    """What `find_login` finds."""
    return lambda: find_login(repository, environ)


async def find_login(repository: Repository, environ: Mapping[str, str]) -> Login | None:
    """The login for a repository; None where nobody has logged in. RegistryError where it can't be read."""
    for path in login_files(environ):
        config = _read(path)
        if helper := _helper(config, repository):
            found = await _ask(helper, repository, path)
        else:
            found = _written(config, repository, path)
        if found is not None:
            return found
    return None


def login_files(environ: Mapping[str, str]) -> list[Path]:
    """Where logins may be written down, in the order in which they are looked at."""
    home = environ.get("HOME", "/nonexistent")
    configs = environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    named = [environ["REGISTRY_AUTH_FILE"]] if environ.get("REGISTRY_AUTH_FILE") else []
    docker = environ.get("DOCKER_CONFIG") or f"{home}/.docker"
    running = [f"{environ['XDG_RUNTIME_DIR']}/containers/auth.json"] if environ.get("XDG_RUNTIME_DIR") else []
    podman = [*running, f"{configs}/containers/auth.json"]
    helm = environ.get("HELM_REGISTRY_CONFIG") or f"{configs}/helm/registry/config.json"
    return [Path(each) for each in (*named, f"{docker}/config.json", *podman, helm)]


def _read(path: Path) -> dict[str, Any]:
    """What a file says; nothing where there is none, or it is in somebody else's home."""
    if not os.path.isfile(path):
        return {}
    try:
        read = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else "no JSON"
        raise RegistryError(say("login.unreadable", file=path, why=same(why or str(error)))) from error
    return read if isinstance(read, dict) else {}


def _helper(config: Mapping[str, Any], repository: Repository) -> str:
    helpers = config.get("credHelpers")
    named = next((helpers[key] for key in _keys(repository) if key in helpers), "") if isinstance(helpers, dict) else ""
    return str(named or config.get("credsStore") or "")


def _keys(repository: Repository) -> Iterator[str]:
    """What a login for it may be filed under, the nearest first: podman files single names of a registry, too."""
    parts = repository.name.split("/")
    yield from (f"{repository.registry}/{'/'.join(parts[:many])}" for many in range(len(parts), 0, -1))
    if repository.is_hub:
        yield from (_HUB, "docker.io", "index.docker.io")
    for scheme in ("", "https://", "http://"):
        yield from (f"{scheme}{repository.registry}{end}" for end in ("", "/", "/v1/", "/v2/"))


def _written(config: Mapping[str, Any], repository: Repository, path: Path) -> Login | None:
    logins = config.get("auths")
    if not isinstance(logins, dict):
        return None
    for key in _keys(repository):
        entry = logins.get(key)
        if not isinstance(entry, dict):
            continue
        name, password = str(entry.get("username") or ""), str(entry.get("password") or "")
        if entry.get("auth"):
            name, password = _decoded(str(entry["auth"]), path)
        token = str(entry.get("identitytoken") or "")
        if name or token:
            return Login(name, password, token, str(path))
    return None


def _decoded(text: str, path: Path) -> tuple[str, str]:
    try:
        name, _, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise RegistryError(say("login.unreadable", file=path, why=say("login.no-base64"))) from error
    return name, password.rstrip("\0")


async def _ask(helper: str, repository: Repository, path: Path) -> Login | None:
    """What a helper knows (github.com/docker/docker-credential-helpers: the key on stdin, JSON on stdout)."""
    program = f"docker-credential-{helper}"
    key = _HUB if repository.is_hub else repository.registry
    try:
        said = await command.run([program, "get"], stdin=key.encode(), deadline=_DEADLINE, accept=(0, 1))
    except CommandError as error:
        raise RegistryError(say("login.helper", file=path, program=program, why=same(str(error)))) from error
    if said.code:
        if "not found" in said.stdout + said.stderr:
            return None
        why = " ".join((said.stdout + said.stderr).split())
        raise RegistryError(say("login.helper", file=path, program=program, why=same(why or "exit code 1")))
    try:
        told = json.loads(said.stdout)
        name, secret = str(told["Username"]), str(told["Secret"])
    except (ValueError, KeyError, TypeError) as error:
        raise RegistryError(
            say("login.helper", file=path, program=program, why=same("its answer is no JSON"))
        ) from error
    return Login("", token=secret, source=program) if name == _TOKEN_USER else Login(name, secret, source=program)
