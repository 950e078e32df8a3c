"""Requests against the real API server: typed answers, and errors of our own family only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from lightkube.config.models import Cluster, User
from lightkube.models.core_v1 import VolumeResourceRequirements
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import ConfigMap, Namespace, PersistentVolumeClaim, ServiceAccount

from berth.kube.client import Api
from berth.kube.config import load
from berth.kube.errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    Invalid,
    KubeError,
    NotFound,
    Unauthorized,
    Unreachable,
)
from devcluster.cluster import DevCluster
from tests.kube.support import config_map, config_of, unique
from tests.kube.tcp_proxy import TcpProxy


def with_api(cluster: DevCluster, main: Callable[[Api], Awaitable[None]], **options: Any) -> None:
    async def run() -> None:
        async with Api(config_of(cluster), **options) as api:
            await main(api)

    asyncio.run(run())


def test_an_object_lives_its_life(cluster: DevCluster, namespace: str) -> None:
    async def main(api: Api) -> None:
        made = await api.create(config_map(namespace, "a", x="1"))
        assert made.metadata is not None
        assert made.metadata.uid

        patched = await api.patch(ConfigMap, "a", {"data": {"y": "2"}}, namespace=namespace)
        assert patched.data == {"x": "1", "y": "2"}
        patched = await api.patch(
            ConfigMap, "a", [{"op": "remove", "path": "/data/x"}], namespace=namespace, kind="json"
        )
        assert patched.data == {"y": "2"}

        patched.data = {"z": "3"}
        assert (await api.replace(patched)).data == {"z": "3"}
        assert (await api.get(ConfigMap, "a", namespace=namespace)).data == {"z": "3"}

        await api.delete(ConfigMap, "a", namespace=namespace)
        with pytest.raises(NotFound, match=f'get configmaps {namespace}/a: configmaps "a" not found'):
            await api.get(ConfigMap, "a", namespace=namespace)

    with_api(cluster, main)


def test_a_status_is_patched_through_its_subresource(cluster: DevCluster, namespace: str) -> None:
    claim = {
        "metadata": {"name": "demo"},
        "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    cluster.request("POST", f"/api/v1/namespaces/{namespace}/persistentvolumeclaims", claim)

    async def main(api: Api) -> None:
        condition = {"type": "Resizing", "status": "True"}
        patched = await api.patch(
            PersistentVolumeClaim,
            "demo",
            {"status": {"conditions": [condition]}, "metadata": {"labels": {"not": "here"}}},
            namespace=namespace,
            kind="strategic",
            subresource="status",
        )
        assert patched.status is not None
        assert patched.status.conditions is not None
        assert patched.status.conditions[0].type == "Resizing"
        assert patched.spec is not None
        assert patched.spec.resources == VolumeResourceRequirements(requests={"storage": "1Gi"})

    with_api(cluster, main)


def test_pages_are_followed_to_the_end(cluster: DevCluster, namespace: str) -> None:
    async def main(api: Api) -> None:
        for number in range(7):
            await api.create(config_map(namespace, f"c{number}"))
        names: list[str | None] = []
        token, sizes = "", []
        while True:
            page = await api.list_page(ConfigMap, namespace=namespace, limit=3, continue_token=token)
            sizes.append(len(page.items))
            names += [item.metadata.name for item in page.items if item.metadata]
            token = page.continue_token
            assert page.resource_version
            if not token:
                break
        assert [name for name in names if name and name != "kube-root-ca.crt"] == [f"c{n}" for n in range(7)]
        assert sizes[:2] == [3, 3]
        selected = await api.list_page(ConfigMap, namespace=namespace, fields="metadata.name=c5")
        assert len(selected.items) == 1

    with_api(cluster, main)


def test_a_conflict_is_told_from_an_object_that_exists(cluster: DevCluster, namespace: str) -> None:
    async def main(api: Api) -> None:
        old = await api.create(config_map(namespace, "a"))
        with pytest.raises(AlreadyExists, match=f"create configmaps {namespace}/a"):
            await api.create(config_map(namespace, "a"))
        await api.patch(ConfigMap, "a", {"data": {"x": "1"}}, namespace=namespace)
        with pytest.raises(Conflict):
            await api.replace(old)
        assert old.metadata is not None
        stale = {"metadata": {"resourceVersion": old.metadata.resourceVersion}, "data": {"x": "2"}}
        with pytest.raises(Conflict):
            await api.patch(ConfigMap, "a", stale, namespace=namespace)

    with_api(cluster, main)


def test_a_delete_spares_a_namesake(cluster: DevCluster, namespace: str) -> None:
    async def main(api: Api) -> None:
        made = await api.create(config_map(namespace, "a"))
        assert made.metadata is not None
        with pytest.raises(Conflict):
            await api.delete(ConfigMap, "a", namespace=namespace, uid="00000000-0000-0000-0000-000000000000")
        with pytest.raises(Conflict):
            await api.delete(ConfigMap, "a", namespace=namespace, resource_version="1")
        uid, version = made.metadata.uid or "", made.metadata.resourceVersion or ""
        await api.delete(ConfigMap, "a", namespace=namespace, uid=uid, resource_version=version)
        with pytest.raises(NotFound):
            await api.delete(ConfigMap, "a", namespace=namespace)

    with_api(cluster, main)


def test_nonsense_is_invalid_and_names_the_field(cluster: DevCluster, namespace: str) -> None:
    async def main(api: Api) -> None:
        with pytest.raises(Invalid, match=r"metadata\.name: Invalid value") as caught:
            await api.create(config_map(namespace, "Not_A_Name"))
        assert (caught.value.code, caught.value.reason) == (422, "Invalid")
        with pytest.raises(Invalid):
            await api.list_page(ConfigMap, namespace=namespace, labels="a=b=c")

    with_api(cluster, main)


@pytest.mark.parametrize(
    ("name", "namespace"),
    [("", "default"), ("a", "")],
    ids=["no name", "no namespace"],
)
def test_a_path_without_name_or_namespace_is_never_asked_for(cluster: DevCluster, name: str, namespace: str) -> None:
    async def main(api: Api) -> None:
        with pytest.raises(ValueError, match="not a ConfigMap"):
            await api.delete(ConfigMap, name, namespace=namespace)
        with pytest.raises(ValueError, match="a ConfigMap needs a name and a namespace"):
            await api.create(config_map(namespace, name))

    with_api(cluster, main)


def test_a_name_can_not_lead_to_another_object(cluster: DevCluster, namespace: str) -> None:
    async def main(api: Api) -> None:
        await api.create(config_map(namespace, "a"))
        with pytest.raises(KubeError):
            await api.delete(ConfigMap, "x/../a", namespace=namespace)
        with pytest.raises(KubeError):
            await api.delete(ConfigMap, "a?x=y", namespace=namespace)
        await api.get(ConfigMap, "a", namespace=namespace)

    with_api(cluster, main)


def test_who_may_not_is_forbidden_and_who_is_unknown_unauthorized(cluster: DevCluster, namespace: str) -> None:
    async def main(api: Api) -> None:
        await api.create(ServiceAccount(metadata=ObjectMeta(name="nobody", namespace=namespace)))
        own = load(str(await asyncio.to_thread(cluster.service_account_kubeconfig, namespace, "nobody")))
        async with Api(own) as unprivileged:
            with pytest.raises(Forbidden, match='cannot list resource "configmaps"'):
                await unprivileged.list_page(ConfigMap, namespace=namespace)
        async with Api(config_of(cluster)._replace(user=User(token="made-up"))) as stranger:
            with pytest.raises(Unauthorized):
                await stranger.get(Namespace, "default")

    with_api(cluster, main)


def test_a_token_file_is_read_again_when_the_server_refuses_the_token(cluster: DevCluster, tmp_path: Path) -> None:
    async def main() -> None:
        config = config_of(cluster)
        assert config.user is not None
        token = tmp_path / "token"
        token.write_text("expired")
        async with Api(config._replace(user=User(token_file=str(token)))) as api:
            with pytest.raises(Unauthorized):
                await api.get(Namespace, "default")
            token.write_text(config.user.token or "")
            await api.get(Namespace, "default")
            # The same for a watch: the next one uses the new token.
            page = await api.list_page(Namespace)
            stream = api.watch(Namespace, resource_version=page.resource_version, timeout=1)
            assert [event.type async for event in stream if event.type != "BOOKMARK"] == []

    asyncio.run(main())


def test_every_request_is_observed_with_its_outcome(cluster: DevCluster, namespace: str) -> None:
    seen: list[tuple[str, str, int]] = []

    def observe(verb: str, resource: str, code: int, seconds: float) -> None:
        assert 0 <= seconds < 30
        seen.append((verb, resource, code))

    async def main(api: Api) -> None:
        await api.create(config_map(namespace, "a"))
        with pytest.raises(AlreadyExists):
            await api.create(config_map(namespace, "a"))
        await api.patch(Namespace, namespace, {"status": {}}, subresource="status")
        await api.delete(ConfigMap, "a", namespace=namespace)

    with_api(cluster, main, observer=observe)
    assert seen == [
        ("create", "configmaps", 201),
        ("create", "configmaps", 409),
        ("patch", "namespaces/status", 200),
        ("delete", "configmaps", 200),
    ]


def test_a_watch_tells_changes_in_order_and_ends_when_the_server_says(cluster: DevCluster, namespace: str) -> None:
    async def main(api: Api) -> None:
        page = await api.list_page(ConfigMap, namespace=namespace)
        await api.create(config_map(namespace, "a", x="1"))
        await api.patch(ConfigMap, "a", {"data": {"x": "2"}}, namespace=namespace)
        await api.delete(ConfigMap, "a", namespace=namespace)
        events = [
            (event.type, event.object.data)
            async for event in api.watch(
                ConfigMap,
                resource_version=page.resource_version,
                namespace=namespace,
                fields="metadata.name=a",
                timeout=1,
            )
        ]
        assert [event for event in events if event[0] != "BOOKMARK"] == [
            ("ADDED", {"x": "1"}),
            ("MODIFIED", {"x": "2"}),
            ("DELETED", {"x": "2"}),
        ]

    with_api(cluster, main)


def test_a_watch_of_something_forbidden_is_an_error_not_an_empty_stream(cluster: DevCluster, namespace: str) -> None:
    async def main(api: Api) -> None:
        await api.create(ServiceAccount(metadata=ObjectMeta(name="nobody", namespace=namespace)))
        own = load(str(await asyncio.to_thread(cluster.service_account_kubeconfig, namespace, "nobody")))
        async with Api(own) as unprivileged:
            with pytest.raises(Forbidden):
                async for _ in unprivileged.watch(ConfigMap, resource_version="0", namespace=namespace):
                    pass

    with_api(cluster, main)


def test_a_server_that_is_not_there_is_unreachable_in_words(cluster: DevCluster) -> None:
    async def main() -> None:
        async with TcpProxy(cluster.server_url) as proxy:
            await proxy.refuse()
            async with Api(config_of(cluster, server=proxy.url)) as api:
                with pytest.raises(Unreachable) as caught:
                    await api.get(Namespace, "default")
                assert str(caught.value) == (
                    f"get namespaces default: the API server {proxy.url} is unreachable: connection refused"
                )
        async with Api(config_of(cluster, server="https://no-such-host.invalid:6443")) as api:
            with pytest.raises(Unreachable, match="its name can't be resolved"):
                await api.get(Namespace, "default")

    asyncio.run(main())


def test_a_certificate_by_an_unknown_authority_is_not_accepted(cluster: DevCluster) -> None:
    async def main() -> None:
        config = config_of(cluster)
        async with Api(config._replace(cluster=Cluster(server=cluster.server_url))) as api:
            with pytest.raises(Unreachable, match="its certificate is not valid: "):
                await api.get(Namespace, "default")

    asyncio.run(main())


def test_a_silent_server_costs_no_more_than_the_deadline_and_the_next_request_works(cluster: DevCluster) -> None:
    async def main() -> None:
        clock = asyncio.get_running_loop().time
        async with (
            TcpProxy(cluster.server_url) as proxy,
            Api(config_of(cluster, server=proxy.url), timeout=1) as api,
        ):
            await api.get(Namespace, "default")
            proxy.stall()
            begin = clock()
            with pytest.raises(Unreachable, match="no answer within 1 s"):
                await api.get(Namespace, "default")
            assert clock() - begin < 5
            proxy.flow()
            await api.get(Namespace, "default")

    asyncio.run(main())


def test_a_cancelled_request_is_never_mistaken_for_the_next_one(cluster: DevCluster) -> None:
    async def main() -> None:
        async with TcpProxy(cluster.server_url) as proxy, Api(config_of(cluster, server=proxy.url)) as api:
            await api.get(Namespace, "default")
            proxy.stall()
            cancelled = asyncio.create_task(api.get(Namespace, "kube-system"))
            await asyncio.sleep(0)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await asyncio.shield(cancelled)
            cancelled.cancel()
            proxy.flow()
            found = await api.get(Namespace, "default")
            assert found.metadata is not None
            assert found.metadata.name == "default"
            assert proxy.accepted == 2

    asyncio.run(main())


def test_a_kept_connection_that_was_cut_costs_a_read_nothing(cluster: DevCluster) -> None:
    async def main() -> None:
        async with TcpProxy(cluster.server_url) as proxy, Api(config_of(cluster, server=proxy.url)) as api:
            await api.get(Namespace, "default")
            proxy.cut()
            await api.get(Namespace, "default")
            assert proxy.accepted == 2

    asyncio.run(main())


def test_requests_share_kept_connections(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        async with TcpProxy(cluster.server_url) as proxy, Api(config_of(cluster, server=proxy.url)) as api:
            names = iter([unique("a") for _ in range(60)])

            async def work() -> None:
                for name in names:
                    await api.create(config_map(namespace, name))

            await asyncio.gather(*(work() for _ in range(6)))
            assert proxy.accepted <= 6

    asyncio.run(main())
