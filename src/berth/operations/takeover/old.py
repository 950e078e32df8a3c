"""Who provisions now: the reference provisioners, whatever they are called, and the installations of Berth.

A workload is one of the reference's by its environment, PROVISIONER_NAME with NFS_SERVER and NFS_PATH, which all
releases need and which both charts set. Its image only says which release it is. What is no Deployment, can't be read
or is not trusted is named, and left alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from berth.findings.finding import Finding
from berth.objects.containers import sources_of
from berth.objects.provisioners import Provisioner
from berth.objects.provisioning import (
    EXPORT,
    NAME,
    READY_BEFORE,
    REFERENCE,
    REPLICAS_BEFORE,
    SERVER,
    Provisioning,
)
from berth.objects.trust import Trust
from berth.operations.takeover.candidates import Candidate, Candidates, provisioner_of
from berth.operations.takeover.strangers import (
    Other,
    about_old,
    is_of_nfs,
    left_alone,
    not_looked_at,
    untrusted,
    why_not,
)
from berth.settings.controller import PROVISIONERS
from berth.texts.text import Text
from berth.texts.visible import fact
from berth.volumes.errors import Refused
from berth.volumes.parameters import parse_export, parse_server
from berth.volumes.share import ShareAddress

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
    ready: int
    """How many of its pods are."""
    before: int | None
    """How many pods it had before it was taken over; None: it was not."""
    ready_before: int | None
    """How many of those were ready; None: that was not written down."""
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

    @property
    def is_down(self) -> bool:
        """Whether a take-over has scaled it down."""
        return bool(self.taken_by) and self.replicas == 0

    @property
    def is_idle(self) -> bool:
        """Whether it has no pods, and no take-over is why: it does nothing."""
        return self.replicas == 0 and not self.ready and not self.taken_by


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
    image: str = ""

    @property
    def key(self) -> str:
        """As a person types it."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class FoundProvisioners:
    """All that provision and are trusted, and what was found beside them."""

    old: tuple[OldProvisioner, ...]
    berths: tuple[Berth, ...]
    unclear: tuple[Finding, ...]
    others: tuple[Other, ...] = ()
    """What provisions, or could, is trusted, and is left alone."""
    not_trusted: frozenset[str] = frozenset()
    """Deployments that look like Berth's or a provisioner's, and whose word counts for nothing."""


def find_provisioners(candidates: Candidates, kubernetes: tuple[int, int], trust: Trust) -> FoundProvisioners:
    """Sorts a cluster's workloads."""
    old: list[OldProvisioner] = []
    berths: list[Berth] = []
    findings: list[Finding] = []
    others: list[Other] = []
    strangers: set[str] = set()
    for one in candidates.workloads:
        made = provisioner_of(one, candidates)
        why = why_not(one, trust)
        if made is None or (why is not None and all(each.hint == "mount" for each in made.containers)):
            continue  # an application, whatever it mounts: it can provision nothing
        containers, main = made.containers, made.main
        is_berth = _is_berth(one, main)
        reason = None if is_berth else _why_left_alone(one, containers)
        if why is not None:
            if main.kind in ("reference", "berth") or is_of_nfs(one, _names(containers)):
                strangers.add(one.key)
                findings.append(untrusted(one, _names(containers), why, reason or _told_elsewhere(one, main)))
        elif is_berth and one.kind == "Deployment":
            berths.append(_berth(made))
        elif reason is not None or is_berth:
            others.append(Other(one, _names(containers), main.kind, reason))
            findings += left_alone(others[-1])
        else:
            old.append(_old(one, made))
            findings += about_old(one.about, old[-1].image, old[-1].kept_by, kubernetes)
    findings += not_looked_at(candidates.unseen)
    in_order = tuple(sorted(old, key=lambda one: one.key))
    return FoundProvisioners(in_order, tuple(berths), tuple(findings), tuple(others), frozenset(strangers))


def _names(containers: Sequence[Provisioning]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for each in containers for name in each.names))


def _is_berth(one: Candidate, main: Provisioning) -> bool:
    labels = one.manifest["metadata"].get("labels") or {}
    return main.kind == "berth" or labels.get("app.kubernetes.io/name") == "berth"


def _why_left_alone(one: Candidate, containers: Sequence[Provisioning]) -> Text | None:
    """Why a workload can't be taken over; None when it can."""
    at_work = [each for each in containers if not each.is_init]
    if len(at_work) > 1:
        names = ", ".join(each.container.name for each in at_work)
        return Text(
            f"several of its containers provision, or could ({names})", f"它有多个容器在服务或可能在服务（{names}）"
        )
    if not at_work:
        name = containers[0].container.name
        return Text(
            f"an init container ({name}) has a provisioner's settings", f"带有制备器设置的是 init 容器（{name}）"
        )
    try:
        _settings(at_work[0])
    except Refused as refusal:
        told = fact(str(refusal))
        return Text(f"its environment can't be read: {told}", f"无法读出它的环境变量：{told}")
    if one.kind != "Deployment":
        return Text(
            f"it is a {one.kind}, and a take-over moves Deployments only", f"它是 {one.kind}，接管只处理 Deployment"
        )
    return None


def _told_elsewhere(one: Candidate, main: Provisioning) -> Text | None:
    """That a workload is told its settings by other objects; None when they are written in it."""
    sources = ", ".join(map(str, sources_of(main.container, one.namespace)))
    return Text(f"its settings come from {sources}", f"它的设置来自 {sources}") if sources else None


def _settings(main: Provisioning) -> tuple[tuple[str, ...], ShareAddress]:
    """Names and share. Refused, naming the variable that makes no sense."""
    environment = main.environment
    if main.why:
        raise Refused(NAME, f"comes from elsewhere, not from the Deployment: {main.why}")
    for name in REFERENCE:
        value, why = environment.get(name), environment.why_unknown(name)
        if not value:
            raise Refused(name, f"comes from elsewhere, not from the Deployment: {why}" if why else "is empty")
    try:
        provisioners = PROVISIONERS.parse(environment.get(NAME))
    except ValueError as error:
        raise Refused(NAME, str(error)) from None
    server, export = parse_server(main.server, SERVER), parse_export(main.export, EXPORT)
    return provisioners, ShareAddress(server, export)


def _berth(made: Provisioner) -> Berth:
    return Berth(
        namespace=made.namespace,
        name=made.name,
        provisioners=made.names,
        server=made.server,
        export=made.export,
        replicas=made.replicas,
        ready=made.ready,
        image=made.image,
    )


def _old(one: Candidate, made: Provisioner) -> OldProvisioner:
    provisioners, share = _settings(made.main)
    metadata = one.manifest["metadata"]
    annotations, labels = metadata.get("annotations") or {}, metadata.get("labels") or {}
    return OldProvisioner(
        namespace=one.namespace,
        name=one.name,
        provisioners=provisioners,
        share=share,
        image=made.image,
        account=one.account,
        replicas=made.replicas,
        ready=made.ready,
        before=_count(annotations.get(REPLICAS_BEFORE, "")),
        ready_before=_count(annotations.get(READY_BEFORE, "")),
        taken_by=made.taken_by,
        selector=_selector(one.manifest["spec"]["selector"]),
        kept_by=next((who for key, who in _KEEPERS.items() if key in annotations or key in labels), ""),
    )


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _selector(selector: Mapping[str, Any]) -> str:
    """A Deployment's selector as a query."""
    terms = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    for one in selector.get("matchExpressions") or ():
        key, values = one["key"], ",".join(one.get("values") or ())
        operator = one["operator"]
        terms.append({"Exists": key, "DoesNotExist": f"!{key}"}.get(operator) or f"{key} {operator.lower()} ({values})")
    return ",".join(terms)
