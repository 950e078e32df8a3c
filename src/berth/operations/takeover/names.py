"""The names that an installation of Berth answers to, changed while it runs, all pods at once.

New pods wait for the lock that those before them give back as they end, so that none is at work beside another; who
takes names away and gives them to others waits until no pod carries them.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from berth.kube.errors import Conflict, NotFound
from berth.kube.manifest import ManifestApi, place
from berth.manifests.workload import ONE_BY_ONE
from berth.objects.provisioning import NAME, names_in
from berth.operations.errors import Stopped
from berth.operations.takeover.workloads import MANAGER
from berth.texts.text import Text

_TRIES = 5
"""Against writers that come in between."""
_AT_ONCE = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "100%", "maxUnavailable": "100%"}}
"""Those before have nothing to do for the new names, and must not keep the old ones any longer."""


async def set_names(
    api: ManifestApi, namespace: str, name: str, names: Sequence[str], *, replicas: int | None = None
) -> str | None:
    """Gives a Deployment of Berth these names and no others, and so many pods (None: as many as it has).

    Answers the selector of its pods; None when there is no such Deployment. KubeError; Stopped when its names are not
    written in it, unless it is to have no pods, and so answers to none.
    """
    where = place("apps/v1", "Deployment", name, namespace)
    for last in range(_TRIES, 0, -1):
        try:
            found = await api.read(where)
            await api.merge(where, _patch(found, names, replicas), manager=MANAGER)
        except NotFound:
            return None
        except Conflict:
            if last == 1:
                raise
            continue
        return selector_of(found)
    return None


async def end_hand_over(api: ManifestApi, namespace: str, name: str) -> None:
    """Pods of a Deployment of Berth are replaced as in any installation, if a hand-over has left it otherwise."""
    where = place("apps/v1", "Deployment", name, namespace)
    with suppress(NotFound, Conflict):  # it is gone, or somebody else is at it
        found = await api.read(where)
        if found["spec"].get("strategy") == _AT_ONCE:
            version = {"resourceVersion": found["metadata"]["resourceVersion"]}
            await api.merge(where, {"metadata": version, "spec": {"strategy": ONE_BY_ONE}}, manager=MANAGER)


async def read_names(api: ManifestApi, namespace: str, name: str) -> tuple[str, ...]:
    """The names that a Deployment of Berth answers to; none when there is no such Deployment. KubeError."""
    try:
        found = await api.read(place("apps/v1", "Deployment", name, namespace))
    except NotFound:
        return ()
    return names_of(found["spec"]["template"]["spec"])


def _patch(found: Mapping[str, Any], names: Sequence[str], replicas: int | None) -> dict[str, Any]:
    meta, spec = found["metadata"], found["spec"]
    change: dict[str, Any] = {} if replicas is None else {"replicas": replicas}
    if names_of(spec["template"]["spec"]) != tuple(names):
        containers = copy.deepcopy(spec["template"]["spec"]["containers"])
        variable = _variable(containers)
        is_written = variable is not None and "valueFrom" not in variable
        if not is_written and replicas == 0:
            return {"metadata": {"resourceVersion": meta["resourceVersion"]}, "spec": change}
        if variable is None or not is_written:
            key = f"{meta['namespace']}/{meta['name']}"
            raise Stopped(
                Text(
                    f"the names of {key} are not written in the Deployment, so they can't be changed there; change "
                    f"them yourself, and give --no-install",
                    f"{key} 的制备器名字没有写在 Deployment 中，无法在那里修改；请自行修改，并使用 --no-install",
                )
            )
        variable["value"] = ",".join(names)
        change["template"] = {"spec": {"containers": containers}}
        change["strategy"] = _AT_ONCE
    return {"metadata": {"resourceVersion": meta["resourceVersion"]}, "spec": change}


def selector_of(deployment: Mapping[str, Any]) -> str:
    """A Deployment of Berth's selector as a query."""
    labels = deployment["spec"]["selector"].get("matchLabels") or {}
    return ",".join(f"{key}={value}" for key, value in labels.items())


def names_of(pod: Mapping[str, Any]) -> tuple[str, ...]:
    """The names that a pod with this spec answers to, as far as they are written there."""
    return names_in((_variable(pod.get("containers") or ()) or {}).get("value") or "")


def carries(pod: Mapping[str, Any], names: Collection[str]) -> bool:
    """Whether a pod answers to any of these names."""
    return bool(set(names_of(pod["spec"])) & set(names))


def _variable(containers: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    for container in containers:
        for variable in container.get("env") or ():
            if variable["name"] == NAME:
                found: dict[str, Any] = variable
                return found
    return None
