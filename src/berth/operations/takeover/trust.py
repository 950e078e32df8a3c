"""Whose word counts. Whoever may make Deployments in some namespace can call one anything: a name, an image or a label
proves nothing. What an administrator named is trusted, and what runs under an account that a binding for the whole
cluster lets provision: only an administrator can have made that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from berth.kube.errors import KubeError
from berth.kube.manifest import ManifestApi
from berth.kube.permissions import Right
from berth.operations.takeover.candidates import Candidate, Candidates, provisioning_of
from berth.texts.text import Text

_NEEDED = (Right("list", "", "persistentvolumeclaims"), Right("create", "", "persistentvolumes"))
"""Without these nobody provisions anything."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What is known of the accounts that were asked about."""

    named: frozenset[str] = frozenset()
    """Workloads, `namespace/name`, that the administrator named."""
    rights: Mapping[str, bool] = field(default_factory=dict)
    """Whether an account, `namespace/name`, may provision; one that is not in here could not be asked about."""

    def why_not(self, one: Candidate) -> Text | None:
        """Why a workload is not trusted; None when it is."""
        account = f"{one.namespace}/{one.account}"
        if one.key in self.named or self.rights.get(account):
            return None
        if account not in self.rights:
            return Text(
                f"not trusted, because nobody could be asked what its account {account} may do",
                f"不受信任，因为无法查询其账号 {account} 的权限",
            )
        return Text(
            f"not trusted, because its account {account} has no binding for the whole cluster that lets it make PVs: "
            f"it can provision nothing, and whoever may make workloads in {one.namespace} may have made it",
            f"不受信任，因为其账号 {account} 没有可创建 PV 的集群级绑定：它无法供应任何卷，"
            f"凡能在 {one.namespace} 中创建工作负载的人都可能是它的作者",
        )


async def ask_trust(api: ManifestApi, candidates: Candidates, named: frozenset[str]) -> Trust:
    """Asks the API server what the accounts of those that could be provisioners may do.

    named: workloads, `namespace/name`, whose word counts in any case.
    """
    accounts = {f"{one.namespace}/{one.account}" for one in candidates.workloads if provisioning_of(one, candidates)}
    rights: dict[str, bool] = {}

    async def ask(account: str) -> None:
        try:
            given = [await api.may(one, namespace="", account=account, by_name=True) for one in _NEEDED]
        except KubeError:
            return  # we may not ask: then only what was named is trusted
        rights[account] = all(given)

    await asyncio.gather(*(ask(account) for account in accounts))
    return Trust(named, rights)
