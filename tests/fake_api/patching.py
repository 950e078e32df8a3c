"""What the API server makes of a patch: merge (RFC 7396), JSON (RFC 6902), strategic, and server-side apply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

Json = dict[str, Any]

MERGE_KEYS = {
    "conditions": "type", "containers": "name", "env": "name", "initContainers": "name", "volumes": "name",
    "volumeMounts": "mountPath", "ports": "containerPort", "ownerReferences": "uid", "imagePullSecrets": "name",
    "secrets": "name",
}  # fmt: skip
"""Lists of objects that a strategic patch merges, and the field that tells their entries apart."""
PRIMITIVE_LISTS = frozenset({"finalizers"})
"""Lists of words that a strategic patch adds to."""
_DELETE_FROM = "$deleteFromPrimitiveList/"


class PatchError(Exception):
    """A patch that the API server would refuse."""


def merge(old: Any, patch: Any) -> Any:
    """RFC 7396: null removes, objects are merged, all else replaces."""
    if not isinstance(patch, Mapping):
        return deepcopy(patch)
    result = dict(old) if isinstance(old, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def strategic(old: Any, patch: Any) -> Any:
    """Like merge, but lists that Kubernetes knows the entries of are merged by them."""
    if not isinstance(patch, Mapping):
        return deepcopy(patch)
    if patch.get("$patch") == "replace":
        return {key: deepcopy(value) for key, value in patch.items() if key != "$patch"}
    result = dict(old) if isinstance(old, Mapping) else {}
    for key, value in patch.items():
        if key.startswith(_DELETE_FROM):
            field = key.removeprefix(_DELETE_FROM)
            result[field] = [one for one in result.get(field) or () if one not in value]
        elif key.startswith("$"):
            continue
        elif value is None:
            result.pop(key, None)
        elif isinstance(value, list):
            result[key] = _merged_list(key, result.get(key) or [], value)
        else:
            result[key] = strategic(result.get(key), value)
    return result


def _merged_list(field: str, old: list[Any], patch: list[Any]) -> list[Any]:
    if field in PRIMITIVE_LISTS:
        return [*old, *(one for one in patch if one not in old)]
    key = MERGE_KEYS.get(field)
    if key is None:
        return deepcopy(patch)
    result = {one.get(key): one for one in old}
    for one in patch:
        if key not in one:
            raise PatchError(f"map: {one} does not contain declared merge key: {key}")
        if one.get("$patch") == "delete":
            result.pop(one[key], None)
        else:
            result[one[key]] = strategic(result.get(one[key]), one)
    return list(result.values())


def json_patch(old: Json, operations: list[Json]) -> Json:
    """RFC 6902: add, replace, remove and test, one after the other, or none of them."""
    result = deepcopy(old)
    for operation in operations:
        parts = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
        parent = result
        for part in parts[:-1]:
            parent = _child(parent, part)
        _operate(parent, parts[-1], operation)
    return result


def _child(parent: Any, part: str) -> Any:
    try:
        return parent[int(part)] if isinstance(parent, list) else parent[part]
    except (KeyError, IndexError, ValueError, TypeError):
        raise PatchError("the server rejected our request due to an error in our request") from None


def _operate(parent: Any, part: str, operation: Json) -> None:
    verb, value = operation["op"], deepcopy(operation.get("value"))
    if verb == "test":
        if _child(parent, part) != value:
            raise PatchError(f"testing value {operation['path']} failed: test failed")
    elif isinstance(parent, list) and verb == "add":
        parent.insert(len(parent) if part == "-" else int(part), value)
    elif verb == "remove":
        _child(parent, part)
        del parent[int(part) if isinstance(parent, list) else part]
    elif verb in ("add", "replace"):
        if verb == "replace":
            _child(parent, part)
        parent[int(part) if isinstance(parent, list) else part] = value
    else:
        raise PatchError(f"Unexpected kind: {verb}")


def apply(old: Json, wanted: Json, before: Json, others: Mapping[str, Json]) -> tuple[Json, str]:
    """Server-side apply: old with wanted, without what `before` (the same manager's last) had and wanted lacks.

    others: what the other managers applied last. The second answer: which of them say another value for a field.
    """
    result = merge(old, wanted)
    owned = dict(_leaves(wanted))
    for path, _ in _leaves(before):
        if path not in owned and not any(path in dict(_leaves(one)) for one in others.values()):
            _cut(result, path)
    clashing = [
        f'conflict with "{manager}": .{".".join(path)}'
        for manager, one in others.items()
        for path, value in _leaves(one)
        if path in owned and owned[path] != value
    ]
    return result, "; ".join(clashing)


_NOT_OWNED = (("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace"))


def _leaves(of: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(of, Mapping) and (of or not path):
        for key, value in of.items():
            yield from _leaves(value, (*path, key))
    elif path not in _NOT_OWNED:
        yield path, of


def _cut(result: Json, path: tuple[str, ...]) -> None:
    for part in path[:-1]:
        result = result.get(part, {})
    result.pop(path[-1], None)
