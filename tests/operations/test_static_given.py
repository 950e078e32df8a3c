"""A static volume whose making is interrupted."""

from __future__ import annotations

import asyncio

import pytest

from berth.kube.config import load
from berth.kube.errors import NotFound
from berth.kube.manifest import ApiPlace, ManifestApi, place
from berth.operations.apply import Applied
from berth.operations.static_given import give
from berth.operations.static_volume import StaticVolume, checked
from devcluster.cluster import DevCluster


async def until_gone(api: ManifestApi, where: ApiPlace) -> None:
    """Returns once there is no such object: its protection may hold it for a moment."""
    while True:
        try:
            await api.read(where)
        except NotFound:
            return
        await asyncio.sleep(0.1)


def test_cancelled_before_the_claim_is_made_the_pv_is_taken_back(cluster: DevCluster, namespace: str) -> None:
    volume = checked(StaticVolume("10.0.0.5", "/srv/photos", namespace, "photos", "1Gi"))
    told: list[Applied] = []

    def cancelling(one: Applied) -> None:
        told.append(one)
        task = asyncio.current_task()
        if task is not None and len(told) == 1:
            task.cancel()

    async def main() -> None:
        async with ManifestApi(load(str(cluster.kubeconfig))) as api:
            task = asyncio.create_task(give(api, volume, patience=5, told=cancelling))
            with pytest.raises(asyncio.CancelledError):
                await task
            assert [(one.kind, one.what) for one in told] == [
                ("PersistentVolume", "created"),
                ("PersistentVolume", "removed"),
            ]
            with pytest.raises(NotFound):
                await api.read(place("v1", "PersistentVolumeClaim", "photos", namespace))
            async with asyncio.timeout(30):
                await until_gone(api, place("v1", "PersistentVolume", volume.pv))

    asyncio.run(main())
