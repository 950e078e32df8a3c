"""What a change comes to, field by field, as people name the fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_BOOKS = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink")
_VERSION = "app.kubernetes.io/version"
"""On every object and pod: it says the same many times."""
_APPLIED_BY_KUBECTL = "kubectl.kubernetes.io/last-applied-configuration"
_POD = ("spec", "template", "spec")
_NONE = "-"


@dataclass(frozen=True, slots=True)
class Change:
    """One field that gets another value. old, new: as text; `-` for none."""

    object: str
    """Kind and key, such as `Deployment berth-system/berth`."""
    field: str
    """Such as `image`, `env NFS_SERVER`, `label app`, or the field's path below spec."""
    old: str
    new: str


def changes(kind: str, key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What is different in an object, without what the API server keeps for itself."""
    about = f"{kind} {key}"
    found = _differences((), _content(before), _content(after))
    return [Change(about, _named(path), _shown(old), _shown_new(old, new)) for path, old, new in found]


def removal(kind: str, key: str) -> Change:
    """An object that goes: no single field."""
    return Change(f"{kind} {key}", "", "", _NONE)


def without_repeats(found: Iterable[Change]) -> list[Change]:
    """The version's label, which every object has, told once and first."""
    known = list(found)
    version = f"label {_VERSION}"
    labels = list(dict.fromkeys((one.old, one.new) for one in known if one.field.endswith(version)))
    first = [Change("", "version", old, new) for old, new in labels]
    return [*first, *(one for one in known if not one.field.endswith(version))]


def _content(found: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in found["metadata"].items() if key not in _BOOKS}
    notes = {k: v for k, v in (metadata.pop("annotations", None) or {}).items() if k != _APPLIED_BY_KUBECTL}
    content = {key: value for key, value in found.items() if key != "status"}
    return {**content, "metadata": {**metadata, **({"annotations": notes} if notes else {})}}


def _differences(path: tuple[str, ...], old: Any, new: Any) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*old, *new]):
            yield from _differences((*path, key), old.get(key), new.get(key))
        return
    ours, theirs = _by_name(old), _by_name(new)
    if ours is None or theirs is None or not (ours or theirs):
        yield path, old, new
        return
    for name in dict.fromkeys([*ours, *theirs]):
        yield from _differences((*path, name), ours.get(name), theirs.get(name))


def _by_name(value: Any) -> dict[str, Any] | None:
    """The elements of a list by their names; None for what is no list of named things."""
    if value is None:
        return {}
    if not isinstance(value, list) or not all(isinstance(one, Mapping) and "name" in one for one in value):
        return None
    return {one["name"]: {key: part for key, part in one.items() if key != "name"} for one in value}


def _named(path: tuple[str, ...]) -> str:
    prefix = ""
    if path[:3] == _POD:
        path = path[3:]
        path = path[2:] if path[0] == "containers" and len(path) > 2 else path
    elif path[:2] == ("spec", "template"):
        path, prefix = path[2:], "pod "
    elif path[0] == "spec":
        path = path[1:]
    if path[0] == "env" and len(path) > 1:
        return f"env {path[1]}"
    if path[:2] in (("metadata", "labels"), ("metadata", "annotations")) and len(path) > 2:
        return f"{prefix}{path[1][:-1]} {path[2]}"
    return prefix + ".".join(path)


def _shown(value: Any) -> str:
    if value is None or value in ({}, []):
        return _NONE
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        if set(value) == {"value"}:  # of a variable
            return _shown(value["value"])
        return ", ".join(f"{key}={_shown(part)}" for key, part in value.items())
    if isinstance(value, list):
        parts = any(isinstance(one, Mapping) for one in value)
        return f"{len(value)} entries" if parts else ",".join(map(str, value))
    return str(value) or '""'


def _shown_new(old: Any, new: Any) -> str:
    """Of things too long to show, that they are others."""
    return _shown(new) if _shown(new) != _shown(old) else f"{_shown(new)}, changed"
