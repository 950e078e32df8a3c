"""What somebody changed by hand stays: fields that another than the installer said last are not applied.

Server-side apply knows who said each field last (metadata.managedFields). A field of ours that stands as it was applied
may be brought up to date; one that somebody else has changed since is his, and leaving it out leaves it to him. Rights
are not kept so: those that the code declares are the ones it needs, no more and none fewer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from berth.kube.manifest import Manifest
from berth.operations.apply import MANAGER
from berth.operations.fields import Fields, below, fields_of_only, is_named, is_whole, of_element

INSTALLERS = (MANAGER, "kubectl", "kubectl-client-side-apply", "kubectl-create", "before-first-apply")
"""Who applies what `berth install` made or printed. Whoever changes a field in another way has another name."""
RIGHTS = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
_OF_THE_SHARE = ("NFS_SERVER", "NFS_PATH")
_IDENTITY = ("name", "apiVersion", "kind", "namespace")
_MISSING: Any = object()


def kept(wanted: Manifest, before: Manifest | None, live: Mapping[str, Any]) -> Manifest:
    """What to apply, so that nothing is lost that was changed by hand.

    before: what would have been applied with the settings as they are, so that what differs from it was asked for; None
    for an object that was not part of the installation.
    """
    if wanted["kind"] in RIGHTS:
        return dict(wanted)
    reduced: Manifest = _kept(wanted, wanted if before is None else before, live, fields_of_only(live, INSTALLERS))
    if wanted["kind"] == "Deployment":
        there = {one["name"]: one for one in live["spec"]["template"]["spec"]["containers"]}
        for container in reduced["spec"]["template"]["spec"]["containers"]:
            _keep_container(container, there.get(container["name"]))
    return reduced


def _kept(wanted: Any, before: Any, live: Any, said: Fields) -> Any:
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        kept = {}
        for key, value in wanted.items():
            one = _kept(value, _part(before, key), live.get(key, _MISSING), below(said, key) or {})
            is_said = is_whole(below(said, key)) or key in _IDENTITY
            if _is_leaf(value) and not is_said and _is_changed(value, _part(before, key), live.get(key, _MISSING)):
                continue
            if key == "value" and "valueFrom" in live and value == _part(before, key):
                continue  # the variable comes from a ConfigMap or Secret now
            kept[key] = one
        return kept
    if is_named(wanted) and isinstance(live, list):
        there = {one.get("name"): one for one in live}
        then = {one.get("name"): one for one in before} if is_named(before) else {}
        return [
            _kept(one, then.get(one["name"]), there.get(one["name"], _MISSING), of_element(said, one["name"]) or {})
            for one in wanted
        ]
    return wanted


def _is_changed(wanted: Any, before: Any, live: Any) -> bool:
    """Whether somebody gave a field another value, and nobody asks now for a change of it."""
    return live is not _MISSING and wanted == before and not _covers(live, wanted)


def _is_leaf(value: Any) -> bool:
    return not isinstance(value, Mapping) and not is_named(value)


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


def _keep_container(container: Manifest, live: Mapping[str, Any] | None) -> None:
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
