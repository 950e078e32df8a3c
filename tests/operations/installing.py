"""An installation of a test's own on a real cluster, in a namespace that Berth makes for it; no node runs there."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

from berth.kube.config import load
from berth.kube.errors import NotFound
from berth.kube.manifest import ApiPlace, ManifestApi, place
from berth.operations.apply import Applied
from berth.operations.asked import Asked, ClassAsked
from berth.operations.errors import Stopped
from berth.operations.install import Installed, Rollout, install
from berth.operations.install_plan import InstallPlan, plan_install
from berth.operations.uninstall import uninstall
from berth.operations.uninstall_plan import plan_uninstall
from berth.programs.controller import WORKLOAD
from devcluster.cluster import DevCluster

Run = Callable[[ManifestApi, Asked], Awaitable[None]]
Object = dict[str, Any]
CLASS = "storage.k8s.io/v1"
RBAC = "rbac.authorization.k8s.io/v1"


def run(cluster: DevCluster, body: Run) -> None:
    """Runs body with what one asks for an installation of its own, and clears that away."""

    async def main() -> None:
        async with ManifestApi(load(str(cluster.kubeconfig))) as api:
            name = f"berth-{secrets.token_hex(4)}"
            provisioner = f"{name}.example/nfs"
            share = {"server": "nfs.example.com", "export": "/srv", "provisioners": (provisioner,)}
            asked = Asked(name=name, namespace=name, settings=share, of_class=ClassAsked(name=name), has_image=True)
            async with asyncio.timeout(90), clearing(api, asked):
                await body(api, asked)

    asyncio.run(main())


@asynccontextmanager
async def clearing(api: ManifestApi, asked: Asked) -> AsyncIterator[None]:
    try:
        yield
    finally:
        with suppress(Stopped):
            gone = await plan_uninstall(api, name=asked.name, namespace=asked.namespace)
            await uninstall(api, gone, told=lambda _: None)
        with suppress(NotFound):
            await api.remove(place("v1", "Namespace", asked.namespace))


def again(asked: Asked, **settings: Any) -> Asked:
    """The command without a flag, or with these alone."""
    return replace(asked, settings=settings, of_class=ClassAsked(), uses_namespace=False)


async def plan(api: ManifestApi, asked: Asked) -> InstallPlan:
    return await plan_install(api, asked, WORKLOAD)


async def installing(
    api: ManifestApi, asked: Asked, *, patience: float = 0, seen: list[Rollout] | None = None
) -> Installed:
    told: list[Applied] = []
    progress = [] if seen is None else seen
    return await install(
        api, await plan(api, asked), patience=patience, told=told.append, progress=progress.append
    )  # fmt: skip


def deployment_of(asked: Asked) -> ApiPlace:
    return place("apps/v1", "Deployment", asked.name, asked.namespace)


async def container_of(api: ManifestApi, asked: Asked) -> Object:
    found = await api.read(deployment_of(asked))
    container: Object = found["spec"]["template"]["spec"]["containers"][0]
    return container


async def variables_of(api: ManifestApi, asked: Asked) -> dict[str, Any]:
    """Value or source of each."""
    container = await container_of(api, asked)
    return {one["name"]: one.get("value", one.get("valueFrom")) for one in container["env"]}


async def make_class(api: ManifestApi, name: str, provisioner: str = "x.io/y", **more: Any) -> None:
    metadata = {"name": name, **more.pop("metadata", {})}
    await api.apply(
        {"apiVersion": CLASS, "kind": "StorageClass", "metadata": metadata, "provisioner": provisioner, **more},
        manager="test",
    )
