"""All objects through one watch where the server does that, and in pages from every server that does not."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
import pytest
from lightkube.resources.core_v1 import ConfigMap

from berth.kube import watch_list
from berth.kube.client import Api
from berth.kube.informer import Informer
from tests.fake_api.api import FakeApi
from tests.kube.fake_server import FakeServer, Received, Reply
from tests.kube.support import eventually, plain_config


def config(name: str, version: int, value: str = "") -> dict[str, Any]:
    meta = {"name": name, "namespace": "team", "resourceVersion": str(version)}
    return {"metadata": meta, "data": {"x": value}}


def added(name: str, version: int, value: str = "") -> dict[str, Any]:
    return {"type": "ADDED", "object": config(name, version, value)}


def bookmark(version: int | None, *, ends: bool = True) -> dict[str, Any]:
    annotations = {"k8s.io/initial-events-end": "true"} if ends else {}
    meta = {"annotations": annotations, **({"resourceVersion": str(version)} if version else {})}
    return {"type": "BOOKMARK", "object": {"metadata": meta}}


def lines(*events: dict[str, Any]) -> Reply:
    return Reply(body=b"".join(json.dumps(event).encode() + b"\n" for event in events))


class Server:
    """Answers watches that ask for all with `begin`; what comes after is silence. In pages it has `a` and `b`."""

    def __init__(self, begin: Reply) -> None:
        self.begin = begin
        self.pages = 0
        self.begun = 0
        self.since: list[str] = []

    async def answer(self, received: Received) -> Reply:
        if "sendInitialEvents=true" in received.target:
            assert "resourceVersionMatch=NotOlderThan" in received.target
            assert "allowWatchBookmarks=true" in received.target
            assert "resourceVersion=" not in received.target
            self.begun += 1
            return self.begin
        if "watch=true" in received.target:
            self.since.append(received.target.partition("resourceVersion=")[2].partition("&")[0])
            await asyncio.sleep(60)
        self.pages += 1
        items = [config("a", 5, "page"), config("b", 6, "page")]
        return Reply.of({"metadata": {"resourceVersion": "9"}, "items": items})


async def follow(
    server: Server, known: tuple[str, ...] = (), timeout: float = 30.0
) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """What the cache holds once the server is followed, and what handlers were told of."""
    async with FakeServer(server.answer) as fake, Api(plain_config(fake.url), timeout=timeout) as api:
        informer = Informer(api, ConfigMap)
        for name in known:
            informer._store(msgspec.convert(config(name, 1), ConfigMap))
        told: list[tuple[str, str]] = []
        informer.add_handler(lambda old, new: told.append(_told(old, new)))
        task = asyncio.create_task(informer.run())
        await informer.wait_synced()
        await eventually(lambda: server.since)
        task.cancel()
        held = {key: (one.data or {}).get("x", "") for key in informer.keys() if (one := informer.get(key))}  # noqa: SIM118
        return held, told


def _told(old: ConfigMap | None, new: ConfigMap | None) -> tuple[str, str]:
    some = new or old
    assert some is not None
    assert some.metadata is not None
    return some.metadata.name or "", "gone" if new is None else "new" if old is None else "changed"


def test_the_list_comes_through_the_watch_and_nothing_is_listed() -> None:
    changed = {"type": "MODIFIED", "object": config("a", 4, "2")}
    went = {"type": "DELETED", "object": config("c", 5)}
    server = Server(lines(added("a", 2, "1"), added("b", 3, "1"), added("c", 1), changed, went, bookmark(7)))
    held, told = asyncio.run(follow(server, known=("b", "old")))
    assert held == {"team/a": "2", "team/b": "1"}
    assert told == [("a", "new"), ("b", "changed"), ("c", "new"), ("a", "changed"), ("c", "gone"), ("old", "gone")]
    assert (server.pages, server.begun, server.since) == (0, 1, ["7"])


REFUSALS = {
    "of 1.20": Reply.of(
        {"code": 422, "reason": "Invalid", "message": "resourceVersionMatch is forbidden for watch"}, 422
    ),
    "a plain 400": Reply.of({"code": 400, "reason": "BadRequest", "message": "unknown parameter"}, 400),
    "a cache that lags": Reply.of({"code": 504, "reason": "Timeout", "message": "Too large resource version"}, 504),
    "within the stream": lines(
        added("a", 2), {"type": "ERROR", "object": {"code": 500, "reason": "InternalError", "message": "x"}}
    ),
    "an ordinary watch with its bookmark": lines(added("a", 2), added("gone-since", 3), bookmark(7, ends=False)),
    "an ordinary watch that ends": lines(added("a", 2), added("gone-since", 3)),
    "nothing at all": lines(),
    "nonsense": Reply(body=b"<html>\n"),
    "no version": lines(added("a", 2), bookmark(None)),
}  # fmt: skip


@pytest.mark.parametrize("begin", REFUSALS.values(), ids=REFUSALS)
def test_every_server_that_does_not_do_that_is_listed_in_pages(begin: Reply) -> None:
    server = Server(begin)
    held, _ = asyncio.run(follow(server, known=("old",)))
    assert held == {"team/a": "page", "team/b": "page"}
    assert (server.pages, server.begun, server.since) == (1, 1, ["9"])


def test_a_stream_that_never_begins_is_not_waited_for() -> None:
    class Holding(Server):
        async def answer(self, received: Received) -> Reply:
            if "sendInitialEvents=true" in received.target:
                self.begun += 1
                await asyncio.sleep(60)
            return await super().answer(received)

    server = Holding(lines())
    held, _ = asyncio.run(follow(server, timeout=1))
    assert held == {"team/a": "page", "team/b": "page"}
    assert (server.pages, server.begun) == (1, 1)


def test_one_that_begins_an_ordinary_watch_and_falls_silent_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        api = FakeApi()
        api.cluster.release = ("1", "20")
        api.cluster.is_strict = False
        api.cluster.put({"apiVersion": "v1", "kind": "ConfigMap", **config("a", 1)})
        informer = Informer(api, ConfigMap)
        task = asyncio.create_task(informer.run())
        await asyncio.wait_for(informer.wait_synced(), 20)
        task.cancel()
        assert list(informer.keys()) == ["team/a"]
        assert api.requests[:2] == ["watch configmaps", "list configmaps"]

    monkeypatch.setattr(watch_list, "PATIENCE", 0.2)
    asyncio.run(main())


@pytest.mark.parametrize(("minor", "requests"), [("20", ["watch", "list", "watch"]), ("34", ["watch", "watch"])])
def test_both_kinds_of_servers_are_followed(minor: str, requests: list[str]) -> None:
    async def main() -> None:
        api = FakeApi()
        api.cluster.release = ("1", minor)
        api.cluster.put({"apiVersion": "v1", "kind": "ConfigMap", **config("a", 1)})
        informer = Informer(api, ConfigMap)
        task = asyncio.create_task(informer.run())
        await informer.wait_synced()
        api.cluster.put({"apiVersion": "v1", "kind": "ConfigMap", **config("b", 1)})
        await eventually(lambda: len(informer) == 2)
        task.cancel()
        assert api.requests == [f"{verb} configmaps" for verb in requests]

    asyncio.run(main())
