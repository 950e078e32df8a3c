"""Whose word counts. Whoever may make Deployments in some namespace can call one anything: a name, an image or a label
proves nothing.

What an administrator named is trusted, and what runs under an account to which only an administrator can have given
what it has: by ClusterRoleBindings, to itself or to all accounts of its namespace. What every account of the cluster
may do proves nothing either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from berth.kube.permissions import Right
from berth.objects.roles import ClusterRole, ClusterRoleBinding, RoleSubject, Rule

Grade = Literal["meant", "able"]
"""meant: it may write PVs, or Berth's own binding names it; something may be missing. able: it can provision."""

_PROVISIONS = frozenset({Right("list", "", "persistentvolumeclaims"), Right("create", "", "persistentvolumes")})
"""Without these nobody provisions anything."""
_WRITES = frozenset(Right(verb, "", "persistentvolumes") for verb in ("create", "delete", "patch", "update"))
_NAME, _BERTH = "app.kubernetes.io/name", "berth"
_USER, _GROUP = "system:serviceaccount:", "system:serviceaccounts:"
_ALL = "*"


@dataclass(frozen=True, slots=True)
class Trust:
    """What is known of the accounts of a cluster; each is called `namespace/name`."""

    proven: frozenset[str] | None = None
    """Accounts, or `namespace/*` for all of one, for which bindings speak: see proven(). None: nobody knows."""
    accounts: frozenset[str] = frozenset()
    """Accounts that the administrator named."""
    workloads: frozenset[str] = frozenset()
    """Workloads, `namespace/name`, that he named."""

    def trusts(self, account: str, *, workload: str = "") -> bool:
        """Whether more than its own word speaks for an account, or for a workload that runs under it."""
        everyone = f"{account.partition('/')[0]}/{_ALL}"
        is_proven = self.proven is not None and not self.proven.isdisjoint((account, everyone))
        return is_proven or account in self.accounts or workload in self.workloads

    def distrusts(self, account: str) -> bool:
        """Whether it is known that nothing does."""
        return self.proven is not None and not self.trusts(account)


def proven(bindings: Iterable[ClusterRoleBinding], roles: Iterable[ClusterRole], grade: Grade) -> frozenset[str]:
    """The accounts that bindings for the whole cluster prove to be provisioners' to that grade, as Trust has them."""
    rights_of = {role.name: _rights(role) for role in roles}
    given: defaultdict[str, set[Right]] = defaultdict(set)
    for binding in bindings:
        is_meant = grade == "meant" and (binding.metadata.labels or {}).get(_NAME) == _BERTH
        rights = rights_of.get(binding.roleRef.name, frozenset())
        for subject in binding.subjects or ():
            given[_account(subject)] |= _WRITES if is_meant and subject.kind != "Group" else rights
    given.pop("", None)
    return frozenset(
        account
        for account, has in given.items()
        if _is_enough(has | given.get(f"{account.partition('/')[0]}/{_ALL}", set()), grade)
    )


def _is_enough(rights: set[Right], grade: Grade) -> bool:
    return rights >= _PROVISIONS if grade == "able" else not _WRITES.isdisjoint(rights)


def _rights(role: ClusterRole) -> frozenset[Right]:
    return frozenset(right for right in _PROVISIONS | _WRITES if any(_gives(rule, right) for rule in role.rules or ()))


def _gives(rule: Rule, right: Right) -> bool:
    asked = ((rule.apiGroups, right.group), (rule.resources, right.resource), (rule.verbs, right.verb))
    return not rule.resourceNames and all({"*", one} & set(given or ()) for given, one in asked)


def _account(subject: RoleSubject) -> str:
    """Of whom a binding speaks; empty for who is no account, and for all of the cluster's."""
    if subject.kind == "ServiceAccount" and subject.namespace:
        return f"{subject.namespace}/{subject.name}"
    if subject.kind == "User" and subject.name.startswith(_USER) and not subject.name.endswith(_ALL):
        return subject.name.removeprefix(_USER).replace(":", "/", 1)
    if subject.kind == "Group" and subject.name.startswith(_GROUP):
        return f"{subject.name.removeprefix(_GROUP)}/{_ALL}"
    return ""
