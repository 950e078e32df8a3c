"""What a test can do to the API server in memory that nobody can do to a real one at the right moment."""

from __future__ import annotations

import asyncio

import pytest
from lightkube.resources.core_v1 import ConfigMap

from berth.kube.errors import Forbidden, Gone, NotFound, Unreachable, WriteWithheld
from berth.kube.informer import Informer
from berth.kube.permissions import Right
from tests.fake_api.api import FakeApi
from tests.kube.support import config_map, eventually


@pytest.fixture
def api() -> FakeApi:
    """With a namespace `team`."""
    fake = FakeApi()
    fake.cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}})
    return fake


async def test_an_answer_is_lost_and_what_was_asked_is_done(api: FakeApi) -> None:
    api.lose_answer("create configmaps")
    with pytest.raises(Unreachable):
        await api.create(config_map("team", "a"))
    assert api.cluster.find("ConfigMap", "a", "team") is not None


async def test_a_server_that_is_down_does_nothing(api: FakeApi) -> None:
    api.be_down("create", times=2)
    for _ in range(2):
        with pytest.raises(Unreachable):
            await api.create(config_map("team", "a"))
    await api.create(config_map("team", "a"))
    assert api.requests == ["create configmaps team/a"] * 3


async def test_something_happens_before_a_request_arrives(api: FakeApi) -> None:
    await api.create(config_map("team", "a"))
    api.before("patch configmaps", lambda: api.cluster.drop("ConfigMap", "a", "team"))
    with pytest.raises(NotFound):
        await api.patch(ConfigMap, "a", {"data": {"x": "1"}}, namespace="team")


async def test_a_guard_is_asked_and_nothing_leaves(api: FakeApi) -> None:
    with pytest.raises(WriteWithheld, match="not sent: the lease is another's"):
        await api.guarded(lambda: "the lease is another's").create(config_map("team", "a"))
    assert api.requests == []


async def test_rights_are_as_the_test_says(api: FakeApi) -> None:
    api.cluster.allows = lambda asked: (asked.verb, asked.resource, asked.account) != ("get", "configmaps", "")
    right = Right("get", "", "configmaps")
    assert not await api.may(right, namespace="team")
    assert await api.may(right, namespace="team", account="team/default")
    with pytest.raises(Forbidden):
        await api.get(ConfigMap, "a", namespace="team")


async def test_an_informer_follows_through_a_cut_and_a_compaction(api: FakeApi) -> None:
    informer = Informer(api, ConfigMap, namespace="team")
    running = asyncio.create_task(informer.run())
    try:
        await informer.wait_synced()
        await api.create(config_map("team", "a"))
        await eventually(lambda: "team/a" in informer)
        api.be_down("watch configmaps")
        api.cluster.cut_watches()
        await api.create(config_map("team", "b"))
        api.cluster.drop("ConfigMap", "a", "team")
        api.cluster.forget_history()
        await eventually(lambda: list(informer.keys()) == ["team/b"])
    finally:
        running.cancel()
        await asyncio.wait({running})


async def test_a_watch_from_before_a_compaction_is_gone(api: FakeApi) -> None:
    since = (await api.list_page(ConfigMap)).resource_version
    await api.create(config_map("team", "a"))
    api.cluster.forget_history()
    with pytest.raises(Gone):
        async for _ in api.watch(ConfigMap, resource_version=since):
            pass
