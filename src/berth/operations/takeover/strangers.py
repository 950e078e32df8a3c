"""What is said of workloads that provision, or could, and are not taken over; and of old provisioners themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from berth.findings.finding import Finding, Subject
from berth.objects.provisioning import ProvisionerKind, needs_self_link
from berth.objects.trust import Trust
from berth.operations.takeover.candidates import Candidate
from berth.operations.takeover.findings import find
from berth.texts.text import Text

_SELF_LINK_SINCE = (1, 20)
_SCALED = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController")
_NFS = re.compile(r"nfs", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Other:
    """A workload that provisions, or could, and is left alone. Trusted: its word counts."""

    workload: Candidate
    provisioners: tuple[str, ...]
    """As far as they are known."""
    kind: ProvisionerKind
    why: Text | None
    """Why it is left alone; None for a Berth that is no Deployment."""

    @property
    def is_scaled(self) -> bool:
        """Whether a command ends its pods without harm."""
        return self.workload.kind in _SCALED


def why_not(one: Candidate, trust: Trust) -> Text | None:
    """Why a workload is not trusted; None when it is."""
    account = f"{one.namespace}/{one.account}"
    if trust.trusts(account, workload=one.key):
        return None
    if trust.proven is None:
        return Text(
            f"not trusted, because nobody could be asked what its account {account} may do",
            f"不受信任，因为无法查询其账号 {account} 的权限",
        )
    return Text(
        f"not trusted, because its account {account} has no binding for the whole cluster that lets it make PVs: "
        f"it can provision nothing, and whoever may make workloads in {one.namespace} may have made it",
        f"不受信任，因为其账号 {account} 没有可创建 PV 的集群级绑定：它无法制备任何卷，"
        f"凡能在 {one.namespace} 中创建工作负载的人都可能是它的作者",
    )


def untrusted(one: Candidate, names: tuple[str, ...], reason: Text, unfit: Text | None) -> Finding:
    """A workload whose word counts for nothing. unfit: why it could not be taken over in any case."""
    return find(
        "provisioner-not-trusted" if unfit is None else "provisioner-unclear",
        one.about,
        variant={"named": names, "nameless": not names, "deployment": one.kind == "Deployment"},
        kind=one.kind.lower(),
        names=names,
        reason=reason,
        unfit=unfit,
    )


def left_alone(one: Other) -> Iterator[Finding]:
    """A workload that provisions, or could, and can't be taken over."""
    about, kind = one.workload.about, one.workload.kind.lower()
    if one.kind == "reference" and one.why is not None:
        yield find("provisioner-unclear", about, variant="reference", kind=kind, unfit=one.why)
    elif one.provisioners and is_of_nfs(one.workload, one.provisioners):
        yield find("provisioner-other", about, kind=kind, names=one.provisioners)


def is_of_nfs(one: Candidate, names: tuple[str, ...]) -> bool:
    """Whether a provisioner of whatever kind has to do with NFS, as far as its names tell."""
    spec = one.template.spec
    words = (*names, *(each.image for each in spec.containers), *(each.name for each in spec.containers))
    return any(_NFS.search(word) for word in words) or bool(spec.nfs_volumes)


def about_old(about: Subject, image: str, kept_by: str, kubernetes: tuple[int, int]) -> Iterator[Finding]:
    """What one should know of an old provisioner, whatever its share and its classes."""
    if kubernetes >= _SELF_LINK_SINCE and needs_self_link(image):
        yield find("provisioner-too-old", about, image=image, release=".".join(map(str, kubernetes)))
    if kept_by:
        yield find("provisioner-kept-by-gitops", about, manager=kept_by)


def not_looked_at(kinds: tuple[str, ...]) -> Iterator[Finding]:
    """Kinds among which there may be provisioners, and which we may not list."""
    if kinds:
        yield find("workloads-unseen", Subject("cluster", ""), kinds=[f"{one}s" for one in kinds])
