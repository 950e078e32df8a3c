"""Logins are found where docker, podman and helm write them, in their order; helpers are asked as docker asks them."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest

from berth.images.authority import challenges, token_request
from berth.images.errors import RegistryError
from berth.images.login import Login, find_login
from berth.images.reference import parse

PLACE = "registry.example.com:5000/storage/berth"


def entry(user: str, password: str = "secret") -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def found(home: Path, place: str = PLACE, **environ: str) -> Login | None:
    return asyncio.run(find_login(parse(place)[0], {"HOME": str(home), **environ}))


def name(login: Login | None) -> str:
    return login.username if login else ""


def test_the_first_file_that_knows_the_registry_wins(tmp_path: Path) -> None:
    places = {
        "helm": tmp_path / ".config/helm/registry/config.json",
        "podman": tmp_path / ".config/containers/auth.json",
        "running": tmp_path / "run/containers/auth.json",
        "docker": tmp_path / ".docker/config.json",
        "docker-config": tmp_path / "elsewhere/config.json",
        "auth-file": tmp_path / "auth.json",
    }
    write(tmp_path / ".docker/config.json", {"auths": {"other.example.com": entry("stranger")}})
    assert found(tmp_path) is None
    environ: dict[str, str] = {"XDG_RUNTIME_DIR": str(tmp_path / "run")}
    for user, path in places.items():
        write(path, {"auths": {"registry.example.com:5000": entry(user)}})
        if user == "docker-config":
            environ["DOCKER_CONFIG"] = str(path.parent)
        elif user == "auth-file":
            environ["REGISTRY_AUTH_FILE"] = str(path)
        login = found(tmp_path, **environ)
        assert login == Login(user, "secret", "", str(path))


@pytest.mark.parametrize(
    "key",
    ["registry.example.com:5000", "https://registry.example.com:5000", "https://registry.example.com:5000/v1/",
     "http://registry.example.com:5000/v2/", "registry.example.com:5000/storage",
     "registry.example.com:5000/storage/berth"],
)  # fmt: skip
def test_a_registry_may_be_written_in_several_ways(tmp_path: Path, key: str) -> None:
    write(tmp_path / ".docker/config.json", {"auths": {key: entry("berth")}})
    assert name(found(tmp_path)) == "berth"


def test_the_nearest_name_wins_and_the_hub_has_its_own(tmp_path: Path) -> None:
    auths = {
        "registry.example.com:5000": entry("all"),
        "registry.example.com:5000/storage": entry("storage"),
        "https://index.docker.io/v1/": entry("hub"),
    }
    write(tmp_path / ".docker/config.json", {"auths": auths})
    assert name(found(tmp_path)) == "storage"
    assert name(found(tmp_path, "registry.example.com:5000/other")) == "all"
    assert name(found(tmp_path, "docker.io/somebody/berth")) == "hub"
    assert found(tmp_path, "registry.example.com/storage/berth") is None


def test_plain_fields_and_identity_tokens_are_read(tmp_path: Path) -> None:
    write(
        tmp_path / ".docker/config.json", {"auths": {"registry.example.com:5000": {"username": "a", "password": "b"}}}
    )
    assert found(tmp_path) == Login("a", "b", "", str(tmp_path / ".docker/config.json"))
    token = {**entry("00000000-0000-0000-0000-000000000000", ""), "identitytoken": "t0"}
    write(tmp_path / ".docker/config.json", {"auths": {"registry.example.com:5000": token}})
    login = found(tmp_path)
    assert login is not None
    assert login.token == "t0"


HELPER = """\
#!/bin/sh
read -r key
[ "$1 $key" = "get registry.example.com:5000" ] || { echo "credentials not found in native keychain"; exit 1; }
printf '{"ServerURL":"%s","Username":"%s","Secret":"s3"}' "$key" "${HELPER_USER:-helped}"
"""


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin/docker-credential-keys"
    write(program, HELPER)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return program


def test_a_helper_of_the_registry_wins_over_that_of_all_and_over_what_is_written(
    tmp_path: Path, helper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {"auths": {"registry.example.com:5000": entry("written")}, "credsStore": "keys"}
    write(tmp_path / ".docker/config.json", config)
    assert found(tmp_path) == Login("helped", "s3", source="docker-credential-keys")
    write(tmp_path / ".docker/config.json", {"credHelpers": {"registry.example.com:5000": "keys"}, "credsStore": "no"})
    assert name(found(tmp_path)) == "helped"
    monkeypatch.setenv("HELPER_USER", "<token>")
    assert found(tmp_path) == Login("", token="s3", source="docker-credential-keys")


def test_a_helper_that_knows_nothing_is_no_login(tmp_path: Path, helper: Path) -> None:
    write(tmp_path / ".docker/config.json", {"credsStore": "keys"})
    assert found(tmp_path, "other.example.com/berth") is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "can't be read: no JSON"),
        ({"credsStore": "missing"}, "docker-credential-missing, which"),
        ({"auths": {"registry.example.com:5000": {"auth": "???"}}}, "no base64"),
    ],
)
def test_what_can_not_be_used_is_named_with_its_file(tmp_path: Path, content: Any, told: str) -> None:
    write(tmp_path / ".docker/config.json", content)
    with pytest.raises(RegistryError) as refusal:
        found(tmp_path)
    assert told in refusal.value.text.en
    assert str(tmp_path / ".docker/config.json") in refusal.value.text.en


def test_a_password_is_shown_by_nobody() -> None:
    assert "secret" not in repr(Login("a", "secret", "secret"))


def test_of_several_ways_to_log_in_tokens_come_first() -> None:
    header = 'Basic realm="a, bearer of news", Bearer realm="https://auth.example.com/token",service="r",scope="x,y"'
    first, second = challenges(header)
    assert (first.kind, first.realm, first.parameters["service"]) == ("bearer", "https://auth.example.com/token", "r")
    assert second.kind == "basic"
    assert [*challenges("Negotiate")] == []


def test_a_token_is_asked_for_by_name_and_password_or_by_an_identity_token() -> None:
    (wanted,) = challenges('Bearer realm="https://auth.example.com/token?a=b",service="r"')
    method, url, headers, body = token_request(wanted, "storage/berth", Login("u", "p"))
    assert (method, body) == ("GET", b"")
    assert url == "https://auth.example.com/token?a=b&scope=repository%3Astorage%2Fberth%3Apull%2Cpush&service=r"
    assert headers == {"Authorization": "Basic dTpw"}
    assert token_request(wanted, "berth", None)[2] == {}
    method, url, headers, body = token_request(wanted, "berth", Login("", token="t0"))
    assert (method, url) == ("POST", "https://auth.example.com/token?a=b")
    assert b"refresh_token=t0" in body
    assert "Authorization" not in headers
