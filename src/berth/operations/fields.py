"""Who said which field of an object last, as the API server keeps it in metadata.managedFields."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

_OTHER_KEYS = {"containerPort", "port", "mountPath", "kind"}
"""Things with one of these are known by it: they may have a name besides."""
Fields = Mapping[str, Any]
"""`f:<key>` for a key, `k:<keys as JSON>` for an element of a list; empty below a field that is said as a whole."""


def fields_of(found: Mapping[str, Any], managers: Collection[str]) -> Fields:
    """The fields whose present value one of these managers said."""
    return _merged(entry for entry in _entries(found) if entry.get("manager", "") in managers)


def fields_of_only(found: Mapping[str, Any], managers: Collection[str]) -> Fields:
    """The fields whose present value nobody said but these managers."""
    others = _merged(entry for entry in _entries(found) if entry.get("manager", "") not in managers)
    return _without(fields_of(found, managers), others)


def _entries(found: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    entries: list[Mapping[str, Any]] = found["metadata"].get("managedFields") or []
    return entries


def _merged(entries: Iterable[Mapping[str, Any]]) -> Fields:
    fields: dict[str, Any] = {}
    for entry in entries:
        merge(fields, entry.get("fieldsV1") or {})
    return fields


def _without(fields: Fields, others: Fields) -> Fields:
    left = {}
    for key, below in fields.items():
        if key not in others:
            left[key] = below
        elif below and (rest := _without(below, others[key])):
            left[key] = rest
    return left


def merge(into: dict[str, Any], fields: Fields) -> None:
    """Adds fields to others."""
    for key, below in fields.items():
        merge(into.setdefault(key, {}), below)


def below(fields: Fields, key: str) -> Fields | None:
    """What is said below a key; None where nothing is said of it."""
    found: Fields | None = fields.get(f"f:{key}")
    return found


def of_element(fields: Fields, name: str) -> Fields | None:
    """What is said of the element of that name; None where nothing is."""
    found: Fields | None = fields.get("k:" + json.dumps({"name": name}, separators=(",", ":")))
    return found


def is_whole(said: Fields | None) -> bool:
    """Whether something is said of a field itself: of a list, more than that there is one."""
    return said is not None and set(said) != {"."}


def is_named(value: Any) -> bool:
    """Whether it is a list of things known by their names, such as containers and variables, each somebody's."""
    return isinstance(value, list) and bool(value) and all(_has_name(one) for one in value)


def _has_name(one: Any) -> bool:
    return isinstance(one, Mapping) and "name" in one and not _OTHER_KEYS & one.keys()
