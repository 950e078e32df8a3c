"""Names of images as nodes read them, and what is said of one that no registry has."""

from __future__ import annotations

import pytest

from berth.texts.images import how_to_get, how_to_get_for, read_image

SHA = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "whole", "is_nobodys"),
    [
        ("berth:0.1.0", "docker.io/library/berth:0.1.0", True),
        ("berth", "docker.io/library/berth:latest", True),
        ("library/berth:1", "docker.io/library/berth:1", True),
        ("docker.io/berth:1", "docker.io/library/berth:1", True),
        ("index.docker.io/berth:1", "docker.io/library/berth:1", True),
        ("localhost/berth:dev", "localhost/berth:dev", True),
        (f"berth:1@{SHA}", f"docker.io/library/berth@{SHA}", True),
        ("localhost:5000/berth", "localhost:5000/berth:latest", False),
        ("somebody/berth:1", "docker.io/somebody/berth:1", False),
        ("registry.example.com/storage/berth:1.2", "registry.example.com/storage/berth:1.2", False),
        ("10.0.0.5:5000/berth_nfs-2:1", "10.0.0.5:5000/berth_nfs-2:1", False),
        ("[fd00::1]:5000/a/b:c", "[fd00::1]:5000/a/b:c", False),
        (f"r.example/berth@{SHA}", f"r.example/berth@{SHA}", False),
    ],
)
def test_a_name_is_completed_as_nodes_do(text: str, whole: str, is_nobodys: bool) -> None:
    name = read_image(text)
    assert (name.whole, name.is_nobodys) == (whole, is_nobodys)


@pytest.mark.parametrize(
    "text",
    ["", " ", "Berth:1", "berth:1:2", "r.example/Berth", "a//b", "/a", "a/", "berth:", "berth@sha256:0", "a b", "-a",
     "r.example:port/berth", "https://r.example/berth", "berth:1\n", "berth;rm", "r..example/berth"],
)  # fmt: skip
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no name of an image"):
        read_image(text)
    assert how_to_get(text) is None


def test_it_is_said_how_to_get_what_no_registry_has_and_nothing_of_the_rest() -> None:
    how = how_to_get("berth:0.1.0")
    assert how is not None
    for said in (how.en, how.zh):
        assert "`berth image push REGISTRY/NAME`" in said
        assert "--image REGISTRY/NAME:0.1.0" in said
        assert "`berth image load`" in said
    assert how_to_get("r.example/berth:0.1.0") is None


@pytest.mark.parametrize(
    ("command", "needs"),
    [
        ("berth install --server a --path /b --apply", True),
        ("berth takeover apply kube-system/nfs", True),
        ("berth install --image r.example/berth:1 --apply", False),
        ("berth install --image=localhost/berth:1 --apply", True),
        ("berth install --help", False),
        ("berth takeover plan", False),
        ("berth installed", False),
        ("kubectl get pods", False),
    ],
)
def test_commands_that_start_berth_are_known(command: str, needs: bool) -> None:
    assert (how_to_get_for(command, "berth:1") is not None) is needs
    assert how_to_get_for(command, "r.example/berth:1") is None or "localhost" in command
