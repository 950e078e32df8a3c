"""A container's variables come out as Kubernetes would make them, or are called unknown."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from berth.objects.containers import ConfigSource, Container, Known, PodFields, environment_of, sources_of, texts_of

MAP, OTHER, SECRET = (
    ConfigSource("ConfigMap", "a", "map"),
    ConfigSource("ConfigMap", "a", "other"),
    ConfigSource("Secret", "a", "secret"),
)
POD = PodFields("a", "nfs", {"app": "old"}, {"note": "x"})


def container(env: list[dict[str, Any]], env_from: list[dict[str, Any]] | None = None) -> Container:
    return msgspec.convert({"name": "it", "image": "i", "env": env, "envFrom": env_from or []}, Container)


def of_map(key: str, name: str = "map", **more: Any) -> dict[str, Any]:
    return {"name": "X", "valueFrom": {"configMapKeyRef": {"name": name, "key": key, **more}}}


@pytest.mark.parametrize(
    ("env", "known", "value", "why"),
    [
        ([{"name": "X", "value": "plain"}], {}, "plain", ""),
        ([{"name": "H", "value": "h"}, {"name": "X", "value": "$(H)/p"}], {}, "h/p", ""),
        ([{"name": "X", "value": "$$(H)"}], {}, "$(H)", ""),
        ([{"name": "X", "value": "$(H)"}, {"name": "H", "value": "too late"}], {}, "", "$(H)"),
        ([of_map("k")], {MAP: {"k": "v"}}, "v", ""),
        ([of_map("k")], {}, "", "key k of ConfigMap a/map"),
        ([of_map("k")], {MAP: None}, "", "key k of ConfigMap a/map"),
        ([of_map("k", optional=True)], {MAP: {}}, "", ""),
        ([{"name": "X", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}], {}, "a", ""),
        ([{"name": "X", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}}], {}, "old", ""),
        ([{"name": "X", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}], {}, "", "the pod's spec.nodeName"),
        ([{"name": "X", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}], {}, "", "elsewhere"),
        ([{"name": "X", "value": "first"}, {"name": "X", "value": "last"}], {}, "last", ""),
    ],
)
def test_values(env: list[dict[str, Any]], known: Known, value: str, why: str) -> None:
    made = environment_of(container(env), POD, known)
    assert (made.get("X"), made.why_unknown("X")) == (value, why)


def test_whole_maps_come_first_and_later_ones_win() -> None:
    both: list[dict[str, Any]] = [
        {"configMapRef": {"name": "map"}},
        {"prefix": "P_", "configMapRef": {"name": "other"}},
    ]
    known: Known = {MAP: {"A": "1", "P_B": "2", "C": "3"}, OTHER: {"B": "4"}}
    made = environment_of(container([{"name": "C", "value": "$(A)5"}], both), POD, known)
    assert made.values == {"A": "1", "P_B": "4", "C": "15"}


def test_what_was_not_read_may_hold_anything_but_what_is_said_afterwards() -> None:
    both = [{"configMapRef": {"name": "map"}}, {"secretRef": {"name": "secret"}}]
    one = container([{"name": "C", "value": "plain"}], both)
    assert list(sources_of(one, "a")) == [MAP, SECRET]
    made = environment_of(one, POD, {MAP: {"A": "1"}})
    assert made.values == {"C": "plain"}
    assert {name: made.why_unknown(name) for name in "AZC"} == {"A": "Secret a/secret", "Z": "Secret a/secret", "C": ""}


def test_a_secret_is_decoded_and_what_is_no_text_left_out() -> None:
    held = {"data": {"NFS_PATH": "L2V4cG9ydA==", "blob": "/w=="}}
    assert texts_of(SECRET, held) == {"NFS_PATH": "/export"}
    assert texts_of(MAP, {"data": {"a": "b"}}) == {"a": "b"}
