"""Whose an object is: this installation's, Helm's, or somebody else's. Only the first is ever changed or removed."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from berth.manifests.labels import INSTANCE, MANAGED_BY
from berth.operations.errors import Stopped
from berth.texts.text import Text

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
    """command: of helm, such as `uninstall`, whose last word is the release."""
    release, namespace = release_of(found)
    typed = f"helm {f'-n {shlex.quote(namespace)} ' if namespace else ''}{command} {shlex.quote(release)}"
    if command == "uninstall":
        return Stopped(
            Text(
                f"{kind} {key} was installed by Helm; remove it with `{typed}`",
                f"{kind} {key} 是用 Helm 安装的，请用 `{typed}` 卸载",
            )
        )
    return Stopped(
        Text(
            f"{kind} {key} was installed by Helm (release {release}), which would put back what is changed here: "
            f"change its values (`{typed}` shows them) and upgrade the release; for KubeSphere's extension, in the "
            f"extension center. Nothing was changed",
            f"{kind} {key} 是用 Helm 安装的（release {release}），在这里改动会被 Helm 改回："
            f"请修改它的 values（用 `{typed}` 查看）并升级该 release；KubeSphere 扩展组件请在扩展中心修改。"
            f"没有做任何改动",
        )
    )


def left_to_others(kind: str, key: str) -> Stopped:
    """For an object of a name that is wanted, which somebody else made."""
    return Stopped(
        Text(
            f"there is a {kind} {key} already that `berth install` did not make under this name, and it is left alone: "
            f"take another name with --name. Nothing was changed",
            f"已经有 {kind} {key}，它不是 `berth install` 以此名称创建的，不会改动它："
            f"请用 --name 换个名字。没有做任何改动",
        )
    )
