"""One default class, under both keys."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import pytest

from berth.kube.config import load
from berth.kube.manifest import ManifestApi, place
from berth.manifests.classes import DEFAULT_KEYS
from berth.operations.classes import set_default_class
from berth.operations.errors import Stopped
from devcluster.cluster import DevCluster

API = "storage.k8s.io/v1"
STABLE, BETA = DEFAULT_KEYS


async def annotations_of(api: ManifestApi, name: str) -> dict[str, str]:
    metadata: dict[str, Any] = (await api.read(place(API, "StorageClass", name)))["metadata"]
    found: dict[str, str] = metadata.get("annotations") or {}
    return found


def test_the_new_default_is_the_only_one_under_both_keys(cluster: DevCluster) -> None:
    async def main() -> None:
        token = secrets.token_hex(4)
        had = {f"stable-{token}": {STABLE: "true"}, f"beta-{token}": {BETA: "true"}, f"other-{token}": {}}
        wanted = f"wanted-{token}"
        async with ManifestApi(load(str(cluster.kubeconfig))) as api:
            before = {one["metadata"]["name"] for one in (await api.read(place(API, "StorageClass")))["items"]}
            try:
                for name, notes in {**had, wanted: {"x": "y"}}.items():
                    metadata = {"name": name, "annotations": notes}
                    of_class = {
                        "apiVersion": API,
                        "kind": "StorageClass",
                        "metadata": metadata,
                        "provisioner": "x.io/y",
                    }
                    await api.apply(of_class, manager="test")
                done = await set_default_class(api, wanted)
                assert (done.name, done.was_default) == (wanted, False)
                assert set(done.unset) - before == {f"stable-{token}", f"beta-{token}"}
                assert await annotations_of(api, wanted) == {"x": "y", STABLE: "true", BETA: "true"}
                for name in had:
                    notes = await annotations_of(api, name)
                    assert "true" not in (notes.get(STABLE), notes.get(BETA))
                assert await annotations_of(api, f"other-{token}") == {}
                again = await set_default_class(api, wanted)
                assert (again.was_default, again.unset) == (True, ())
                with pytest.raises(Stopped, match=f"no class none-{token}; there are .*{wanted}"):
                    await set_default_class(api, f"none-{token}")
            finally:
                for name in [*had, wanted]:
                    await api.remove(place(API, "StorageClass", name))

    asyncio.run(main())
