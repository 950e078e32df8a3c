"""Label and field selectors, as the API server reads them. ValueError for one that it refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
Selects = Callable[[Json], bool]

_FIELDS = {
    "pods": {"spec.nodeName", "spec.serviceAccountName", "status.phase", "status.podIP"},
    "events": {"involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
               "reason", "type", "source"},
    "secrets": {"type"},
    "namespaces": {"status.phase"},
}  # fmt: skip
"""By plural, beside metadata.name and metadata.namespace, which every kind has."""
_SET = re.compile(r"([^\s!=,]+)\s+(in|notin)\s+\(([^)]*)\)")
_WORD = r"[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?"


def labels(selector: str) -> Selects:
    """`a=b,c!=d,e,!f,g in (h,i)`."""
    tests = [_label_test(each) for each in re.split(r",(?![^(]*\))", selector) if each.strip()]
    return lambda obj: all(test(obj.get("metadata", {}).get("labels") or {}) for test in tests)


def _label_test(said: str) -> Callable[[dict[str, str]], bool]:
    said = said.strip()
    if given := _SET.fullmatch(said):
        key, is_in, values = given[1], given[2] == "in", {one.strip() for one in given[3].split(",")}
        return lambda of: (of.get(key) in values) == is_in
    if given := re.fullmatch(rf"({_WORD})\s*(=|==|!=)\s*({_WORD}|)", said):
        key, equal, value = given[1], given[3] != "!=", given[4]
        return lambda of: (of.get(key) == value) == equal
    if given := re.fullmatch(rf"(!?)({_WORD})", said):
        key, wanted = given[2], not given[1]
        return lambda of: (key in of) == wanted
    raise ValueError(f"unable to parse requirement: {said!r}")


def fields(selector: str, plural: str) -> Selects:
    """`metadata.name=a,type!=b`."""
    known = {"metadata.name", "metadata.namespace"} | _FIELDS.get(plural, set())
    tests: list[tuple[str, bool, str]] = []
    for each in filter(None, selector.split(",")):
        given = re.fullmatch(r"([^=!]+)(=|==|!=)([^=]*)", each)
        if given is None:
            raise ValueError(f"invalid selector: {each!r}; can't understand {each!r}")
        if given[1] not in known:
            raise ValueError(f"field label not supported: {given[1]}")
        tests.append((given[1], given[2] != "!=", given[3]))
    return lambda obj: all((_value(obj, path) == value) == equal for path, equal, value in tests)


def _value(obj: Any, path: str) -> str:
    for part in path.split("."):
        obj = obj.get(part) if isinstance(obj, dict) else None
    return "" if obj is None else str(obj)
