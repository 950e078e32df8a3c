"""Which accounts are those of provisioners by more than their own word.

Whoever may make a Deployment in a namespace can give it any name, image and provisioner's name: that proves nothing.
What only an administrator can have made proves it: a ClusterRoleBinding that names the account, and is Berth's own or
lets the account write PVs. And an account that the administrator named to the doctor is trusted on his word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from berth.doctor.cluster import roles
from berth.doctor.cluster.served import Served
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.known import find
from berth.findings.finding import Finding, Subject

_WRITES = {"create", "delete", "patch", "update", "*"}
_NAME, _BERTH = "app.kubernetes.io/name", "berth"
_USER = "system:serviceaccount:"


def proven(bindings: Iterable[roles.ClusterRoleBinding], given: Iterable[roles.ClusterRole]) -> frozenset[str]:
    """The accounts, `namespace/name`, that bindings for the whole cluster prove to be provisioners'."""
    role_of = {each.name: each for each in given}
    return frozenset(
        account
        for binding in bindings
        if _is_proof(binding, role_of)
        for subject in binding.subjects or ()
        if (account := _account(subject))
    )


def judge_trust(snapshot: Snapshot, served: Served) -> Iterator[Finding]:
    """Those that call themselves provisioners, for which nothing speaks but that."""
    used = {each.provisioner for each in snapshot.classes}
    for each in served.provisioners:
        names = [name for name in each.names if name in used or each.flavour == "berth"]
        counts = each.replicas or each.pods or any(name in used - served.names for name in names)
        if names and counts and snapshot.distrusts(each.account):
            yield find(
                "provisioner-untrusted",
                Subject("workload", each.key),
                names=names,
                account=each.account.replace("/", ":"),
                ref=each.ref,
            )


def image_of(served: Served, snapshot: Snapshot) -> str:
    """The image of a Berth that runs and is trusted; empty where none is."""
    trusted = (each for each in served.provisioners if each.flavour == "berth" and each.is_ready)
    return next((each.image for each in trusted if snapshot.trusts(each.account)), "")


def _is_proof(binding: roles.ClusterRoleBinding, role_of: Mapping[str, roles.ClusterRole]) -> bool:
    if (binding.metadata.labels or {}).get(_NAME) == _BERTH:
        return True
    role = role_of.get(binding.roleRef.name)
    return role is not None and any(_writes_volumes(rule) for rule in role.rules or ())


def _writes_volumes(rule: roles.Rule) -> bool:
    return (
        bool({"", "*"} & set(rule.apiGroups or ()))
        and bool({"persistentvolumes", "*"} & set(rule.resources or ()))
        and bool(_WRITES & set(rule.verbs or ()))
        and not rule.resourceNames
    )


def _account(subject: roles.RoleSubject) -> str:
    if subject.kind == "ServiceAccount" and subject.namespace:
        return f"{subject.namespace}/{subject.name}"
    if subject.kind == "User" and subject.name.startswith(_USER):
        return subject.name.removeprefix(_USER).replace(":", "/", 1)
    return ""
