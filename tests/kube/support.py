"""Small things that the tests of kube share."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

import msgspec
from lightkube.config.kubeconfig import SingleConfig
from lightkube.config.models import Cluster, Context, User
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import ConfigMap

from berth.kube.config import load
from devcluster.cluster import DevCluster


def config_of(cluster: DevCluster, *, server: str = "") -> SingleConfig:
    """An administrator's configuration; server: through a proxy instead."""
    config = load(str(cluster.kubeconfig))
    return config._replace(cluster=msgspec.structs.replace(config.cluster, server=server)) if server else config


def plain_config(server: str, user: User | None = None) -> SingleConfig:
    """A configuration for a server without TLS."""
    return SingleConfig("test", Context(cluster="test"), Cluster(server=server), user)


def config_map(namespace: str, name: str, **content: str) -> ConfigMap:
    """Something harmless to create."""
    return ConfigMap(metadata=ObjectMeta(name=name, namespace=namespace), data=content)


def unique(prefix: str) -> str:
    """A name that nobody else uses."""
    return f"{prefix}-{secrets.token_hex(4)}"


async def eventually(condition: Callable[[], object], deadline: float = 30.0) -> None:
    """Returns once condition holds; fails after deadline seconds."""
    try:
        async with asyncio.timeout(deadline):
            while not condition():  # noqa: ASYNC110 - what is waited for happens in other processes
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"did not happen within {deadline:g} s") from None
