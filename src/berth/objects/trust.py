"""Whose word counts. Whoever may make Deployments in some namespace can call one anything: a name, an image or a label
proves nothing.

What an administrator named is trusted, and what runs under an account that only an administrator can have made a
provisioner's: one that ClusterRoleBindings, to itself or to all accounts of its namespace, let provision, or that
Berth's own binding names. What every account of the cluster may do proves nothing either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from berth.kube.permissions import Right
from berth.objects.roles import ClusterRole, ClusterRoleBinding, RoleSubject, Rule

_PROVISIONS = frozenset({Right("list", "", "persistentvolumeclaims"), Right("create", "", "persistentvolumes")})
"""Without these nobody provisions anything."""
_NAME, _BERTH = "app.kubernetes.io/name", "berth"
_USER, _GROUP = "system:serviceaccount:", "system:serviceaccounts:"
_ALL = "*"


@dataclass(frozen=True, slots=True)
class Trust:
    """What is known of the accounts of a cluster; each is called `namespace/name`."""

    proven: frozenset[str] | None = None
    """Accounts, or `namespace/*` for all of one, that are provisioners': see proven(). None: nobody knows."""
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


def proven(bindings: Iterable[ClusterRoleBinding], roles: Iterable[ClusterRole]) -> frozenset[str]:
    """The accounts that bindings for the whole cluster prove to be provisioners', as Trust has them."""
    rights_of = {role.name: _rights(role) for role in roles}
    given: defaultdict[str, set[Right]] = defaultdict(set)
    for binding in bindings:
        is_berths = (binding.metadata.labels or {}).get(_NAME) == _BERTH
        for subject in binding.subjects or ():
            account = _account(subject)
            # Berth's own binding names its accounts even where its role lacks something.
            whole = is_berths and not account.endswith(f"/{_ALL}")
            given[account] |= _PROVISIONS if whole else rights_of.get(binding.roleRef.name, frozenset())
    return frozenset(
        account
        for account, rights in given.items()
        if account and rights | given.get(f"{account.partition('/')[0]}/{_ALL}", set()) >= _PROVISIONS
    )


def _rights(role: ClusterRole) -> frozenset[Right]:
    return frozenset(right for right in _PROVISIONS if any(_gives(rule, right) for rule in role.rules or ()))


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
