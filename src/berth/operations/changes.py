"""What a change comes to, field by field, as people name the fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from berth.operations.fields import Fields, below, fields_of, is_named, merge, of_element

_VERSION = "app.kubernetes.io/version"
"""On every object and pod: it says the same many times."""
_POD = ("spec", "template", "spec")
_NONE = "-"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that gets another value. old, new: as text; `-` for none."""

    object: str
    """Kind and key, such as `Deployment berth-system/berth`."""
    field: str
    """Such as `image`, `env NFS_SERVER`, `label app`, or the field's path below spec."""
    old: str
    new: str


def changes(
    kind: str, key: str, before: Mapping[str, Any], after: Mapping[str, Any], *, manager: str
) -> list[FieldChange]:
    """What manager's apply has changed in an object: in the fields that it said then or says now. What others write in
    between, as controllers do all the time, is none of it.
    """
    said: dict[str, Any] = {}
    for one in (before, after):
        merge(said, fields_of(one, (manager,)))
    about = f"{kind} {key}"
    found = _differences((), before, after, said) if said else ()
    return [FieldChange(about, _named(path), _shown(old), _shown_new(old, new)) for path, old, new in found]


def removal(kind: str, key: str) -> FieldChange:
    """An object that goes: no single field."""
    return FieldChange(f"{kind} {key}", "", "", _NONE)


def without_repeats(found: Iterable[FieldChange]) -> list[FieldChange]:
    """The version's label, which every object has, told once and first."""
    known = list(found)
    version = f"label {_VERSION}"
    labels = list(dict.fromkeys((one.old, one.new) for one in known if one.field.endswith(version)))
    first = [FieldChange("", "version", old, new) for old, new in labels]
    return [*first, *(one for one in known if not one.field.endswith(version))]


def _differences(path: tuple[str, ...], old: Any, new: Any, said: Fields) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    if old == new:
        return
    ours, theirs = _parts(old), _parts(new)
    if not said or ours is None or theirs is None:
        yield path, old, new
        return
    for key in dict.fromkeys([*ours, *theirs]):
        about = of_element(said, key) if is_named(old) or is_named(new) else below(said, key)
        if about is not None:
            yield from _differences((*path, key), ours.get(key), theirs.get(key), about)


def _parts(value: Any) -> Mapping[str, Any] | None:
    """What a thing consists of, by keys or names; None for what is one thing."""
    if value is None:
        return {}
    if is_named(value):
        return {one["name"]: {key: part for key, part in one.items() if key != "name"} for one in value}
    return value if isinstance(value, Mapping) else None


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
