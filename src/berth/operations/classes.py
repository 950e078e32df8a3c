"""Classes of a cluster: which one is the default, and whether a new one would fit in beside what is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from berth.findings.finding import Subject
from berth.kube.errors import NotFound
from berth.kube.manifest import Manifest, ManifestApi, place, place_of
from berth.manifests.classes import CONSOLE, DEFAULT_KEYS
from berth.manifests.labels import labels
from berth.operations.asked import ClassAsked
from berth.operations.errors import Stopped
from berth.operations.findings import find
from berth.settings.install import InstallSettings
from berth.texts.text import Text

_API = "storage.k8s.io/v1"
_MANAGER = "berth-class-default"
"""Not install's: what was set by hand stays when Berth is installed again."""
_FIXED = ("provisioner", "parameters", "reclaimPolicy", "mountOptions", "volumeBindingMode")
"""What Kubernetes lets nobody change in a class."""


@dataclass(frozen=True, slots=True)
class DefaultClass:
    """The one default class, and those that were it until now."""

    name: str
    was_default: bool
    unset: tuple[str, ...]


async def set_default_class(api: ManifestApi, name: str) -> DefaultClass:
    """Makes one class the default under both keys, and no other. Repeatable. Stopped when there is no such class.

    First the new one, then the others: in between there are two, of which Kubernetes takes the newest; with none,
    claims that name no class would stay without.
    """
    classes = {one["metadata"]["name"]: one for one in (await api.read(place(_API, "StorageClass")))["items"]}
    if name not in classes:
        known = ", ".join(sorted(classes))
        raise Stopped(
            Text(
                f"there is no class {name}" + (f"; there are {known}" if known else ", nor any other"),
                f"没有名为 {name} 的 StorageClass"
                + (f"，现有 {known}" if known else "，集群里还没有任何 StorageClass"),
            ),
            Subject("class", name),
        )
    annotations = _annotations(classes[name])
    was_default = all(annotations.get(key) == "true" for key in DEFAULT_KEYS)
    if not was_default:
        await api.merge(place(_API, "StorageClass", name), _default("true"), manager=_MANAGER)
    unset = []
    for other in sorted(set(classes) - {name}):
        if is_default(classes[other]):
            await api.merge(place(_API, "StorageClass", other), _default("false"), manager=_MANAGER)
            unset.append(other)
    return DefaultClass(name, was_default, tuple(unset))


def is_default(found: Manifest) -> bool:
    """Whether a class is a default under one key or the other."""
    return any(_annotations(found).get(key) == "true" for key in DEFAULT_KEYS)


async def other_defaults(api: ManifestApi, names: set[str]) -> list[str]:
    """The default classes that are none of these."""
    classes = (await api.read(place(_API, "StorageClass")))["items"]
    return sorted(
        one["metadata"]["name"] for one in classes if one["metadata"]["name"] not in names and is_default(one)
    )


def class_as_it_is(settings: InstallSettings, live: Manifest, asked: ClassAsked) -> dict[str, Any]:
    """A class of the installation as it stands, with what was asked for in the place of what it says; its labels and
    what the console reads are those of this version. Whether it is the default is no part of it.
    """
    notes = {key: value for key, value in _annotations(live).items() if key in DEFAULT_KEYS}
    metadata = {"name": live["metadata"]["name"], "labels": labels(settings), "annotations": {**CONSOLE, **notes}}
    said: dict[str, Any] = {key: live[key] for key in (*_FIXED, "allowVolumeExpansion") if key in live}
    if asked.parameters:
        said["parameters"] = {**(live.get("parameters") or {}), **asked.parameters}
    if asked.mount_options:
        said["mountOptions"] = list(asked.mount_options)
    if asked.reclaim_policy:
        said["reclaimPolicy"] = asked.reclaim_policy
    return {"apiVersion": _API, "kind": "StorageClass", "metadata": metadata, **said}


async def check_class_fits(api: ManifestApi, wanted: Manifest) -> None:
    """Stopped when a class of that name is there and differs in what can't be changed."""
    try:
        present = await api.read(place_of(wanted))
    except NotFound:
        return
    name = wanted["metadata"]["name"]
    for field in _FIXED:
        if (present.get(field) or None) != (wanted.get(field) or None):
            there, here = _shown(present.get(field)), _shown(wanted.get(field))
            raise Stopped(find("class-differs", Subject("class", name), field=field, there=there, here=here))


def _annotations(of_class: Manifest) -> dict[str, str]:
    return of_class["metadata"].get("annotations") or {}


def _default(value: str) -> dict[str, Any]:
    return {"metadata": {"annotations": dict.fromkeys(DEFAULT_KEYS, value)}}


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={text}" for key, text in sorted(value.items())) or "-"
    return ",".join(value) if isinstance(value, list) else str(value or "-")
