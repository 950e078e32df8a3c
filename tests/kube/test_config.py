"""Where the configuration comes from, and the one sentence when there is none or it is broken."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from berth.kube.client import Api
from berth.kube.config import load
from berth.kube.errors import ConfigurationError


def kubeconfig(name: str, *, current: str | None = None) -> dict[str, Any]:
    return {
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}.example"}}],
        "users": [{"name": name, "user": {"token": "secret"}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": f"{name}-ns"}}],
        "current-context": name if current is None else current,
    }


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory without any configuration, in no pod."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    return tmp_path


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_file_that_is_given_comes_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(write(home / "env", kubeconfig("env"))))
    write(home / ".kube/config", kubeconfig("home"))
    given = write(home / "given", kubeconfig("given"))
    assert load(str(given)).cluster.server == "https://given.example"
    assert load().cluster.server == "https://env.example"
    monkeypatch.delenv("KUBECONFIG")
    assert load().namespace == "home-ns"


def test_contexts_are_found_in_any_file_of_kubeconfig(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [
        write(home / "one", kubeconfig("one", current="two")),
        home / "missing",
        write(home / "two", kubeconfig("two")),
    ]
    monkeypatch.setenv("KUBECONFIG", ":".join(map(str, files)))
    assert load().cluster.server == "https://two.example"
    assert load(context="one").cluster.server == "https://one.example"
    with pytest.raises(ConfigurationError, match=r"there is no context 'three' \(known: one, two\)"):
        load(context="three")


def test_without_any_the_sentence_says_where_was_looked() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load()
    assert str(caught.value) == (
        "no Kubernetes configuration found: this is not a pod with a service account, KUBECONFIG is not set, "
        "and ~/.kube/config does not exist"
    )


broken = kubeconfig("a")
no_user = {**kubeconfig("a"), "users": []}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param("a: [", r"is not YAML: line \d+, column \d+: ", id="not YAML"),
        pytest.param("", "is not a kubeconfig: ", id="empty"),
        pytest.param("[1, 2]", "is not a kubeconfig: it does not hold lists", id="a list"),
        pytest.param("nonsense", "is not a kubeconfig: it does not hold lists", id="a word"),
        pytest.param("clusters: [1]", "is not a kubeconfig: it does not hold lists", id="a cluster that is a number"),
        pytest.param({"contexts": []}, "is not a kubeconfig: 'clusters' is missing", id="no clusters"),
        pytest.param(
            {**broken, "clusters": [{"name": "a", "cluster": {"server": 5}}]}, "is not a kube", id="bad server"
        ),
        pytest.param({**broken, "current-context": ""}, ": no current context is set", id="no current context"),
        pytest.param({**broken, "current-context": "b"}, r"no context 'b' \(known: a\)", id="unknown context"),
        pytest.param(no_user, "context 'a' names 'a', which is not in the same file", id="unknown user"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(home: Path, content: Any, sentence: str) -> None:
    path = write(home / "config", content)
    with pytest.raises(ConfigurationError, match=sentence) as caught:
        load(str(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(home: Path) -> None:
    with pytest.raises(ConfigurationError, match=rf"^kubeconfig {home}/nowhere does not exist$"):
        load(f"{home}/nowhere")


@pytest.mark.parametrize(
    ("cluster", "user", "sentence"),
    [
        pytest.param(
            {"certificate-authority": "/no/ca.crt"}, {}, r"\(/no/ca.crt\) can't be used: no such file", id="no CA"
        ),
        pytest.param({"certificate-authority-data": "bm9uZQ=="}, {}, "certificates can't be used", id="CA is rubbish"),
        pytest.param({}, {"auth-provider": {"name": "gcp"}}, "auth-provider not supported", id="auth provider"),
    ],
)
def test_what_can_not_work_is_told_before_the_first_request(
    home: Path, cluster: dict[str, str], user: dict[str, Any], sentence: str
) -> None:
    content = kubeconfig("a")
    content["clusters"][0]["cluster"] |= cluster
    content["users"][0]["user"] = user

    async def main() -> None:
        with pytest.raises(ConfigurationError, match=sentence):
            Api(load(str(write(home / "config", content))))

    asyncio.run(main())
