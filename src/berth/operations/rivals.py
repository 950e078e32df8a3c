"""Who else answers to a provisioner's name. A Deployment that says so is believed only where bindings prove it: see
objects.trust.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from berth.findings.finding import Subject
from berth.kube.manifest import ManifestApi, place
from berth.objects.listing import read_proven
from berth.objects.trust import Trust
from berth.operations.errors import Stopped
from berth.operations.findings import find
from berth.operations.installation import names_of
from berth.operations.owner import is_helms, left_to_helm


@dataclass(frozen=True, slots=True)
class Rival:
    """A Deployment that answers to some of the names and is not scaled down."""

    key: str
    names: tuple[str, ...]
    """Those of the names that it answers to."""
    deployment: dict[str, Any]

    @property
    def is_berth(self) -> bool:
        """Whether it was installed as Berth, by whatever means."""
        labels = self.deployment["metadata"].get("labels") or {}
        return labels.get("app.kubernetes.io/name") == "berth" or labels.get("helm.sh/chart", "").startswith("berth-")


async def rivals(api: ManifestApi, names: Collection[str], *, but: str) -> list[Rival]:
    """Who answers to these names, but for the Deployment `namespace/name`."""
    found = []
    for one in (await api.read(place("apps/v1", "Deployment")))["items"]:
        key = f"{one['metadata']['namespace']}/{one['metadata']['name']}"
        shared = tuple(name for name in names_of(one) if name in names)
        if shared and key != but and one["spec"].get("replicas", 1):
            found.append(Rival(key, shared, one))
    if not found:
        return []
    trust = Trust(await read_proven(api, "meant"))
    return [one for one in found if trust.trusts(_account(one.deployment))]


async def check_no_second_berth(api: ManifestApi, names: Collection[str], *, but: str) -> None:
    """Stopped when another Berth serves one of the names: two would each provision every claim."""
    for one in await rivals(api, names, but=but):
        if not one.is_berth:
            continue
        if is_helms(one.deployment):
            raise left_to_helm("Deployment", one.key, one.deployment, "get values")
        raise Stopped(find("second-berth", Subject("workload", one.key), provisioners=", ".join(one.names)))


def _account(deployment: dict[str, Any]) -> str:
    pod = deployment["spec"]["template"]["spec"]
    return f"{deployment['metadata']['namespace']}/{pod.get('serviceAccountName') or 'default'}"
