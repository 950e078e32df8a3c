"""What somebody changed by hand stays: fields that another than the installer said last are not applied.

Server-side apply knows who said each field last (metadata.managedFields). A field of ours that stands as it was applied
may be brought up to date; one that somebody else has changed since is his, and leaving it out leaves it to him. Rights
are not kept so: those that the code declares are the ones it needs, no more and none fewer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from berth.kube.manifest import Manifest
from berth.operations.apply import MANAGER

INSTALLERS = (MANAGER, "kubectl", "kubectl-client-side-apply", "kubectl-create", "before-first-apply")
"""Who applies what `berth install` made or printed. Whoever changes a field in another way has another name."""
RIGHTS = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
_OF_THE_SHARE = ("NFS_SERVER", "NFS_PATH")
_IDENTITY = ("name", "apiVersion", "kind", "namespace")
_MISSING: Any = object()

Fields = Mapping[str, Any]
Object = dict[str, Any]


def kept(wanted: Manifest, before: Manifest | None, live: Mapping[str, Any]) -> Object:
    """What to apply, so that nothing is lost that was changed by hand.

    before: what would have been applied with the settings as they are, so that what differs from it was asked for; None
    for an object that was not part of the installation.
    """
    if wanted["kind"] in RIGHTS:
        return dict(wanted)
    reduced: Object = _kept(wanted, wanted if before is None else before, live, said_by_installers(live))
    if wanted["kind"] == "Deployment":
        there = {one["name"]: one for one in live["spec"]["template"]["spec"]["containers"]}
        for container in reduced["spec"]["template"]["spec"]["containers"]:
            _keep_container(container, there.get(container["name"]))
    return reduced


def said_by_installers(live: Mapping[str, Any]) -> Fields:
    """The fields whose present value an installer said."""
    fields: Object = {}
    for entry in live["metadata"].get("managedFields") or []:
        if entry.get("manager", "").partition("/")[0] in INSTALLERS:
            _merge(fields, entry.get("fieldsV1") or {})
    return fields


def _kept(wanted: Any, before: Any, live: Any, said: Fields) -> Any:
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        kept = {}
        for key, value in wanted.items():
            one = _kept(value, _part(before, key), live.get(key, _MISSING), said.get(f"f:{key}") or {})
            is_said = f"f:{key}" in said or key in _IDENTITY
            if _is_leaf(value) and not is_said and _is_changed(value, _part(before, key), live.get(key, _MISSING)):
                continue
            if key == "value" and "valueFrom" in live and value == _part(before, key):
                continue  # the variable comes from a ConfigMap or Secret now
            kept[key] = one
        return kept
    if _is_named(wanted) and isinstance(live, list):
        there = {one.get("name"): one for one in live}
        then = {one.get("name"): one for one in before} if _is_named(before) else {}
        return [
            _kept(one, then.get(one["name"]), there.get(one["name"], _MISSING), said.get(_key_of(one["name"])) or {})
            for one in wanted
        ]
    return wanted


def _is_changed(wanted: Any, before: Any, live: Any) -> bool:
    """Whether somebody gave a field another value, and nobody asks now for a change of it."""
    return live is not _MISSING and wanted == before and not _covers(live, wanted)


def _is_leaf(value: Any) -> bool:
    return not isinstance(value, Mapping) and not _is_named(value)


def _is_named(value: Any) -> bool:
    """Whether it is a list of things with names, such as containers and variables, each with an owner of its own."""
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) and "name" in one for one in value)


def _covers(live: Any, wanted: Any) -> bool:
    """Whether all that is wanted is so already; the server adds defaults."""
    if isinstance(wanted, Mapping):
        return isinstance(live, Mapping) and all(_covers(live.get(key, _MISSING), one) for key, one in wanted.items())
    if isinstance(wanted, list):
        is_like = isinstance(live, list) and len(live) == len(wanted)
        return is_like and all(_covers(one, other) for one, other in zip(live, wanted, strict=True))
    return bool(live == wanted)


def _part(value: Any, key: str) -> Any:
    return value.get(key, _MISSING) if isinstance(value, Mapping) else _MISSING


def _key_of(name: str) -> str:
    """How managedFields call the element of a list."""
    return "k:" + json.dumps({"name": name}, separators=(",", ":"))


def _merge(into: Object, fields: Mapping[str, Any]) -> None:
    for key, below in fields.items():
        _merge(into.setdefault(key, {}), below)


def _keep_container(container: Object, live: Mapping[str, Any] | None) -> None:
    """Resources as they are, as a whole: what was taken away on purpose is not put back. So are variables that say the
    share from elsewhere, which the settings read back can't tell.
    """
    if live is None:
        return
    container.pop("resources", None)
    if live.get("resources"):
        container["resources"] = live["resources"]
    names = {one["name"] for one in container["env"]}
    lost = [one for one in live.get("env") or [] if one["name"] in _OF_THE_SHARE and one["name"] not in names]
    container["env"] = [*container["env"], *lost]
