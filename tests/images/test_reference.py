"""What is typed as a place in a registry, and what is told of what is none."""

from __future__ import annotations

import pytest

from berth.images.errors import BadReference
from berth.images.reference import check_tag, parse


@pytest.mark.parametrize(
    ("typed", "registry", "name", "tag"),
    [
        ("registry.example.com/storage/berth", "registry.example.com", "storage/berth", ""),
        ("registry.example.com:5000/berth:0.1.0", "registry.example.com:5000", "berth", "0.1.0"),
        ("localhost/berth", "localhost", "berth", ""),
        ("127.0.0.1:5000/a/b/c", "127.0.0.1:5000", "a/b/c", ""),
        ("[fd00::1]:5000/berth:dev", "[fd00::1]:5000", "berth", "dev"),
        ("docker.io/somebody/berth", "docker.io", "somebody/berth", ""),
    ],
)
def test_a_place_is_a_registry_a_name_and_maybe_a_tag(typed: str, registry: str, name: str, tag: str) -> None:
    repository, said = parse(typed)
    assert (repository.registry, repository.name, said) == (registry, name, tag)
    assert str(repository.beside("chart")) == f"{registry}/{name}-chart"


def test_one_registry_answers_at_another_name() -> None:
    assert parse("docker.io/somebody/berth")[0].api == "registry-1.docker.io"
    assert parse("registry.example.com:5000/berth")[0].api == "registry.example.com:5000"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("berth", "names no registry"),
        ("somebody/berth", "names no registry"),
        ("", "names no registry"),
        ("registry.example.com", "names no registry"),
        ("registry.example.com/", "names a registry and no image"),
        ("registry.example.com/Berth", "small letters"),
        ("registry.example.com/a//b", "small letters"),
        ("registry.example.com/../../etc", "small letters"),
        ("registry.example.com/berth:", "is no tag"),
        ("registry.example.com/berth:a b", "is no tag"),
        ("registry.example.com/berth:.hidden", "is no tag"),
        (f"registry.example.com/{'a' * 256}", "small letters"),
        ("https://registry.example.com/berth", "begins with https://"),
        ("oci://registry.example.com/berth", "begins with oci://"),
        (f"registry.example.com/berth@sha256:{'0' * 64}", "names a digest"),
        ("evil.example.com\r\nHost: x/berth", "names no registry"),
        ("user:password@registry.example.com/berth", "names a digest"),
    ],
)
def test_what_is_none_is_told_in_one_sentence(typed: str, told: str) -> None:
    with pytest.raises(BadReference) as refusal:
        parse(typed)
    assert told in refusal.value.text.en
    assert "\n" not in refusal.value.text.en


def test_a_tag_by_itself() -> None:
    assert check_tag("v0.1.0_rc-1") == "v0.1.0_rc-1"
    with pytest.raises(BadReference):
        check_tag("a/b")
