"""Objects as plain dictionaries, on the real API server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from lightkube.config.models import Cluster

from berth.kube.access import cluster_uid, missing_rights
from berth.kube.config import fingerprint, load
from berth.kube.errors import Conflict, NotFound
from berth.kube.manifest import ManifestApi, place, place_of
from berth.kube.permissions import Permission, Right, rights
from devcluster.cluster import DevCluster
from tests.kube.support import plain_config


def with_api(cluster: DevCluster, body: Callable[[ManifestApi], Awaitable[None]]) -> None:
    async def main() -> None:
        async with ManifestApi(load(str(cluster.kubeconfig))) as api:
            await body(api)

    asyncio.run(main())


def config_map(namespace: str, **content: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": namespace}, "data": content}


@pytest.mark.parametrize(
    ("where", "path"),
    [
        (("v1", "Pod", "", "a"), "/api/v1/namespaces/a/pods"),
        (("v1", "Pod"), "/api/v1/pods"),
        (("apps/v1", "Deployment", "x", "a"), "/apis/apps/v1/namespaces/a/deployments/x"),
        (("storage.k8s.io/v1", "StorageClass", "x"), "/apis/storage.k8s.io/v1/storageclasses/x"),
    ],
)
def test_every_kind_has_its_place(where: tuple[str, ...], path: str) -> None:
    assert place(*where).path == path


@pytest.mark.parametrize(
    "where",
    [("v1", "Pod", "x"), ("v1", "PersistentVolume", "x", "a"), ("v1", "Unheard", "x")],
    ids=lambda where: where[1],
)
def test_an_object_without_a_place_is_refused(where: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=where[1]):
        place(*where)


def test_applying_keeps_others_fields_and_removes_ones_own(cluster: DevCluster, namespace: str) -> None:
    async def body(api: ManifestApi) -> None:
        await api.apply(config_map(namespace, mine="1", also="2"), manager="me")
        await api.apply(config_map(namespace, theirs="3"), manager="they")
        assert (await api.apply(config_map(namespace, mine="1"), manager="me", dry_run=True))["data"] == {
            "mine": "1",
            "theirs": "3",
        }
        where = place_of(config_map(namespace))
        assert (await api.read(where))["data"] == {"mine": "1", "also": "2", "theirs": "3"}
        with pytest.raises(Conflict):
            await api.apply(config_map(namespace, mine="9"), manager="they", force=False)
        assert (await api.merge(where, {"data": {"also": None}}, manager="hand"))["data"] == {
            "mine": "1",
            "theirs": "3",
        }
        await api.remove(where)
        with pytest.raises(NotFound):
            await api.read(where)

    with_api(cluster, body)


def test_the_version_is_the_servers(cluster: DevCluster) -> None:
    async def body(api: ManifestApi) -> None:
        told = await asyncio.to_thread(cluster.request, "GET", "/version")
        assert told["gitVersion"].startswith(f"v{'.'.join(map(str, await api.version()))}.")

    with_api(cluster, body)


def test_missing_rights_are_those_that_the_role_lacks(cluster: DevCluster, namespace: str) -> None:
    account = {"metadata": {"name": "some"}}
    role = {
        "metadata": {"name": "some"},
        "rules": [{"apiGroups": [""], "resources": ["endpoints"], "verbs": ["get"]}],
    }
    binding = {
        "metadata": {"name": "some"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "some"},
        "subjects": [{"kind": "ServiceAccount", "name": "some", "namespace": namespace}],
    }
    cluster.request("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", account)
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    cluster.request("POST", f"{rbac}/roles", role)
    cluster.request("POST", f"{rbac}/rolebindings", binding)
    wanted = (
        Permission("", "endpoints", ("get", "patch"), own_namespace=True),
        Permission("", "namespaces", ("get",), names=("kube-system",)),
        Permission("", "persistentvolumeclaims/status", ("patch",)),
    )

    async def main() -> None:
        async with ManifestApi(load(str(cluster.service_account_kubeconfig(namespace, "some")))) as api:
            missing = await missing_rights(api, wanted, namespace)
            assert missing == [
                Right("patch", "", "endpoints", own_namespace=True),
                Right("get", "", "namespaces", "kube-system"),
                Right("patch", "", "persistentvolumeclaims/status"),
            ]
            assert set(missing) < set(rights(wanted))
            assert str(missing[1]) == "get namespaces kube-system"
            assert await cluster_uid(api, otherwise="a fingerprint") == "a fingerprint"

    asyncio.run(main())


def test_a_clusters_fingerprint_is_one_for_all_its_accounts(cluster: DevCluster, namespace: str) -> None:
    cluster.request("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": "some"}})
    admin = load(str(cluster.kubeconfig))
    account = load(str(cluster.service_account_kubeconfig(namespace, "some")))
    assert fingerprint(admin) == fingerprint(account)
    assert len(fingerprint(admin)) == 36
    elsewhere = plain_config("http://192.0.2.1")
    assert fingerprint(elsewhere) != fingerprint(admin)
    assert fingerprint(elsewhere) != fingerprint(plain_config("http://192.0.2.2"))
    inline = elsewhere._replace(cluster=Cluster(server="https://192.0.2.1", certificate_auth_data="QQ=="))
    assert fingerprint(inline) == fingerprint(
        inline._replace(cluster=Cluster("https://x", certificate_auth_data="QQ=="))
    )
