"""Whose an object is: this installation's, Helm's, or somebody else's. Only the first is ever changed or removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from berth.manifests.labels import INSTANCE, MANAGED_BY
from berth.operations.errors import Stopped
from berth.operations.findings import find
from berth.texts.command import Shell, word

_RELEASE = "meta.helm.sh/release-name"
_RELEASE_NAMESPACE = "meta.helm.sh/release-namespace"


def is_own(found: Mapping[str, Any], name: str) -> bool:
    """Whether its labels say that the installation of that name made it."""
    labels = found["metadata"].get("labels") or {}
    return (labels.get(MANAGED_BY), labels.get(INSTANCE)) == ("berth", name)


def is_helms(found: Mapping[str, Any]) -> bool:
    """Whether Helm made it, called by hand or by KubeSphere's extensions: it puts back what others change."""
    metadata = found["metadata"]
    return (metadata.get("labels") or {}).get(MANAGED_BY) == "Helm" or _RELEASE in (metadata.get("annotations") or {})


def release_of(found: Mapping[str, Any]) -> tuple[str, str]:
    """Helm's release that an object belongs to, and its namespace, as far as the object says so."""
    metadata = found["metadata"]
    notes, labels = metadata.get("annotations") or {}, metadata.get("labels") or {}
    release = notes.get(_RELEASE) or labels.get(INSTANCE) or metadata["name"]
    return release, notes.get(_RELEASE_NAMESPACE) or metadata.get("namespace", "")


def left_to_helm(kind: str, key: str, found: Mapping[str, Any], command: str) -> Stopped:
    """command: of helm, `uninstall` or `get values`, whose last word is the release."""
    release, namespace = release_of(found)
    options = Shell(f"-n {word(namespace)} ") if namespace else ""
    return Stopped(
        find(
            "installed-by-helm",
            variant="uninstall" if command == "uninstall" else "change",
            kind=kind,
            key=key,
            release=release,
            command=Shell(f"{options}{command}"),
        )
    )


def left_to_others(kind: str, key: str) -> Stopped:
    """For an object of a name that is wanted, which somebody else made."""
    return Stopped(find("object-of-others", kind=kind, key=key))
