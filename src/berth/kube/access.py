"""How this process stands with the API server: which of its rights it has, and what stands for the cluster.

Asked once, at the start. Roles that were written for older provisioners lack some rights; whoever starts goes by this
and leaves out what it may not do, instead of failing at it for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import structlog
from lightkube.resources.core_v1 import Namespace

from berth.kube.backoff import Backoff
from berth.kube.client import Api
from berth.kube.errors import Forbidden, KubeError, NotFound, ServerError
from berth.kube.lease import LEASES, LeaseLock, Lock
from berth.kube.oldlock import ENDPOINTS, EndpointsLock
from berth.kube.permissions import Permission, Right, rights

log = structlog.get_logger()
T = TypeVar("T")

_LONGEST_WAIT = 5.0
"""Seconds between two tries: nobody is served meanwhile."""


async def missing_rights(api: Api, permissions: Iterable[Permission], namespace: str) -> list[Right]:
    """Those of the rights that the API server does not give us. An empty list where it doesn't tell: what is missing
    then shows when it is needed.

    namespace: ours.
    """
    asked = rights(permissions)

    async def ask() -> list[bool]:
        return await asyncio.gather(*(api.may(right, namespace=namespace) for right in asked))

    try:
        given = await _until_answered(ask)
    except (Forbidden, NotFound):
        return []
    return [right for right, is_given in zip(asked, given, strict=True) if not is_given]


async def choose_lock(api: Api, name: str, namespace: str) -> Lock:
    """The Lease, unless the role allows none and allows Endpoints: then the lock that old releases hold there."""
    if await missing_rights(api, LEASES, namespace) and not await missing_rights(api, ENDPOINTS, namespace):
        log.warning("the role allows no Leases: holding the lock of older releases, on Endpoints, instead")
        return EndpointsLock(api, name, namespace)
    return LeaseLock(api, name, namespace)


async def read_cluster_uid(api: Api, *, otherwise: str | None = None) -> str:
    """The UID of namespace kube-system, which stands for the cluster. KubeError.

    otherwise: the answer where we may not ask for it; None: then it is Forbidden.
    """
    try:
        namespace = await api.get(Namespace, "kube-system")
    except Forbidden:
        if otherwise is None:
            raise
        return otherwise
    if not (namespace.metadata and namespace.metadata.uid):
        raise ServerError("get namespaces kube-system", 200, "", "it has no UID")
    return namespace.metadata.uid


async def cluster_uid(api: Api, *, otherwise: str) -> str:
    """The same, however long it takes the API server to answer."""
    return await _until_answered(lambda: read_cluster_uid(api, otherwise=otherwise))


async def _until_answered(ask: Callable[[], Awaitable[T]]) -> T:
    """Asks until the API server answers. Forbidden, NotFound: that is an answer, too."""
    backoff = Backoff(limit=_LONGEST_WAIT)
    told = ""
    while True:
        try:
            return await ask()
        except (Forbidden, NotFound):
            raise
        except KubeError as error:
            if str(error) != told:
                told = str(error)
                log.warning("the API server does not answer yet, trying again", why=told)
            await asyncio.sleep(backoff.next(""))
