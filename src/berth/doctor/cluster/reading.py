"""Reads the cluster once: all kinds side by side, page by page, each failing for itself.

What is denied, late or unknown to this API server costs its own kind only, and is told. Reading ends within DEADLINE,
with what came until then: a kind that was read in part counts as not read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from berth.doctor.cluster.provisioners import Provisioners, sources
from berth.doctor.cluster.rights import NEEDED
from berth.doctor.cluster.servers import services_of_servers
from berth.doctor.cluster.snapshot import Snapshot, parse_moment
from berth.doctor.run import CouldNotLookError, why_unseen
from berth.findings.finding import Unseen
from berth.findings.versions import Version
from berth.kube.errors import Forbidden, KubeError, NotFound, Unauthorized, Unreachable
from berth.kube.kind import kind_of
from berth.kube.manifest import ManifestApi, place
from berth.kube.permissions import Right, rights
from berth.objects import admission, kinds, runtime
from berth.objects.containers import ConfigSource, Known, texts_of
from berth.objects.listing import read_all, read_proven
from berth.objects.trust import Trust
from berth.texts.text import Text

K = TypeVar("K")
T = TypeVar("T")

DEADLINE = 7.0
"""Seconds for the lists."""
_SECOND = 2.0
"""Seconds for what is asked because of what the lists say."""
_MOST_EVENTS = 20_000

_LISTED: tuple[tuple[type[Any], Text, dict[str, Any]], ...] = (
    (kinds.ClaimObject, Text("claims", "PVC"), {}),
    (kinds.VolumeObject, Text("PVs", "PV"), {}),
    (kinds.ClassObject, Text("classes", "StorageClass"), {}),
    (runtime.Pod, Text("pods", "Pod"), {}),
    (runtime.Deployment, Text("Deployments", "Deployment"), {}),
    (runtime.StatefulSet, Text("StatefulSets", "StatefulSet"), {}),
    (runtime.Event, Text("Events", "事件"), {"fields": "type=Warning", "most": _MOST_EVENTS}),
    (runtime.Lease, Text("Leases", "Lease"), {}),
    (runtime.Quota, Text("ResourceQuotas", "ResourceQuota"), {}),
    (admission.Validating, Text("validating webhooks", "校验 Webhook"), {}),
    (admission.Mutating, Text("mutating webhooks", "变更 Webhook"), {}),
    (runtime.Driver, Text("CSI drivers", "CSI 驱动"), {}),
    (runtime.Namespace, Text("namespaces", "命名空间"), {}),
    (runtime.Service, Text("Services", "Service"), {}),
    (admission.Accessor, Text("KubeSphere's Accessors", "KubeSphere Accessor"), {}),
)
_MAY_BE_UNKNOWN = {"accessors"}
_CLOCKS = ("kube-node-lease/", "kube-system/kube-controller-manager", "kube-system/kube-scheduler")
"""Leases that are renewed for as long as the cluster lives: what time it is there."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of it."""

    snapshot: Snapshot
    unseen: tuple[Unseen, ...]


async def read_cluster(api: ManifestApi, trusted: Collection[str] = ()) -> Reading:
    """Reads it all. CouldNotLookError where nothing at all can be read.

    trusted: service accounts, `namespace/name`, that the administrator says are provisioners'.
    """
    found: dict[type[Any], list[Any]] = {}
    failed: dict[type[Any], Exception] = {}

    async def read_one(resource: type[Any], selected: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(DEADLINE):
                found[resource] = await read_all(api, resource, **selected)
        except (KubeError, TimeoutError) as error:
            failed[resource] = error

    version, *_ = await asyncio.gather(_version(api), *(read_one(each, how) for each, _, how in _LISTED))
    dead = [error for error in failed.values() if isinstance(error, (Unreachable, Unauthorized, TimeoutError))]
    if len(dead) == len(_LISTED):
        raise CouldNotLookError(_why(dead[0]))
    unseen = [
        Unseen(what, _why(failed[resource]))
        for resource, what, _ in _LISTED
        if resource in failed and not _is_unknown(resource, failed[resource])
    ]
    snapshot = _snapshot(found, failed, version)
    return await _look_further(api, Reading(replace(snapshot, trust=Trust(accounts=frozenset(trusted))), tuple(unseen)))


def _snapshot(
    found: dict[type[Any], list[Any]], failed: dict[type[Any], Exception], version: Version | None
) -> Snapshot:
    def read(*resources: type[Any]) -> Sequence[Any]:
        return [each for resource in resources for each in found.get(resource, ())]

    leases = read(runtime.Lease)
    namespaces = read(runtime.Namespace)
    return Snapshot(
        now=_now(leases),
        version=version,
        uid=next((each.metadata.uid for each in namespaces if each.name == "kube-system"), ""),
        claims=read(kinds.ClaimObject),
        volumes=read(kinds.VolumeObject),
        classes=read(kinds.ClassObject),
        pods=read(runtime.Pod),
        workloads=read(runtime.Deployment, runtime.StatefulSet),
        events=read(runtime.Event),
        leases=leases,
        quotas=read(runtime.Quota),
        webhooks=read(admission.Validating, admission.Mutating),
        accessors=read(admission.Accessor),
        drivers=read(runtime.Driver),
        namespaces=namespaces,
        services=read(runtime.Service),
        unseen=frozenset(kind_of(each).plural for each in failed),
    )


def _now(leases: Sequence[runtime.Lease]) -> datetime:
    """The cluster's time, by what renews a lease all the time; our own where nothing does."""
    renewed = (
        moment
        for lease in leases
        if lease.key.startswith(_CLOCKS) and (moment := parse_moment(lease.spec.renewTime)) is not None
    )
    # Some seconds old, which only makes what is judged by it look younger; our own clock may be wrong by hours.
    return max(renewed, default=datetime.now(UTC))


async def _version(api: ManifestApi) -> Version | None:
    try:
        async with asyncio.timeout(DEADLINE):
            return Version(*await api.version())
    except (KubeError, TimeoutError):
        return None


async def _look_further(api: ManifestApi, reading: Reading) -> Reading:
    """What is asked for by name only, because lists of it are long or not allowed to many."""
    snapshot, unseen = reading.snapshot, list(reading.unseen)
    snapshot = replace(snapshot, settings=await _settings(api, sources(snapshot)))
    provisioners = Provisioners(snapshot)
    unseen += [
        Unseen(
            Text(f"the names of {each.ref} ({each.namespace})", f"{each.ref}（{each.namespace}）的制备器名"),
            Text(f"they come from {each.why}", f"它们来自 {each.why}"),
        )
        for each in provisioners.unclear
        if each.main.hint != "mount"
    ]
    accounts = sorted({each.account: each for each in provisioners.known if each.flavour == "berth"}.items())
    locks = sorted({f"{each.namespace}/{each.lock}" for each in provisioners.known})
    services = sorted(
        {
            f"{hook.clientConfig.service.namespace}/{hook.clientConfig.service.name}"
            for each in snapshot.webhooks
            for hook in each.webhooks or ()
            if hook.clientConfig.service is not None
        }.union(services_of_servers(snapshot).values())
    )
    needed = rights(NEEDED)

    async def lacking(account: str, namespace: str) -> list[Right]:
        given = await asyncio.gather(*(api.may(right, namespace=namespace, account=account) for right in needed))
        return [right for right, is_given in zip(needed, given, strict=True) if not is_given]

    def endpoints(key: str) -> Awaitable[runtime.Endpoints | None]:
        namespace, _, name = key.partition("/")
        return _if_there(lambda: api.get(runtime.Endpoints, name, namespace=namespace))

    rights_of, lock_of, behind, spoken_for = await asyncio.gather(
        _each({account: lacking(account, each.namespace) for account, each in accounts}),
        _each({key: endpoints(key) for key in locks}),
        _each({key: endpoints(key) for key in services}),
        _proven(api),
    )
    for what, (_, error) in (
        (Text("rights of Berth's service account", "Berth 的 ServiceAccount 权限"), rights_of),
        (Text("locks of older provisioners", "旧制备器的锁"), lock_of),
        (Text("what stands behind Services", "Service 的后端"), behind),
    ):
        if error is not None:
            unseen.append(Unseen(what, _why(error)))
    snapshot = replace(
        snapshot,
        lacking=rights_of[0],
        trust=replace(snapshot.trust, proven=spoken_for),
        locks={key: lock for key, lock in lock_of[0].items() if lock is not None},
        unserved=frozenset(
            key
            for key, each in behind[0].items()
            if each is None or not any(one.addresses for one in each.subsets or ())
        ),
    )
    return Reading(snapshot, tuple(unseen))


async def _proven(api: ManifestApi) -> frozenset[str] | None:
    """None where bindings can't be read: then nobody is known to be distrusted."""
    try:
        async with asyncio.timeout(_SECOND):
            return await read_proven(api, "meant")
    except (KubeError, TimeoutError):
        return None


async def _settings(api: ManifestApi, wanted: set[ConfigSource]) -> Known:
    """What is in ConfigMaps and Secrets, as far as we may read them and they answer in time."""

    async def read(source: ConfigSource) -> dict[str, str] | None:
        try:
            return texts_of(source, await api.read(place("v1", source.kind, source.name, source.namespace)))
        except NotFound:
            return None

    found, _ = await _each({source: read(source) for source in wanted})
    return found


async def _each(asked: Mapping[K, Awaitable[T]]) -> tuple[dict[K, T], Exception | None]:
    """The answers that came in time, and one of the errors."""
    answers: dict[K, T] = {}
    failed: list[Exception] = []

    async def ask(key: K, question: Awaitable[T]) -> None:
        try:
            async with asyncio.timeout(_SECOND):
                answers[key] = await question
        except (KubeError, TimeoutError) as error:
            failed.append(error)

    await asyncio.gather(*(ask(key, question) for key, question in asked.items()))
    return answers, failed[0] if failed else None


async def _if_there(get: Callable[[], Awaitable[T]]) -> T | None:
    try:
        return await get()
    except NotFound:
        return None


def _is_unknown(resource: type[Any], error: Exception) -> bool:
    """A kind that this cluster does not have, and need not have."""
    known = kind_of(resource).plural not in _MAY_BE_UNKNOWN
    return not known and isinstance(error, (NotFound, Forbidden))


def _why(error: Exception) -> Text:
    if isinstance(error, TimeoutError):
        return Text(
            f"the API server gave no whole answer within {DEADLINE:g} s",
            f"API 服务器在 {DEADLINE:g} 秒内没有给出完整应答",
        )
    return why_unseen(error)
