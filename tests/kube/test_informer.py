"""The cache follows the API server through pages, broken connections, 410 Gone and restarts; nothing is missed."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from lightkube.core.resource import NamespacedResourceG
from lightkube.resources.core_v1 import ConfigMap
from structlog.testing import capture_logs

from berth.kube.client import Api
from berth.kube.errors import Gone
from berth.kube.informer import Informer, key_of, split_key
from devcluster.cluster import DevCluster
from tests.kube.fake_server import FakeServer, Received, Reply
from tests.kube.support import config_map, config_of, eventually, plain_config
from tests.kube.tcp_proxy import TcpProxy


class Meta(msgspec.Struct):
    name: str | None = None
    namespace: str | None = None
    resourceVersion: str | None = None  # noqa: N815


class Slim(msgspec.Struct, NamespacedResourceG):
    """A ConfigMap of which only this is read."""

    _api_info = ConfigMap._api_info
    metadata: Meta
    data: dict[str, str] | None = None


class Followed:
    """An informer of ConfigMaps at work, and what its handler was told: (key, value before, value after)."""

    def __init__(self, api: Api, namespace: str, **options: Any) -> None:
        self.informer = Informer(api, ConfigMap, namespace=namespace, labels="!ca", **options)
        self.told: list[tuple[str, str | None, str | None]] = []
        self.informer.add_handler(self._note)

    def _note(self, old: ConfigMap | None, new: ConfigMap | None) -> None:
        some = new or old
        assert some is not None
        assert some.metadata is not None
        name = some.metadata.name or ""
        if not name.startswith("kube-root-ca"):
            self.told.append((name, _value(old), _value(new)))

    def content(self) -> dict[str, str | None]:
        found = {split_key(key)[1]: _value(self.informer.get(key)) for key in list(self.informer.keys())}
        return {name: value for name, value in found.items() if not name.startswith("kube-root-ca")}


def _value(obj: ConfigMap | None) -> str | None:
    return None if obj is None else (obj.data or {}).get("x", "")


@asynccontextmanager
async def following(api: Api, namespace: str, **options: Any) -> AsyncIterator[Followed]:
    followed = Followed(api, namespace, **options)
    task = asyncio.create_task(followed.informer.run())
    try:
        async with asyncio.timeout(30):
            await followed.informer.wait_synced()
        yield followed
        assert not task.done(), task
    finally:
        task.cancel()
        await asyncio.wait({task})


async def put(api: Api, namespace: str, name: str, value: str) -> None:
    await api.patch(ConfigMap, name, {"data": {"x": value}}, namespace=namespace)


def compact(cluster: DevCluster) -> None:
    """Makes etcd forget all versions but the current one, as it does by itself every five minutes."""
    url = next(a.partition("=")[2] for a in cluster.etcd.argv if a.startswith("--listen-client-urls="))

    def ask(path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(url + path, data=json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    revision = ask("/v3/kv/range", {"key": "AA=="})["header"]["revision"]
    ask("/v3/kv/compaction", {"revision": revision, "physical": True})


def test_keys_name_objects_with_and_without_namespace() -> None:
    assert key_of("ns", "a") == "ns/a"
    assert key_of(None, "a") == key_of("", "a") == "a"
    assert split_key("ns/a") == ("ns", "a")
    assert split_key("a") == ("", "a")


@pytest.mark.parametrize("page_size", [1, 3, 500])
def test_a_list_in_pages_is_whole(cluster: DevCluster, namespace: str, page_size: int) -> None:
    async def main() -> None:
        async with Api(config_of(cluster)) as api:
            for number in range(7):
                await api.create(config_map(namespace, f"c{number}", x=str(number)))
            async with following(api, namespace, page_size=page_size) as followed:
                assert followed.content() == {f"c{number}": str(number) for number in range(7)}
                assert sorted(followed.told) == [(f"c{number}", None, str(number)) for number in range(7)]
                assert f"{namespace}/c3" in followed.informer
                found = followed.informer.get(f"{namespace}/c3")
                assert found is not None
                assert found.metadata is not None
                assert found.metadata.managedFields is None

    asyncio.run(main())


def test_changes_are_told_in_order_with_before_and_after(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        async with Api(config_of(cluster)) as api, following(api, namespace) as followed:
            await api.create(config_map(namespace, "a", x="1"))
            await put(api, namespace, "a", "2")
            await api.create(config_map(namespace, "b", x="1"))
            await api.delete(ConfigMap, "a", namespace=namespace)
            await eventually(lambda: len(followed.told) == 4)
            assert followed.told == [("a", None, "1"), ("a", "1", "2"), ("b", None, "1"), ("a", "2", None)]
            assert followed.content() == {"b": "1"}
            assert followed.informer.silent_for < 30

    asyncio.run(main())


def test_a_late_handler_is_told_what_is_there(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        async with Api(config_of(cluster)) as api:
            await api.create(config_map(namespace, "a", x="1"))
            async with following(api, namespace) as followed:
                late: list[tuple[str | None, str | None]] = []
                await followed.informer.introduce(lambda old, new: late.append((_value(old), _value(new))))
                assert (None, "1") in late

    asyncio.run(main())


def test_a_handler_that_fails_is_logged_and_the_others_are_told(cluster: DevCluster, namespace: str) -> None:
    def fail(old: ConfigMap | None, new: ConfigMap | None) -> None:
        raise ValueError("odd object")

    async def main() -> None:
        async with Api(config_of(cluster)) as api, following(api, namespace) as followed:
            told: list[str | None] = []
            with capture_logs() as logs:
                followed.informer.add_handler(fail)
                followed.informer.add_handler(lambda old, new: told.append(_value(new)))
                await api.create(config_map(namespace, "a", x="1"))
                await eventually(lambda: "1" in told)
            assert ("a handler failed", f"{namespace}/a") in [(line["event"], line["key"]) for line in logs]

    asyncio.run(main())


def test_after_a_cut_it_goes_on_where_it_was_without_a_list(cluster: DevCluster, namespace: str) -> None:
    requests: list[str] = []

    async def main() -> None:
        async with (
            TcpProxy(cluster.server_url) as proxy,
            Api(config_of(cluster)) as direct,
            Api(
                config_of(cluster, server=proxy.url),
                observer=lambda verb, resource, code, seconds: requests.append(verb),
            ) as api,
            following(api, namespace) as followed,
        ):
            await direct.create(config_map(namespace, "a", x="1"))
            await eventually(lambda: followed.content() == {"a": "1"})
            with capture_logs() as logs:
                await proxy.refuse()
                await direct.create(config_map(namespace, "b", x="1"))
                await direct.delete(ConfigMap, "a", namespace=namespace)
                # It notices, and says so once, however often it tries.
                await eventually(lambda: logs)
                assert followed.content() == {"a": "1"}
                await proxy.accept()
                await eventually(lambda: followed.content() == {"b": "1"})
            assert followed.told == [("a", None, "1"), ("b", None, "1"), ("a", "1", None)]
            assert requests.count("list") == 1
            assert {line["event"] for line in logs} == {
                "can't follow the API server, trying again",
                "following the API server again",
            }

    asyncio.run(main())


def test_410_after_a_restart_and_compaction_lists_again_and_tells_the_difference(
    cluster: DevCluster, namespace: str
) -> None:
    async def main() -> None:
        async with (
            TcpProxy(cluster.server_url) as proxy,
            Api(config_of(cluster)) as direct,
            Api(config_of(cluster, server=proxy.url)) as api,
        ):
            for name in ("same", "changed", "deleted", "replaced"):
                await direct.create(config_map(namespace, name, x="1"))
            async with following(api, namespace) as followed:
                await eventually(lambda: len(followed.content()) == 4)
                version = followed.informer._version
                await proxy.refuse()
                await put(direct, namespace, "changed", "2")
                await direct.delete(ConfigMap, "deleted", namespace=namespace)
                await direct.delete(ConfigMap, "replaced", namespace=namespace)
                await direct.create(config_map(namespace, "replaced", x="2"))
                await direct.create(config_map(namespace, "new", x="1"))
                await asyncio.to_thread(compact, cluster)
                await asyncio.to_thread(cluster.apiserver.kill)
                await asyncio.to_thread(cluster.apiserver.start)
                followed.told.clear()
                with pytest.raises(Gone):
                    async for _ in direct.watch(ConfigMap, resource_version=version, namespace=namespace):
                        pass
                await proxy.accept()
                await eventually(lambda: len(followed.told) == 4)
                assert sorted(followed.told, key=str) == [
                    ("changed", "1", "2"),
                    ("deleted", "1", None),
                    ("new", None, "1"),
                    ("replaced", "1", "2"),
                ]
                assert followed.content() == {"same": "1", "changed": "2", "replaced": "2", "new": "1"}

    asyncio.run(main())


def test_a_continue_token_that_expires_between_pages_starts_the_list_again(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        async with Api(config_of(cluster)) as api:
            for number in range(6):
                await api.create(config_map(namespace, f"c{number}", x="1"))
            informer = Informer(api, ConfigMap, namespace=namespace, page_size=2)
            compacted: list[str] = []

            def compact_once(old: ConfigMap | None, new: ConfigMap | None) -> None:
                if not compacted:
                    compacted.append("now")
                    cluster.request("DELETE", f"/api/v1/namespaces/{namespace}/configmaps/c5")
                    compact(cluster)

            informer.add_handler(compact_once)
            with capture_logs() as logs:
                task = asyncio.create_task(informer.run())
                await informer.wait_synced()
            task.cancel()
            assert [split_key(key)[1] for key in list(informer.keys()) if "/c" in key] == ["c0", "c1", "c2", "c3", "c4"]
            assert any("The provided continue parameter is too old" in line["why"] for line in logs)

    asyncio.run(main())


def test_the_api_server_killed_and_restarted_is_survived(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        async with Api(config_of(cluster)) as api, following(api, namespace) as followed:
            await api.create(config_map(namespace, "a", x="1"))
            await eventually(lambda: followed.content() == {"a": "1"})
            await asyncio.to_thread(cluster.apiserver.kill)
            await asyncio.to_thread(cluster.apiserver.start)
            await put(api, namespace, "a", "2")
            await api.create(config_map(namespace, "b", x="1"))
            await eventually(lambda: followed.content() == {"a": "2", "b": "1"}, 60)

    asyncio.run(main())


def test_a_half_dead_connection_is_noticed_by_its_silence(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        async with (
            TcpProxy(cluster.server_url) as proxy,
            Api(config_of(cluster)) as direct,
            Api(config_of(cluster, server=proxy.url), timeout=5) as api,
            following(api, namespace, silence=2) as followed,
        ):
            await direct.create(config_map(namespace, "a", x="1"))
            await eventually(lambda: followed.content() == {"a": "1"})
            proxy.stall()
            with capture_logs() as logs:
                await put(direct, namespace, "a", "2")
                await eventually(lambda: any("nothing came for 2 s" in line.get("why", "") for line in logs))
            assert followed.content() == {"a": "1"}
            proxy.flow()
            await eventually(lambda: followed.content() == {"a": "2"})

    asyncio.run(main())


def test_quiet_watches_are_kept_fresh_by_bookmarks(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        page_version = ""
        async with Api(config_of(cluster)) as api:
            page_version = (await api.list_page(ConfigMap, namespace=namespace)).resource_version
            # The end of a watch is announced by a bookmark, too: no need to wait a minute for the next one.
            events = [
                event
                async for event in api.watch(
                    ConfigMap,
                    resource_version=page_version,
                    namespace=namespace,
                    fields="metadata.name=none",
                    timeout=4,
                )
            ]
        assert {event.type for event in events} <= {"BOOKMARK"}
        for event in events:
            assert event.object.metadata is not None
            assert event.object.metadata.resourceVersion

    asyncio.run(main())


def test_a_resync_tells_everything_again(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        async with Api(config_of(cluster)) as api:
            await api.create(config_map(namespace, "a", x="1"))
            async with following(api, namespace, resync=0.2) as followed:
                await eventually(lambda: followed.told.count(("a", "1", "1")) >= 2)

    asyncio.run(main())


def test_a_slim_class_and_a_transform_decide_what_is_cached(cluster: DevCluster, namespace: str) -> None:
    def upper(obj: Slim) -> Slim:
        obj.data = {key: value.upper() for key, value in (obj.data or {}).items()}
        return obj

    async def main() -> None:
        async with Api(config_of(cluster)) as api:
            await api.create(config_map(namespace, "a", x="one"))
            informer = Informer(api, Slim, namespace=namespace, transform=upper)
            task = asyncio.create_task(informer.run())
            await informer.wait_synced()
            task.cancel()
            found = informer.get(f"{namespace}/a")
            assert found is not None
            assert found.data == {"x": "ONE"}

    asyncio.run(main())


@pytest.mark.slow
def test_a_server_that_always_says_gone_is_not_asked_in_a_hurry() -> None:
    async def script(received: Received) -> Reply:
        if "watch=true" in received.target:
            return Reply.of({"type": "ERROR", "object": {"code": 410, "reason": "Expired", "message": "too old"}})
        return Reply.of({"metadata": {"resourceVersion": "1"}, "items": []})

    async def main() -> None:
        async with FakeServer(script) as server, Api(plain_config(server.url)) as api:
            async with following(api, "default"):
                await asyncio.sleep(2)
            assert len(server.received) <= 8

    asyncio.run(main())
