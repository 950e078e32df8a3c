"""Who provisions now: the Deployments of the reference provisioners, whatever they are called, and those of Berth.

A Deployment is one of theirs by its environment, PROVISIONER_NAME with NFS_SERVER and NFS_PATH, which all releases need
and which both charts set. Its image only says which release it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from berth.operations.takeover.remark import Remark
from berth.settings.controller import PROVISIONERS
from berth.texts.text import Text
from berth.volumes.errors import Refused
from berth.volumes.parameters import parse_export, parse_server
from berth.volumes.share import ShareAddress

REPLICAS_BEFORE = "berth.io/replicas-before"
TAKEN_OVER_BY = "berth.io/taken-over-by"
"""Annotations of an old Deployment: how many pods it had, and which Berth (namespace/name) serves now."""

KINDS = ("nfs-client-provisioner", "nfs-subdir-external-provisioner")
_ENVIRONMENT = ("PROVISIONER_NAME", "NFS_SERVER", "NFS_PATH")
_SELF_LINK_SINCE = (1, 20)
_NEEDS_SELF_LINK = re.compile(r"external_storage/nfs-client-provisioner|nfs-client-provisioner:(v[123]\b|latest$)")
_KEEPERS = {
    "argocd.argoproj.io/instance": "Argo CD",
    "argocd.argoproj.io/tracking-id": "Argo CD",
    "kustomize.toolkit.fluxcd.io/name": "Flux",
    "helm.toolkit.fluxcd.io/name": "Flux",
}
"""What makes a Deployment what git says, again and again, by the labels and annotations that it leaves."""


@dataclass(frozen=True, slots=True)
class OldProvisioner:
    """One Deployment of a reference provisioner."""

    namespace: str
    name: str
    provisioners: tuple[str, ...]
    share: ShareAddress
    image: str
    account: str
    replicas: int
    before: int | None
    """How many pods it had before it was taken over; None: it was not."""
    taken_by: str
    """`namespace/name` of the installation that took over; empty: none."""
    selector: str
    """Of its pods."""
    kept_by: str
    """What would scale it up again: `Argo CD`, `Flux`, or empty."""

    @property
    def key(self) -> str:
        """As a person types it."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Berth:
    """One Deployment of Berth."""

    namespace: str
    name: str
    provisioners: tuple[str, ...]
    server: str
    export: str
    replicas: int
    ready: int
    """How many of its pods are."""

    @property
    def key(self) -> str:
        """As a person types it."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Found:
    """All that provision, and what could not be made sense of."""

    old: tuple[OldProvisioner, ...]
    berths: tuple[Berth, ...]
    unclear: tuple[Remark, ...]


def find(deployments: Iterable[Mapping[str, Any]], kubernetes: tuple[int, int]) -> Found:
    """Sorts the cluster's Deployments, as the API server's JSON has them."""
    old, berths, unclear = [], [], []
    for one in deployments:
        container, environment = _provisioning_container(one)
        if container is None:
            continue
        if _is_berth(one, container):
            berths.append(_berth(one, environment))
            continue
        if not any(kind in container.get("image", "") for kind in KINDS) and not all(
            name in environment for name in _ENVIRONMENT
        ):
            continue  # another provisioner that calls its variable alike
        try:
            old.append(_old(one, container, environment))
        except Refused as refusal:
            unclear.append(_unclear(one, refusal))
            continue
        if kubernetes >= _SELF_LINK_SINCE and _NEEDS_SELF_LINK.search(old[-1].image):
            unclear.append(_too_old(old[-1], kubernetes))
        if old[-1].kept_by:
            unclear.append(_kept(old[-1]))
    return Found(tuple(sorted(old, key=lambda one: one.key)), tuple(berths), tuple(unclear))


def _provisioning_container(deployment: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, dict[str, str | None]]:
    """The container that has PROVISIONER_NAME, and its environment; None for what is not written down in it."""
    for container in deployment["spec"]["template"]["spec"].get("containers") or ():
        environment = {one["name"]: None if "valueFrom" in one else one.get("value", "")
                       for one in container.get("env") or ()}  # fmt: skip
        if "PROVISIONER_NAME" in environment:
            return container, environment
    return None, {}


def _is_berth(deployment: Mapping[str, Any], container: Mapping[str, Any]) -> bool:
    image = container.get("image", "").partition("@")[0].rpartition("/")[2].partition(":")[0]
    labels = deployment["metadata"].get("labels") or {}
    return image == "berth" or labels.get("app.kubernetes.io/name") == "berth"


def _berth(deployment: Mapping[str, Any], environment: Mapping[str, str | None]) -> Berth:
    metadata = deployment["metadata"]
    names = (environment.get("PROVISIONER_NAME") or "").split(",")
    return Berth(
        namespace=metadata["namespace"],
        name=metadata["name"],
        provisioners=tuple(name.strip() for name in names if name.strip()),
        server=environment.get("NFS_SERVER") or "",
        export=environment.get("NFS_PATH") or "",
        replicas=deployment["spec"].get("replicas", 1),
        ready=(deployment.get("status") or {}).get("readyReplicas", 0),
    )


def _old(
    deployment: Mapping[str, Any], container: Mapping[str, Any], environment: Mapping[str, str | None]
) -> OldProvisioner:
    """Refused, naming the variable that makes no sense."""
    metadata, spec = deployment["metadata"], deployment["spec"]
    values = {}
    for name in _ENVIRONMENT:
        value = environment.get(name)
        if not value:
            raise Refused(name, "comes from elsewhere, not from the Deployment" if value is None else "is empty")
        values[name] = value
    try:
        provisioners = PROVISIONERS.parse(values["PROVISIONER_NAME"])
    except ValueError as error:
        raise Refused("PROVISIONER_NAME", str(error)) from None
    annotations = metadata.get("annotations") or {}
    before = annotations.get(REPLICAS_BEFORE, "")
    return OldProvisioner(
        namespace=metadata["namespace"],
        name=metadata["name"],
        provisioners=provisioners,
        share=ShareAddress(
            parse_server(values["NFS_SERVER"], "NFS_SERVER"), parse_export(values["NFS_PATH"], "NFS_PATH")
        ),
        image=container.get("image", ""),
        account=spec["template"]["spec"].get("serviceAccountName", "default"),
        replicas=spec.get("replicas", 1),
        before=int(before) if before.isascii() and before.isdigit() else None,
        taken_by=annotations.get(TAKEN_OVER_BY, ""),
        selector=_selector(spec["selector"]),
        kept_by=next(
            (who for key, who in _KEEPERS.items() if key in annotations or key in (metadata.get("labels") or {})), ""
        ),
    )


def _selector(selector: Mapping[str, Any]) -> str:
    """A Deployment's selector as a query."""
    terms = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    for one in selector.get("matchExpressions") or ():
        key, values = one["key"], ",".join(one.get("values") or ())
        operator = one["operator"]
        terms.append({"Exists": key, "DoesNotExist": f"!{key}"}.get(operator) or f"{key} {operator.lower()} ({values})")
    return ",".join(terms)


def _unclear(deployment: Mapping[str, Any], refusal: Refused) -> Remark:
    key = f"{deployment['metadata']['namespace']}/{deployment['metadata']['name']}"
    return Remark(
        "provisioner-unclear",
        "warning",
        f"deployment {key}",
        Text(
            f"it looks like a reference provisioner, but its environment can't be read: {refusal}",
            f"看起来是参考供应器，但无法读出它的环境变量：{refusal}",
        ),
        Text(
            "it is left alone; write PROVISIONER_NAME, NFS_SERVER and NFS_PATH as plain values into the Deployment, "
            "then it can be taken over",
            "不会动它；请在 Deployment 中直接写明 PROVISIONER_NAME、NFS_SERVER 和 NFS_PATH 的值，之后即可接管",
        ),
    )


def _too_old(old: OldProvisioner, kubernetes: tuple[int, int]) -> Remark:
    release = f"{kubernetes[0]}.{kubernetes[1]}"
    return Remark(
        "provisioner-too-old",
        "note",
        f"deployment {old.key}",
        Text(
            f"its image {old.image} needs selfLink, which Kubernetes 1.20 and newer no longer set (this is {release}), "
            f"so its new claims wait",
            f"镜像 {old.image} 依赖 selfLink，而 Kubernetes 1.20 起不再提供（当前为 {release}），因此新的 PVC 一直等待",
        ),
        Text("Berth serves them after the take-over", "接管之后由 Berth 供应"),
    )


def _kept(old: OldProvisioner) -> Remark:
    return Remark(
        "provisioner-kept-by-gitops",
        "warning",
        f"deployment {old.key}",
        Text(
            f"{old.kept_by} manages it and would scale it up again, beside Berth",
            f"它由 {old.kept_by} 管理，缩容之后会被恢复，与 Berth 同时运行",
        ),
        Text(
            f"set replicas to 0 in git, or pause {old.kept_by} for it, before `berth takeover apply`",
            f"在执行 `berth takeover apply` 之前，先在 git 中把 replicas 设为 0，或暂停 {old.kept_by} 对它的同步",
        ),
    )
