"""The workloads of a cluster among which provisioners are looked for: of every kind that keeps pods running, and pods
that nothing keeps; with what their ConfigMaps and Secrets say, as far as we may read them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from berth.findings.finding import Subject
from berth.kube.errors import Forbidden, KubeError, NotFound
from berth.kube.manifest import ManifestApi, place
from berth.objects.containers import ConfigSource, sources_of, texts_of
from berth.objects.provisioners import Provisioner, judge_template
from berth.objects.provisioning import TAKEN_OVER_BY, could_be
from berth.objects.runtime import Template, template_of

_KINDS = (
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "ReplicaSet"),
    ("v1", "ReplicationController"),
    ("batch/v1", "Job"),
    ("batch/v1", "CronJob"),
    ("v1", "Pod"),
)
"""Beside Deployments."""
_KEEPERS = {"Deployment", *(kind for _, kind in _KINDS)}
_AT_ONCE = 16
_ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of them, as the API server's JSON has it."""

    kind: str
    manifest: Mapping[str, Any]
    template: Template
    """What its pods are like."""

    @property
    def namespace(self) -> str:
        return str(self.manifest["metadata"].get("namespace", ""))

    @property
    def name(self) -> str:
        return str(self.manifest["metadata"]["name"])

    @property
    def key(self) -> str:
        """As a person types it."""
        return f"{self.namespace}/{self.name}"

    @property
    def about(self) -> Subject:
        """As findings name it."""
        return Subject("workload", self.key)

    @property
    def account(self) -> str:
        return self.template.spec.account

    @property
    def replicas(self) -> int:
        """How many pods it is to have."""
        if self.kind == "Pod":
            return 1
        if self.kind == "DaemonSet":
            return int((self.manifest.get("status") or {}).get("desiredNumberScheduled", 0))
        return int(self.manifest["spec"].get("replicas", 1))

    @property
    def ready(self) -> int:
        """How many of its pods are ready."""
        status = self.manifest.get("status") or {}
        match self.kind:
            case "Pod":
                conditions = status.get("conditions") or ()
                return int(any(one["type"] == "Ready" and one["status"] == "True" for one in conditions))
            case "DaemonSet":
                return int(status.get("numberReady", 0))
            case "Job":
                return int(status.get("active", 0))
            case "CronJob":
                return len(status.get("active") or ())
        return int(status.get("readyReplicas", 0))


def workload(kind: str, manifest: Mapping[str, Any]) -> Candidate:
    """One workload, of which the API server's JSON is given."""
    return Candidate(kind, manifest, template_of(kind, manifest))


@dataclass(frozen=True, slots=True)
class Candidates:
    """All workloads, and what is known of the ConfigMaps and Secrets of those that could be provisioners."""

    workloads: tuple[Candidate, ...]
    known: Mapping[ConfigSource, Mapping[str, str] | None]
    unseen: tuple[str, ...] = ()
    """Kinds that we may not list."""


async def read_candidates(api: ManifestApi) -> Candidates:
    """Everything that is to be looked at. KubeError where not even Deployments can be read."""
    first = await api.read_each(place("apps/v1", "Deployment"), keep=_stands_alone)
    rest = await asyncio.gather(*(_read(api, version, kind) for version, kind in _KINDS))
    workloads = [workload("Deployment", one) for one in first]
    unseen = []
    for (_, kind), items in zip(_KINDS, rest, strict=True):
        if items is None:
            unseen.append(kind)
        workloads += [workload(kind, one) for one in items or ()]
    return Candidates(tuple(workloads), await _read_sources(api, workloads), tuple(unseen))


def provisioner_of(one: Candidate, candidates: Candidates) -> Provisioner | None:
    """What a workload is that provisions, or could; None for all others."""
    containers = judge_template(one.kind, one.namespace, one.template, candidates.known)
    if not containers:
        return None
    return Provisioner(
        kind=one.kind,
        namespace=one.namespace,
        name=one.name,
        account=f"{one.namespace}/{one.account}",
        containers=containers,
        replicas=one.replicas,
        ready=one.ready,
        taken_by=(one.manifest["metadata"].get("annotations") or {}).get(TAKEN_OVER_BY, ""),
    )


async def _read(api: ManifestApi, version: str, kind: str) -> list[dict[str, Any]] | None:
    """None: we may not."""
    try:
        return await api.read_each(place(version, kind), keep=_stands_alone)
    except Forbidden:
        return None
    except NotFound:  # Kubernetes before 1.21 knows CronJobs by another version
        return [] if version.endswith("beta1") else await _read(api, f"{version}beta1", kind)


def _stands_alone(one: Mapping[str, Any]) -> bool:
    """Whether nothing that is looked at itself keeps it, and it has not ended."""
    owners = one["metadata"].get("ownerReferences") or ()
    status = one.get("status") or {}
    return not (
        any(owner.get("controller") and owner.get("kind") in _KEEPERS for owner in owners)
        or status.get("phase") in _ENDED
        or status.get("completionTime")
    )


async def _read_sources(api: ManifestApi, workloads: Iterable[Candidate]) -> dict[ConfigSource, dict[str, str] | None]:
    """What is in the ConfigMaps and Secrets of those that could be provisioners; what we may not read is left out."""
    wanted = dict.fromkeys(
        source
        for one in workloads
        for container in (*one.template.spec.containers, *(one.template.spec.initContainers or ()))
        for source in sources_of(container, one.namespace)
        if source.kind == "ConfigMap" or could_be(container, one.template.spec.nfs_volumes)
    )
    gate = asyncio.Semaphore(_AT_ONCE)
    found: dict[ConfigSource, dict[str, str] | None] = {}

    async def read(source: ConfigSource) -> None:
        async with gate:
            try:
                held = await api.read(place("v1", source.kind, source.name, source.namespace))
            except NotFound:
                found[source] = None
            except KubeError:
                return
            else:
                found[source] = texts_of(source, held)

    await asyncio.gather(*(read(source) for source in wanted))
    return found
